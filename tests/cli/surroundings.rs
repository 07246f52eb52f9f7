//! Profiles, environment variables and files as people have them.

use serde_json::json;
use xacct_sandbox::{Fault, FaultKind, Sandbox};

use crate::scene::{ACCOUNT_B, Scene, trust};

#[test]
fn a_profile_that_assumes_a_role_needs_no_region_of_its_own() {
    let mut scene = Scene::new();
    let organization = "arn:aws:iam::222222222222:role/OrganizationAccountAccessRole";
    let profile = format!("\n[profile via]\nrole_arn = {organization}\nsource_profile = security-admin\n");
    scene.environment.append("aws/config", &profile);
    scene.environment.set("AWS_REGION", "us-east-1");
    let words =
        "bootstrap --yes --target-account 222222222222 --user alice --user-profile alice --profile security-admin";
    scene.xacct(&format!("{words} --target-profile via")).exits_with(0);
}

#[test]
fn an_empty_region_is_none() {
    let mut scene = Scene::new();
    scene.environment.set("AWS_REGION", "");
    scene.bootstrap("").exits_with(0);
}

#[test]
fn a_credential_process_runs_once_for_each_account() {
    let scene = Scene::new();
    let log = scene.environment.path("log");
    let script = format!(
        "#!/bin/sh\necho run >> \"{log}\"\necho '{{\"Version\":1,\"AccessKeyId\":\"{id}\",\"SecretAccessKey\":\"{secret}\"}}'\n",
        log = log.display(),
        id = xacct_sandbox::world::ADMIN_A.id,
        secret = xacct_sandbox::world::ADMIN_A.secret,
    );
    scene.environment.write("process.sh", &script);
    let path = scene.environment.path("process.sh");
    scene.environment.append(
        "aws/config",
        &format!("\n[profile process]\nregion = us-east-1\ncredential_process = sh \"{}\"\n", path.display()),
    );
    let words = "bootstrap --dry-run --target-account 222222222222 --user alice --target-profile dev-admin";
    scene.xacct(&format!("{words} --profile process")).exits_with(0);
    assert_eq!(scene.environment.read("log"), "run\n");
}

#[test]
fn a_profile_in_the_environment_that_does_not_exist_is_named() {
    let mut scene = Scene::new();
    scene.environment.set("AWS_PROFILE", "nope");
    let words = "bootstrap --target-account 222222222222 --user alice --target-profile dev-admin";
    scene.xacct(words).exits_with(1).says(&["no profile `nope`", "security-admin"]);
}

#[test]
fn why_the_profile_of_the_environment_gives_no_credentials_is_said() {
    let mut scene = Scene::new();
    scene
        .environment
        .append("aws/config", "\n[profile broken]\ncredential_process = sh -c 'echo no sign-in >&2; exit 3'\n");
    scene.environment.set("AWS_PROFILE", "broken");
    let words = "bootstrap --target-account 222222222222 --user alice --target-profile dev-admin";
    scene.xacct(words).exits_with(1).says(&["profile `broken` gives no credentials: ", "no sign-in"]);
}

#[test]
fn what_is_not_there_in_a_role_that_stands_is_not_waited_for() {
    let gone = FaultKind::Error { status: 404, code: "NoSuchEntity".to_owned(), message: "no such policy".to_owned() };
    let scene = Scene::linked("");
    scene.sandbox.add_fault(Fault::new("AttachRolePolicy", gone));
    let start = std::time::Instant::now();
    scene.bootstrap("--policy-arn PowerUserAccess").exits_with(1).says(&["NoSuchEntity"]);
    assert!(start.elapsed() < std::time::Duration::from_secs(8), "{:?}", start.elapsed());
    assert_eq!(scene.requests("AttachRolePolicy").len(), 1);
}

#[test]
fn the_profile_of_the_links_own_role_is_not_taken_for_the_operators() {
    let scene = Scene::linked("");
    let own = "\n[profile work]\nrole_arn = arn:aws:iam::222222222222:role/xacct\nsource_profile = alice\n";
    scene.environment.append("aws/config", own);
    let words = "bootstrap --check --target-account 222222222222 --user alice --profile security-admin";
    scene.xacct(words).exits_with(0).says(&["profile dev-admin"]);
}

#[test]
fn a_file_that_cannot_be_written_is_heard_of_before_anything_is_made() {
    let scene = Scene::new();
    scene
        .bootstrap("--config nowhere/xacct.toml")
        .exits_with(1)
        .says(&["cannot write `nowhere/xacct.toml`", "--config"]);
    assert_eq!(scene.iam_writes(), [""; 0]);
}

