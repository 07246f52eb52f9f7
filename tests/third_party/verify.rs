//! `xacct verify` reports the problem of a link that was changed manually.

use serde_json::Value;

use crate::accounts::{Accounts, items, trust};
use crate::support::third_party::test_name;

#[test]
fn a_wrong_external_id_is_denied() {
    let Some(accounts) = Accounts::for_test(test_name!()) else {
        return;
    };
    accounts.bootstrap(&["--external-id=the-right-one"]).exits_with(0);
    accounts.environment.edit("xacct.toml", "the-right-one", "another-one");
    let proof = verify(&accounts, &[], 3);
    assert_eq!(proof["outcome"], "refused");
    assert_eq!(step(&proof, "assume_role")["outcome"], "failed");
    assert_eq!(step(&proof, "assume_role")["error"]["aws"]["code"], "AccessDenied");
}

#[test]
fn without_its_condition_the_role_is_too_open() {
    let Some(accounts) = Accounts::for_test(test_name!()) else {
        return;
    };
    accounts.bootstrap(&["--generate-external-id"]).exits_with(0);
    accounts.target.set_trust_policy("xacct", &trust(&accounts.source.id));
    let proof = verify(&accounts, &[], 3);
    assert_eq!(proof["outcome"], "too_open");
    assert_eq!(step(&proof, "assume_role")["outcome"], "ok");
    for refusal in ["refused_without_external_id", "refused_with_wrong_external_id"] {
        assert_eq!(step(&proof, refusal)["outcome"], "failed");
    }
    assert_eq!(accounts.target.buckets(), [""; 0]);
}

#[test]
fn without_the_grant_the_role_is_denied() {
    let Some(accounts) = Accounts::for_test(test_name!()) else {
        return;
    };
    accounts.bootstrap(&[]).exits_with(0);
    accounts.source.aws("iam delete-user-policy --user-name alice --policy-name xacct");
    assert_eq!(verify(&accounts, &[], 3)["outcome"], "refused");
}

#[test]
fn a_role_without_create_bucket_is_blocked() {
    let Some(accounts) = Accounts::for_test(test_name!()) else {
        return;
    };
    accounts.bootstrap(&[]).exits_with(0);
    accounts.target.aws("iam delete-role-policy --role-name xacct --policy-name xacct-verify");
    let proof = verify(&accounts, &[], 3);
    assert_eq!(proof["outcome"], "s3_blocked");
    assert_eq!(step(&proof, "create_bucket")["error"]["aws"]["code"], "AccessDenied");
    assert_eq!(verify(&accounts, &["--probe=identity"], 0)["outcome"], "works");
}

#[test]
fn credentials_of_another_principal_are_inconclusive() {
    let Some(accounts) = Accounts::for_test(test_name!()) else {
        return;
    };
    accounts.bootstrap(&[]).exits_with(0);
    let proof = verify(&accounts, &["--user-profile=security-admin"], 5);
    assert_eq!(proof["outcome"], "not_proven");
    assert_eq!(step(&proof, "who_am_i")["outcome"], "not_proven");
}

/// Verifies the only recorded link.
fn verify(accounts: &Accounts, arguments: &[&str], exit_code: i32) -> Value {
    let arguments = [&["verify"], arguments].concat();
    let report = accounts.environment.xacct_json(&arguments, exit_code);
    report["targets"][&accounts.target.id]["verification"].clone()
}

fn step<'a>(proof: &'a Value, id: &str) -> &'a Value {
    let mut steps = items(&proof["steps"]).iter();
    steps.find(|step| step["id"] == id).unwrap_or_else(|| panic!("no step {id}: {proof:#}"))
}
