//! What every command is given.

use std::collections::BTreeMap;

use futures_util::{StreamExt, stream};

use crate::aws::s3::test_bucket::Leftovers;
use crate::config::ConfigFile;
use crate::context::Context;
use crate::report::Console;

/// What every command is given.
pub(crate) struct Run<'a> {
    pub context: &'a Context,
    pub console: &'a Console,
    pub file: ConfigFile,
    pub leftovers: Leftovers,
}

/// Works on all of these, so many of them side by side, and gives the results in the order of what they are of. One that
/// takes long holds up no other.
pub(crate) async fn side_by_side<T, R>(
    all: impl IntoIterator<Item = T>,
    concurrency: u16,
    work: impl AsyncFn(T) -> R,
) -> Vec<R> {
    let numbered = all.into_iter().enumerate();
    let results = stream::iter(numbered).map(async |(number, one)| (number, work(one).await));
    let results: BTreeMap<_, _> = results.buffer_unordered(concurrency.into()).collect().await;
    results.into_values().collect()
}
