//! The AWS CLI uses a link all the while that its external ID is rotated, and is never refused.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::accounts::{Accounts, REGION};
use crate::support::third_party::test_name;
use crate::support::{Output, TestEnvironment};
use crate::using::program;

/// Uses the link until `done`, and returns how often.
fn use_it(environment: &TestEnvironment, aws: &Path, done: &AtomicBool, times: &AtomicUsize) {
    while !done.load(Ordering::Relaxed) {
        ask(environment, aws).exits_with(0);
        times.fetch_add(1, Ordering::Relaxed);
    }
}

fn ask(environment: &TestEnvironment, aws: &Path) -> Output {
    // The AWS CLI caches sessions: each call shall open one.
    let cache = environment.path(".aws/cli/cache");
    if cache.exists() {
        std::fs::remove_dir_all(cache).expect("the cache of the AWS CLI");
    }
    let mut command = environment.command(aws);
    command.args(["sts", "get-caller-identity", "--profile", "consumer"]);
    Output::of(command)
}

/// Runs xacct while the consumer uses the link.
fn beside_the_consumer(environment: &TestEnvironment, aws: &Path, words: &[&str]) {
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

#[test]
fn the_aws_cli_is_never_refused_while_the_external_id_is_rotated() {
    let (Some(accounts), Some(aws)) = (Accounts::for_test(test_name!()), program(test_name!(), "aws")) else {
        return;
    };
    accounts.bootstrap(&["--external-id=old-id"]).exits_with(0);
    let Accounts { source, target, environment, .. } = &accounts;
    let role = format!("arn:aws:iam::{}:role/xacct", target.id);
    let profile = format!(
        "\n[profile consumer]\nrole_arn = {role}\nsource_profile = alice\nregion = {REGION}\nexternal_id = old-id\n"
    );
    environment.append(".aws/config", &profile);
    let words = ["rotate", "external-id", &target.id, "--yes"];
    beside_the_consumer(environment, &aws, &[&words[..], &["--new-external-id", "new-id"]].concat());
    ask(environment, &aws).exits_with(0);
    environment.edit(".aws/config", "old-id", "new-id");
    beside_the_consumer(environment, &aws, &[&words[..], &["--finish"]].concat());
    ask(environment, &aws).exits_with(0);
    environment.edit(".aws/config", "external_id = new-id", "external_id = old-id");
    let refused = ask(environment, &aws);
    assert!(refused.code != 0 && refused.stderr.contains("AccessDenied"), "{refused}");
    let conditions = &target.role("xacct")["AssumeRolePolicyDocument"]["Statement"][0]["Condition"];
    assert_eq!(conditions["StringEquals"]["sts:ExternalId"], "new-id", "{}", source.id);
}
