//! The AWS CLI uses a link all the while that it is moved to another role, and is never refused.

use crate::accounts::{Accounts, REGION};
use crate::consumer::{ask, beside_the_consumer};
use crate::support::third_party::test_name;
use crate::using::program;

#[test]
fn the_aws_cli_is_never_refused_while_the_link_is_moved() {
    let (Some(accounts), Some(aws)) = (Accounts::for_test(test_name!()), program(test_name!(), "aws")) else {
        return;
    };
    accounts.bootstrap(&["--external-id=the-id"]).exits_with(0);
    let Accounts { target, environment, .. } = &accounts;
    let [old, new] = ["xacct", "engineering/deploy"].map(|role| format!("arn:aws:iam::{}:role/{role}", target.id));
    let profile = format!(
        "\n[profile consumer]\nrole_arn = {old}\nsource_profile = alice\nregion = {REGION}\nexternal_id = the-id\n"
    );
    environment.append(".aws/config", &profile);
    let words = ["move", &target.id, "--yes"];
    let begin = ["--role-name", "deploy", "--role-path", "/engineering/"];
    beside_the_consumer(environment, &aws, &[&words[..], &begin].concat());
    ask(environment, &aws).exits_with(0);
    environment.edit(".aws/config", &format!("role_arn = {old}\n"), &format!("role_arn = {new}\n"));
    beside_the_consumer(environment, &aws, &[&words[..], &["--finish", "--even-if-used"]].concat());
    ask(environment, &aws).exits_with(0);
    environment.edit(".aws/config", &format!("role_arn = {new}\n"), &format!("role_arn = {old}\n"));
    let refused = ask(environment, &aws);
    assert!(refused.code != 0 && refused.stderr.contains("AccessDenied"), "{refused}");
    environment.xacct(&["teardown", &target.id, "--yes", "--even-if-used"]).exits_with(0);
    let ends = ask(environment, &aws);
    assert!(ends.code != 0, "{ends}");
}
