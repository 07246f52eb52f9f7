//! `who` reads an account of ministack, an implementation of GetAccountAuthorizationDetails that is not the project's own.

use serde_json::{Value, json};

use crate::accounts::{Accounts, items, string, trust};
use crate::support::policies::allow;
use crate::support::third_party::test_name;

#[test]
fn finds_users_groups_and_roles_of_ministack() {
    let Some(accounts) = Accounts::for_test(test_name!()) else {
        return;
    };
    accounts.bootstrap(&["--no-verify", "--external-id=abc"]).exits_with(0);
    let (source, role) = (&accounts.source, accounts.role_arn("xacct"));
    let grant = allow("sts:AssumeRole", role);
    for user in ["who-inline", "who-group", "who-managed", "who-hop", "who-nothing"] {
        source.aws(&format!("iam create-user --user-name {user}"));
    }
    source.aws_with("iam put-user-policy --user-name who-inline --policy-name own --policy-document", &grant);
    source.aws("iam create-group --group-name readers");
    source.aws_with("iam put-group-policy --group-name readers --policy-name in --policy-document", &grant);
    source.aws("iam add-user-to-group --group-name readers --user-name who-group");
    let managed = source.aws_with("iam create-policy --policy-name who --policy-document", &grant);
    let arn = string(&managed["Policy"]["Arn"]);
    source.aws(&format!("iam attach-user-policy --user-name who-managed --policy-arn {arn}"));
    source.aws_with("iam create-role --role-name ci --assume-role-policy-document", &trust(&source.id));
    source.aws_with("iam put-role-policy --role-name ci --policy-name next --policy-document", &grant);
    let hop = allow("sts:AssumeRole", format!("arn:aws:iam::{}:role/ci", source.id));
    source.aws_with("iam put-user-policy --user-name who-hop --policy-name own --policy-document", &hop);

    let document = accounts.environment.xacct(&["who", "--output=json"]).exits_with(0).json();
    let target = document["targets"].as_object().and_then(|targets| targets.values().next()).expect("the target");
    let of = |name: &str| items(&target["principals"]).iter().find(|it| it["name"] == name).cloned();
    let found = |name: &str| of(name).unwrap_or_else(|| panic!("{name} is missing: {document:#}"));
    for (name, policy) in [
        ("alice", "policy xacct"),
        ("who-inline", "policy own"),
        ("who-group", "group readers, policy in"),
        ("who-managed", "policy who"),
        ("ci", "policy next"),
        ("who-hop", "policy own"),
    ] {
        let found = found(name);
        assert_eq!((&found["statement"]["policy"], &found["certainty"]), (&json!(policy), &json!("certain")), "{name}");
        assert_eq!(found["needs"]["external_id"], true, "{name}");
    }
    assert_eq!(found("who-hop")["via"], Value::from(vec![format!("arn:aws:iam::{}:role/ci", source.id)]));
    assert_eq!(of("who-nothing"), None);
}
