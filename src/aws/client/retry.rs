//! Timeouts, and retries besides the SDK's own.

use std::time::Duration;

use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};
use aws_smithy_types::timeout::TimeoutConfig;

/// No call may hang: AWS's APIs here answer within seconds. An operation has three attempts, which is the SDK's number.
/// A run may ask for the same thing before and after its writes, and still ends in little more than a minute.
pub(in crate::aws) fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_attempt_timeout(Duration::from_secs(10))
        .operation_timeout(Duration::from_secs(35))
        .build()
}

/// Retries status 429 as throttling whatever the body says. The SDK goes by AWS's codes, which a proxy does not send.
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
