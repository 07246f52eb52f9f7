//! Roles that the AWS CLI creates become targets, and adopting them leaves their terms as they were.

use serde_json::json;

use crate::accounts::{Accounts, trust};
use crate::support::policies::allow;
use crate::support::third_party::test_name;

#[test]
fn imports_a_role_and_adopts_it_on_the_same_terms() {
    let Some(accounts) = Accounts::for_test(test_name!()) else {
        return;
    };
    let Accounts { source, target, environment, .. } = &accounts;
    let conditions = json!({ "StringEquals": { "sts:ExternalId": "by-hand" } });
    let mut by_hand = trust(&source.id);
    by_hand["Statement"][0]["Condition"] = conditions.clone();
    target.aws_with(
        "iam create-role --role-name deploy --path /team/ --max-session-duration 7200 --description By-hand \
         --tags Key=team,Value=platform --assume-role-policy-document",
        &by_hand,
    );
    target.attach("deploy", "PowerUserAccess");
    let arn = format!("arn:aws:iam::{}:role/team/deploy", target.id);
    source.aws_with(
        "iam put-user-policy --user-name alice --policy-name deploy --policy-document",
        &allow("sts:AssumeRole", arn.clone()),
    );
    let before = accounts.everything();
    let words = ["import", "--user=alice", "--profile=security-admin", "--target-profile=dev-admin"];
    environment.xacct(&words).exits_with(0).says(&[&arn, "Recorded target"]);
    assert_eq!(accounts.everything(), before, "import changes nothing in AWS");

    environment.xacct(&["bootstrap", "--adopt", "--yes"]).exits_with(0);
    let role = target.role("deploy");
    assert_eq!(role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"], conditions);
    let settings = (&role["MaxSessionDuration"], &role["Description"], &role["Path"]);
    assert_eq!(settings, (&json!(7200), &json!("By-hand"), &json!("/team/")));
    assert_eq!(target.attached("deploy"), ["PowerUserAccess"]);
    environment.xacct(&["bootstrap", "--check"]).exits_with(0);
    environment.xacct(&["verify", "--user-profile=alice"]).exits_with(0);
}
