//! The record of what clients sent.

use std::sync::Mutex;
use std::time::Duration;

/// A request that the server saw. Times are counted from the server's start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedRequest {
    /// Running number, from 1, in order of arrival.
    pub sequence: u64,
    /// Number of the TCP connection that it came on.
    pub connection: u64,
    /// `iam`, `sts` or `s3`.
    pub service: String,
    /// The operation's name, e.g. `AssumeRole`.
    pub operation: String,
    /// The region that the request was signed for.
    pub region: Option<String>,
    /// The access key that signed it.
    pub access_key: Option<String>,
    /// ARN of the caller, once the signature was found right.
    pub principal: Option<String>,
    /// Account of the caller.
    pub account: Option<String>,
    /// When it arrived.
    pub start: Duration,
    /// When it was answered; `None` while it is in work.
    pub end: Option<Duration>,
    /// HTTP status of the answer; `None` also after a reset connection.
    pub status: Option<u16>,
    /// Error code of the answer.
    pub error_code: Option<String>,
    /// Form parameters (IAM, STS); bucket, key and query (S3). One-time codes are blanked out.
    pub parameters: Vec<(String, String)>,
    /// The `User-Agent` header.
    pub user_agent: Option<String>,
}

impl RecordedRequest {
    /// The value of a form parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Requests that waited for each other, as steps: the longest chain of which each began after the one before was answered,
/// with what was in work beside each. What nobody waited for the answer of is in none.
pub fn steps(requests: &[RecordedRequest]) -> Vec<Vec<&RecordedRequest>> {
    let mut answered: Vec<_> = requests.iter().filter_map(|request| Some((request.end?, request))).collect();
    answered.sort_by_key(|(end, _)| *end);
    let mut steps: Vec<Vec<&RecordedRequest>> = Vec::new();
    let mut step_end = None;
    for (end, request) in answered {
        match steps.last_mut() {
            Some(step) if step_end.is_some_and(|step_end| request.start < step_end) => step.push(request),
            _ => {
                step_end = Some(end);
                steps.push(vec![request]);
            }
        }
    }
    steps
}

/// How many requests were in work at the same time, at most.
pub fn most_at_once<'a>(requests: impl IntoIterator<Item = &'a RecordedRequest>) -> usize {
    let requests: Vec<_> = requests.into_iter().collect();
    let in_work = |at: Duration| {
        let started = requests.iter().filter(|request| request.start <= at);
        started.filter(|request| request.end.is_none_or(|end| end > at)).count()
    };
    requests.iter().map(|request| in_work(request.start)).max().unwrap_or(0)
}

/// All requests since the start, or since the last clearing.
#[derive(Debug, Default)]
pub(crate) struct Record {
    requests: Mutex<(u64, Vec<RecordedRequest>)>,
}

impl Record {
    /// Enters a request and gives it its number.
    pub(crate) fn open(&self, mut request: RecordedRequest) -> u64 {
        let mut requests = crate::lock::lock(&self.requests);
        requests.0 += 1;
        request.sequence = requests.0;
        requests.1.push(request);
        requests.0
    }

    /// Completes the entry with that number, unless it was cleared away meanwhile.
    pub(crate) fn complete(&self, sequence: u64, change: impl FnOnce(&mut RecordedRequest)) {
        let mut requests = crate::lock::lock(&self.requests);
        let entry = requests.1.iter_mut().rev().find(|request| request.sequence == sequence);
        if let Some(entry) = entry {
            change(entry);
        }
    }

    pub(crate) fn all(&self) -> Vec<RecordedRequest> {
        crate::lock::lock(&self.requests).1.clone()
    }

    pub(crate) fn clear(&self) {
        crate::lock::lock(&self.requests).1.clear();
    }
}
