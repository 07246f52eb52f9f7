//! Requests held on their way, so that a test can do something to the client at exactly that moment.

use std::sync::{Mutex, mpsc};
use std::time::Duration;

use tokio::sync::oneshot;

/// How far a request has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The server has it, and has done nothing about it.
    Arrived,
    /// What it asks for is done; the answer has not left.
    Processed,
    /// The answer has left a moment ago. It is late to hold anything up then.
    Answered,
}

/// How long an answer is on its way, more or less.
const ON_ITS_WAY: Duration = Duration::from_millis(2);

/// A request that is held once it has come as far as it may.
///
/// Nobody hears of it again if this is dropped.
#[derive(Debug)]
pub struct Hold {
    reached: mpsc::Receiver<()>,
    release: oneshot::Sender<()>,
}

impl Hold {
    /// Whether the request comes so far within this time. It is true once.
    pub fn reached(&self, patience: Duration) -> bool {
        self.reached.recv_timeout(patience).is_ok()
    }

    /// Lets the request go on, even if its client has hung up.
    pub fn release(self) {
        // Where the request never came there is nobody to tell.
        let _ = self.release.send(());
    }
}

/// The requests to be held by a server.
#[derive(Debug, Default)]
pub(crate) struct Holds(Mutex<Vec<Held>>);

#[derive(Debug)]
struct Held {
    operation: String,
    /// How many requests of the operation are still to come, this one among them.
    to_come: u64,
    /// The request's number, once it has come.
    sequence: Option<u64>,
    stage: Stage,
    reached: mpsc::Sender<()>,
    released: oneshot::Receiver<()>,
}

impl Holds {
    pub(crate) fn add(&self, operation: &str, call: u64, stage: Stage) -> Hold {
        let ((tell, reached), (release, released)) = (mpsc::channel(), oneshot::channel());
        let operation = operation.to_owned();
        let held = Held { operation, to_come: call, sequence: None, stage, reached: tell, released };
        crate::lock::lock(&self.0).push(held);
        Hold { reached, release }
    }

    /// Counts a request that has arrived.
    pub(crate) fn count(&self, sequence: u64, operation: &str) {
        for held in crate::lock::lock(&self.0).iter_mut().filter(|held| held.operation == operation) {
            held.to_come = held.to_come.saturating_sub(1);
            if held.to_come == 0 {
                held.sequence.get_or_insert(sequence);
            }
        }
    }

    /// Tells that a request has come so far, and lets it pass unless it is to be held.
    pub(crate) async fn pass(&self, sequence: u64, stage: Stage) {
        let held = {
            let mut list = crate::lock::lock(&self.0);
            let found = list.iter().position(|held| held.sequence == Some(sequence) && held.stage == stage);
            found.map(|index| list.swap_remove(index))
        };
        let Some(held) = held else { return };
        if stage == Stage::Answered {
            tokio::spawn(async move {
                tokio::time::sleep(ON_ITS_WAY).await;
                let _ = held.reached.send(());
            });
            return;
        }
        let _ = held.reached.send(());
        if held.released.await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
