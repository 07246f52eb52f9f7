//! Untrusted text is escaped for terminals and shells; custom endpoints are reported before a request is sent.

use xacct_sandbox::world::{ACCOUNT_A, ACCOUNT_B, ALICE};
use xacct_sandbox::{Fault, FaultKind};

use crate::scene::{BOOTSTRAP, Scene, side_by_side};
use crate::support::Output;

/// Clears the screen, sets the window title, hides text, starts a new line, and reverses the text direction.
const COMMANDS: &str = "\u{1b}[2J\u{1b}]0;title\u{7}\u{1b}[8m\u{9b}31m\r\nVerified\u{202e}";

/// A scene with forced colors, as on a terminal.
fn colourful() -> Scene {
    let mut scene = Scene::linked("--external-id abc");
    scene.environment.set("CLICOLOR_FORCE", "1");
    scene
}

/// Asserts that the output contains no escape sequences except xacct's own styles, and no forged lines.
#[track_caller]
fn assert_harmless(output: &Output) {
    let mut text = output.everything();
    for style in ["\u{1b}[0m", "\u{1b}[1m", "\u{1b}[4m", "\u{1b}[31m", "\u{1b}[32m", "\u{1b}[33m"] {
        text = text.replace(style, "");
    }
    let hidden = |c: &char| c.is_control() && !matches!(c, '\n' | '\t') || *c == '\u{202e}';
    assert_eq!(text.chars().find(hidden), None, "{output:?}");
    assert!(!text.lines().any(|line| line.starts_with("Verified")), "{output}");
}

/// Asserts that the escaped text is in the output; otherwise nothing was tested.
#[track_caller]
fn assert_shown_harmlessly(output: Output) {
    assert_harmless(&output);
    assert!(output.everything().contains("\\u001b[2J"), "{output}");
}

#[test]
fn escapes_aws_messages() {
    let cases = [
        ("GetRole", "bootstrap --check"),
        ("GetRole", "diagnose"),
        ("GetRole", "teardown --all --dry-run"),
        ("GetUserPolicy", "bootstrap --check"),
        ("ListBuckets", "sweep --all --dry-run"),
        ("GetAccountAuthorizationDetails", "who"),
        ("CreateBucket", "verify"),
        ("AssumeRole", "verify"),
        ("AssumeRole", "exec -- /bin/true"),
        ("AssumeRole", "credentials"),
        ("GetCallerIdentity", "verify"),
    ];
    side_by_side(&cases, |&(operation, words)| {
        for (status, code) in [(403, "AccessDenied"), (400, COMMANDS)] {
            let mut scene = colourful();
            let kind = FaultKind::Error { status, code: code.to_owned(), message: format!("no {COMMANDS} more") };
            scene.sandbox.add_fault(Fault::new(operation, kind));
            for format in ["table", "json"] {
                scene.environment.set("XACCT_OUTPUT", format);
                assert_harmless(&scene.xacct(words));
            }
        }
    });
}

#[test]
fn messages_stay_on_one_line() {
    let mut scene = colourful();
    let kind =
        FaultKind::Error { status: 403, code: "AccessDenied".to_owned(), message: format!("no {COMMANDS} more") };
    scene.sandbox.add_fault(Fault::new("GetRole", kind));
    let shown = "no \\u001b[2J\\u001b]0;title\\u0007\\u001b[8m\\u009b31m  Verified\\u202e more";
    scene.xacct("teardown --all --dry-run").exits_with(1).says(&[shown]);
    scene.environment.set("XACCT_OUTPUT", "json");
    // JSON output contains the original message.
    let document = scene.xacct("teardown --all --dry-run").exits_with(1);
    assert!(document.json().to_string().contains("title"), "{document}");
}

