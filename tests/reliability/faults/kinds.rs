//! All kinds of faults of AWS and networks, and the calls they apply to.

use xacct_sandbox::FaultKind;

/// A call of an undisturbed run: the operation and its number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    /// The service: `iam`, `sts` or `s3`.
    pub service: String,
    /// The operation, such as `CreateRole`.
    pub operation: String,
    /// The number of the call, from 1.
    pub number: u64,
}

impl Call {
    /// Returns the name of the call in messages.
    pub fn name(&self) -> String {
        format!("{}:{}", self.service, self.operation)
    }

    /// Whether it is a write, so that a lost answer may hide a completed change.
    fn changes(&self) -> bool {
        ["Create", "Put", "Attach", "Detach", "Delete", "Tag", "Update"].iter().any(|it| self.operation.starts_with(it))
    }

    fn changes_iam(&self) -> bool {
        self.service == "iam" && self.changes()
    }
}

/// One kind of fault.
#[derive(Debug)]
pub struct Kind {
    /// The name in counts and messages.
    pub name: &'static str,
    /// The behavior of the server.
    pub what: FaultKind,
    /// Whether the request takes effect anyway.
    pub processed: bool,
    /// The calls it applies to.
    pub strikes: fn(&Call) -> bool,
    /// The calls at which the run must survive a single fault.
    pub overcome: fn(&Call) -> bool,
    /// Whether it is also tested persistently: of several faults that look the same to xacct, one is.
    pub lasts: bool,
}

impl Kind {
    /// Whether a point of this kind spends a long time waiting.
    pub fn is_slow(&self) -> bool {
        self.what == FaultKind::Hang
    }
}

fn any(_: &Call) -> bool {
    true
}

fn none(_: &Call) -> bool {
    false
}

/// CreateRole, repeated after a lost answer, answers that the role exists.
fn can_be_repeated(call: &Call) -> bool {
    call.operation != "CreateRole"
}

/// Calls of bootstrap about resources that it just created: attaching policies, and reading back.
fn is_after_writes(call: &Call) -> bool {
    match call.operation.as_str() {
        "AttachRolePolicy" | "PutRolePolicy" => true,
        "GetRole" | "GetRolePolicy" | "ListRolePolicies" | "ListAttachedRolePolicies" | "GetUserPolicy" => {
            call.number > 1
        }
        _ => false,
    }
}

/// Answers to HEAD have only a status.
fn has_a_body_of_s3(call: &Call) -> bool {
    call.service == "s3" && !call.operation.starts_with("Head")
}

fn error(status: u16, code: &str, message: &str) -> FaultKind {
    FaultKind::Error { status, code: code.to_owned(), message: message.to_owned() }
}

/// Returns all kinds. Hanging calls come first, because they take longest.
pub fn all() -> Vec<Kind> {
    let kind = |name, what, strikes: fn(&Call) -> bool, overcome: fn(&Call) -> bool| Kind {
        name,
        what,
        processed: false,
        strikes,
        overcome,
        lasts: true,
    };
    let once = |it: Kind| Kind { lasts: false, ..it };
    let lost = |name, what, overcome| Kind { processed: true, ..kind(name, what, Call::changes, overcome) };
    let throttling = |code| once(kind(code, error(400, code, "Rate exceeded"), |call| call.service != "s3", any));
    let server = |name, status| once(kind(name, FaultKind::ServerError(status), any, any));
    vec![
        kind("hang", FaultKind::Hang, any, any),
        once(lost("hang, processed", FaultKind::Hang, can_be_repeated)),
        once(kind("gone", FaultKind::Gone, any, none)),
        kind("throttle", FaultKind::Throttle, any, any),
        throttling("ThrottlingException"),
        throttling("RequestLimitExceeded"),
        once(kind("429", error(429, "TooManyRequestsException", "Rate exceeded"), any, any)),
        kind("429 of a proxy", FaultKind::Page(429), any, any),
        kind("500", FaultKind::ServerError(500), any, any),
        lost("500, processed", FaultKind::ServerError(500), can_be_repeated),
        server("502", 502),
        server("503", 503),
        server("504", 504),
        kind("502 of a proxy", FaultKind::Page(502), any, any),
        kind("reset", FaultKind::Reset, any, any),
        lost("reset, processed", FaultKind::Reset, can_be_repeated),
        kind("truncated", FaultKind::TruncatedBody, any, can_be_repeated),
        kind("not XML", FaultKind::NotXml, any, none),
        kind("200 with an error inside", FaultKind::ErrorIn200, has_a_body_of_s3, none),
        kind("ConcurrentModification", error(409, "ConcurrentModification", "try again"), Call::changes_iam, any),
        kind(
            "OperationAborted",
            error(409, "OperationAborted", "try again"),
            |it| it.service == "s3" && it.changes(),
            none,
        ),
        kind("LimitExceeded", error(409, "LimitExceeded", "Cannot exceed quota"), Call::changes_iam, none),
        kind(
            "EntityAlreadyExists",
            error(409, "EntityAlreadyExists", "it exists"),
            |it| it.operation == "CreateRole",
            none,
        ),
        kind(
            "NoSuchEntity",
            error(404, "NoSuchEntity", "it does not exist"),
            |it| it.service == "iam",
            is_after_writes,
        ),
        kind("ExpiredToken", error(403, "ExpiredToken", "The security token is expired"), any, none),
        once(kind("RequestExpired", error(400, "RequestExpired", "Request has expired"), any, none)),
        once(kind("clock ahead", FaultKind::Skew(900), any, none)),
        once(kind("clock behind", FaultKind::Skew(-900), any, none)),
    ]
}
