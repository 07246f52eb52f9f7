//! Timeouts, and one retry rule in addition to the SDK's.

use std::num::NonZeroU32;
use std::time::Duration;

use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};
use aws_smithy_types::retry::{RetryConfig, RetryMode};
use aws_smithy_types::timeout::TimeoutConfig;

use crate::environment::Variables;
use crate::error::{Error, Result};
use crate::text::on_one_line;

/// Returns the timeouts. No call may hang: these AWS APIs answer within seconds. An operation has three attempts, the
/// SDK's default. A run may repeat a read after its writes, and still ends in little more than a minute.
pub(in crate::aws) fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_attempt_timeout(Duration::from_secs(10))
        .operation_timeout(Duration::from_secs(35))
        .build()
}

/// Returns how often to try, from the variables and the settings of a profile, with its name. The SDK panics at invalid
/// ones, and does not know `legacy`, which the AWS CLI takes.
///
/// # Errors
/// When one of them is invalid.
pub(in crate::aws) fn retries<'a>(
    variable: Variables<'_>,
    setting: &dyn Fn(&str) -> Option<(&'a str, &'a str)>,
) -> Result<RetryConfig> {
    let find = |name: &str, key: &str| {
        let of_profile =
            || setting(key).map(|(profile, value)| (format!("{key} of profile `{profile}`"), value.to_owned()));
        variable(name).filter(|value| !value.is_empty()).map(|value| (name.to_owned(), value)).or_else(of_profile)
    };
    let invalid = |place: &str, value: &str, fix: &str| {
        Err(Error::usage(format!("{place} is invalid: `{}`", on_one_line(value)))
            .hint(format!("set it to {fix}, or unset it")))
    };
    let retries = RetryConfig::standard();
    let retries = match find("AWS_RETRY_MODE", "retry_mode") {
        None => retries,
        Some((place, mode)) => match mode.to_ascii_lowercase().as_str() {
            "standard" | "legacy" => retries,
            "adaptive" => retries.with_retry_mode(RetryMode::Adaptive),
            _ => return invalid(&place, &mode, "standard, adaptive or legacy"),
        },
    };
    match find("AWS_MAX_ATTEMPTS", "max_attempts") {
        None => Ok(retries),
        Some((place, text)) => match text.parse::<NonZeroU32>() {
            Ok(number) => Ok(retries.with_max_attempts(number.get())),
            Err(_) => invalid(&place, &text, "a number from 1"),
        },
    }
}

/// Treats status 429 as throttling, whatever the body. The SDK looks only at AWS's error codes, which a proxy does not
/// send.
#[derive(Debug)]
pub(in crate::aws) struct TooManyRequests;

impl ClassifyRetry for TooManyRequests {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        match context.response().map(|response| response.status().as_u16()) {
            Some(429) => RetryAction::throttling_error(),
            _ => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "status 429"
    }
}
