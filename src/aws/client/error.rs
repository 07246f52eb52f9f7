//! Converts the SDK's errors to [`Error`]: AWS's answer, or why there was none.

use std::fmt;

use aws_sdk_iam::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_iam::operation::RequestId;

use crate::answers::Meaning;
use crate::aws::client::bounds::{MOST_ITEMS, MOST_PAGES};
use crate::aws::client::fate::{HttpError, find, is_definite, never_left};
use crate::error::{AwsAnswer, Error, Kind};
use crate::text::on_one_line;

const CHECK_ENDPOINT: &str = "check that the endpoint is an AWS endpoint, and that no proxy responds in its place";
const CHECK_NETWORK: &str = "check the network, proxy and endpoint, and run the command again";

/// An API operation, as messages name it.
#[derive(Debug, Clone, Copy)]
pub(in crate::aws) struct Call {
    service: &'static str,
    operation: &'static str,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.service, self.operation)
    }
}

impl Call {
    pub(in crate::aws) const fn iam(operation: &'static str) -> Self {
        Self { service: "iam", operation }
    }

    pub(in crate::aws) const fn sts(operation: &'static str) -> Self {
        Self { service: "sts", operation }
    }

    pub(in crate::aws) const fn s3(operation: &'static str) -> Self {
        Self { service: "s3", operation }
    }

    /// Converts the SDK's error of this call.
    pub(in crate::aws) fn failed<E>(self, error: SdkError<E>) -> Error
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
        SdkError<E>: RequestId,
    {
        if let SdkError::ServiceError(answered) = &error {
            // The error contains AWS's whole answer, so it needs no source.
            let status = answered.raw().status().as_u16();
            return self.answered(answered.err(), status, error.request_id());
        }
        let failure = Error { may_have_been_done: !is_settled(&error), ..self.unanswered(&error) };
        match error.into_source() {
            Ok(source) => failure.caused_by(source),
            Err(_) => failure,
        }
    }

    /// Returns the error for a list that does not end.
    pub(in crate::aws) fn is_endless(self) -> Error {
        self.exceeds(MOST_PAGES, MOST_ITEMS)
    }

    /// Returns the error for a list with more pages or items than these.
    pub(in crate::aws) fn exceeds(self, pages: usize, items: usize) -> Error {
        let words = format!("{self} returned more than {pages} pages or {items} items");
        Error::new(Kind::Network, words).hint(CHECK_ENDPOINT)
    }

    /// Returns the error for an answer that lacks a documented part.
    pub(in crate::aws) fn lacks(self, what: &str) -> Error {
        Error::new(Kind::Network, format!("the response to {self} has no {what}")).hint(CHECK_ENDPOINT)
    }

    fn answered(self, error: &impl ProvideErrorMetadata, status: u16, request_id: Option<&str>) -> Error {
        // HeadBucket has no body, so its answer is only a status.
        let code = error.code().map(shown).or_else(|| match (self.operation, status) {
            ("HeadBucket", 403) => Some("AccessDenied".to_owned()),
            ("HeadBucket", 404) => Some("NotFound".to_owned()),
            _ => None,
        });
        let Some(code) = code else {
            let words = format!("{self} returned HTTP status {status} without an AWS error code");
            let error = Error::new(Kind::Network, words).hint(CHECK_ENDPOINT);
            return Error { may_have_been_done: true, ..error };
        };
        let message = error.message().map(|message| shown(without_echo(message)));
        let message = message.unwrap_or_else(|| format!("HTTP status {status}"));
        let answer = AwsAnswer {
            service: self.service.into(),
            operation: self.operation.into(),
            code: Some(code),
            message: Some(message),
            request_id: request_id.map(shown),
            status: Some(status),
        };
        let may_have_been_done = !is_definite(status, answer.row());
        Error { may_have_been_done, ..of_answer(answer) }
    }

    fn unanswered<E: std::error::Error + 'static>(self, error: &SdkError<E>) -> Error {
        let cause = innermost(error);
        match error {
            SdkError::TimeoutError(_) => Error::new(Kind::Network, format!("{self} timed out")).hint(CHECK_NETWORK),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => {
                Error::new(Kind::Network, format!("{self} timed out: {cause}")).hint(CHECK_NETWORK)
            }
            // The SDK has no error kind for certificates, so the text of rustls decides.
            SdkError::DispatchFailure(_) if cause.contains("certificate") => Error::new(
                Kind::Network,
                format!("{self} could not verify the server's certificate: {cause}"),
            )
            .hint(
                "if a proxy of your organization inspects TLS traffic, trust its CA certificate: AWS_CA_BUNDLE=FILE, \
                     or ca_bundle in the profile",
            ),
            SdkError::DispatchFailure(failure) if failure.is_io() => {
                Error::new(Kind::Network, format!("{self} could not connect: {cause}"))
                    .hint("check the network, proxy and endpoint (AWS_ENDPOINT_URL, if it is set)")
            }
            SdkError::DispatchFailure(_) if find::<HttpError>(error).is_some() => {
                let words = format!("{self}: the connection was lost before AWS responded ({cause})");
                Error::new(Kind::Network, words).hint(CHECK_NETWORK)
            }
            SdkError::DispatchFailure(_) => Error::new(Kind::Credentials, format!("{self} could not be sent"))
                .said(cause)
                .hint("check the credentials: aws sts get-caller-identity"),
            SdkError::ResponseError(_) => {
                let words = format!("{self} received an invalid response: {cause}");
                Error::new(Kind::Network, words).hint(CHECK_ENDPOINT)
            }
            _ => Error::new(Kind::Internal, format!("{self}: {}", DisplayErrorContext(error))),
        }
    }
}

