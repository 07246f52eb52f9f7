//! Several target accounts, and access through a role.

use serde_json::json;

use crate::accounts::Accounts;
use crate::support::Output;
use crate::support::third_party::test_name;

#[test]
fn two_targets_share_one_grant_statement() {
    let Some(accounts) = Accounts::for_test(test_name!()) else {
        return;
    };
    let other = accounts.another_target("prod-admin");
    let Accounts { environment, source, target, .. } = &accounts;
    let both = format!("--target-account={},{}", target.id, other.id);
    let arguments = [
        "bootstrap",
        "--yes",
        "--generate-external-id",
        "--user=alice",
        "--profile=security-admin",
        "--user-profile=alice",
        &both,
    ];
    let told = environment.xacct(&arguments).exits_with(0);
    for account in [target, &other] {
        assert!(row(&told, &account.id).contains("works"), "{told}");
        assert_eq!(account.role("xacct")["MaxSessionDuration"], 3600);
        assert_eq!(account.buckets(), [""; 0]);
    }
    let mut arns = [target, &other].map(|account| format!("arn:aws:iam::{}:role/xacct", account.id));
    arns.sort();
    assert_eq!(source.granted("alice"), arns);
    environment.xacct(&["verify"]).exits_with(0);

    // Each target has its own external ID.
    let ids = [target, &other].map(|account| {
        let document = account.role("xacct")["AssumeRolePolicyDocument"].clone();
        document["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"].clone()
    });
    assert_ne!(ids[0], ids[1]);
}

#[test]
fn a_target_with_wrong_credentials_does_not_stop_the_other() {
    let Some(accounts) = Accounts::for_test(test_name!()) else {
        return;
    };
    let other = accounts.another_target("prod-admin");
    let Accounts { environment, source, target, .. } = &accounts;
    let file = format!(
        "[source]\nuser = \"alice\"\nprofile = \"security-admin\"\nuser_profile = \"alice\"\n\
         [targets.dev]\naccount = \"{}\"\nprofile = \"dev-admin\"\n\
         [targets.prod]\naccount = \"{}\"\nprofile = \"dev-admin\"\n",
        target.id, other.id
    );
    environment.write("xacct.toml", &file);
    let told = environment.xacct(&["bootstrap", "--yes"]).exits_with(1);
    assert!(row(&told, "dev").contains("works"), "{told}");
    assert!(row(&told, "prod").contains("error"), "{told}");
    assert_eq!(target.roles(), ["xacct"]);
    assert_eq!(other.roles(), [""; 0]);
    assert_eq!(source.granted("alice"), [accounts.role_arn("xacct")]);

    // With the right credentials the second target is added.
    environment.edit(
        "xacct.toml",
        &format!("\"{}\"\nprofile = \"dev-admin\"", other.id),
        &format!("\"{}\"\nprofile = \"prod-admin\"", other.id),
    );
    environment.xacct(&["bootstrap", "--yes"]).exits_with(0);
    assert_eq!(other.roles(), ["xacct"]);
    assert_eq!(source.granted("alice").len(), 2);
}

#[test]
fn enters_the_target_account_through_a_role() {
    let Some(accounts) = Accounts::for_test(test_name!()) else {
        return;
    };
    let Accounts { environment, source, target, .. } = &accounts;
    target.create_role("OrganizationAccountAccessRole", source);
    target.attach("OrganizationAccountAccessRole", "AdministratorAccess");
    let target_account = format!("--target-account={}", target.id);
    let arguments = [
        "bootstrap",
        "--yes",
        "--user=alice",
        "--profile=security-admin",
        "--user-profile=alice",
        "--enter-role=OrganizationAccountAccessRole",
        &target_account,
    ];
    let report = environment.xacct_json(&arguments, 0);
    let operator = &report["targets"][&target.id]["operator"];
    let arn = format!("arn:aws:sts::{}:assumed-role/OrganizationAccountAccessRole/xacct-bootstrap", target.id);
    assert_eq!(operator["arn"], json!(arn));
    assert_eq!(target.roles(), ["OrganizationAccountAccessRole", "xacct"]);
    assert_eq!(source.granted("alice"), [accounts.role_arn("xacct")]);
    // `enter_role` is recorded.
    environment.xacct(&["bootstrap", "--check"]).exits_with(0);
    environment.xacct(&["verify"]).exits_with(0);
}

/// Returns the row of a target in the summary table.
fn row<'a>(output: &'a Output, target: &str) -> &'a str {
    let mut lines = output.stdout.lines().rev();
    lines
        .find(|line| line.split_whitespace().next() == Some(target))
        .unwrap_or_else(|| panic!("no row of {target} in\n{output}"))
}
