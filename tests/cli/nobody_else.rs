//! Whom else the trust policy admits: the step of the proof, the cause, and what `xacct.toml` accepts.

use std::time::Duration;

use serde_json::{Value, json};
use xacct_sandbox::Sandbox;
use xacct_sandbox::world::ADMIN_B;

use crate::fixes;
use crate::scene::{ACCOUNT_A, ACCOUNT_B, Scene, side_by_side, step, text};
use crate::support::policies::{allow, deny};

const OPTIONS: &str = "--external-id abc";
const STEP: &str = "nobody_else_admitted";
const ENTERED: &str = "bootstrap --yes --target-account 222222222222 --user alice --user-profile alice \
                       --profile security-admin --enter-role OrganizationAccountAccessRole --external-id abc";

/// Adds a statement to the trust policy of a proven role.
fn add(scene: &Scene, statement: &Value) {
    let mut trust = scene.trust_policy();
    trust["Statement"].as_array_mut().expect("statements").push(statement.clone());
    scene.sandbox.world(|world| world.set_trust_policy(ACCOUNT_B, "xacct", &trust));
}

fn admits(principal: Value, condition: Value) -> Value {
    json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", "Condition": condition})
}

fn another_account() -> Value {
    admits(json!({"AWS": "arn:aws:iam::999999999999:root"}), json!({"StringEquals": {"sts:ExternalId": "abc"}}))
}

/// Returns a link whose role admits another account.
fn admitting() -> Scene {
    let scene = Scene::linked(OPTIONS);
    add(&scene, &another_account());
    scene
}

/// The test begins before AWS shows the new role to everybody.
#[test]
fn a_role_that_is_not_shown_yet_is_read_once_it_is() {
    let scene = Scene::of(Sandbox::builder().propagation(Duration::from_secs(2)).stale_reads(true));
    scene.bootstrap(OPTIONS).exits_with(0).says(&["ok  nobody else is admitted"]);
}

fn remove_tag(scene: &Scene) {
    scene.sandbox.world(|world| {
        world.role_mut(ACCOUNT_B, "xacct").expect("the role").tags.remove("managed-by");
    });
}

fn set(scene: &Scene, line: &str) {
    let account = format!("account = \"{ACCOUNT_B}\"\n");
    scene.environment.edit("xacct.toml", &account, &format!("{account}{line}\n"));
}

/// Returns the finding in the document of verify or diagnose.
#[track_caller]
fn finding(document: &Value) -> Value {
    let findings = document["targets"][ACCOUNT_B]["diagnosis"]["findings"].as_array().cloned().unwrap_or_default();
    let found = findings.into_iter().find(|finding| finding["cause"] == "others_admitted");
    found.unwrap_or_else(|| panic!("no such finding: {document:#}"))
}

