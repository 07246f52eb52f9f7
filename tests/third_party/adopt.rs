//! Unmanaged roles and policies are kept, unless `--adopt` is given.

use serde_json::json;

use crate::accounts::{Accounts, string};
use crate::support::policies::allow;
use crate::support::third_party::test_name;

#[test]
fn adopts_an_unmanaged_role_only_on_request() {
    let Some(accounts) = Accounts::for_test(test_name!()) else {
        return;
    };
    let Accounts { source, target, .. } = &accounts;
    target.create_role("xacct", source);
    target.attach("xacct", "ReadOnlyAccess");
    target.aws("iam tag-role --role-name xacct --tags Key=owner,Value=somebody");
    let before = accounts.everything();

    let report = accounts.bootstrap_json(&["--external-id=mine"], 1);
    assert_eq!(report["error"]["kind"], "refused");
    assert_eq!(accounts.everything(), before);
    assert!(!accounts.environment.has("xacct.toml"));

    let report = accounts.bootstrap_json(&["--external-id=mine", "--adopt"], 0);
    let warnings = report["targets"][&target.id]["warnings"].to_string();
    assert!(warnings.contains("ReadOnlyAccess"), "{warnings}");
    let role = target.role("xacct");
    let condition = &role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"];
    assert_eq!(*condition, json!({ "StringEquals": { "sts:ExternalId": "mine" } }));
    let tags = role["Tags"].as_array().expect("tags");
    for (key, value) in [("managed-by", "xacct"), ("owner", "somebody")] {
        assert!(tags.contains(&json!({ "Key": key, "Value": value })), "{tags:?}");
    }
    assert_eq!(target.attached("xacct"), ["ReadOnlyAccess"]);
    accounts.environment.xacct(&["bootstrap", "--check"]).exits_with(0);
}

#[test]
fn replaces_an_unmanaged_user_policy_only_on_request() {
    let Some(accounts) = Accounts::for_test(test_name!()) else {
        return;
    };
    let Accounts { source, .. } = &accounts;
    let theirs = allow("s3:ListAllMyBuckets", "*");
    for name in ["xacct", "untouched"] {
        let words = format!("iam put-user-policy --user-name alice --policy-name {name} --policy-document");
        source.aws_with(&words, &theirs);
    }
    let before = accounts.everything();
    let report = accounts.bootstrap_json(&[], 1);
    assert_eq!(report["error"]["kind"], "refused");
    assert!(string(&report["error"]["message"]).contains("alice"), "{report:#}");
    assert_eq!(accounts.everything(), before);

    accounts.bootstrap(&["--adopt"]).exits_with(0);
    assert_eq!(source.granted("alice"), [accounts.role_arn("xacct")]);
    assert_eq!(source.user_policies("alice")["untouched"], theirs);
}
