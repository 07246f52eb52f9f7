//! The record of requests.

use std::sync::Mutex;
use std::time::Duration;

/// A request that the server received. Times are relative to the server's start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedRequest {
    /// Running number, from 1, in order of arrival.
    pub sequence: u64,
    /// The number of the TCP connection.
    pub connection: u64,
    /// `iam`, `sts` or `s3`.
    pub service: String,
    /// The operation's name, such as `AssumeRole`.
    pub operation: String,
    /// The Region in the signature.
    pub region: Option<String>,
    /// The access key ID in the signature.
    pub access_key: Option<String>,
    /// The caller's ARN, if the signature was valid.
    pub principal: Option<String>,
    /// Account of the caller.
    pub account: Option<String>,
    /// When it arrived.
    pub start: Duration,
    /// When the response was sent; `None` while the request is in progress.
    pub end: Option<Duration>,
    /// HTTP status of the response; `None` also after a connection reset.
    pub status: Option<u16>,
    /// Error code of the answer.
    pub error_code: Option<String>,
    /// Form parameters (IAM, STS); bucket, key and query (S3). MFA codes are removed.
    pub parameters: Vec<(String, String)>,
    /// The `User-Agent` header.
    pub user_agent: Option<String>,
}

impl RecordedRequest {
    /// Returns the value of a form parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Returns requests that waited for each other, as steps: the longest chain in which each request began after the response
/// to the one before, with the requests in progress at the same time. A request whose response no other request waited
/// for is in no step.
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

/// Returns the maximum number of requests in progress at the same time.
pub fn most_at_once<'a>(requests: impl IntoIterator<Item = &'a RecordedRequest>) -> usize {
    let requests: Vec<_> = requests.into_iter().collect();
    let in_work = |at: Duration| {
        let started = requests.iter().filter(|request| request.start <= at);
        started.filter(|request| request.end.is_none_or(|end| end > at)).count()
    };
    requests.iter().map(|request| in_work(request.start)).max().unwrap_or(0)
}

/// All requests since the start, or since the record was last cleared.
#[derive(Debug, Default)]
pub(crate) struct Record {
    requests: Mutex<(u64, Vec<RecordedRequest>)>,
}

impl Record {
    /// Records a request and returns its number.
    pub(crate) fn open(&self, mut request: RecordedRequest) -> u64 {
        let mut requests = crate::lock::lock(&self.requests);
        requests.0 += 1;
        request.sequence = requests.0;
        requests.1.push(request);
        requests.0
    }

    /// Completes the entry with that number, unless it was cleared meanwhile.
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
