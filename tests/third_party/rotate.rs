//! The AWS CLI uses a link all the while that its external ID is rotated, and is never refused.

use crate::accounts::{Accounts, REGION};
use crate::consumer::{ask, beside_the_consumer};
use crate::support::third_party::test_name;
use crate::using::program;

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
