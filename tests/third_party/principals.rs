//! Links of a role and of a group: the AWS CLI reads both halves, and uses the links with a session of the role, and as a
//! member of the group.

use serde_json::json;

use crate::accounts::{Accounts, REGION};
use crate::consumer::ask;
use crate::support::policies::{allow, document};
use crate::support::third_party::test_name;
use crate::using::program;

#[test]
fn a_role_has_a_link_that_the_aws_cli_uses() {
    let (Some(accounts), Some(aws)) = (Accounts::for_test(test_name!()), program(test_name!(), "aws")) else {
        return;
    };
    let Accounts { source, target, environment, .. } = &accounts;
    // alice may assume the role that gets the link.
    let trust = document(json!({
        "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": format!("arn:aws:iam::{}:root", source.id)},
    }));
    let words = "iam create-role --role-name terraform --path /ci/ --assume-role-policy-document";
    source.aws_with(words, &trust);
    let calling = format!("arn:aws:iam::{}:role/ci/terraform", source.id);
    let words = "iam put-user-policy --user-name alice --policy-name own --policy-document";
    source.aws_with(words, &allow("sts:AssumeRole", calling.as_str()));
    let before = accounts.everything();
    let role = accounts.role_arn("xacct");
    environment.append(
        ".aws/config",
        &format!(
            "\n[profile terraform]\nrole_arn = {calling}\nsource_profile = alice\nregion = {REGION}\n\
             \n[profile consumer]\nrole_arn = {role}\nsource_profile = terraform\nregion = {REGION}\n"
        ),
    );

    let link = [
        "bootstrap",
        "--yes",
        &format!("--target-account={}", target.id),
        "--principal=role/ci/terraform",
        "--user-profile=terraform",
        "--profile=security-admin",
        "--target-profile=dev-admin",
    ];
    environment.xacct(&link).exits_with(0);
    let words = "iam get-role-policy --role-name terraform --policy-name xacct";
    let grant = &source.aws(words)["PolicyDocument"]["Statement"][0];
    assert_eq!((&grant["Action"], &grant["Resource"]), (&json!("sts:AssumeRole"), &json!(role)));
    ask(environment, &aws).exits_with(0);
    environment.xacct(&["verify"]).exits_with(0);
    environment.xacct(&["bootstrap", "--check"]).exits_with(0);

    environment.xacct(&["teardown", &target.id, "--yes", "--even-if-used"]).exits_with(0);
    assert_eq!(accounts.everything(), before);
}

/// The grant fits into the inline policy of the group, and, after others have filled that, only into a managed one.
#[test]
fn a_group_has_a_link_that_the_aws_cli_uses() {
    let (Some(accounts), Some(aws)) = (Accounts::for_test(test_name!()), program(test_name!(), "aws")) else {
        return;
    };
    let Accounts { source, target, environment, .. } = &accounts;
    source.aws("iam create-group --group-name deployers --path /teams/");
    source.aws("iam add-user-to-group --group-name deployers --user-name alice");
    let before = accounts.everything();
    let role = accounts.role_arn("xacct");
    environment.append(
        ".aws/config",
        &format!("\n[profile consumer]\nrole_arn = {role}\nsource_profile = alice\nregion = {REGION}\n"),
    );
    let link = [
        "bootstrap",
        "--yes",
        &format!("--target-account={}", target.id),
        "--principal=group/deployers",
        "--user-profile=alice",
        "--profile=security-admin",
        "--target-profile=dev-admin",
    ];
    environment.xacct(&link).exits_with(0);
    let words = "iam get-group-policy --group-name deployers --policy-name xacct";
    let grant = &source.aws(words)["PolicyDocument"]["Statement"][0];
    assert_eq!((&grant["Action"], &grant["Resource"]), (&json!("sts:AssumeRole"), &json!(role)));
    ask(environment, &aws).exits_with(0);
    environment.xacct(&["verify"]).exits_with(0);
    environment.xacct(&["bootstrap", "--check"]).exits_with(0);

    // Drift: somebody deletes the grant, and others fill the inline policies.
    source.aws("iam delete-group-policy --group-name deployers --policy-name xacct");
    let all: Vec<_> =
        (0..60).map(|number| format!("arn:aws:s3:::{}-{number}", "a-bucket-with-a-long-name".repeat(3))).collect();
    let filling = document(json!({"Effect": "Allow", "Action": "s3:ListBucket", "Resource": all}));
    source.aws_with("iam put-group-policy --group-name deployers --policy-name own --policy-document", &filling);
    environment.xacct(&["bootstrap", "--check"]).exits_with(4);
    environment.xacct(&["bootstrap", "--yes"]).exits_with(0).says(&["xacct-group-deployers-1"]);
    let attached = source.aws("iam list-attached-group-policies --group-name deployers");
    let arn = format!("arn:aws:iam::{}:policy/xacct/xacct-group-deployers-1", source.id);
    assert_eq!(attached["AttachedPolicies"][0]["PolicyArn"], json!(arn));
    ask(environment, &aws).exits_with(0);
    environment.xacct(&["bootstrap", "--check"]).exits_with(0);

    environment.xacct(&["teardown", &target.id, "--yes", "--even-if-used"]).exits_with(0);
    source.aws("iam delete-group-policy --group-name deployers --policy-name own");
    assert_eq!(accounts.everything(), before);
}