#[test]
fn escapes_names_of_resources() {
    let scene = colourful();
    scene.sandbox.world(|world| {
        let role = world.role_mut(ACCOUNT_B, "xacct").expect("the role");
        role.description = Some(COMMANDS.to_owned());
        role.tags.insert("managed-by".to_owned(), "someone".to_owned());
        role.tags.insert(COMMANDS.to_owned(), COMMANDS.to_owned());
        role.policies.inline.insert(COMMANDS.to_owned(), serde_json::json!({"Statement": COMMANDS}));
        world.user_mut(ACCOUNT_A, "alice").tags.insert("team".to_owned(), COMMANDS.to_owned());
        world.add_bucket(ACCOUNT_B, &format!("xacct-verify-{COMMANDS}"), "us-east-1");
    });
    for words in [
        "bootstrap --check --adopt --show-policies --tag team=x",
        "bootstrap --check",
        "diagnose --save-facts facts.json",
        "diagnose --facts facts.json",
        "teardown --all --dry-run --show-policies",
        "teardown --all --dry-run --show-policies --even-if-extended",
        "sweep --all --dry-run --older-than 1s",
        "who",
    ] {
        for format in ["table", "json"] {
            let output = scene.xacct(&format!("{words} --output {format}"));
            assert_harmless(&output);
            if format == "json" {
                output.json();
            }
        }
    }
}

#[test]
fn escapes_names_of_files_and_profiles() {
    let scene = colourful();
    let name = COMMANDS.replace('/', "");
    for words in [
        vec!["verify", "--config", &name],
        vec!["diagnose", "--facts", &name],
        vec!["diagnose", "--save-facts", &format!("no/{name}")],
        vec!["print-provider-hcl", "--out", &format!("no/{name}")],
        vec!["verify", "--user-profile", &name],
        vec!["exec", &name, "--", "/bin/true"],
        vec!["exec", "--", &name],
        vec!["bootstrap", "--policy-file", &name, "--yes"],
    ] {
        assert_shown_harmlessly(scene.environment.xacct(&words));
    }
}

#[test]
fn what_was_typed_wrongly_is_shown_and_not_obeyed() {
    let option = format!("--{COMMANDS}");
    for words in [
        vec!["verify", "--output", COMMANDS],
        vec![COMMANDS],
        vec!["verify", &option],
        vec!["help", COMMANDS],
        vec!["verify", "--region", COMMANDS],
        vec!["bootstrap", "--external-id", COMMANDS],
        vec!["bootstrap", "--tag", COMMANDS],
        vec!["verify", "--timeout", COMMANDS],
        vec!["sweep", "--all", "--older-than", COMMANDS],
        vec!["bootstrap", "--user", COMMANDS, "--max-session-duration", COMMANDS],
    ] {
        let output = colourful().environment.xacct(&words);
        assert_eq!(output.code, 2, "{output}");
        assert_harmless(&output);
    }
    for variable in ["XACCT_OUTPUT", "XACCT_CONCURRENCY", "XACCT_REGION"] {
        let mut scene = colourful();
        scene.environment.set(variable, COMMANDS);
        assert_harmless(&scene.xacct("verify"));
    }
}

#[test]
fn characters_without_a_width_are_shown() {
    let scene = Scene::linked("");
    let kind =
        FaultKind::Error { status: 400, code: "Odd".to_owned(), message: "a\u{200b}b\u{2060}c\u{feff}d".to_owned() };
    scene.sandbox.add_fault(Fault::new("GetRole", kind));
    scene.xacct("teardown --all --dry-run").exits_with(1).says(&["a\\u200bb\\u2060c\\ufeffd"]);
}

#[test]
fn a_file_of_another_program_is_not_repeated() {
    let scene = Scene::new();
    for text in [
        "[registry]\ntoken = \"cio-secret\"\n",
        "password = \"cio-secret\"\n",
        "[source]\nuser = \"alice\"\n[cio-secret]\n",
        "cio-secret = [1\n",
    ] {
        scene.environment.write("other.toml", text);
        let output = scene.xacct("verify --config other.toml").exits_with(2).says(&["other.toml:"]);
        let everything = output.everything();
        assert!(
            !["cio-secret", "registry", "token", "password"].iter().any(|word| everything.contains(word)),
            "{output}"
        );
    }
}

