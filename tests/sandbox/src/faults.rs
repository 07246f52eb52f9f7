//! Injected faults, by operation and call number.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::sync::Mutex;
use std::time::Duration;

/// The kind of a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// 400 `Throttling` `Rate exceeded`; on S3 503 `SlowDown`.
    Throttle,
    /// A 5xx answer with the service's usual code for it.
    ServerError(u16),
    /// The server resets the connection without a response.
    Reset,
    /// The connection is closed as if nothing were wrong (FIN), with no answer.
    Close,
    /// The connection is closed in the middle of the answer's head.
    CutHead,
    /// What comes is not HTTP.
    Garbled,
    /// The server never responds.
    Hang,
    /// The server delays the response, without delaying other requests.
    Delay(Duration),
    /// The response ends in the middle of its body.
    TruncatedBody,
    /// The body is not XML, like a proxy's error page, but the status is unchanged.
    NotXml,
    /// An HTML page with this status, as from a proxy or a load balancer in front of AWS.
    Page(u16),
    /// The answer is 20 MB of empty elements.
    LongAnswer,
    /// An ARN in the answer is this many bytes longer than it should be.
    LongArn(usize),
    /// The answer tells of another role's session.
    OtherRole,
    /// The session expires so soon, whatever was asked for.
    Brief(Duration),
    /// The access key in the answer has a line feed in it.
    BrokenKey,
    /// Every page of a list says that there is another one.
    EndlessPages,
    /// Status 200 with an error document, as S3 responds if an error occurs after it has sent the status.
    ErrorIn200,
    /// The server's clock is this many seconds ahead, so that it rejects the signature.
    Skew(i64),
    /// The server stops: it resets this connection, and refuses new ones until the faults are cleared.
    Gone,
    /// An error with any status, code and message.
    Error {
        /// HTTP status.
        status: u16,
        /// Error code.
        code: String,
        /// Message.
        message: String,
    },
}

/// A fault: which calls fail, when, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The operation's name, such as `AssumeRole`; `*` is any operation.
    pub operation: String,
    /// The calls of the operation that fail, counted from 1; `None` means every call.
    pub calls: Option<RangeInclusive<u64>>,
    /// Whether the call takes effect before it fails.
    pub processed: bool,
    /// What goes wrong.
    pub kind: FaultKind,
}

impl Fault {
    /// Returns a fault on every call of `operation`. The calls do not take effect.
    pub fn new(operation: impl Into<String>, kind: FaultKind) -> Self {
        Fault { operation: operation.into(), calls: None, processed: false, kind }
    }

    /// Limits the fault to the `number`-th call of the operation, counted from 1.
    pub fn on_call(self, number: u64) -> Self {
        self.on_calls(number..=number)
    }

    /// Limits the fault to these calls of the operation, counted from 1.
    pub fn on_calls(mut self, numbers: RangeInclusive<u64>) -> Self {
        self.calls = Some(numbers);
        self
    }

    /// Makes the call take effect before it fails, which the client cannot see.
    pub fn after_processing(mut self) -> Self {
        self.processed = true;
        self
    }

    fn hits(&self, operation: &str, call: u64) -> bool {
        (self.operation == "*" || self.operation.eq_ignore_ascii_case(operation))
            && self.calls.as_ref().is_none_or(|calls| calls.contains(&call))
    }
}

/// Parses `OPERATION[:N[-M]]=KIND[@after]`, as on the command line: `AssumeRole:1=throttle`, `*=delay:200ms`,
/// `CreateRole:2=reset@after`, `PutRolePolicy=error:409:ConcurrentModification`.
impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (target, kind) = text
            .split_once('=')
            .ok_or_else(|| format!("`{text}` is not a fault such as `AssumeRole:1=throttle` (OPERATION:N=KIND)"))?;
        let (kind, processed) = match kind.strip_suffix("@after") {
            Some(kind) => (kind, true),
            None => (kind, false),
        };
        let (operation, calls) = match target.split_once(':') {
            None => (target, None),
            Some((operation, calls)) => {
                let (first, last) = calls.split_once('-').unwrap_or((calls, calls));
                let number = |text: &str| text.parse::<u64>().map_err(|_| format!("`{text}` is not a call number"));
                (operation, Some(number(first)?..=number(last)?))
            }
        };
        Ok(Fault { operation: operation.to_owned(), calls, processed, kind: kind.parse()? })
    }
}