#[test]
fn a_role_that_is_one_users_is_not_opened_to_another() {
    let scene = Scene::linked("--restrict-to-user");
    let before = scene.trust_policy();
    let words = "bootstrap --yes --no-verify --target-account 222222222222 --user bob --profile security-admin \
                 --target-profile dev-admin --config bob.toml";
    scene.xacct(words).exits_with(1).says(&["admits only `arn:aws:iam::111111111111:user/alice`", "--role-name"]);
    assert_eq!(scene.trust_policy(), before);
    scene.xacct(&format!("{words} --restrict-to-user=false")).exits_with(1).says(&["belongs to another link"]);
    assert_eq!(scene.trust_policy(), before);
    scene.xacct(&format!("{words} --restrict-to-user=false --adopt")).exits_with(0);
}

#[test]
fn the_links_of_one_user_are_not_made_anothers() {
    let scene = Scene::linked("");
    let words = "bootstrap --yes --target-account 333333333333 --user bob --profile security-admin \
                 --enter-role OrganizationAccountAccessRole";
    scene.xacct(words).exits_with(2).says(&["xacct.toml:5", "`alice`", "--config bob.toml"]);
    assert!(scene.sandbox.requests().is_empty());
}

#[test]
fn a_recorded_role_is_not_renamed() {
    let scene = Scene::linked("");
    scene.xacct("bootstrap --yes --role-name other").exits_with(2).says(&["cannot be renamed", "--role-name other"]);
    assert!(scene.sandbox.requests().is_empty());
}

#[test]
fn an_administrators_credentials_are_not_tried_on_the_role() {
    let scene = Scene::linked("");
    scene.environment.edit("xacct.toml", "user_profile = \"alice\"\n", "");
    scene.xacct("verify").exits_with(3);
    assert_eq!(scene.requests("AssumeRole").len(), 0);
}

#[test]
fn tags_that_organizations_demand_of_buckets_may_be_called_anything() {
    let scene = Scene::linked("");
    for tag in ["managed-by=platform", "xacct:purpose=mine"] {
        scene.xacct(&format!("verify --bucket-tag {tag}")).exits_with(0);
    }
    scene.bootstrap("--tag Managed-By=me").exits_with(2).says(&["Managed-By"]);
}

#[test]
fn a_new_role_that_the_next_call_does_not_see_is_waited_for() {
    let gone = FaultKind::Error { status: 404, code: "NoSuchEntity".to_owned(), message: "not yet".to_owned() };
    let scene = Scene::of(Sandbox::builder().fault(Fault::new("PutRolePolicy", gone).on_calls(1..=2)));
    scene.bootstrap("").exits_with(0);
}

#[test]
fn a_narrower_trust_policy_is_waited_for() {
    let scene = Scene::linked("--no-verify");
    scene.sandbox.set_propagation(std::time::Duration::from_secs(2));
    let document = scene.bootstrap_json("--external-id abc", 0);
    let verification = &document["targets"][ACCOUNT_B]["verification"];
    assert!(verification["ready_after_ms"].as_u64().is_some_and(|ready| ready > 1500), "{verification:#}");
}

#[test]
fn arguments_that_make_no_sense_are_reported_as_a_document_too() {
    let scene = Scene::new();
    let document = scene.xacct_json("bootstrap --target-account 12", 2);
    assert!(document["error"]["message"].to_string().contains("has 2 characters"), "{document:#}");
}

#[test]
fn what_the_other_owner_needs_is_in_the_document_too() {
    let scene = Scene::new();
    let words = "bootstrap --yes --only source --target-account 222222222222 --user alice --profile security-admin \
                 --external-id abc --policy-arn PowerUserAccess";
    let document = scene.xacct_json(words, 0);
    let half = &document["targets"][ACCOUNT_B]["other_half"];
    let command = half["command"].to_string();
    assert!(command.contains("--only target") && command.contains("--policy-arn PowerUserAccess"), "{command}");
    assert_eq!(half["document"], trust(&json!({"StringEquals": {"sts:ExternalId": "abc"}})));
}

#[test]
fn the_manual_page_has_every_option() {
    let page = Scene::new().xacct("man").exits_with(0).stdout;
    for option in ["external\\-id", "mfa\\-code", "version\\-constraint", "XACCT VERIFY"] {
        assert!(page.contains(option), "{option}");
    }
}
