//! Turns the SDK's errors into ours: what AWS answered, or why it could not be asked.

use aws_sdk_iam::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_iam::operation::RequestId;

use crate::aws::client::rate_limit::THROTTLED;
use crate::error::{AwsAnswer, Error, Kind};
use crate::text::on_one_line;

/// A call, as messages name it.
#[derive(Debug, Clone, Copy)]
pub(in crate::aws) struct Call {
    pub service: &'static str,
    pub operation: &'static str,
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

    /// What happened to this call.
    pub(in crate::aws) fn failed<E>(self, error: SdkError<E>) -> Error
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
        SdkError<E>: RequestId,
    {
        let name = format!("{}:{}", self.service, self.operation);
        match &error {
            SdkError::ServiceError(answered) => {
                let request_id = error.request_id().map(shown);
                let status = answered.raw().status().as_u16();
                let code = answered.err().code().map(shown);
                // HeadBucket has no body, so its answer is only a status.
                let code = code.or_else(|| match (self.service, status) {
                    ("s3", 403) => Some("AccessDenied".to_owned()),
                    ("s3", 404) => Some("NotFound".to_owned()),
                    _ => None,
                });
                let Some(code) = code else {
                    return Error::new(
                        Kind::Network,
                        format!("{name} was answered with HTTP status {status} and no text of AWS's"),
                    )
                    .hint("check that the endpoint is AWS's and no proxy answers in its place");
                };
                let message = answered.err().message().map(|message| shown(without_echo(message)));
                let message = Some(message.unwrap_or_else(|| format!("HTTP status {status}")));
                let AwsAnswer { service, operation, .. } = self.unanswered();
                self.refused(AwsAnswer { service, operation, code: Some(code), message, request_id }, status)
            }
            SdkError::TimeoutError(_) => Error::new(Kind::Network, format!("{name} did not answer in time"))
                .hint("check the network, proxy and endpoint, and run the command again"),
            SdkError::DispatchFailure(failure) => {
                let cause = innermost(&error);
                if failure.is_timeout() {
                    Error::new(Kind::Network, format!("{name} did not answer in time: {cause}"))
                        .hint("check the network, proxy and endpoint, and run the command again")
                } else if cause.contains("certificate") {
                    // What rustls says of it; the SDK has no kind for it.
                    Error::new(Kind::Network, format!("{name} cannot be reached safely: {cause}")).hint(
                        "if a proxy of your organization reads what is encrypted, name its authority: AWS_CA_BUNDLE=FILE, \
                         or ca_bundle in the profile",
                    )
                } else if failure.is_io() {
                    Error::new(Kind::Network, format!("{name} cannot be reached: {cause}"))
                        .hint("check the network, proxy and endpoint (AWS_ENDPOINT_URL, if it is set)")
                } else {
                    Error::new(Kind::Credentials, format!("{name} could not be sent"))
                        .said(cause)
                        .hint("see which credentials are in use: aws sts get-caller-identity")
                }
            }
            SdkError::ResponseError(_) => Error::new(
                Kind::Network,
                format!("{name} was answered with something that is not AWS's: {}", innermost(&error)),
            )
            .hint("check that the endpoint is AWS's and no proxy answers in its place"),
            _ => Error::new(Kind::Internal, format!("{name}: {}", DisplayErrorContext(&error))),
        }
    }

    /// An answer that lacks what AWS promises in it.
    pub(in crate::aws) fn lacks(self, what: &str) -> Error {
        Error::new(Kind::Network, format!("{}:{} answered without {what}", self.service, self.operation))
            .hint("check that the endpoint is AWS's and no proxy answers in its place")
    }

    fn unanswered(self) -> AwsAnswer {
        AwsAnswer {
            service: self.service.into(),
            operation: self.operation.into(),
            code: None,
            message: None,
            request_id: None,
        }
    }

    fn refused(self, answer: AwsAnswer, status: u16) -> Error {
        let name = format!("{}:{}", self.service, self.operation);
        let message = answer.message.clone().unwrap_or_default();
        let (kind, words, hint) = match answer.code.as_deref() {
            Some("InvalidClientTokenId" | "InvalidAccessKeyId") => (
                Kind::Credentials,
                "the access key is unknown to AWS, or its session token is missing or does not belong to it".to_owned(),
                Some(
                    "give credentials that are in force, in a profile or the environment; all three AWS_… variables must be of one session",
                ),
            ),
            Some("ExpiredToken" | "ExpiredTokenException") => (
                Kind::Credentials,
                "the session has expired".to_owned(),
                Some("sign in again, for example: aws sso login --profile NAME"),
            ),
            Some("SignatureDoesNotMatch" | "RequestTimeTooSkewed")
                if message.contains("expired")
                    || message.contains("current")
                    || answer.code.as_deref() == Some("RequestTimeTooSkewed") =>
            {
                (
                    Kind::Credentials,
                    "this machine's clock differs too much from AWS's".to_owned(),
                    Some("set the clock, for example: sudo timedatectl set-ntp true"),
                )
            }
            Some("SignatureDoesNotMatch") => (
                Kind::Credentials,
                "the secret access key does not belong to the access key".to_owned(),
                Some("write the secret key again, as it was when the key was made"),
            ),
            Some("RegionDisabledException") => (
                Kind::Aws,
                "STS is not active in this region for the account that owns the role".to_owned(),
                Some(
                    "activate STS for the region in the IAM console of that account, or use another region: --region us-east-1",
                ),
            ),
            _ if answer.is_denial() => (Kind::Aws, format!("{name} was refused"), None),
            Some("RequestExpired") => (
                Kind::Credentials,
                "the request reached AWS too late, or this machine's clock is wrong".to_owned(),
                Some("check the clock and the network, and run the command again"),
            ),
            Some(code) if status == 429 || code == "SlowDown" || THROTTLED.contains(&code) => (
                Kind::Aws,
                format!("{name} was throttled, also when it was sent again"),
                Some("AWS takes only so many requests a second: wait a minute and run the command again"),
            ),
            Some(code) if status >= 500 || code == "InternalError" => (
                Kind::Aws,
                format!("{name} failed with {code}, also when it was sent again"),
                Some(
                    "the trouble is AWS's: run the command again later; https://health.aws.amazon.com tells of outages",
                ),
            ),
            Some(code) => (
                Kind::Aws,
                format!("{name} failed with {code}"),
                Some("look up this error under the operation's name in AWS's API reference"),
            ),
            None => (Kind::Aws, format!("{name} failed"), None),
        };
        let error = Error { aws: Some(Box::new(answer)), ..Error::new(kind, words) };
        match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}

/// A message without what AWS repeats of the request below it: where a signature does not match, the headers that were to
/// be signed, with the session token among them.
fn without_echo(message: &str) -> &str {
    message.split("\n\n").next().unwrap_or(message)
}

/// The error at the root of the chain: what the person can act on.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    shown(&cause.to_string())
}

/// An error with its causes on one line.
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

/// What an answer says, on one line that is not too long: whoever answers may not be AWS. AWS's own longest messages,
/// those about policies, have some hundred characters; what it repeats of a request has more.
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
