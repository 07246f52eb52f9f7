//! The request IDs of AWS's answers, which CloudTrail records.

use std::cell::RefCell;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::FinalizerInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

use super::trace;
use crate::text::on_one_line;

tokio::task_local! {
    static COLLECTED: RefCell<Vec<String>>;
}

/// The longest request ID that is kept. AWS's have at most 76 characters, and the server may not be AWS.
const LONGEST: usize = 128;

/// Runs this future, and returns the IDs of its requests to STS and S3 with its result: the SDK's retries included, in the
/// order of the answers.
pub async fn collected<T>(future: impl Future<Output = T>) -> (T, Vec<String>) {
    // On the heap: futures nested more deeply are too much for the compiler.
    let both = Box::pin(async {
        let value = future.await;
        (value, COLLECTED.with(RefCell::take))
    });
    COLLECTED.scope(RefCell::default(), both).await
}

/// Hands the ID of every answer to the [`collected`] that runs, if one does.
#[derive(Debug)]
pub(in crate::aws) struct RequestIds;

#[dyn_dispatch_hint]
impl Intercept for RequestIds {
    fn name(&self) -> &'static str {
        "request IDs"
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(id) = context.response().and_then(trace::id).filter(|id| id.len() <= LONGEST) {
            // Outside of a proof, nobody collects them.
            let _ = COLLECTED.try_with(|ids| ids.borrow_mut().push(on_one_line(&id).into_owned()));
        }
        Ok(())
    }
}
