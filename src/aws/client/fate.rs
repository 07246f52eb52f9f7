//! Whether a failed write may have taken effect: only a definite response from AWS, or an error that proves that the
//! request never left, shows that it did not.

use std::error::Error as StdError;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::FinalizerInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

use crate::answers::Row;
use crate::error::Error;

/// The error of the SDK's HTTP client.
pub(in crate::aws) use hyper_util::client::legacy::Error as HttpError;

/// Watches the attempts of one write. After a lost response the SDK retries the request, and returns only the last error,
/// which says nothing about the previous attempt.
#[derive(Debug, Clone, Default)]
pub(in crate::aws) struct Fate(Arc<AtomicBool>);

impl Fate {
    /// Returns the error of the write, marked if any attempt may have taken effect.
    pub(in crate::aws) fn of(&self, error: Error) -> Error {
        if !error.may_have_been_done && !self.0.load(Ordering::Relaxed) {
            return error;
        }
        Error { may_have_been_done: true, ..error }.note("AWS may have performed the request anyway")
    }
}

#[dyn_dispatch_hint]
impl Intercept for Fate {
    fn name(&self) -> &'static str {
        "fate of a write"
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(Err(error)) = context.output_or_error() else { return Ok(()) };
        let is_settled = match context.response() {
            Some(response) => error.is_operation_error() && is_definite(response.status().as_u16(), None),
            None => !error.is_timeout_error() && error.as_connector_error().is_none_or(|failure| never_left(failure)),
        };
        if !is_settled {
            self.0.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Whether a response with this status and meaning shows that the write did not take effect. A failing server, or a proxy
/// that responds in its place, does not know.
pub(in crate::aws) fn is_definite(status: u16, row: Option<&Row>) -> bool {
    let is_open = row.is_some_and(|row| row.meaning.may_have_been_done());
    (400..500).contains(&status) && !matches!(status, 408 | 429) && !is_open
}

/// Whether this error proves that the request never left: no credentials to sign it, or no connection because of DNS, TLS,
/// a proxy or a refusal.
pub(in crate::aws) fn never_left(error: &(dyn StdError + 'static)) -> bool {
    find::<HttpError>(error).is_some_and(HttpError::is_connect) || find::<CredentialsError>(error).is_some()
}

/// Returns the first error of this type in the chain.
pub(in crate::aws) fn find<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    std::iter::successors(Some(error), |error| (*error).source()).find_map(|error| error.downcast_ref())
}
