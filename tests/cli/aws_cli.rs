//! The commands of the AWS CLI that xacct prints, run without the AWS CLI.

use xacct_sandbox::world::{ADMIN_A, ADMIN_B, ADMIN_C, ALICE, BOB, KeyPair, ROOT_A};

use crate::scene::Scene;
use crate::support::policies::document;

#[path = "../sandbox/tests/support/mod.rs"]
mod wire;

/// Runs `aws iam …` or `aws sts …` as this profile, unless the command names another one.
///
/// # Panics
///
/// If the command is none of these, or AWS refuses it.
#[track_caller]
pub fn run(scene: &Scene, profile: &str, command: &str) {
    // In a shell a backslash continues the line; to `shlex` it would be an empty word.
    let words =
        shlex::split(&command.replace("\\\n", "")).unwrap_or_else(|| panic!("not one command of a shell: {command}"));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let ["aws", "iam" | "sts", operation, options @ ..] = &words[..] else {
        panic!("neither `aws iam …` nor `aws sts …`: {command}");
    };
    let (mut profile, mut parameters) = (profile, Vec::new());
    let mut options = options.iter().copied().peekable();
    while let Some(word) = options.next() {
        let option = word.strip_prefix("--").unwrap_or_else(|| panic!("`{word}` is no option: {command}"));
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

/// `PutUserPolicy` for `put-user-policy`.
fn in_camel_case(name: &str) -> String {
    name.split('-').map(|word| format!("{}{}", word[..1].to_uppercase(), &word[1..])).collect()
}

/// The keys of a profile that every scene has.
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
fn a_document_in_quotes() {
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
fn flags_and_the_profile_of_the_command() {
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
fn an_operation_that_is_none() {
    run(&Scene::new(), "security-admin", "aws iam put-user-polity --user-name alice");
}

#[test]
#[should_panic(expected = "AccessDenied")]
fn a_refusal() {
    run(&Scene::new(), "bob", "aws iam get-user --user-name alice");
}

#[test]
#[should_panic(expected = "neither `aws iam …` nor `aws sts …`")]
fn a_command_of_another_kind() {
    run(&Scene::new(), "security-admin", "aws s3 ls");
}
