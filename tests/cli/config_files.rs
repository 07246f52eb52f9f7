//! AWS config files as people have them, and access keys from the environment.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener};

use xacct::environment::KEYS;
use xacct_sandbox::world::{ADMIN_A, ADMIN_B, ALICE, KeyPair};

use crate::scene::{ACCOUNT_B, Scene};
use crate::support::Output;

fn keys_of(profile: &str, pair: KeyPair) -> String {
    format!("[{profile}]\naws_access_key_id = {}\naws_secret_access_key = {}\n", pair.id, pair.secret)
}

/// Tests the link with this profile of a config file.
fn verify_as(scene: &Scene, profile: &str) -> Output {
    scene.environment.xacct(&["verify", "--probe", "identity", "--user-profile", profile])
}

#[test]
fn gets_in_with_every_file_that_the_aws_cli_reads() {
    let indented = include_str!("../cases/config/indented-keys.ini");
    let spaced = include_str!("../cases/config/name-with-space.ini");
    for (config, profile) in [
        (indented, "alice"),
        (include_str!("../cases/config/text-after-heading.ini"), "alice"),
        (spaced, "alice smith"),
        (&spaced.replace("'alice smith'", "\"alice \\\"x\\\" smith, ä=b%\""), "alice \"x\" smith, ä=b%"),
        (&indented.replace("region = ", "region: "), "alice"),
        (&indented.replace('\n', "\r\n"), "alice"),
        (&format!("\u{feff}{indented}"), "alice"),
        (&format!("{indented}[profile bob]\nplease do not edit\n[profile eve\nregion = x\n"), "alice"),
        (&format!("{indented}[profile bob]\nregion = x\nregion = y\n[profile 'open]\n"), "alice"),
        (&format!("{indented}  # a comment\n  s3 =\n    addressing_style = path\n"), "alice"),
        ("[DEFAULT]\nregion = us-east-1\n[profile alice]\n", "alice"),
    ] {
        let scene = Scene::linked("");
        scene.environment.write("aws/config", config);
        scene.environment.write("aws/credentials", &keys_of(profile, ALICE));
        let output = verify_as(&scene, profile).exits_with(0);
        assert!(!output.everything().contains('%') || profile.contains('%'), "{config}\n{output}");
    }
}

#[test]
fn a_source_profile_may_have_any_name() {
    let mut scene = Scene::linked("");
    let config = "[profile 'my keys']\nregion = us-east-1\n[profile alice]\nsource_profile = my keys\n\
                  role_arn = arn:aws:iam::222222222222:role/xacct\n";
    scene.environment.write("aws/config", config);
    scene.environment.write("aws/credentials", &keys_of("my keys", ALICE));
    scene.environment.set("AWS_PROFILE", "my keys");
    verify_as(&scene, "-").exits_with(0);
    let output = scene.environment.xacct(&["verify", "--probe", "identity", "--user-profile", "alice"]);
    output.says(&["session of role"]);
}

#[test]
fn a_line_of_the_own_profile_is_named_and_nothing_is_sent() {
    for (lines, said) in [
        ("region = a\n[profile bob]\nregion = b\n  oops\noops\n", "`"),
        ("region = a\nregion = b\n", "line 3: duplicate key `region`"),
        ("region = a\nplease\n", "line 3: neither a section header nor `key = value`"),
        ("services =\n  endpoint\n", "`services` of section `profile alice`: an indented line without `=`"),
    ] {
        let scene = Scene::linked("");
        scene.environment.write("aws/config", &format!("[profile alice]\n{lines}"));
        let output = verify_as(&scene, "alice");
        if said == "`" {
            assert!(!output.everything().contains("cannot read the AWS config files"), "{output}");
        } else {
            output.exits_with(1).says(&["cannot read the AWS config files", said]);
            assert!(scene.sandbox.requests().is_empty());
        }
    }
    // A profile that is missing may stand below a heading that cannot be read.
    let scene = Scene::linked("");
    scene.environment.write("aws/config", "[profile bob]\n\n[profile alice\nregion = x\n");
    scene.environment.write("aws/credentials", "");
    verify_as(&scene, "alice")
        .exits_with(1)
        .says(&["profile `alice` does not exist", "line 3: section header without `]`"]);
}