#[test]
fn statements_that_admit_others() {
    let mut github = admits(
        json!({"Federated": "arn:aws:iam::222222222222:oidc-provider/token.actions.githubusercontent.com"}),
        json!({"StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}}),
    );
    github["Action"] = "sts:AssumeRoleWithWebIdentity".into();
    let cases = [
        (another_account(), "account 999999999999"),
        (admits("*".into(), json!({"StringEquals": {"sts:ExternalId": "abc"}})), "everyone"),
        (admits("*".into(), json!({"ArnLikeIfExists": {"aws:SourceArn": "arn:aws:s3:::x"}})), "everyone"),
        (admits("*".into(), json!({"ForAllValues:StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}})), "everyone"),
        (github, "any token of arn:aws:iam::222222222222:oidc-provider/token.actions.githubusercontent.com"),
    ];
    side_by_side(&cases, |(statement, who)| {
        let scene = Scene::linked(OPTIONS);
        add(&scene, statement);
        let document = scene.xacct_json("verify", 3);
        let verification = &document["targets"][ACCOUNT_B]["verification"];
        assert_eq!(verification["outcome"], "too_open", "{document:#}");
        let step = step(verification, STEP);
        assert_eq!(step["outcome"], "failed", "{step:#}");
        assert!(text(&step["evidence"]).contains(who), "{step:#}");
        let diagnosed = finding(&scene.xacct_json("diagnose", 3));
        let found = finding(&document);
        assert_eq!(found, diagnosed);
        assert_eq!((&found["side"], &found["certainty"]), (&json!("target"), &json!("certain")), "{found:#}");
        let shown = &found["evidence"][0]["statement"];
        assert_eq!((&shown["number"], &shown["marked"]), (&json!(2), &json!([["Principal"]])), "{found:#}");
        assert!(text(&found["summary"]).contains(who), "{found:#}");
        scene.xacct("verify").exits_with(3).says(&["TOO OPEN", "FAIL  nobody else is admitted", "others_admitted"]);
        scene.xacct("diagnose --save-facts facts.json").exits_with(3);
        assert_eq!(finding(&scene.xacct_json("diagnose --facts facts.json", 3)), found);

        fixes::apply(&scene, &found["fixes"][0]);
        scene.xacct("verify").exits_with(0).says(&["ok  nobody else is admitted"]);
        scene.xacct("diagnose").exits_with(0);
    });
}

#[test]
fn bootstrap_proves_that_nobody_else_is_admitted() {
    let scene = admitting();
    let document = scene.bootstrap_json(OPTIONS, 0);
    let verification = &document["targets"][ACCOUNT_B]["verification"];
    assert_eq!(step(verification, STEP)["outcome"], "ok", "{document:#}");
    assert_eq!(scene.trust_policy()["Statement"].as_array().map(Vec::len), Some(1));
}

#[test]
fn an_accepted_caller_is_printed_and_an_unused_entry_is_a_warning() {
    let scene = admitting();
    let found = finding(&scene.xacct_json("verify", 3));
    let fix = fixes::apply(&scene, &found["fixes"][1]);
    assert!(fix.is_empty(), "{fix:?}");
    let verification = scene.verdict("", 0);
    let step_of = step(&verification, STEP);
    assert_eq!(step_of["notes"], json!(["accepted: account 999999999999 (REASON)"]), "{step_of:#}");
    scene.xacct("verify").exits_with(0).says(&["accepted: account 999999999999 (REASON)"]);
    scene.xacct("diagnose").exits_with(0).says(&["Accepted: account 999999999999 (REASON)"]);
    scene.xacct("diagnose --save-facts facts.json --redact").exits_with(0);
    scene.xacct("diagnose --facts facts.json").exits_with(0).says(&["(REASON)"]);

    scene.xacct("bootstrap --yes").exits_with(0);
    let mut trust = scene.trust_policy();
    let statements = trust["Statement"].as_array_mut().expect("statements");
    assert_eq!(statements.len(), 2, "bootstrap keeps the statement that admits an accepted caller");
    statements.pop();
    scene.sandbox.world(|world| world.set_trust_policy(ACCOUNT_B, "xacct", &trust));
    let words = "`accept` names `account 999999999999`, but the trust policy does not";
    scene.xacct("verify").exits_with(0).says(&["warning:", words]);
    scene.xacct("diagnose").exits_with(0).says(&["Warning:", words]);
    assert!(scene.environment.read("xacct.toml").contains("accept = [{"), "bootstrap keeps the entry");
}

/// Whoever widened the trust policy may have removed the tag, too.
#[test]
fn a_role_that_xacct_made_is_checked_without_its_tag() {
    let scene = admitting();
    remove_tag(&scene);
    let document = scene.xacct_json("verify", 3);
    assert_eq!(document["targets"][ACCOUNT_B]["verification"]["outcome"], "too_open", "{document:#}");
    let found = finding(&scene.xacct_json("diagnose --save-facts facts.json", 3));
    assert_eq!(finding(&document), found);
    assert_eq!(finding(&scene.xacct_json("diagnose --facts facts.json", 3)), found);
    fixes::apply(&scene, &found["fixes"][0]);
    scene.xacct("verify").exits_with(0).says(&["ok  nobody else is admitted"]);
}

/// The other half was made by another team, whose role may admit others.
#[test]
fn only_the_run_that_makes_the_role_records_that_it_is_xaccts() {
    let scene = Scene::new();
    let is_recorded = || scene.environment.read("xacct.toml").contains("\nlink = ");
    scene.bootstrap("--external-id abc --no-verify --only source").exits_with(0);
    assert!(!is_recorded());
    scene.xacct("bootstrap --yes --no-verify --only target").exits_with(0);
    assert!(is_recorded());
    scene.xacct("bootstrap --yes --no-verify --only source").exits_with(0);
    assert!(is_recorded());
}

#[test]
fn another_role_may_admit_others_unless_the_link_is_exclusive() {
    let scene = admitting();
    remove_tag(&scene);
    let file = scene.environment.read("xacct.toml");
    let others = file.lines().filter(|line| !line.starts_with("link = ")).map(|line| format!("{line}\n"));
    scene.environment.write("xacct.toml", &others.collect::<String>());
    let verification = scene.verdict("", 0);
    let step_of = step(&verification, STEP);
    assert_eq!(step_of["outcome"], "warning", "{step_of:#}");
    assert!(step_of["warnings"][0].to_string().contains("admits account 999999999999"), "{step_of:#}");
    scene.xacct("verify").exits_with(0).says(&["!", "admits account 999999999999", "warning:"]);
    scene.xacct("diagnose").exits_with(0).says(&["Warning:", "account 999999999999"]);

    set(&scene, "exclusive = true");
    assert_eq!(scene.verdict("", 3)["outcome"], "too_open");
    let found = finding(&scene.xacct_json("diagnose", 3));
    fixes::apply(&scene, &found["fixes"][0]);
    scene.xacct("verify").exits_with(0);
}

/// A statement from a file of the link is part of the declaration.
#[test]
fn a_statement_of_the_link_is_declared() {
    let scene = admitting();
    let statement = another_account();
    scene.environment.write("audit.json", &json!({"Version": "2012-10-17", "Statement": [statement]}).to_string());
    set(&scene, "trust_statement_files = [\"audit.json\"]");
    scene.xacct("verify").exits_with(0).says(&["ok  nobody else is admitted"]);
    scene.xacct("diagnose --save-facts facts.json").exits_with(0);
    scene.xacct("diagnose --facts facts.json").exits_with(0).says(&["No problems found."]);
}

/// Without `restrict_to_user` the whole source account is declared.
#[test]
fn another_user_of_the_source_account() {
    let bob = admits(json!({"AWS": "arn:aws:iam::111111111111:user/bob"}), json!({}));
    let scene = Scene::linked("");
    add(&scene, &bob);
    scene.xacct("verify").exits_with(0).says(&["account 111111111111; SCPs/RCPs unread"]);

    let scene = Scene::linked("--restrict-to-user");
    scene.xacct("verify").exits_with(0).says(&["user alice; SCPs/RCPs unread"]);
    add(&scene, &bob);
    let found = finding(&scene.xacct_json("verify", 3));
    assert!(text(&found["summary"]).contains("user/bob"), "{found:#}");
    fixes::apply(&scene, &found["fixes"][0]);
    scene.xacct("verify").exits_with(0);
}

/// Removes the target operator's profile.
fn without_operator(scene: &Scene) {
    scene.environment.edit("xacct.toml", "profile = \"dev-admin\"\n", "profile = \"gone\"\n");
}

#[test]
fn a_policy_that_cannot_be_read_is_not_checked() {
    let scene = admitting();
    without_operator(&scene);
    let verification = scene.verdict("", 0);
    let step_of = step(&verification, STEP);
    assert_eq!(step_of["outcome"], "skipped", "{step_of:#}");
    assert_eq!(step_of["evidence"], "not checked: needs a target profile, or iam:GetRole for the role");
    assert!(step_of["notes"][0].to_string().contains("`gone`"), "{step_of:#}");

    let verification = scene.verdict("--require-read", 5);
    assert_eq!(verification["outcome"], "not_proven");
    let error = &step(&verification, STEP)["error"];
    assert!(error["hints"][0].to_string().contains("iam:GetRole"), "{error:#}");
}

#[test]
fn the_session_reads_the_policy_if_the_operator_cannot() {
    let scene = admitting();
    scene.sandbox.world(|world| {
        world.put_role_policy(ACCOUNT_B, "xacct", "read", allow("iam:GetRole", "*"));
    });
    without_operator(&scene);
    assert_eq!(scene.verdict("--require-read", 3)["outcome"], "too_open");
    finding(&scene.xacct_json("verify", 3));
}

#[test]
fn the_read_asks_nobody() {
    let scene = Scene::linked(OPTIONS);
    scene.configure("dev-admin", "credential_process = false");
    let verification = scene.verdict("", 0);
    assert_eq!(step(&verification, STEP)["outcome"], "skipped");
    assert!(step(&verification, STEP)["notes"][0].to_string().contains("credential_process"), "{verification:#}");
}

/// Keys in the environment come before the program of the selected profile.
#[test]
fn a_program_that_would_not_run_does_not_prevent_the_read() {
    let mut scene = Scene::linked(OPTIONS);
    scene.environment.append("aws/config", "\n[default]\ncredential_process = false\n");
    scene.environment.edit("xacct.toml", "profile = \"dev-admin\"\n", "profile = \"-\"\n");
    let verification = scene.verdict("", 0);
    assert!(step(&verification, STEP)["notes"][0].to_string().contains("credential_process"), "{verification:#}");
    scene.environment.set("AWS_ACCESS_KEY_ID", ADMIN_B.id);
    scene.environment.set("AWS_SECRET_ACCESS_KEY", ADMIN_B.secret);
    let verification = scene.verdict("", 0);
    assert_eq!(step(&verification, STEP)["outcome"], "ok", "{verification:#}");
}

#[test]
fn a_denied_read_names_the_permission_and_the_profile() {
    let scene = Scene::linked(OPTIONS);
    scene.sandbox.world(|world| world.set_service_control_policy(ACCOUNT_B, "no", deny("iam:GetRole", "*")));
    let verification = scene.verdict("", 0);
    assert_eq!(step(&verification, STEP)["evidence"], "not checked: needs iam:GetRole for profile dev-admin");
}

/// IAM shows the unique ID of a new role instead of its ARN for a moment: that is no other account.
#[test]
fn the_arn_of_a_new_role_is_waited_for() {
    let scene = Scene::of(Sandbox::builder().unique_ids(Duration::from_secs(4)));
    scene.bootstrap(&format!("{OPTIONS} --no-verify")).exits_with(0);
    // As if bootstrap had ended right after CreateRole.
    scene.sandbox.world(|world| {
        world.role_mut(ACCOUNT_B, "xacct").expect("the role").created = time::OffsetDateTime::now_utc();
    });
    assert_eq!(step(&scene.verdict("", 0), STEP)["outcome"], "ok");
}

#[test]
fn an_operator_of_another_account_sees_no_role() {
    let scene = Scene::linked(OPTIONS);
    scene.environment.edit("xacct.toml", "profile = \"dev-admin\"\n", "profile = \"security-admin\"\n");
    let verification = scene.verdict("", 0);
    let notes = step(&verification, STEP)["notes"].to_string();
    let words = "the account of the credentials (profile security-admin) has no role `xacct`";
    assert!(notes.contains(words), "{verification:#}");
}

/// The role that leads into the target account is assumed with the source operator's credentials.
#[test]
fn without_the_source_operator_its_own_error_is_shown() {
    let scene = Scene::new();
    scene.xacct(&format!("{ENTERED} --no-verify")).exits_with(0);
    scene.environment.edit("xacct.toml", "profile = \"security-admin\"", "profile = \"gone\"");
    let verification = scene.verdict("", 0);
    let notes = step(&verification, STEP)["notes"].to_string();
    assert!(notes.contains("`gone`") && !notes.contains("--only target"), "{verification:#}");
    let document = scene.xacct_json("diagnose 222222222222", 0);
    assert!(!document.to_string().contains("--only target"), "{document:#}");
}

#[test]
fn several_targets_name_what_was_not_checked() {
    let scene = Scene::new();
    let both = ENTERED.replace("222222222222", "222222222222,333333333333");
    scene.xacct(&format!("{both} --no-verify")).exits_with(0);
    scene.xacct("verify").exits_with(0);
    scene.sandbox.world(|world| world.delete_role(ACCOUNT_B, "OrganizationAccountAccessRole"));
    let words = "222222222222: nobody else is admitted: not checked: needs a target profile";
    scene.xacct("verify").exits_with(0).says(&[words]);
    assert!(!scene.requests("GetRole").is_empty() && scene.granted().len() == 2, "{ACCOUNT_A}");
}
