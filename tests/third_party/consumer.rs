//! A consumer that uses a link all the while: the AWS CLI with profile `consumer`.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::support::{Output, TestEnvironment};

/// Uses the link until `done`, and returns how often.
fn use_it(environment: &TestEnvironment, aws: &Path, done: &AtomicBool, times: &AtomicUsize) {
    while !done.load(Ordering::Relaxed) {
        ask(environment, aws).exits_with(0);
        times.fetch_add(1, Ordering::Relaxed);
    }
}

/// Opens a session of the link.
pub fn ask(environment: &TestEnvironment, aws: &Path) -> Output {
    // The AWS CLI caches sessions: each call shall open one.
    let cache = environment.path(".aws/cli/cache");
    if cache.exists() {
        std::fs::remove_dir_all(cache).expect("the cache of the AWS CLI");
    }
    let mut command = environment.command(aws);
    command.args(["sts", "get-caller-identity", "--profile", "consumer"]);
    Output::of(command)
}

/// Runs xacct while the consumer uses the link, and is never refused.
#[track_caller]
pub fn beside_the_consumer(environment: &TestEnvironment, aws: &Path, words: &[&str]) {
    let (done, times) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let consumer = scope.spawn(|| use_it(environment, aws, &done, &times));
        let output = environment.xacct(words);
        while times.load(Ordering::Relaxed) == 0 && !consumer.is_finished() {
            std::thread::yield_now();
        }
        done.store(true, Ordering::Relaxed);
        output.exits_with(0);
    });
}
