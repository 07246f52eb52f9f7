//! Sessions of more than an hour with MFA: the code goes to AssumeRole itself, and what AWS would refuse is not sent.

use serde_json::json;
use xacct_sandbox::world::{ADMIN_A, ALICE};

use crate::scene::{ACCOUNT_A, ACCOUNT_B, Scene, step, trust};

const SERIAL: &str = "arn:aws:iam::111111111111:mfa/alice";
const SECURITY_KEY: &str = "arn:aws:iam::111111111111:u2f/user/alice/passkey-ABCDEFGH";

/// Creates a link whose role requires MFA and allows 12 hours.
fn long_link() -> Scene {
    let scene = Scene::linked("--require-mfa --external-id abc --max-session-duration 12h --no-verify");
    scene.sandbox.clear_requests();
    scene
}

/// Checks that the only session was opened with the access key and the code, for this many seconds.
#[track_caller]
fn assert_sent_with_code(scene: &Scene, key: &str, seconds: &str) {
    let requests = scene.requests("AssumeRole");
    assert_eq!(requests.len(), 1, "{requests:#?}");
    assert_eq!(requests[0].access_key.as_deref(), Some(key));
    assert_eq!(requests[0].parameter("SerialNumber"), Some(SERIAL));
    assert!(requests[0].parameters.iter().any(|(name, _)| name == "TokenCode"), "{requests:#?}");
    assert_eq!(requests[0].parameter("DurationSeconds"), Some(seconds));
    assert_eq!(scene.requests("GetSessionToken").len(), 0);
}

#[test]
fn twelve_hours_are_opened_with_the_code_in_assume_role() {
    for words in ["exec {} -- /bin/true", "credentials {}", "exec --duration 12h {} -- /bin/true"] {
        let scene = long_link();
        let words = words.replace("{}", &format!("--mfa-code {}", scene.sandbox.totp("alice")));
        scene.xacct(&words).exits_with(0);
        assert_sent_with_code(&scene, ALICE.id, "43200");
    }
}

#[test]
fn an_hour_uses_the_cached_session_of_the_user() {
    let scene = long_link();
    let code = scene.sandbox.totp("alice");
    scene.xacct(&format!("exec --duration 1h --mfa-code {code} -- /bin/true")).exits_with(0);
    scene.xacct("exec --duration 15m -- /bin/true").exits_with(0);
    assert_eq!(scene.requests("GetSessionToken").len(), 1);
    for (request, seconds) in scene.requests("AssumeRole").iter().zip(["3600", "900"]) {
        assert_eq!(request.parameter("DurationSeconds"), Some(seconds));
        assert_eq!(request.parameter("SerialNumber"), None);
        assert_ne!(request.access_key.as_deref(), Some(ALICE.id));
    }
}

#[test]
fn without_a_code_the_cached_session_opens_an_hour() {
    let scene = long_link();
    scene.verdict(&format!("--mfa-code {}", scene.sandbox.totp("alice")), 0);
    scene.sandbox.clear_requests();
    scene.xacct("credentials").exits_with(0);
    assert_eq!(scene.requests("AssumeRole").len(), 1);
    assert_eq!(scene.requests("AssumeRole")[0].parameter("DurationSeconds"), None);
    // Who asks for more gets no less.
    scene.xacct("credentials --duration 2h").exits_with(1).says(&["an MFA code is required", "--mfa-code CODE"]);
    assert_eq!(scene.requests("AssumeRole").len(), 1);
}

#[test]
fn a_long_session_in_the_cache_needs_no_code() {
    let scene = long_link();
    scene.xacct(&format!("exec --cache --mfa-code {} -- /bin/true", scene.sandbox.totp("alice"))).exits_with(0);
    scene.xacct("exec --cache -- /bin/true").exits_with(0);
    assert_sent_with_code(&scene, ALICE.id, "43200");
}

#[test]
fn proofs_ask_for_an_hour_with_the_session_of_the_user() {
    let scene = Scene::new();
    let code = scene.sandbox.totp("alice");
    scene
        .bootstrap(&format!("--require-mfa --external-id abc --max-session-duration 12h --mfa-code {code}"))
        .exits_with(0);
    scene.verdict("", 0);
    assert_eq!(scene.requests("GetSessionToken").len(), 1);
    for request in scene.requests("AssumeRole") {
        assert!(matches!(request.parameter("DurationSeconds"), None | Some("3600" | "900")), "{request:#?}");
        assert_eq!(request.parameter("SerialNumber"), None);
    }
}

