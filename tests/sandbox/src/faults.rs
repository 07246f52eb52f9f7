//! Faults: what a client must survive, ordered by operation and call number.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::sync::Mutex;
use std::time::Duration;

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// 400 `Throttling` `Rate exceeded`; on S3 503 `SlowDown`.
    Throttle,
    /// A 5xx answer with the service's usual code for it.
    ServerError(u16),
    /// The connection is reset, with no answer.
    Reset,
    /// The connection is closed as if nothing were wrong (FIN), with no answer.
    Close,
    /// The connection is closed in the middle of the answer's head.
    CutHead,
    /// What comes is not HTTP.
    Garbled,
    /// No answer ever comes.
    Hang,
    /// The answer comes this much later, without holding up other requests.
    Delay(Duration),
    /// The answer breaks off in the middle of its body.
    TruncatedBody,
    /// The answer's body is no XML (a proxy's error page, say), with the status it would have had.
    NotXml,
    /// A page of HTML with this status: a proxy or a load balancer answers in AWS's place.
    Page(u16),
    /// The answer is 20 MB of empty elements.
    LongAnswer,
    /// An ARN in the answer is this many bytes longer than it should be.
    LongArn(usize),
    /// The answer tells of another role's session.
    OtherRole,
    /// The access key in the answer has a line feed in it.
    BrokenKey,
    /// Every page of a list says that there is another one.
    EndlessPages,
    /// Status 200 and the document of an error, as S3 answers where it notices too late that something is wrong.
    ErrorIn200,
    /// The server that answers has a clock that is this many seconds ahead, and refuses the signature because of it.
    Skew(i64),
    /// The server goes away: this connection is reset, and new ones are refused until the faults are cleared.
    Gone,
    /// An error of the caller's choice.
    Error {
        /// HTTP status.
        status: u16,
        /// Error code.
        code: String,
        /// Message.
        message: String,
    },
}

/// A fault: which calls it hits, when, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The operation's name, e.g. `AssumeRole`; `*` is any operation.
    pub operation: String,
    /// Which calls of the operation, counted from 1; `None` hits every call.
    pub calls: Option<RangeInclusive<u64>>,
    /// Whether the server has already done what was asked when the fault strikes.
    pub processed: bool,
    /// What goes wrong.
    pub kind: FaultKind,
}

impl Fault {
    /// A fault on every call of `operation`, striking before the request is processed.
    pub fn new(operation: impl Into<String>, kind: FaultKind) -> Self {
        Fault { operation: operation.into(), calls: None, processed: false, kind }
    }

    /// Hits only the `number`-th call of the operation, counted from 1.
    pub fn on_call(self, number: u64) -> Self {
        self.on_calls(number..=number)
    }

    /// Hits these calls of the operation, counted from 1.
    pub fn on_calls(mut self, numbers: RangeInclusive<u64>) -> Self {
        self.calls = Some(numbers);
        self
    }

    /// Strikes after the request was processed: it took effect, but the client does not learn so.
    pub fn after_processing(mut self) -> Self {
        self.processed = true;
        self
    }

    fn hits(&self, operation: &str, call: u64) -> bool {
        (self.operation == "*" || self.operation.eq_ignore_ascii_case(operation))
            && self.calls.as_ref().is_none_or(|calls| calls.contains(&call))
    }
}

/// Reads `OPERATION[:N[-M]]=KIND[@after]`, as on the command line: `AssumeRole:1=throttle`, `*=delay:200ms`,
/// `CreateRole:2=reset@after`, `PutRolePolicy=error:409:ConcurrentModification`.
impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (target, kind) = text
            .split_once('=')
            .ok_or_else(|| format!("`{text}` is not OPERATION:N=KIND, as in AssumeRole:1=throttle"))?;
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

/// Reads `throttle`, `500`, `reset`, `close`, `cut-head`, `garbled`, `hang`, `delay:200ms`, `truncate`, `notxml`, `page:STATUS`, `long-answer`, `long-arn:BYTES`,
/// `other-role`, `broken-key`, `endless-pages`, `error-in-200`,
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
                     page:STATUS, long-answer, long-arn:BYTES, other-role, broken-key, endless-pages, error-in-200, \
                     skew:SECONDS, gone, error:STATUS:CODE"
                ));
            }
        })
    }
}

/// Reads `50ms`, `10s`, `2m`, `1h`.
///
/// # Errors
/// When the text has another form, in words for whoever typed it.
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
        .ok_or_else(|| format!("`{text}` is not a time such as 50ms, 10s or 2m"))
}

/// The faults of a server and how often each operation was called.
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

    /// Forgets all faults and starts to count calls from 1 again.
    pub(crate) fn clear(&self) {
        crate::lock::lock(&self.list).clear();
        crate::lock::lock(&self.calls).clear();
    }

    /// Counts a call of `operation` and tells which fault strikes it.
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