#[test]
fn messages_show_the_name_of_a_profile_as_it_is() {
    let scene = Scene::linked("");
    scene.environment.write(
        "aws/config",
        "[profile 'alice smith']\nregion = us-east-1\nsso_session = none\n\
        sso_account_id = 111111111111\nsso_role_name = x\n",
    );
    let output = verify_as(&scene, "alice smith").exits_with(1).says(&["alice smith", "--profile 'alice smith'"]);
    assert!(!output.everything().contains("alice%20smith"), "{output}");
}

/// A portal of SSO that gives everybody alice's key.
fn sso_portal() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let keys = format!(
        "{{\"roleCredentials\":{{\"accessKeyId\":\"{}\",\"secretAccessKey\":\"{}\",\"expiration\":4102444800000}}}}",
        ALICE.id, ALICE.secret
    );
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let mut reader = BufReader::new(client.try_clone().expect("a stream"));
            let mut line = String::new();
            let mut has_token = false;
            while reader.read_line(&mut line).is_ok_and(|length| length > 2) {
                has_token |= line.to_ascii_lowercase().starts_with("x-amz-sso_bearer_token: the-token");
                line.clear();
            }
            let (status, body) = if has_token { ("200 OK", keys.as_str()) } else { ("401 Unauthorized", "{}") };
            let head =
                format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n", body.len());
            let _ = write!(&client, "{head}Connection: close\r\n\r\n{body}");
        }
    });
    url
}

#[test]
fn signs_in_with_an_sso_session_of_any_name() {
    let config = include_str!("../cases/config/sso-session-with-space.ini");
    // The names of the cached tokens are the SHA-1 of the names of their sessions.
    for (session, token) in
        [("My Corp", "204ad4b9731f737f3f80683e2c37a7c6ad58355d"), ("corp", "ee0bfd2552fbd840c02cc48b6e823320543c450f")]
    {
        let mut scene = Scene::linked("");
        scene.environment.write("aws/config", &config.replace("My Corp", session));
        scene.environment.write("aws/credentials", "");
        scene.environment.set("AWS_ENDPOINT_URL_SSO", &sso_portal());
        let token = format!(".aws/sso/cache/{token}.json");
        let text = "{\"accessToken\":\"the-token\",\"expiresAt\":\"2099-01-01T00:00:00Z\",\"region\":\"eu-west-1\",\
                    \"startUrl\":\"https://example.awsapps.com/start\"}";
        scene.environment.write(&token, text);
        verify_as(&scene, "sso").exits_with(0);
        scene.environment.set("AWS_PROFILE", "sso");
        verify_as(&scene, "-").exits_with(0);
    }
}

#[test]
fn variables_that_are_set_and_empty_are_unset() {
    let scene = Scene::linked("");
    for name in [
        "AWS_ENDPOINT_URL_S3",
        "AWS_ENDPOINT_URL_STS",
        "AWS_MAX_ATTEMPTS",
        "AWS_RETRY_MODE",
        "AWS_PROFILE",
        "AWS_REGION",
        "AWS_ACCESS_KEY_ID",
        "AWS_SESSION_TOKEN",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_USE_FIPS_ENDPOINT",
        "XACCT_PROFILE",
        "XACCT_TIMEOUT",
        "XACCT_CONCURRENCY",
        "XACCT_OUTPUT",
    ] {
        for value in ["", " \t"] {
            for words in ["verify --probe identity", "bootstrap --check"] {
                let mut command = scene.command(words);
                command.env(name, value);
                Output::of(command).exits_with(0);
            }
        }
    }
}

#[test]
fn legacy_retries_are_the_standard_ones() {
    let mut scene = Scene::linked("");
    scene.configure("alice", "retry_mode = legacy");
    scene.xacct("verify").exits_with(0);
    scene.environment.set("AWS_RETRY_MODE", " Legacy");
    scene.environment.set("AWS_MAX_ATTEMPTS", "2 ");
    scene.xacct("verify").exits_with(0);
    for (name, value) in [("AWS_RETRY_MODE", "often"), ("AWS_MAX_ATTEMPTS", "0"), ("AWS_MAX_ATTEMPTS", "many")] {
        let mut scene = Scene::linked("");
        scene.environment.set(name, value);
        scene.xacct("verify").exits_with(2).says(&[&format!("{name} is invalid: `{value}`")]);
        assert!(scene.sandbox.requests().is_empty());
    }
    let scene = Scene::linked("");
    scene.configure("alice", "max_attempts = none");
    scene.xacct("verify").exits_with(2).says(&["max_attempts of profile `alice` is invalid: `none`"]);
}

