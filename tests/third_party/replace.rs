//! The AWS CLI uses a link all the while that it is given to another user, and is never refused.

use crate::accounts::{Accounts, REGION};
use crate::consumer::{ask, beside_the_consumer};
use crate::support::third_party::test_name;
use crate::using::program;

#[test]
fn the_aws_cli_is_never_refused_while_the_link_changes_hands() {
    let (Some(accounts), Some(aws)) = (Accounts::for_test(test_name!()), program(test_name!(), "aws")) else {
        return;
    };
    let Accounts { source, target, environment, .. } = &accounts;
    source.user(environment, "bob", "bob");
    accounts.bootstrap(&["--restrict-to-user"]).exits_with(0);
    let role = accounts.role_arn("xacct");
    let profile = format!("\n[profile consumer]\nrole_arn = {role}\nsource_profile = alice\nregion = {REGION}\n");
    environment.append(".aws/config", &profile);
    let words = ["replace", "alice", "--with", "bob", "--yes"];
    beside_the_consumer(environment, &aws, &[&words[..], &["--user-profile", "bob"]].concat());
    ask(environment, &aws).exits_with(0);
    environment.edit(".aws/config", "source_profile = alice", "source_profile = bob");
    beside_the_consumer(environment, &aws, &[&words[..], &["--finish"]].concat());
    ask(environment, &aws).exits_with(0);
    environment.edit(".aws/config", "source_profile = bob", "source_profile = alice");
    let refused = ask(environment, &aws);
    assert!(refused.code != 0 && refused.stderr.contains("AccessDenied"), "{refused}");
    environment.xacct(&["teardown", &target.id, "--yes", "--even-if-used"]).exits_with(0);
    for user in ["alice", "bob"] {
        let policies = source.aws(&format!("iam list-user-policies --user-name {user}"));
        assert_eq!(policies["PolicyNames"].as_array().map(Vec::len), Some(0), "{user}");
    }
}
