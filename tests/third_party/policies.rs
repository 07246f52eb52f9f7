//! Operators with exactly the policies of `xacct print policies` create a link in ministack.

use crate::accounts::{Account, Accounts};
use crate::support::third_party::test_name;

#[test]
fn printed_policies_suffice_to_create_a_link() {
    let Some(accounts) = Accounts::for_test(test_name!()) else {
        return;
    };
    let environment = &accounts.environment;
    accounts.source.user(environment, "operator-a", "operator-a");
    accounts.target.user(environment, "operator-b", "operator-b");
    let (source, target) = (&accounts.source.id, &accounts.target.id);
    environment.write(
        "xacct.toml",
        &format!(
            "[source]\naccount = '{source}'\nuser = 'alice'\nprofile = 'operator-a'\nuser_profile = 'alice'\n\
             [targets.dev]\naccount = '{target}'\nprofile = 'operator-b'\nrole_path = '/team/'\nexternal_id = 'abc'\n\
             allow_session_tags = true\npolicy_arns = ['AdministratorAccess']\n"
        ),
    );
    // Without the policies every request fails: ministack enforces them.
    let refused = environment.xacct(&["bootstrap", "--yes"]).exits_with(1);
    assert!(refused.stderr.contains("AccessDenied") || refused.stderr.contains("not authorized"), "{refused}");
    let give = |account: &Account, operator: &str, party: &str| {
        let printed = environment.xacct(&["print", "policies", "--for", party]).exits_with(0).json();
        let words = format!("iam put-user-policy --user-name {operator} --policy-name least --policy-document");
        account.aws_with(&words, &printed);
    };
    give(&accounts.source, "operator-a", "source-operator");
    give(&accounts.target, "operator-b", "target-operator");
    environment.xacct(&["bootstrap", "--yes"]).exits_with(0);
    environment.xacct(&["bootstrap", "--check"]).exits_with(0);
}
