//! Profiles and Regions from the AWS config files and the environment.

use xacct_sandbox::world::{ALICE, BOB, KeyPair};

use crate::scene::Scene;

#[test]
fn a_profile_with_a_role_needs_no_region() {
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
fn an_empty_region_counts_as_unset() {
    let mut scene = Scene::new();
    scene.environment.set("AWS_REGION", "");
    scene.bootstrap("").exits_with(0);
}

#[test]
fn credential_process_runs_once_per_account() {
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
fn names_a_missing_profile_from_aws_profile() {
    let mut scene = Scene::new();
    scene.environment.set("AWS_PROFILE", "nope");
    let words = "bootstrap --target-account 222222222222 --user alice --target-profile dev-admin";
    scene.xacct(words).exits_with(1).says(&["profile `nope` does not exist", "security-admin"]);
}

#[test]
fn reports_why_the_profile_from_aws_profile_has_no_credentials() {
    let mut scene = Scene::new();
    scene
        .environment
        .append("aws/config", "\n[profile broken]\ncredential_process = sh -c 'echo no sign-in >&2; exit 3'\n");
    scene.environment.set("AWS_PROFILE", "broken");
    let words = "bootstrap --target-account 222222222222 --user alice --target-profile dev-admin";
    let output = scene.xacct(words).exits_with(1);
    assert!(!output.everything().contains("no sign-in"), "it may hold secrets: {output}");
    output.says(&["cannot get credentials from profile `broken`: ", "exit status: 3", "--profile broken"]);
}

#[test]
fn a_credential_process_that_needs_itself_ends_in_a_clear_error() {
    let scene = Scene::linked("");
    let itself = format!(
        "\n[profile itself]\nregion = us-east-1\ncredential_process = {} credentials --user-profile itself --config {}\n",
        env!("CARGO_BIN_EXE_xacct"),
        scene.environment.path("xacct.toml").display(),
    );
    scene.environment.append("aws/config", &itself);
    scene.xacct("verify --user-profile itself").exits_with(1).says(&["profile `itself`", "starts itself again"]);
}

/// A device has no end.
#[cfg(unix)]
/// The files need not have the keys that `aws-vault exec` puts into the environment, nor the profile.
#[test]
fn the_profile_of_aws_vault_has_the_access_key_in_the_environment() {
    let mut scene = Scene::linked("--external-id abc");
    scene.environment.edit("xacct.toml", "user_profile = \"alice\"", "user_profile = \"vaulted\"");
    let mut keys = |vault: &str, key: &KeyPair| {
        scene.environment.set("AWS_VAULT", vault);
        scene.environment.set("AWS_ACCESS_KEY_ID", key.id);
        scene.environment.set("AWS_SECRET_ACCESS_KEY", key.secret);
        scene.xacct("verify")
    };
    keys("another", &ALICE).exits_with(1).says(&["profile `vaulted` does not exist", "specify `-`"]);
    keys("vaulted", &ALICE).exits_with(0);
    keys("vaulted", &BOB).exits_with(5).says(&["do not belong to user alice"]);
    // aws-vault refuses to run within itself.
    scene.environment.append("aws/config", "\n[profile vaulted]\ncredential_process = false\n");
    scene.xacct("verify").exits_with(5);
    scene.environment.set("AWS_ACCESS_KEY_ID", ALICE.id);
    scene.environment.set("AWS_SECRET_ACCESS_KEY", ALICE.secret);
    scene.xacct("verify").exits_with(0);
    scene.xacct("bootstrap --yes").exits_with(0);
    // The command of exec has other credentials.
    let variables = scene.xacct("exec -- /usr/bin/env").exits_with(0).stdout;
    assert!(!variables.contains("AWS_VAULT"), "{variables}");
}

#[test]
fn tokens_are_read_from_regular_files_only() {
    let scene = Scene::linked("");
    let role = "role_arn = arn:aws:iam::222222222222:role/xacct\nweb_identity_token_file = /dev/zero";
    let sso = "sso_start_url = https://example.com/start\nsso_region = us-east-1\nsso_account_id = 111111111111\n\
               sso_role_name = x";
    scene.environment.append("aws/config", &format!("\n[profile web]\n{role}\n[profile sso]\n{sso}\n"));
    scene.xacct("verify --user-profile web").exits_with(1).says(&["`/dev/zero`", "not a regular file"]);
    let cache = scene.environment.path(".aws/sso/cache");
    std::fs::create_dir_all(&cache).unwrap();
    std::os::unix::fs::symlink("/dev/zero", cache.join("a.json")).unwrap();
    scene.xacct("verify --user-profile sso").exits_with(1).says(&["a.json", "not a regular file"]);
}

#[test]
fn ignores_the_profile_of_the_links_own_role() {
    let scene = Scene::linked("");
    let own = "\n[profile work]\nrole_arn = arn:aws:iam::222222222222:role/xacct\nsource_profile = alice\n";
    scene.environment.append("aws/config", own);
    let words = "bootstrap --check --target-account 222222222222 --user alice --profile security-admin";
    scene.xacct(words).exits_with(0).says(&["profile dev-admin"]);
}

#[test]
fn an_expired_sign_in_names_the_command_that_signs_in() {
    let mut scene = Scene::new();
    let settings = "sso_account_id = 111111111111\nsso_role_name = admin\nregion = us-east-1\n";
    let session = "[sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = us-east-1\n";
    scene.environment.append(
        "aws/config",
        &format!(
            "\n[profile corp]\nsso_session = corp\n{settings}\n{session}\n\
             [profile via]\nsource_profile = corp\nrole_arn = arn:aws:iam::111111111111:role/admin\n"
        ),
    );
    // The file is named after the SHA-1 of the session's name.
    let token = "{\"accessToken\": \"x\", \"expiresAt\": \"2020-01-01T00:00:00Z\"}";
    let cached = ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";
    for is_cached in [false, true] {
        if is_cached {
            scene.environment.write(cached, token);
        }
        let words = "bootstrap --target-account 222222222222 --user alice --target-profile dev-admin";
        for profile in ["corp", "via"] {
            let output = scene.xacct(&format!("{words} --profile {profile}")).exits_with(1);
            let output = output.says(&["hint: sign in: aws sso login --profile corp\n"]);
            assert!(!output.stderr.contains("get-caller-identity"), "{output}");
        }
        scene.environment.set("AWS_PROFILE", "corp");
        scene.xacct(words).exits_with(1).says(&["hint: sign in: aws sso login --profile corp\n"]);
    }
}
