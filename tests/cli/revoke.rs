//! `xacct revoke` ends the current sessions, and keeps the link.

use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};
use xacct_sandbox::{Fault, FaultKind, Sandbox};

use crate::scene::{ACCOUNT_B, ACCOUNT_C, ROLE, Scene};
use crate::snapshots::assert_output;
use crate::support::Output;

const POLICY: &str = "xacct-revoke-sessions";

/// A program with a session of the role, which it opened before.
struct Consumer(Vec<(&'static str, String)>);

impl Consumer {
    fn of(scene: &Scene) -> Self {
        let session = scene.xacct("credentials --format process").exits_with(0).json();
        let text = |key: &str| session[key].as_str().expect("a key").to_owned();
        Self(vec![
            ("AWS_ACCESS_KEY_ID", text("AccessKeyId")),
            ("AWS_SECRET_ACCESS_KEY", text("SecretAccessKey")),
            ("AWS_SESSION_TOKEN", text("SessionToken")),
        ])
    }

    /// Lists the buckets of the target account.
    fn works(&self, scene: &Scene) -> Output {
        let mut command = scene.command("sweep 222222222222 --dry-run --target-profile - --config elsewhere.toml");
        command.envs(self.0.iter().map(|(name, value)| (name, value)));
        Output::of(command)
    }
}

fn in_words(time: OffsetDateTime) -> String {
    time.replace_nanosecond(0).unwrap().format(&Rfc3339).unwrap()
}

fn revoking(before: OffsetDateTime) -> Value {
    let condition = json!({"DateLessThan": {"aws:TokenIssueTime": in_words(before)}});
    let statement = json!({"Effect": "Deny", "Action": ["*"], "Resource": ["*"], "Condition": condition});
    json!({"Version": "2012-10-17", "Statement": [statement]})
}

fn has_policy(scene: &Scene, name: &str) -> bool {
    scene.sandbox.world(|world| world.role(ACCOUNT_B, "xacct").unwrap().policies.inline.contains_key(name))
}

#[test]
fn ends_sessions_and_keeps_the_link() {
    let scene = Scene::linked("--policy-arn AdministratorAccess");
    scene.environment.write("elsewhere.toml", "");
    let old = Consumer::of(&scene);
    old.works(&scene).exits_with(0);

    scene.xacct("revoke --yes").exits_with(2).says(&["needs a target, or --all"]);
    scene.xacct("revoke --lift").exits_with(2).says(&["xacct revoke --lift 222222222222", "xacct revoke --lift --all"]);
    scene.xacct("revoke 222222222222 --check").exits_with(2).says(&["--check needs --lift", "--dry-run"]);
    let document = scene.xacct_json("revoke 222222222222 --dry-run", 0);
    assert_eq!(document["applied"], false, "{document:#}");
    assert!(!has_policy(&scene, POLICY));
    old.works(&scene).exits_with(0);

    scene.sandbox.clear_requests();
    let document = scene.xacct_json("revoke 222222222222 --yes", 0);
    assert_eq!(scene.writes(), ["PutRolePolicy"]);
    assert!(document["targets"][ACCOUNT_B]["revoked_before"].is_string(), "{document:#}");
    old.works(&scene).exits_with(1).says(&["explicit deny"]);
    // Everything else is as before, and new sessions work.
    assert_eq!(scene.verdict("", 0)["outcome"], "works");
    Consumer::of(&scene).works(&scene).exits_with(0);
    let said = ["are revoked by policy", "xacct-revoke-sessions; xacct revoke TARGET --lift removes it"];
    scene.xacct("bootstrap --check --exclusive").exits_with(0).says(&said);
    scene.xacct("bootstrap --yes --exclusive").exits_with(0);
    assert!(has_policy(&scene, POLICY), "bootstrap removes it neither as its own nor as undeclared");

    scene.xacct("revoke 222222222222 --lift --yes").exits_with(1).says(&["may still have sessions", POLICY]);
    scene.sandbox.world(|world| {
        world.put_role_policy(ACCOUNT_B, "xacct", POLICY, revoking(OffsetDateTime::now_utc() - Duration::hours(13)));
    });
    assert_eq!(scene.xacct_json("revoke 222222222222 --lift --check", 4)["pending_changes"], 1);
    scene.xacct("revoke 222222222222 --lift --yes").exits_with(0).says(&["Removed policy xacct-revoke-sessions"]);
    assert!(!has_policy(&scene, POLICY));
    scene.xacct("revoke --all --lift --yes").exits_with(0).says(&["Nothing to do"]);
    scene.xacct("teardown --all --yes --even-if-used").exits_with(0);
}

/// The console's policy denies nothing to the session of a test, and belongs to nobody's settings.
#[test]
fn knows_the_policy_of_the_console() {
    let scene = Scene::linked("--exclusive");
    let name = "AWSRevokeOlderSessions";
    scene.sandbox.world(|world| {
        let before = OffsetDateTime::now_utc() - Duration::seconds(2);
        world.put_role_policy(ACCOUNT_B, "xacct", name, revoking(before));
    });
    assert_eq!(scene.verdict("", 0)["outcome"], "works");
    scene.xacct("diagnose").exits_with(0).says(&["No problems found"]);
    scene.xacct("bootstrap --check").exits_with(0).says(&["are revoked by policy", "AWSRevokeOlderSessions"]);
    scene.xacct("bootstrap --yes").exits_with(0);
    assert!(has_policy(&scene, name));
    scene.xacct("teardown --all --yes --even-if-used").exits_with(0);
}

/// A policy that does more is not taken for one that revokes sessions, whatever its name.
#[test]
fn a_policy_of_that_name_that_does_more_is_undeclared() {
    let scene = Scene::linked("--exclusive");
    scene.sandbox.world(|world| {
        let mut policy = revoking(OffsetDateTime::now_utc());
        let more = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
        policy["Statement"].as_array_mut().expect("statements").push(more);
        world.put_role_policy(ACCOUNT_B, "xacct", "AWSRevokeOlderSessions", policy);
    });
    let document = scene.xacct_json("bootstrap --check", 4);
    assert!(document.to_string().contains("AWSRevokeOlderSessions"), "{document:#}");
}

/// Sessions that are revoked at once are named as such: the clock of whoever revoked them was ahead.
#[test]
fn a_revocation_in_the_future_is_diagnosed() {
    let scene = Scene::linked("");
    scene.sandbox.world(|world| {
        let before = OffsetDateTime::now_utc() + Duration::hours(1);
        world.put_role_policy(ACCOUNT_B, "xacct", "AWSRevokeOlderSessions", revoking(before));
    });
    let document = scene.xacct_json("diagnose", 3);
    let finding = &document["targets"][ACCOUNT_B]["diagnosis"]["findings"][0];
    assert_eq!(finding["cause"], "s3_denied", "{document:#}");
    assert_eq!(finding["certainty"], "certain", "{document:#}");
    let what = finding["summary"].as_str().expect("a sentence");
    assert!(what.contains("inline policy AWSRevokeOlderSessions of role xacct revokes all sessions"), "{what}");
}

/// The policy is compared with AWS's clock, so it must not be written by this machine's.
#[test]
fn follows_the_clock_of_aws() {
    for seconds in [-120, 120] {
        let scene = Scene::of(Sandbox::builder().clock_skew(seconds));
        scene.link("");
        let document = scene.xacct_json("revoke --all --yes", 0);
        let before = document["targets"][ACCOUNT_B]["revoked_before"].as_str().expect("a time");
        let before = OffsetDateTime::parse(before, &Rfc3339).unwrap();
        let ahead = (before - OffsetDateTime::now_utc()).whole_seconds() - seconds;
        assert!((-20..=5).contains(&ahead), "{ahead} s off, by a clock {seconds} s ahead");
        assert_eq!(scene.verdict("", 0)["outcome"], "works", "new sessions are not among those revoked");
        scene.xacct("diagnose").exits_with(0).says(&["No problems found"]);
    }
}

#[test]
fn changes_no_role_that_is_not_the_links() {
    let scene = Scene::linked("");
    scene.sandbox.world(|world| drop(world.role_mut(ACCOUNT_B, "xacct").unwrap().tags.remove("managed-by")));
    scene.sandbox.clear_requests();
    scene
        .xacct("revoke --all --yes")
        .exits_with(1)
        .says(&["does not have xacct's tag", "xacct bootstrap 222222222222 --adopt"]);
    assert_eq!(scene.writes(), [""; 0]);
}

#[test]
fn a_role_that_is_gone_is_an_error() {
    let scene = Scene::linked("");
    scene.sandbox.world(|world| world.delete_role(ACCOUNT_B, "xacct"));
    scene
        .xacct("revoke --all --yes")
        .exits_with(1)
        .says(&["has no role `xacct`", "check `role` in [targets.222222222222]"]);
}

#[test]
fn a_refused_write_is_an_error_and_nothing_else() {
    let scene = Scene::linked("");
    let denied = FaultKind::Error { status: 403, code: "AccessDenied".to_owned(), message: "no".to_owned() };
    scene.sandbox.add_fault(Fault::new("PutRolePolicy", denied));
    let output = scene.xacct("revoke 222222222222 --yes").exits_with(1);
    assert!(!output.stdout.contains("Revoked"), "{output}");
    output.says(&["could not add policy xacct-revoke-sessions", "AccessDenied"]);
}

#[test]
fn shows_what_it_does() {
    let scene = Scene::linked("");
    let output = scene.xacct("revoke 222222222222 --yes").exits_with(0);
    let revoked = format!("Revoked all sessions of {ROLE} issued before");
    output.says(&["add policy xacct-revoke-sessions to role xacct: deny everything", &revoked, "xacct verify"]);
}

/// Links two accounts.
fn two() -> Scene {
    let scene = Scene::new();
    let words = "bootstrap --yes --no-verify --target-account 222222222222,333333333333 --user alice --user-profile alice \
                 --profile security-admin --enter-role OrganizationAccountAccessRole";
    scene.xacct(words).exits_with(0);
    scene
}

#[test]
fn has_a_row_for_each_of_several_targets() {
    let scene = two();
    scene.sandbox.world(|world| drop(world.role_mut(ACCOUNT_C, "xacct").unwrap().tags.remove("managed-by")));
    assert_output("revoke-one-fails", "revoke --all --yes", &scene.xacct("revoke --all --yes"));
    let scene = two();
    let document = scene.xacct_json("revoke --all --yes", 0);
    assert!(
        [ACCOUNT_B, ACCOUNT_C].iter().all(|name| document["targets"][name]["revoked_before"].is_string()),
        "{document:#}"
    );
    assert_output("revoke-several-too-early", "revoke --all --lift", &scene.xacct("revoke --all --lift"));
}

/// Every option that an error names exists.
#[test]
fn an_unknown_source_account_is_an_error_that_names_what_sets_it() {
    let scene = Scene::linked("");
    let file = scene.environment.read("xacct.toml");
    let without: Vec<_> = file.lines().filter(|line| *line != "account = \"111111111111\"").collect();
    scene.environment.write("xacct.toml", &without.join("\n"));
    for words in ["revoke --all --yes", "teardown --all --yes --only target"] {
        let output = scene.xacct(words).exits_with(2).says(&["the source account is not set", "--source-account ID"]);
        assert!(!output.everything().contains("--user"), "{output}");
    }
    scene.xacct("revoke --all --yes --source-account 111111111111").exits_with(0);
}