#[test]
fn rejects_control_characters_in_xacct_toml() {
    let escaped = "\\u001B[2J\\nVerified";
    for (from, to) in [
        ("[targets.222222222222]".to_owned(), format!("[targets.\"{escaped}\"]")),
        ("profile = \"dev-admin\"".to_owned(), format!("profile = \"{escaped}\"")),
        ("user_profile = \"alice\"".to_owned(), format!("user_profile = \"{escaped}\"")),
        ("profile = \"dev-admin\"".to_owned(), format!("policy_files = [\"{escaped}\"]")),
        ("external_id = \"abc\"".to_owned(), format!("external_id = \"{escaped}\"")),
        ("external_id = \"abc\"".to_owned(), format!("tags = {{ \"{escaped}\" = \"x\" }}")),
        ("external_id = \"abc\"".to_owned(), format!("\"{escaped}\" = \"x\"")),
    ] {
        let scene = colourful();
        scene.environment.edit("xacct.toml", &from, &to);
        let output = scene.xacct("verify").exits_with(2).says(&["xacct.toml:"]);
        assert_harmless(&output);
        assert!(scene.sandbox.requests().is_empty());
    }
}

#[test]
fn printed_commands_are_a_single_command() {
    let name = "x; touch ran; $(touch ran) `touch ran` '";
    let scene = Scene::linked("--external-id abc");
    scene.environment.edit("xacct.toml", "[targets.222222222222]", &format!("[targets.\"{name}\"]"));
    scene.environment.edit("xacct.toml", "external_id = \"abc\"", "external_id = \"wrong\"");
    scene.sandbox.world(|world| {
        world.role_mut(ACCOUNT_B, "xacct").expect("the role").tags.clear();
    });
    for (words, begins) in [
        ("exec -- /bin/true", "xacct diagnose "),
        ("teardown --all --dry-run", "xacct teardown "),
        ("diagnose", "xacct verify "),
    ] {
        let output = scene.xacct(words);
        let text = output.everything();
        let line = text.lines().find_map(|line| Some(&line[line.find(begins)?..]));
        let line = line.unwrap_or_else(|| panic!("no `{begins}`: {output}"));
        let words = shlex::split(line).unwrap_or_else(|| panic!("not a shell command: {line}"));
        assert_eq!(words[2], name, "{line}");
    }
}

/// The commands that send requests.
const SENDING: [&str; 8] = [
    BOOTSTRAP,
    "bootstrap --check",
    "verify",
    "diagnose",
    "teardown --all --dry-run",
    "sweep --all --dry-run",
    "exec -- /bin/true",
    "credentials",
];

#[test]
fn reports_custom_endpoints_before_sending_requests() {
    let refused = FaultKind::Error { status: 403, code: "AccessDenied".to_owned(), message: "no".to_owned() };
    for words in SENDING {
        let mut scene = Scene::linked("--external-id abc");
        // xacct reports the endpoint even without any answer.
        scene.sandbox.add_fault(Fault::new("*", refused.clone()));
        let notice = format!("Using custom endpoint {}", scene.sandbox.url());
        let output = scene.xacct(words);
        assert_ne!(output.code, 0, "{output}");
        assert!(output.stderr.starts_with(&notice), "{output}");
        assert_eq!(output.stderr.matches(&notice).count(), 1, "{output}");
        // A profile that assumes a role sends a code, or at least an access key ID.
        let url = scene.sandbox.url().to_owned();
        scene.environment.unset("AWS_ENDPOINT_URL");
        for profile in ["alice", "security-admin", "dev-admin"] {
            let secret = url.replace("http://", "http://me:a-password@");
            scene.configure(profile, &format!("endpoint_url = {secret}"));
        }
        let output = scene.xacct(words);
        assert!(output.stderr.starts_with(&notice), "{output}");
        assert!(!output.everything().contains("a-password"), "{output}");
    }
}