#[test]
fn a_variable_that_cannot_be_sent_is_named() {
    for (name, value) in [
        ("AWS_ACCESS_KEY_ID", format!("{}\n", ALICE.id)),
        ("AWS_ACCESS_KEY_ID", format!("{}\r", ALICE.id)),
        ("AWS_SECRET_ACCESS_KEY", format!("{}\n", ALICE.secret)),
        ("AWS_SESSION_TOKEN", "a b".to_owned()),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "a\n".to_owned()),
        ("AWS_REGION", "us-east-1\n".to_owned()),
        ("AWS_ENDPOINT_URL_STS", "http://x\n".to_owned()),
    ] {
        let mut scene = Scene::linked("");
        scene.environment.set("AWS_ACCESS_KEY_ID", ALICE.id);
        scene.environment.set("AWS_SECRET_ACCESS_KEY", ALICE.secret);
        scene.environment.set(name, &value);
        let output = scene.xacct("verify --user-profile -");
        assert!([1, 2].contains(&output.code), "{output}");
        let what = if KEYS.contains(&name) { "a space, a line break" } else { "a line break" };
        let message = format!("{name} contains {what} or another invalid character");
        let output = output.says(&[&message, &format!("set {name} to a valid value, or unset it")]);
        assert!(value.len() < 9 || !output.everything().contains(value.trim()), "{output}");
        assert!(scene.sandbox.requests().is_empty());
    }
    // A key that is not used stops nothing.
    let mut scene = Scene::linked("");
    scene.environment.set("AWS_ACCESS_KEY_ID", "a\n");
    scene.xacct("verify").exits_with(0);
}

/// A scene as in CI: xacct.toml names profiles, the machine has none.
fn in_ci(keys: KeyPair) -> Scene {
    let mut scene = Scene::linked("");
    scene.environment.write("aws/config", "");
    scene.environment.write("aws/credentials", "");
    scene.environment.set("AWS_REGION", "us-east-1");
    scene.environment.set("AWS_ACCESS_KEY_ID", keys.id);
    scene.environment.set("AWS_SECRET_ACCESS_KEY", keys.secret);
    scene
}

#[test]
fn a_hyphen_stands_for_the_access_key_in_the_environment() {
    let mut scene = in_ci(ALICE);
    let hint = "to use the access key in the environment instead, specify `-` as the profile";
    scene.xacct("verify").exits_with(1).says(&["profile `alice` does not exist", hint]);
    scene.xacct("verify --user-profile -").exits_with(0);
    scene.xacct("diagnose --user-profile -").exits_with(0);
    scene.xacct("credentials --user-profile -").exits_with(0);
    scene.environment.set("XACCT_USER_PROFILE", "-");
    scene.xacct("exec -- true").exits_with(0);
    let profile = scene.xacct("print profile --source-profile -").exits_with(0).stdout;
    assert!(profile.contains("credential_source = Environment"), "{profile}");

    let scene = in_ci(ADMIN_A);
    let before = scene.environment.read("xacct.toml");
    let words = "bootstrap --yes --no-verify --only source --profile -";
    scene.xacct(words).exits_with(0).says(&["environment"]);
    assert_eq!(scene.environment.read("xacct.toml"), before);

    let scene = in_ci(ADMIN_B);
    scene.xacct(&format!("sweep {ACCOUNT_B} --dry-run --target-profile -")).exits_with(0);
    scene.xacct("bootstrap --yes --no-verify --only target --target-profile -").exits_with(0);
    assert_eq!(scene.environment.read("xacct.toml"), before);
}

#[test]
fn an_endpoint_of_aws_is_signed_for_its_own_region() {
    let mut scene = Scene::linked("");
    scene.environment.set("AWS_ENDPOINT_URL_S3", "https://s3.eu-central-1.amazonaws.com");
    scene.environment.set("HTTPS_PROXY", "http://127.0.0.1:1");
    let output = scene.xacct("verify");
    assert!(output.code == 3 || output.code == 2 || output.code == 1, "{output}");
    output.says(&["is for Region eu-central-1, but the Region is us-east-1"]);
    assert!(scene.requests("CreateBucket").is_empty());
}
