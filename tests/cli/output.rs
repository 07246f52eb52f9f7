//! The complete output of bootstrap and verify, in a pipe of 80 columns.

use serde_json::{Value, json};

use crate::scene::{ACCOUNT_A, ACCOUNT_B, ACCOUNT_C, BOOTSTRAP, ROLE, Scene, trust};
use crate::snapshots::{assert_output, assert_text};
use crate::support::Output;
use crate::support::policies::{allow, document};

/// Runs a command, compares its output with a snapshot, and checks the rules for all output.
#[track_caller]
fn shows(name: &str, scene: &Scene, words: &str) {
    scene.sandbox.clear_requests();
    let output = scene.xacct(words);
    assert_output(name, words, &output);
    assert_plain(scene, &output);
}

/// Does the same for JSON output, which must follow the schema.
#[track_caller]
fn shows_json(name: &str, scene: &Scene, words: &str) {
    let words = format!("{words} --output json");
    let output = scene.xacct(&words);
    crate::support::schema::assert_follows_the_schema(&output.json());
    assert_output(name, &words, &output);
    assert!(!output.everything().contains('\u{1b}'), "{output:?}");
}

/// Checks that a pipe gets no colors, no trailing spaces, no tables wider than 80 columns unless a value cannot be
/// broken, and no such value broken.
#[track_caller]
fn assert_plain(scene: &Scene, output: &Output) {
    assert!(!output.everything().contains('\u{1b}'), "{output:?}");
    for line in output.stdout.lines() {
        assert_eq!(line, line.trim_end(), "trailing spaces");
        let is_row = line.trim_start().contains("  ");
        let longest = line.split(' ').map(|word| word.chars().count()).max().unwrap_or(0);
        let width = line.chars().count();
        assert!(!is_row || width <= 80 || longest > 40, "{width} columns: {line}\n{output}");
    }
    if output.stdout.contains("xacct-verify-222") {
        for request in scene.requests("CreateBucket") {
            let name = request.parameter("Bucket").unwrap_or_default();
            assert!(output.stdout.contains(name), "{name} is broken in two\n{output}");
        }
    }
}

const MULTI: &str = "bootstrap --yes --target-account 222222222222,333333333333 --user alice --user-profile alice \
                     --profile security-admin --enter-role OrganizationAccountAccessRole";

#[test]
fn bootstrap_of_a_new_link() {
    let words = format!("{BOOTSTRAP} --generate-external-id");
    shows("bootstrap-new", &Scene::new(), &words);
    shows_json("bootstrap-new-json", &Scene::new(), &words);
}

#[test]
fn bootstrap_that_need_not_wait() {
    let scene = Scene::new();
    scene.sandbox.world(|world| {
        let arn = world.add_policy(ACCOUNT_A, "buckets-only", allow("s3:*", "*"));
        world.set_user_boundary(ACCOUNT_A, "alice", Some(&arn));
    });
    shows("bootstrap-in-vain", &scene, &format!("{BOOTSTRAP} --external-id abc"));
}

#[test]
fn bootstrap_with_everything() {
    let words = format!(
        "{BOOTSTRAP} --external-id abc --role-name deploy --role-path /engineering/ --tag team=platform --restrict-to-user \
         --allow-session-tags --max-session-duration 2h --policy-arn PowerUserAccess \
         --permissions-boundary arn:aws:iam::aws:policy/AdministratorAccess"
    );
    shows("bootstrap-everything", &Scene::new(), &words);
}

#[test]
fn bootstrap_without_changes() {
    let scene = Scene::linked("--external-id abc");
    shows("bootstrap-no-changes", &scene, "bootstrap");
    shows_json("bootstrap-no-changes-json", &scene, "bootstrap");
}

#[test]
fn bootstrap_dry_run_with_policies() {
    let words = format!("{BOOTSTRAP} --external-id abc --dry-run --show-policies");
    shows("bootstrap-dry-run", &Scene::new(), &words);
    shows_json("bootstrap-dry-run-json", &Scene::new(), &words);
}

/// Creates a link and changes everything manually.
fn drifted() -> Scene {
    let scene = Scene::linked("--external-id abc --tag team=platform --max-session-duration 2h");
    scene.sandbox.world(|world| {
        world.set_trust_policy(ACCOUNT_B, "xacct", &trust(&json!({})));
        world.put_role_policy(ACCOUNT_B, "xacct", "xacct-old", allow("s3:*", "*"));
        world.put_role_policy(ACCOUNT_B, "xacct", "by-hand", allow("ec2:*", "*"));
        world.attach_role_policy(ACCOUNT_B, "xacct", "arn:aws:iam::aws:policy/ReadOnlyAccess");
        let role = world.role_mut(ACCOUNT_B, "xacct").unwrap();
        role.tags.insert("team".to_owned(), "sales".to_owned());
        role.tags.insert("owner".to_owned(), "carol".to_owned());
        role.max_session_duration = 43_200;
        role.boundary = Some("arn:aws:iam::aws:policy/PowerUserAccess".to_owned());
        world.grant_assume_role(ACCOUNT_A, "alice", "by-hand", "*");
        world.put_user_policy(ACCOUNT_A, "alice", "xacct", grant("arn:aws:iam::222222222222:role/*"));
    });
    scene
}

