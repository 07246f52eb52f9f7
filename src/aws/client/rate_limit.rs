//! The rate limit of STS: requests wait for their turn, and throttled ones are retried.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use tokio::time::{Instant, sleep, sleep_until};

use crate::error::{AwsAnswer, Error, Result};

/// STS allows an account 600 requests per second in each Region, for all its users and tools together, and AWS does not
/// raise this limit (AWS re:Post, "IAM or AWS STS throttling errors"). A third leaves room for other tools.
pub const USUAL_RATE: u16 = 200;

const SECOND: Duration = Duration::from_secs(1);

/// How long to retry throttled requests.
const PATIENCE: Duration = Duration::from_secs(30);

/// Limits the requests per second. Clones share the limit.
#[derive(Debug, Clone)]
pub(in crate::aws) struct Pace {
    rate: u16,
    schedule: Arc<Mutex<Schedule>>,
}

#[derive(Debug, Default)]
struct Schedule {
    /// The times of the last requests, sent or scheduled, as many as the limit allows in one second.
    latest: VecDeque<Instant>,
    /// When the next one is due if all are spaced evenly.
    due: Option<Instant>,
}

impl Pace {
    /// Creates a limit of this many requests per second, at least one.
    pub(in crate::aws) fn new(rate: u16) -> Self {
        Self { rate: rate.max(1), schedule: Arc::default() }
    }

    /// Waits until one more request may be sent. A fifth of the limit may be sent at once, and more only evenly spaced: on
    /// their way, requests in a burst come closer to those of the next one, and AWS counts when they arrive.
    async fn turn(&self) {
        let interval = SECOND / u32::from(self.rate);
        let at = {
            let mut schedule = self.schedule.lock().unwrap_or_else(PoisonError::into_inner);
            let Schedule { latest, due } = &mut *schedule;
            let earliest = if latest.len() < usize::from(self.rate) { None } else { latest.pop_front() };
            let now = Instant::now();
            let next = due.map_or(now, |due| due.max(now));
            let at = (next - interval * u32::from(self.rate / 5)).max(now);
            let at = earliest.map_or(at, |earliest| at.max(earliest + SECOND));
            *due = Some(next.max(at) + interval);
            latest.push_back(at);
            at
        };
        sleep_until(at).await;
    }

    /// Wraps a client so that its requests, and the SDK's retries, wait for their turn.
    pub(in crate::aws) fn before(&self, client: SharedHttpClient) -> SharedHttpClient {
        let pace = self.clone();
        http_client_fn(move |settings, components| {
            let connector = client.http_connector(settings, components);
            SharedHttpConnector::new(Paced { pace: pace.clone(), connector })
        })
    }
}

#[derive(Debug)]
struct Paced {
    pace: Pace,
    connector: SharedHttpConnector,
}

impl HttpConnector for Paced {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (pace, connector) = (self.pace.clone(), self.connector.clone());
        HttpConnectorFuture::new(async move {
            pace.turn().await;
            connector.call(request).await
        })
    }
}

/// Retries with growing pauses while AWS throttles the request. The SDK gives up after a few attempts, so with many
/// targets the throttled ones would fail.
pub(in crate::aws) async fn unless_throttled<T>(attempt: impl AsyncFn() -> Result<T>) -> Result<T> {
    let (start, mut pause) = (Instant::now(), SECOND);
    loop {
        match attempt().await {
            Err(error) if is_throttled(&error) && start.elapsed() + pause < PATIENCE => {
                sleep(pause).await;
                pause *= 2;
            }
            result => return result,
        }
    }
}

fn is_throttled(error: &Error) -> bool {
    error.aws.as_deref().is_some_and(AwsAnswer::is_throttled)
}

#[cfg(test)]
mod tests;