#[test]
fn reports_custom_endpoints_before_sending_an_mfa_code() {
    let mut scene = Scene::linked("--external-id abc");
    let chain = "\n[profile via]\nrole_arn = arn:aws:iam::111111111111:role/x\nsource_profile = alice\n\
                 mfa_serial = arn:aws:iam::111111111111:mfa/alice\n";
    scene.environment.append("aws/config", chain);
    scene.environment.set("XACCT_MFA_CODE", &scene.sandbox.totp("alice"));
    let refused = FaultKind::Error { status: 403, code: "AccessDenied".to_owned(), message: "no".to_owned() };
    scene.sandbox.add_fault(Fault::new("GetSessionToken", refused));
    scene.sandbox.clear_requests();
    let output = scene.xacct("verify --user-profile via");
    assert_eq!(scene.requests("GetSessionToken").len(), 1, "{output}");
    assert!(output.stderr.starts_with("Using custom endpoint "), "{output}");
}

#[test]
fn every_service_that_gives_credentials_is_named_before_it_is_asked() {
    let session = "[profile sso]\nsso_session = s\nsso_account_id = 111111111111\nsso_role_name = r\n\
                   [sso-session s]\nsso_region = us-east-1\nsso_start_url = https://x.awsapps.com/start\n";
    let url = "http://127.0.0.1:9/x";
    for (variable, lines) in [
        ("AWS_ENDPOINT_URL_SSO", ""),
        ("AWS_ENDPOINT_URL_SSO_OIDC", ""),
        ("AWS_ENDPOINT_URL_SIGNIN", ""),
        ("", "sso =\n  endpoint_url = http://127.0.0.1:9/x\n"),
        ("", "sso-oidc =\n  endpoint_url = http://127.0.0.1:9/x\n"),
        ("", "signin =\n  endpoint_url = http://127.0.0.1:9/x\n"),
    ] {
        let mut scene = Scene::linked("--external-id abc");
        scene.environment.unset("AWS_ENDPOINT_URL");
        if !variable.is_empty() {
            scene.environment.set(variable, url);
        }
        let session = session.replace("[profile sso]\n", "[profile sso]\nservices = mine\n");
        let chain = "[profile via]\nrole_arn = arn:aws:iam::111111111111:role/x\nsource_profile = sso\n";
        scene.environment.append("aws/config", &format!("\n{session}{chain}[services mine]\n{lines}"));
        for profile in ["sso", "via"] {
            let output = scene.xacct(&format!("verify --user-profile {profile}")).exits_with(1);
            let notice = format!("Using custom endpoint {url}");
            assert!(output.stderr.starts_with(&notice), "{variable}{lines}, {profile}: {output}");
        }
    }
}

#[test]
fn a_machine_that_gives_credentials_is_named_before_it_is_asked() {
    for variable in ["AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_EC2_METADATA_SERVICE_ENDPOINT"] {
        let mut scene = Scene::linked("--external-id abc");
        scene.environment.unset("AWS_ENDPOINT_URL");
        scene.environment.unset("AWS_EC2_METADATA_DISABLED");
        scene.environment.set(variable, "http://127.0.0.1:9/a-secret");
        let text = scene.environment.read("xacct.toml").replace("user_profile = \"alice\"", "");
        scene.environment.write("xacct.toml", &text.replace("profile = \"security-admin\"", ""));
        scene.environment.write("aws/config", "");
        scene.environment.write("aws/credentials", "");
        let output = scene.xacct("verify").exits_with(1);
        assert!(output.stderr.starts_with("Using custom endpoint http://127.0.0.1:9"), "{variable}: {output}");
        assert!(!output.everything().contains("a-secret"), "{output}");
        // An access key in the environment comes first. The Region is set, so nothing asks the machine for it.
        scene.environment.set("AWS_ACCESS_KEY_ID", ALICE.id);
        scene.environment.set("AWS_SECRET_ACCESS_KEY", ALICE.secret);
        scene.environment.set("AWS_REGION", "us-east-1");
        scene.environment.set("AWS_ENDPOINT_URL", scene.sandbox.url());
        let output = scene.xacct("verify").exits_with(0);
        let is_of_machine = |line: &str| line == "Using custom endpoint http://127.0.0.1:9";
        assert!(!output.stderr.lines().any(is_of_machine), "{variable}: {output}");
    }
}
