//! Timeouts, and one retry rule in addition to the SDK's.

use std::time::Duration;

use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};
use aws_smithy_types::timeout::TimeoutConfig;

/// Returns the timeouts. No call may hang: these AWS APIs answer within seconds. An operation has three attempts, the
/// SDK's default. A run may repeat a read after its writes, and still ends in little more than a minute.
pub(in crate::aws) fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_attempt_timeout(Duration::from_secs(10))
        .operation_timeout(Duration::from_secs(35))
        .build()
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