#[test]
fn bootstrap_check_with_drift() {
    let scene = drifted();
    shows("bootstrap-check-drift", &scene, "bootstrap --check --show-policies");
    shows_json("bootstrap-check-drift-json", &scene, "bootstrap --check");
    shows("bootstrap-repairs-drift", &scene, "bootstrap --yes");
}

#[test]
fn bootstrap_of_several_targets() {
    let words = format!("{MULTI} --external-id abc");
    shows("bootstrap-multi", &Scene::new(), &words);
    shows_json("bootstrap-multi-json", &Scene::new(), &words);
}

#[test]
fn bootstrap_of_several_targets_with_one_unreadable() {
    let scene = Scene::new();
    scene.sandbox.world(|world| world.delete_role(ACCOUNT_C, "OrganizationAccountAccessRole"));
    shows("bootstrap-multi-one-fails", &scene, &format!("{MULTI} --external-id abc"));
}

#[test]
fn bootstrap_of_the_target_half() {
    let words = "bootstrap --yes --only target --target-account 222222222222 --target-profile dev-admin \
                 --user arn:aws:iam::111111111111:user/alice --external-id abc";
    shows("bootstrap-only-target", &Scene::new(), words);
    shows_json("bootstrap-only-target-json", &Scene::new(), words);
}

#[test]
fn bootstrap_of_the_source_half() {
    let words = "bootstrap --yes --only source --target-account 222222222222 --user alice \
                 --profile security-admin --external-id abc";
    shows("bootstrap-only-source", &Scene::new(), words);
}

#[test]
fn bootstrap_refuses_an_unmanaged_role() {
    let scene = Scene::new();
    let open = document(json!({
        "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole",
    }));
    scene.sandbox.world(|world| {
        world.add_role(ACCOUNT_B, "xacct", open);
    });
    let words = format!("{BOOTSTRAP} --external-id abc");
    shows("bootstrap-foreign-role", &scene, &words);
    shows_json("bootstrap-foreign-role-json", &scene, &words);
}

#[test]
fn bootstrap_without_a_terminal() {
    let words = "bootstrap --target-account 222222222222 --user alice --profile security-admin";
    shows("bootstrap-no-terminal", &Scene::new(), words);
}

#[test]
fn verify_works() {
    let scene = Scene::linked("--external-id abc");
    shows("verify-works", &scene, "verify");
    shows_json("verify-works-json", &scene, "verify");
}

#[test]
fn verify_refused() {
    let scene = Scene::linked("--external-id abc");
    scene.environment.edit("xacct.toml", "\"abc\"", "\"wrong\"");
    shows("verify-refused", &scene, "verify");
    shows_json("verify-refused-json", &scene, "verify");
}

#[test]
fn diagnose_a_working_and_a_broken_link() {
    let scene = Scene::linked("--external-id abc");
    shows("diagnose-works", &scene, "diagnose");
    scene.environment.edit("xacct.toml", "\"abc\"", "\"wrong\"");
    scene.sandbox.world(|world| world.user_mut(ACCOUNT_A, "alice").policies.inline.clear());
    shows("diagnose-two-causes", &scene, "diagnose");
    shows_json("diagnose-two-causes-json", &scene, "diagnose");
    scene.environment.edit("xacct.toml", "\"wrong\"", "\"abc\"");
    scene.sandbox.world(|world| world.role_mut(ACCOUNT_B, "xacct").expect("the role").policies.inline.clear());
    shows("diagnose-not-tested", &scene, "diagnose");
    shows_json("diagnose-not-tested-json", &scene, "diagnose");
}

#[test]
fn diagnose_without_permissions() {
    let scene = Scene::linked("--external-id abc");
    scene.environment.edit("xacct.toml", "\"abc\"", "\"wrong\"");
    scene.environment.edit("xacct.toml", "profile = \"security-admin\"", "profile = \"bob\"");
    scene.environment.edit("xacct.toml", "profile = \"dev-admin\"", "profile = \"third-admin\"");
    shows("diagnose-unread", &scene, "diagnose");
}

