//! Runs the AWS CLI commands that xacct prints, without the AWS CLI.

use xacct_sandbox::world::{ADMIN_A, ADMIN_B, ADMIN_C, ALICE, BOB, KeyPair, ROOT_A};

use crate::scene::Scene;
use crate::support::policies::document;

#[path = "../sandbox/tests/support/mod.rs"]
mod wire;

/// Runs `aws iam …` or `aws sts …` with this profile, unless the command has a `--profile`.
///
/// # Panics
///
/// If the command is a different one, or AWS returns an error.
#[track_caller]
pub fn run(scene: &Scene, profile: &str, command: &str) {
    // A shell removes a backslash before a newline; `shlex` would make an empty word of it.
    let words =
        shlex::split(&command.replace("\\\n", "")).unwrap_or_else(|| panic!("not a single shell command: {command}"));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let ["aws", "iam" | "sts", operation, options @ ..] = &words[..] else {
        panic!("neither `aws iam …` nor `aws sts …`: {command}");
    };
    let (mut profile, mut parameters) = (profile, Vec::new());
    let mut options = options.iter().copied().peekable();
    while let Some(word) = options.next() {
        let option = word.strip_prefix("--").unwrap_or_else(|| panic!("`{word}` is not an option: {command}"));
        // An option without a value is a flag.
        let value = options.next_if(|next| !next.starts_with("--")).unwrap_or("true");
        match option {
            "profile" => profile = value,
            _ => parameters.push((in_camel_case(option), value)),
        }
    }
    let parameters: Vec<_> = parameters.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let answer = wire::call(&scene.sandbox, keys(profile), &in_camel_case(operation), &parameters);
    assert_eq!(answer.status, 200, "$ {command}\n{}", answer.body);
}

/// Returns `PutUserPolicy` for `put-user-policy`.
fn in_camel_case(name: &str) -> String {
    name.split('-').map(|word| format!("{}{}", word[..1].to_uppercase(), &word[1..])).collect()
}

/// Returns the access key of a profile.
#[track_caller]
fn keys(profile: &str) -> KeyPair {
    match profile {
        "security-admin" => ADMIN_A,
        "dev-admin" => ADMIN_B,
        "third-admin" => ADMIN_C,
        "alice" => ALICE,
        "bob" => BOB,
        "root" => ROOT_A,
        _ => panic!("no profile `{profile}`"),
    }
}

#[test]
fn accepts_quoted_documents() {
    let scene = Scene::new();
    let put = |document: &str| {
        let command =
            format!("aws iam put-user-policy --user-name alice --policy-name may \\\n  --policy-document {document}");
        run(&scene, "security-admin", &command);
        scene
            .sandbox
            .world(|world| world.user_policy(crate::scene::ACCOUNT_A, "alice", "may").cloned())
            .expect("a policy")
    };
    let document = |action: &str| {
        let statement = serde_json::json!({"Effect": "Allow", "Action": action, "Resource": "arn:aws:s3:::a b/*"});
        document(vec![statement])
    };
    let text = |action: &str| document(action).to_string();
    assert_eq!(put(&format!("'{}'", text("s3:Get*"))), document("s3:Get*"));
    assert_eq!(put(&format!("\"{}\"", text("s3:Put*").replace('"', "\\\""))), document("s3:Put*"));
}

#[test]
fn accepts_flags_and_profile() {
    let scene = Scene::new();
    let document = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
    run(
        &scene,
        "alice",
        &format!("aws iam create-policy --policy-name p --policy-document '{document}' --profile dev-admin"),
    );
    let arn = "--policy-arn arn:aws:iam::222222222222:policy/p";
    run(
        &scene,
        "dev-admin",
        &format!("aws iam create-policy-version {arn} --set-as-default --policy-document '{document}'"),
    );
    run(&scene, "dev-admin", &format!("aws iam delete-policy-version {arn} --version-id v1"));
    run(&scene, "bob", "aws sts get-caller-identity");
}

#[test]
#[should_panic(expected = "InvalidAction")]
fn rejects_unknown_operations() {
    run(&Scene::new(), "security-admin", "aws iam put-user-polity --user-name alice");
}

#[test]
#[should_panic(expected = "AccessDenied")]
fn panics_on_an_aws_error() {
    run(&Scene::new(), "bob", "aws iam get-user --user-name alice");
}

#[test]
#[should_panic(expected = "neither `aws iam …` nor `aws sts …`")]
fn rejects_other_commands() {
    run(&Scene::new(), "security-admin", "aws s3 ls");
}