/// Whether a failure proves that the request never left.
fn is_settled<E: std::error::Error + 'static>(error: &SdkError<E>) -> bool {
    match error {
        SdkError::ConstructionFailure(_) => true,
        SdkError::DispatchFailure(failure) => failure.as_connector_error().is_some_and(|error| never_left(error)),
        _ => false,
    }
}

/// Returns the error for an answer, as the table of answers explains it.
pub(in crate::aws) fn of_answer(answer: AwsAnswer) -> Error {
    let call = format!("{}:{}", answer.service, answer.operation);
    let code = answer.code.clone().unwrap_or_default();
    let error = match answer.row().map(|row| row.meaning) {
        _ if answer.is_throttled() => Error::new(Kind::Aws, format!("{call} was throttled, even after retries"))
            .hint("AWS limits requests per second: wait a minute and run the command again"),
        Some(meaning) => about(meaning, &call, &code),
        None if answer.status.is_some_and(|status| status >= 500) => failed(&call, &code, "probably on AWS's side"),
        None => Error::new(Kind::Aws, format!("{call} failed with {code}, which is not known to xacct"))
            .hint("look up the error code in the AWS API reference of this operation"),
    };
    Error { aws: Some(Box::new(answer)), ..error }
}

/// Returns the error for an answer with this meaning.
fn about(meaning: Meaning, call: &str, code: &str) -> Error {
    use Meaning as M;
    let credentials = |words: &str, hint: &str| Error::new(Kind::Credentials, words).hint(hint);
    let aws = |words: &str, hint: &str| Error::new(Kind::Aws, words).hint(hint);
    let rejected = |hint: &str| Error::new(Kind::Aws, format!("{call} failed with {code}")).hint(hint);
    match meaning {
        M::Denied | M::DeniedByOthers | M::CallerIsRoot | M::MfaCodeWrong | M::MfaSerialWrong => {
            Error::new(Kind::Aws, format!("{call} was denied"))
        }
        M::UnknownKey => credentials(
            "the access key does not exist, or its session token is missing or belongs to another key",
            "use valid credentials, in a profile or the environment; AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and \
             AWS_SESSION_TOKEN must belong to one session",
        ),
        M::MalformedKey => credentials(
            "the access key ID contains a blank, a slash or another character that no access key ID has",
            "enter the access key ID again, as AWS issued it, in the profile or AWS_ACCESS_KEY_ID",
        ),
        M::Unsigned => credentials(
            "AWS received the request without credentials",
            "check the access key, and that no proxy removes the Authorization header",
        ),
        M::SessionExpired => {
            credentials("the session has expired", "sign in again, for example: aws sso login --profile NAME")
        }
        M::WrongSecret => credentials(
            "the secret access key does not match the access key ID",
            "correct the secret access key, or create a new access key: AWS shows a secret only once",
        ),
        M::Clock => credentials(
            "this machine's clock differs too much from AWS's",
            "set the clock, for example: sudo timedatectl set-ntp true",
        ),
        M::SigningRegion => aws(
            "the request was signed for another Region or service than that of the endpoint",
            "use the Region of the endpoint (AWS_ENDPOINT_URL, endpoint_url), or unset the endpoint",
        ),
        M::S3Session => aws(
            "S3 does not accept the credentials, though STS does",
            "check that the endpoints of STS and S3 belong together, and that no proxy changes requests; then run the \
             command again",
        ),
        M::StsInactive => aws(
            "STS is not active in this Region for the role's account",
            "activate STS for this Region in the IAM console of that account, or use another Region: --region us-east-1",
        ),
        M::AccountNotReady => aws(
            "the account is not ready: AWS has not activated the service for it yet",
            "a new account takes minutes to hours: run the command again later",
        ),
        M::DurationOverRole | M::DurationOverChain => rejected("request a shorter session"),
        M::Invalid => rejected("correct what AWS's message names"),
        M::InProgress | M::Unsettled => {
            rejected("another change may be in progress: run the command again in a minute")
        }
        M::Throttled | M::Failed => failed(call, code, "on AWS's side"),
        M::S3Quota => rejected("delete unneeded buckets, or request a higher quota in the Service Quotas console"),
        M::S3Region => rejected("use the Region that S3 expects: --region REGION"),
        M::S3Tags => rejected("correct the tags of the test bucket: --bucket-tag KEY=VALUE"),
        M::S3Namespace => rejected("use another namespace for the test bucket: --bucket-namespace"),
        M::Absent | M::Exists | M::Quota | M::InUse | M::Fixed => {
            rejected("look up the error code in the AWS API reference of this operation")
        }
    }
}

/// Returns the error for a failure of AWS.
fn failed(call: &str, code: &str, side: &str) -> Error {
    Error::new(Kind::Aws, format!("{call} failed with {code}, even after retries"))
        .note(format!("the problem is {side}"))
        .hint("run the command again later; https://health.aws.amazon.com lists outages")
}

/// Returns a message without the parts of the request that AWS repeats below it: for a signature that does not match, AWS
/// repeats the signed headers, which include the session token.
fn without_echo(message: &str) -> &str {
    message.split("\n\n").next().unwrap_or(message)
}

/// Returns the root cause, which is what the user can act on.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    shown(&cause.to_string())
}

/// Returns an error and its causes on one line.
pub(in crate::aws) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let words = next.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        cause = next.source();
    }
    text
}

/// Returns a text from an answer on one line of limited length, because the answer may not come from AWS. AWS's own
/// messages have at most a few hundred characters.
fn shown(text: &str) -> String {
    const MOST: usize = 1000;
    let line = on_one_line(text);
    let mut shown: String = line.chars().take(MOST).collect();
    if line.chars().nth(MOST).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests;