#[test]
fn diagnose_tries_a_long_session_as_exec_opens_it() {
    let scene = long_link();
    let words = format!("diagnose --duration 12h --mfa-code {}", scene.sandbox.totp("alice"));
    scene.xacct(&words).exits_with(0);
    assert_sent_with_code(&scene, ALICE.id, "43200");
}

#[test]
fn a_wrong_code_for_a_long_session_is_not_the_fault_of_the_link() {
    let scene = long_link();
    let wrong = if scene.sandbox.totp("alice") == "000000" { "000001" } else { "000000" };
    let words = format!("diagnose --duration 12h --mfa-code {wrong}");
    scene.xacct(&words).exits_with(3).says(&["wait for the next code"]);
    assert_eq!(scene.requests("AssumeRole").len(), 1);
}

#[test]
fn one_code_cannot_open_long_sessions_of_several_targets() {
    let scene = Scene::new();
    let words = "bootstrap --yes --no-verify --target-account 222222222222,333333333333 --user alice --user-profile alice \
                 --profile security-admin --enter-role OrganizationAccountAccessRole --require-mfa --external-id abc \
                 --max-session-duration 12h";
    scene.xacct(words).exits_with(0);
    scene.sandbox.clear_requests();
    let words = format!("diagnose --duration 12h --mfa-code {}", scene.sandbox.totp("alice"));
    scene.xacct(&words).exits_with(2).says(&["need an MFA code for each target", "specify one target"]);
    assert_eq!(scene.sandbox.requests(), []);
}

#[test]
fn a_session_is_not_sent_for_more_than_an_hour() {
    let mut scene = Scene::linked("--max-session-duration 12h --no-verify");
    scene.environment.edit("xacct.toml", "user_profile = \"alice\"\n", "");
    scene.environment.edit("xacct.toml", "profile = \"security-admin\"\n", "");
    let keys = scene.sandbox.world(|world| world.issue_user_session(ACCOUNT_A, "alice", false).clone());
    scene.environment.set("AWS_ACCESS_KEY_ID", &keys.key.id);
    scene.environment.set("AWS_SECRET_ACCESS_KEY", &keys.key.secret);
    scene.environment.set("AWS_SESSION_TOKEN", &keys.token);
    scene.sandbox.clear_requests();
    let output = scene.xacct("exec --duration 2h -- /bin/true").exits_with(2);
    output.says(&["which limit role sessions to 1h", "--duration 1h"]);
    assert_eq!(scene.requests("AssumeRole").len(), 0);
    scene.xacct("exec -- /bin/true").exits_with(0);
    // diagnose is asked what is wrong with such a request, and says whose session it is. It tries the rest of the link.
    scene.sandbox.clear_requests();
    let document = scene.xacct_json("diagnose --duration 2h", 3);
    let findings = &document["targets"][ACCOUNT_B]["diagnosis"]["findings"];
    assert_eq!(findings.as_array().map(Vec::len), Some(1), "{document:#}");
    assert_eq!(findings[0]["cause"], "duration_over_chaining_limit");
    assert!(findings[0]["summary"].to_string().contains("of user alice (GetSessionToken)"), "{document:#}");
    let requests = scene.requests("AssumeRole");
    assert_eq!(requests.len(), 1);
    assert!(format!("{:?}", requests[0].parameters).contains("3600"), "{requests:#?}");
    scene.sandbox.world(|world| world.delete_role(ACCOUNT_B, "xacct"));
    let document = scene.xacct_json("diagnose --duration 2h", 3);
    let causes = document["targets"][ACCOUNT_B]["diagnosis"]["findings"].to_string();
    assert!(causes.contains("duration_over_chaining_limit") && causes.contains("role_absent"), "{document:#}");
}

#[test]
fn a_security_key_is_refused_before_anything_is_sent() {
    let scene = long_link();
    scene.environment.edit("aws/config", SERIAL, SECURITY_KEY);
    let says = ["is a security key or a passkey", "register an authenticator app"];
    for words in
        ["exec --mfa-code 123456 -- /bin/true", "exec --duration 1h -- /bin/true", "credentials --session-token"]
    {
        scene.xacct(words).exits_with(1).says(&says);
    }
    assert_eq!(scene.sandbox.requests(), []);
    let verification = scene.verdict("--mfa-code 123456", 5);
    assert_eq!(verification["outcome"], "not_proven");
    assert!(step(&verification, "assume_role")["error"]["message"].to_string().contains("passkey"));
    let sent =
        scene.sandbox.requests().into_iter().any(|it| ["AssumeRole", "GetSessionToken"].contains(&&*it.operation));
    assert!(!sent);
}