/// Parses `throttle`, `500`, `reset`, `hang`, `delay:200ms`, `truncate`, `notxml`, `page:STATUS`, `error-in-200`,
/// `skew:SECONDS`, `gone`, `error:STATUS:CODE[:MESSAGE]`.
impl FromStr for FaultKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, rest) = text.split_once(':').unwrap_or((text, ""));
        Ok(match name {
            "throttle" => FaultKind::Throttle,
            "500" | "502" | "503" | "504" => FaultKind::ServerError(name.parse().unwrap_or(500)),
            "reset" => FaultKind::Reset,
            "close" => FaultKind::Close,
            "cut-head" => FaultKind::CutHead,
            "garbled" => FaultKind::Garbled,
            "hang" => FaultKind::Hang,
            "delay" => FaultKind::Delay(parse_duration(rest)?),
            "truncate" => FaultKind::TruncatedBody,
            "notxml" => FaultKind::NotXml,
            "page" => FaultKind::Page(rest.parse().map_err(|_| format!("`{text}` is not page:STATUS"))?),
            "long-answer" => FaultKind::LongAnswer,
            "long-arn" => FaultKind::LongArn(rest.parse().map_err(|_| format!("`{text}` is not long-arn:BYTES"))?),
            "other-role" => FaultKind::OtherRole,
            "brief" => FaultKind::Brief(parse_duration(rest)?),
            "broken-key" => FaultKind::BrokenKey,
            "endless-pages" => FaultKind::EndlessPages,
            "error-in-200" => FaultKind::ErrorIn200,
            "skew" => FaultKind::Skew(rest.parse().map_err(|_| format!("`{text}` is not skew:SECONDS"))?),
            "gone" => FaultKind::Gone,
            "error" => {
                let mut parts = rest.splitn(3, ':');
                let status = parts.next().and_then(|status| status.parse().ok());
                let status = status
                    .filter(|status| (400..600).contains(status))
                    .ok_or_else(|| format!("`{text}` is not error:STATUS:CODE"))?;
                let code = parts.next().filter(|code| !code.is_empty());
                FaultKind::Error {
                    status,
                    code: code.ok_or_else(|| format!("`{text}` is not error:STATUS:CODE"))?.to_owned(),
                    message: parts.next().unwrap_or("injected fault").to_owned(),
                }
            }
            _ => {
                return Err(format!(
                    "`{text}` is not one of throttle, 500, 502, 503, 504, reset, close, cut-head, garbled, hang, delay:TIME, truncate, notxml, \
                     page:STATUS, long-answer, long-arn:BYTES, other-role, brief:TIME, broken-key, endless-pages, error-in-200, \
                     skew:SECONDS, gone, error:STATUS:CODE"
                ));
            }
        })
    }
}

/// Parses `50ms`, `10s`, `2m`, `1h`.
///
/// # Errors
/// When the text has another format. The error is a message for the user.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => 0,
    };
    number
        .parse::<u64>()
        .ok()
        .filter(|_| milliseconds > 0)
        .and_then(|number| number.checked_mul(milliseconds))
        .map(Duration::from_millis)
        .ok_or_else(|| format!("`{text}` is not a duration such as `50ms`, `10s` or `2m`"))
}

/// The faults of a server, and the number of calls of each operation.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    list: Mutex<Vec<Fault>>,
    calls: Mutex<HashMap<String, u64>>,
}

impl Faults {
    pub(crate) fn new(list: Vec<Fault>) -> Self {
        Faults { list: Mutex::new(list), calls: Mutex::default() }
    }

    pub(crate) fn add(&self, fault: Fault) {
        crate::lock::lock(&self.list).push(fault);
    }

    /// Removes all faults, and counts calls from 1 again.
    pub(crate) fn clear(&self) {
        crate::lock::lock(&self.list).clear();
        crate::lock::lock(&self.calls).clear();
    }

    /// Counts a call of `operation` and returns its fault.
    pub(crate) fn next(&self, operation: &str) -> Option<Fault> {
        let call = {
            let mut calls = crate::lock::lock(&self.calls);
            let call = calls.entry(operation.to_ascii_lowercase()).or_default();
            *call += 1;
            *call
        };
        let list = crate::lock::lock(&self.list);
        list.iter().find(|fault| fault.hits(operation, call)).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_line_form() {
        let fault: Fault = "AssumeRole:2-3=503@after".parse().unwrap();
        assert_eq!(fault, Fault::new("AssumeRole", FaultKind::ServerError(503)).on_calls(2..=3).after_processing());
        let fault: Fault = "*=error:409:ConcurrentModification:try again".parse().unwrap();
        assert!(matches!(fault.kind, FaultKind::Error { status: 409, .. }));
        for wrong in
            ["AssumeRole", "A:x=reset", "A=explode", "A=delay:5", "A=error:200:OK", "A=error:500", "A=page", "A=skew:x"]
        {
            assert!(wrong.parse::<Fault>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn counts_calls_by_operation() {
        let faults = Faults::new(vec![Fault::new("GetRole", FaultKind::Reset).on_call(2)]);
        assert_eq!(faults.next("GetRole"), None);
        assert_eq!(faults.next("GetUser"), None);
        assert!(faults.next("GetRole").is_some());
        assert_eq!(faults.next("GetRole"), None);
    }
}
