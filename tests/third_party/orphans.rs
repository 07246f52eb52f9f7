//! Orphans are found and removed on another emulator, too.

use serde_json::json;

use crate::accounts::Accounts;
use crate::support::third_party::test_name;

#[test]
fn a_renamed_role_and_the_grant_of_a_leaver_are_orphans_until_teardown() {
    let Some(accounts) = Accounts::for_test(test_name!()) else {
        return;
    };
    let Accounts { environment, source, target, .. } = &accounts;
    accounts.bootstrap(&["--external-id=mine", "--no-verify"]).exits_with(0);
    source.user(environment, "bob", "bob");
    let renamed = environment.read("xacct.toml").replace("role = \"xacct\"", "role = \"deploy\"");
    environment.write("xacct.toml", &renamed.replace("\"alice\"", "\"bob\""));
    environment.xacct(&["bootstrap", "--yes"]).exits_with(0);

    let before = accounts.everything();
    let orphans = environment.xacct_json(&["bootstrap", "--check"], 4)["orphans"].clone();
    let old = accounts.role_arn("xacct");
    assert_eq!(orphans["roles"][0]["role_arn"], json!(old), "{orphans:#}");
    assert_eq!(orphans["grants"][0]["role_arns"], json!([old]), "{orphans:#}");
    assert_eq!(orphans["unchecked"], json!([]), "{orphans:#}");
    assert_eq!(accounts.everything(), before, "--check changes nothing");

    for orphan in [old.as_str(), "user/alice"] {
        environment.xacct(&["teardown", "--yes", "--orphan", orphan]).exits_with(0);
    }
    environment.xacct(&["bootstrap", "--check"]).exits_with(0);
    assert_eq!(target.roles(), ["deploy"]);
    assert!(source.user_policies("alice").is_empty());
    assert_eq!(source.granted("bob"), [accounts.role_arn("deploy")]);
    environment.xacct(&["verify"]).exits_with(0);
}