/// The role admits another account and everyone; `xacct.toml` accepts a third account, and one that is not admitted.
#[test]
fn verify_others_admitted() {
    let scene = Scene::linked("--external-id abc");
    let mut trust = scene.trust_policy();
    let condition = json!({"ForAllValues:StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}, "StringEquals": {"sts:ExternalId": "abc"}});
    for principal in
        [json!({"AWS": "arn:aws:iam::999999999999:root"}), json!("*"), json!({"AWS": "arn:aws:iam::888888888888:root"})]
    {
        let mut statement = json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"});
        statement["Condition"] = condition.clone();
        trust["Statement"].as_array_mut().expect("statements").push(statement);
    }
    scene.sandbox.world(|world| world.set_trust_policy(ACCOUNT_B, "xacct", &trust));
    let accept = "accept = [{ who = \"account 888888888888\", reason = \"audit\" }, \
                  { who = \"account 777777777777\", reason = \"left\" }]\n";
    let id = "external_id = \"abc\"\n";
    scene.environment.edit("xacct.toml", id, &format!("{id}{accept}"));
    shows("verify-others-admitted", &scene, "verify");
    shows("diagnose-others-admitted", &scene, "diagnose");
}

#[test]
fn verify_too_open() {
    let scene = Scene::linked("--external-id abc");
    let open = trust(&json!({}));
    scene.sandbox.world(|world| world.set_trust_policy(ACCOUNT_B, "xacct", &open));
    shows("verify-too-open", &scene, "verify");
    shows_json("verify-too-open-json", &scene, "verify");
}

#[test]
fn verify_with_s3_blocked() {
    let scene = Scene::linked("");
    let deny = document(json!({"Effect": "Deny", "Action": "s3:*", "Resource": "*"}));
    scene.sandbox.world(|world| world.set_service_control_policy(ACCOUNT_B, "NoS3", deny));
    shows("verify-s3-blocked", &scene, "verify");
}

#[test]
fn verify_inconclusive() {
    let scene = Scene::linked("--external-id abc --require-mfa --no-verify");
    shows("verify-not-proven", &scene, "verify");
    shows_json("verify-not-proven-json", &scene, "verify");
    shows("verify-not-the-user", &scene, "verify --user-profile bob");
}

#[test]
fn verify_of_several_targets() {
    let scene = Scene::new();
    scene.xacct(&format!("{MULTI} --external-id abc")).exits_with(0);
    shows("verify-multi", &scene, "verify");
    let open = trust(&json!({}));
    scene.sandbox.world(|world| world.set_trust_policy(ACCOUNT_C, "xacct", &open));
    shows("verify-multi-one-fails", &scene, "verify");
    shows_json("verify-multi-json", &scene, "verify");
}

#[test]
fn the_recorded_file() {
    let scene = Scene::linked(
        "--external-id abc --role-path /engineering/ --tag team=platform --policy-arn PowerUserAccess \
         --bucket-tag cost-center=4711 --region eu-west-1 --restrict-to-user",
    );
    assert_text("xacct-toml", &scene.environment.read("xacct.toml"));
}

#[test]
fn errors_of_the_file() {
    let mut shown = String::new();
    for text in [
        "[source\n",
        "[source]\naccount = 111111111111\n",
        "[source]\naccount = \"1111\"\n",
        "[targets.dev]\nrole = \"x\"\n",
        "[targets.dev]\naccount = \"222222222222\"\nexternal-id = \"abc\"\n",
        "[targets.dev]\naccount = \"222222222222\"\nrequire_mfa = \"yes\"\n",
        "[targets.dev]\naccount = \"222222222222\"\n[targets.prod]\naccount = \"222222222222\"\n",
        "[target.dev]\naccount = \"222222222222\"\n",
    ] {
        let scene = Scene::new();
        scene.environment.write("xacct.toml", text);
        let output = scene.xacct("verify").exits_with(2);
        shown.push_str(&format!("--- xacct.toml\n{text}--- stderr\n{}\n", output.stderr));
    }
    assert_text("errors-of-the-file", &shown);
}

#[test]
fn errors_of_credentials() {
    let mut shown = String::new();
    for words in [
        "bootstrap --target-account 222222222222",
        "bootstrap --target-account 222222222222 --profile nobody",
        "bootstrap --target-account 222222222222 --profile root --user alice",
        "bootstrap --target-account 333333333333 --profile security-admin --user alice",
        "bootstrap --target-account 222222222222 --profile security-admin --target-profile third-admin --user alice",
        "bootstrap --target-account 222222222222 --profile security-admin --user nobody",
        "verify",
    ] {
        let output = Scene::new().xacct(words);
        shown.push_str(&format!("$ xacct {words}\nexit code {}\n{}\n", output.code, output.stderr));
    }
    assert_text("errors-of-credentials", &shown);
}

fn grant(resource: &str) -> Value {
    assert_ne!(resource, ROLE);
    document(json!([
        {"Sid": "XacctAssumeRole", "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": resource},
    ]))
}

#[test]
fn exec_and_credentials_denied() {
    let scene = Scene::linked("--external-id abc");
    scene.environment.edit("xacct.toml", "\"abc\"", "\"wrong\"");
    shows("exec-refused", &scene, "exec -- /bin/true");
    shows("credentials-refused", &scene, "credentials --format env");
    shows("credentials-not-the-user", &scene, "credentials --user-profile nobody");
    shows("exec-no-command", &scene, "exec");
    let scene = Scene::linked("--require-mfa --no-verify");
    shows("exec-no-code", &scene, "exec -- /bin/true");
    shows("exec-not-found", &Scene::linked(""), "exec -- /no/such/command");
}
