//! Holds requests at a given stage, so that a test can act on the client at exactly that moment.

use std::sync::{Mutex, mpsc};
use std::time::Duration;

use tokio::sync::oneshot;

/// The stage of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The server has received the request, and done nothing.
    Arrived,
    /// The request has taken effect, and the response is not sent.
    Processed,
    /// The response was sent just before. Holding the request has no effect any more.
    Answered,
}

/// The approximate time until a response arrives.
const ON_ITS_WAY: Duration = Duration::from_millis(2);

/// A request that the server holds at a stage.
///
/// If this is dropped, the server never answers the request.
#[derive(Debug)]
pub struct Hold {
    reached: mpsc::Receiver<()>,
    release: oneshot::Sender<()>,
}

impl Hold {
    /// Returns whether the request reaches the stage within this time. Returns true only once.
    pub fn reached(&self, patience: Duration) -> bool {
        self.reached.recv_timeout(patience).is_ok()
    }

    /// Lets the request continue, even if the client closed the connection.
    pub fn release(self) {
        // If the request never arrived, there is no receiver.
        let _ = self.release.send(());
    }
}

/// The requests that a server must hold.
#[derive(Debug, Default)]
pub(crate) struct Holds(Mutex<Vec<Held>>);

#[derive(Debug)]
struct Held {
    operation: String,
    /// The number of requests of the operation until this one, inclusive.
    to_come: u64,
    /// The request's number, once it has arrived.
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

    /// Reports that a request has reached a stage, and waits if it must be held.
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
