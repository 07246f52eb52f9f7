//! Terraform imports a bootstrapped role with the output of `xacct print role-hcl`, plans no changes, and gives it back.

use crate::accounts::Accounts;
use crate::support::third_party::{self, test_name};
use crate::terraform::{assert_formatted, terraform};

#[test]
fn terraform_imports_a_bootstrapped_role_without_changes() {
    let Some(mut accounts) = Accounts::for_test(test_name!()) else {
        return;
    };
    accounts.environment.write(
        "own.json",
        r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"],
            "Resource": ["arn:aws:s3:::team-${aws:PrincipalTag/team}", "arn:aws:s3:::team-${aws:PrincipalTag/team}/*"],
            "Condition": {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}}]}"#,
    );
    let arguments = [
        "--generate-external-id",
        "--restrict-to-user",
        "--allow-session-tags",
        "--tag=team=platform",
        "--max-session-duration=2h",
        "--policy-arn=ReadOnlyAccess",
        "--policy-file=own.json",
        "--no-verify",
    ];
    accounts.bootstrap(&arguments).exits_with(0);
    let before = accounts.everything();
    let environment = &mut accounts.environment;
    environment.xacct(&["print", "role-hcl", "--out=link.tf"]).exits_with(0);
    let Some(()) = third_party::terraform(test_name!(), environment) else {
        return;
    };
    assert_formatted(environment, "link.tf");
    let planned = terraform(environment, &["plan", "-input=false"]).stdout;
    assert!(planned.contains("Plan: 4 to import, 0 to add, 0 to change, 0 to destroy."), "{planned}");
    terraform(environment, &["apply", "-auto-approve", "-input=false"]);
    terraform(environment, &["plan", "-input=false", "-detailed-exitcode"]);
    assert_eq!(accounts.everything(), before);
    accounts.environment.xacct(&["bootstrap", "--check"]).exits_with(0);

    // From now on xacct only compares.
    let environment = &accounts.environment;
    environment.edit("xacct.toml", "role = \"xacct\"\n", "role = \"xacct\"\nmanaged_by = \"terraform\"\n");
    let file = environment.read("xacct.toml");
    environment.edit("link.tf", "platform", "Platform");
    terraform(environment, &["apply", "-auto-approve", "-input=false"]);
    let changed = accounts.everything();
    environment
        .xacct(&["bootstrap", "--yes", "--no-verify"])
        .exits_with(0)
        .says(&["tag role xacct", "Terraform manages"]);
    environment.xacct(&["bootstrap", "--check"]).exits_with(4);
    environment.xacct(&["teardown", "--all", "--yes"]).exits_with(1);
    assert_eq!((accounts.everything(), environment.read("xacct.toml")), (changed, file));

    // The way back destroys nothing.
    environment.edit("link.tf", "Platform", "platform");
    terraform(environment, &["apply", "-auto-approve", "-input=false"]);
    environment.xacct(&["print", "role-hcl", "--removed", "--out=link.tf"]).exits_with(0);
    assert_formatted(environment, "link.tf");
    let planned = terraform(environment, &["plan", "-input=false"]).stdout;
    assert_eq!(planned.matches("but will not be destroyed").count(), 4, "{planned}");
    assert!(planned.contains("0 to add, 0 to change, 0 to destroy."), "{planned}");
    terraform(environment, &["apply", "-auto-approve", "-input=false"]);
    assert_eq!(terraform(environment, &["state", "list"]).stdout, "");
    assert_eq!(accounts.everything(), before);
    environment.edit("xacct.toml", "managed_by = \"terraform\"\n", "");
    environment.xacct(&["bootstrap", "--check"]).exits_with(0);
    environment.xacct(&["teardown", "--all", "--yes"]).exits_with(0);
}