/// A dry run, which needs credentials of both operators.
const DRY_RUN: &str = "bootstrap --dry-run --target-account 222222222222 --user alice --profile security-admin \
                       --target-profile operator";

/// Creates role `operator` in account B, which allows 12 hours and requires MFA, and a profile for it.
fn with_operator(settings: &str) -> Scene {
    let scene = Scene::new();
    scene.sandbox.world(|world| {
        let conditions = json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}});
        world.add_role(ACCOUNT_B, "operator", trust(&conditions));
        world.attach_role_policy(ACCOUNT_B, "operator", "arn:aws:iam::aws:policy/AdministratorAccess");
        world.role_mut(ACCOUNT_B, "operator").unwrap().max_session_duration = 43_200;
        world.grant_assume_role(ACCOUNT_A, "alice", "operator", "arn:aws:iam::222222222222:role/operator");
    });
    let profile = format!(
        "\n[profile operator]\nrole_arn = arn:aws:iam::222222222222:role/operator\nsource_profile = alice\n{settings}\n"
    );
    scene.environment.append("aws/config", &profile);
    scene
}

#[test]
fn a_profile_with_a_long_duration_sends_the_code_with_assume_role() {
    let scene = with_operator(&format!("mfa_serial = {SERIAL}\nduration_seconds = 43200"));
    scene.xacct(&format!("{DRY_RUN} --mfa-code {}", scene.sandbox.totp("alice"))).exits_with(0);
    // As the AWS CLI does, xacct keeps the session for the next run.
    scene.xacct(DRY_RUN).exits_with(0);
    assert_sent_with_code(&scene, ALICE.id, "43200");
}

#[test]
fn a_profile_with_a_security_key_is_refused_before_anything_is_sent() {
    for duration in ["3600", "43200"] {
        let scene = with_operator(&format!("mfa_serial = {SECURITY_KEY}\nduration_seconds = {duration}"));
        scene
            .xacct(&format!("{DRY_RUN} --mfa-code 123456"))
            .exits_with(1)
            .says(&["profile `operator`", "security key"]);
        let sent = scene.requests("AssumeRole").len() + scene.requests("GetSessionToken").len();
        assert_eq!(sent, 0);
    }
}

#[test]
fn a_profile_with_a_session_as_source_is_not_sent_for_more_than_an_hour() {
    let scene = with_operator(&format!("mfa_serial = {SERIAL}"));
    scene.environment.append(
        "aws/config",
        "\n[profile behind]\nrole_arn = arn:aws:iam::222222222222:role/behind\nsource_profile = operator\n\
         duration_seconds = 7200\n",
    );
    let words = DRY_RUN.replace("--target-profile operator", "--target-profile behind --mfa-code 123456");
    scene.xacct(&words).exits_with(1).says(&["duration_seconds of profile `behind` is 2h", "duration_seconds = 3600"]);
    assert!(scene.requests("AssumeRole").iter().all(|it| it.access_key.as_deref() == Some(ADMIN_A.id)));
    assert_eq!(scene.requests("GetSessionToken").len(), 0);
}

#[test]
fn what_is_printed_for_terraform_never_opens_more_than_an_hour_with_an_mfa_session() {
    let scene = long_link();
    for words in [
        "print provider-hcl",
        "print backend-hcl --bucket my-state",
        "print backend-hcl --bucket my-state --terraform-version 1.5",
        "print terragrunt-hcl --bucket my-state --region us-east-1",
    ] {
        let printed = scene.xacct(words).exits_with(0).stdout;
        assert!(!printed.contains("12h") && !printed.contains("43200"), "{words}\n{printed}");
        assert!(printed.contains("\"1h\"") || printed.contains("= 3600"), "{words}\n{printed}");
        let output = scene.xacct(&format!("{words} --duration 2h")).exits_with(2);
        output.says(&["at most 1h when an MFA session assumes the role, not 2h", "--duration 1h"]);
    }
    // The AWS CLI and xacct send the code with AssumeRole.
    let printed = scene.xacct("print profile").exits_with(0).stdout;
    assert!(printed.contains("duration_seconds = 43200"), "{printed}");
}
