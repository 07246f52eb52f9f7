//! What xacct refuses before it writes anything.

use serde_json::{Value, json};
use xacct_sandbox::world::AccessKey;

use crate::scene::{ACCOUNT_A, ACCOUNT_B, BOOTSTRAP, ROLE, Scene, trust};
use crate::support::policies::{allow, document};

/// Asserts exit code and messages of a command, and that it writes nothing, neither to AWS nor to the file.
#[track_caller]
fn refuses(scene: &Scene, words: &str, exit_code: i32, texts: &[&str]) {
    let before = scene.environment.has("xacct.toml").then(|| scene.environment.read("xacct.toml"));
    scene.xacct(words).exits_with(exit_code).says(texts);
    assert_eq!(scene.writes(), [""; 0]);
    let after = scene.environment.has("xacct.toml").then(|| scene.environment.read("xacct.toml"));
    assert_eq!(before, after, "the file");
}

/// Asserts the same for the usual bootstrap with these additional options.
#[track_caller]
fn refuses_to_bootstrap(scene: &Scene, more: &str, texts: &[&str]) {
    refuses(scene, &format!("{BOOTSTRAP} {more}"), 1, texts);
}

fn add_profile(scene: &Scene, name: &str, key: &AccessKey) {
    scene.environment.append(
        "aws/config",
        &format!(
            "[profile {name}]\nregion = us-east-1\naws_access_key_id = {}\naws_secret_access_key = {}\n",
            key.id, key.secret
        ),
    );
}

#[test]
fn the_root_user_of_the_source_account() {
    let words = "bootstrap --yes --target-account 222222222222 --user alice --profile root";
    refuses(&Scene::new(), words, 1, &["the root user of account 111111111111", "--profile NAME"]);
}

#[test]
fn the_root_user_of_the_target_account() {
    let scene = Scene::new();
    let key =
        AccessKey { id: "AKIAROOTOFACCOUNTBBB".to_owned(), secret: "secret/of/the/root/user/of/account/B".to_owned() };
    add_profile(&scene, "root-b", &key);
    scene.sandbox.world(|world| world.account_mut(ACCOUNT_B).root_keys.push(key));
    let words = BOOTSTRAP.replace("dev-admin", "root-b");
    refuses(&scene, &words, 1, &["the root user of account 222222222222", "--target-profile NAME"]);
}

#[test]
fn one_account_as_source_and_target() {
    let words = "bootstrap --yes --target-account 111111111111 --user alice --profile security-admin \
                 --target-profile security-admin";
    refuses(&Scene::new(), words, 1, &["the same account, 111111111111"]);
    // With the setting in the file, xacct does not ask.
    let scene = Scene::new();
    scene.environment.write("xacct.toml", "[source]\naccount = \"111111111111\"\n");
    refuses(&scene, words, 2, &["the same account, 111111111111"]);
    assert!(scene.sandbox.requests().is_empty());
}

#[test]
fn a_source_account_other_than_the_recorded_one() {
    let scene = Scene::new();
    scene.environment.write("xacct.toml", "[source]\nuser = \"alice\"\naccount = \"999999999999\"\n");
    refuses_to_bootstrap(
        &scene,
        "",
        &["999999999999 (xacct.toml:3)", "profile security-admin", "account 111111111111", "--profile NAME"],
    );
}

#[test]
fn credentials_of_another_target_account() {
    let words = BOOTSTRAP.replace("dev-admin", "third-admin");
    let texts = ["the target account is 222222222222", "(profile third-admin)", "account 333333333333"];
    refuses(&Scene::new(), &words, 1, &texts);
}

#[test]
fn a_user_who_does_not_exist() {
    let words = BOOTSTRAP.replace("--user alice", "--user nobody");
    refuses(&Scene::new(), &words, 1, &["no user `nobody`", "aws iam list-users"]);
}

#[test]
fn a_user_with_another_path() {
    let words = BOOTSTRAP.replace("--user alice", "--user arn:aws:iam::111111111111:user/staff/alice");
    refuses(&Scene::new(), &words, 1, &["--user arn:aws:iam::111111111111:user/alice"]);
}

#[test]
fn an_operator_who_is_not_an_iam_user_must_name_the_user() {
    let scene = Scene::new();
    scene.environment.append(
        "aws/config",
        "[profile entered]\nregion = us-east-1\nsource_profile = security-admin\n\
         role_arn = arn:aws:iam::222222222222:role/OrganizationAccountAccessRole\n",
    );
    let words = "bootstrap --yes --target-account 333333333333 --target-profile third-admin --profile entered";
    refuses(&scene, words, 2, &["is not an IAM user", "--user NAME"]);
}

#[test]
fn an_unmanaged_role() {
    let scene = foreign_role();
    refuses_to_bootstrap(
        &scene,
        "--external-id abc",
        &["xacct did not create it", "replace the trust policy", "--adopt", "--role-name NAME"],
    );
}

#[test]
fn adopt_shows_policies_on_request_and_adopts_the_role() {
    let scene = foreign_role();
    let words = format!("{BOOTSTRAP} --external-id abc --adopt");
    scene
        .xacct(&format!("{words} --dry-run --show-policies"))
        .exits_with(0)
        .says(&["arn:aws:iam::333333333333:root", "\"sts:ExternalId\": \"abc\""]);
    assert_eq!(scene.writes(), [""; 0]);
    scene.xacct(&format!("{words} --allow-weaker")).exits_with(0);
    assert_eq!(scene.trust_policy(), trust(&json!({"StringEquals": {"sts:ExternalId": "abc"}})));
    // From now on xacct manages the role.
    scene.xacct("bootstrap --check").exits_with(0);
}

fn foreign_role() -> Scene {
    let scene = Scene::new();
    let theirs = document(json!([{
        "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::333333333333:root"}, "Action": "sts:AssumeRole",
    }]));
    scene.sandbox.world(|world| {
        world.add_role(ACCOUNT_B, "xacct", theirs);
    });
    scene
}

#[test]
fn a_role_of_the_link_from_another_account() {
    let scene = Scene::linked("");
    scene.sandbox.world(|world| {
        let tags = &mut world.role_mut(ACCOUNT_B, "xacct").unwrap().tags;
        tags.insert("xacct:source-account".to_owned(), "333333333333".to_owned());
    });
    refuses(
        &scene,
        "bootstrap --yes",
        1,
        &["belongs to the link from source account 333333333333", "--role-name NAME"],
    );
}

#[test]
fn a_role_under_another_path() {
    let scene = Scene::linked("--role-path /engineering/");
    refuses_to_bootstrap(
        &scene,
        "--role-path /",
        &["role/engineering/xacct", "cannot rename or move", "--role-name xacct --role-path /engineering/"],
    );
}

#[test]
fn an_unmanaged_grant() {
    let scene = Scene::new();
    scene.sandbox.world(|world| world.grant_assume_role(ACCOUNT_A, "alice", "xacct", ROLE));
    refuses_to_bootstrap(&scene, "", &["inline policy `xacct` that xacct did not write", "--adopt"]);
    scene.bootstrap("--adopt").exits_with(0);
}

#[test]
fn a_policy_or_boundary_that_does_not_exist() {
    let scene = Scene::new();
    refuses_to_bootstrap(
        &scene,
        "--policy-arn NoSuchPolicy",
        &["managed policy `arn:aws:iam::aws:policy/NoSuchPolicy` does not exist"],
    );
    refuses_to_bootstrap(
        &scene,
        "--permissions-boundary arn:aws:iam::222222222222:policy/boundary",
        &["permissions boundary `arn:aws:iam::222222222222:policy/boundary` does not exist"],
    );
}

#[test]
fn a_policy_that_almost_exists_is_suggested() {
    let scene = Scene::new();
    refuses_to_bootstrap(&scene, "--policy-arn PowerUserAcess", &["hint: did you mean `PowerUserAccess`?"]);
    refuses_to_bootstrap(&scene, "--permissions-boundary readonlyaccess", &["did you mean `ReadOnlyAccess`?"]);
    let own = scene.bootstrap("--policy-arn arn:aws:iam::222222222222:policy/PowerUserAcess").exits_with(1);
    assert!(!own.everything().contains("did you mean"), "{own}");
}

#[test]
fn a_policy_of_another_partition() {
    let words = format!("{BOOTSTRAP} --policy-arn arn:aws-cn:iam::aws:policy/ReadOnlyAccess");
    refuses(&Scene::new(), &words, 2, &["partition aws-cn", "arn:aws:"]);
    let scene = Scene::new();
    refuses(&scene, &format!("{words} --region us-east-1"), 2, &["partition aws-cn"]);
    assert!(scene.sandbox.requests().is_empty());
}

#[test]
fn a_trust_policy_over_the_quota() {
    let scene = Scene::new();
    let path = format!("/{}/", "p".repeat(500));
    scene.sandbox.world(|world| world.user_mut(ACCOUNT_A, "alice").path = path);
    let options = format!("--restrict-to-user --require-mfa --allow-session-tags --external-id {}", "e".repeat(1224));
    refuses_to_bootstrap(&scene, &options, &["allows 2048", "a shorter external ID"]);
}

#[test]
fn inline_policies_over_the_quota() {
    let scene = Scene::new();
    let actions: Vec<_> = (0..600).map(|number| format!("s3:NoSuchAction{number:06}")).collect();
    let document = allow(actions, "*");
    scene.environment.write("large.json", &document.to_string());
    let words = format!("{BOOTSTRAP} --policy-file large.json");
    refuses(&scene, &words, 2, &["10240", "--policy-arn"]);
    assert!(scene.sandbox.requests().is_empty());
}

#[test]
fn a_grant_that_exceeds_all_quotas() {
    let scene = Scene::new();
    let actions: Vec<_> = (0..90).map(|number| format!("s3:NoSuchAction{number:04}")).collect();
    let document = allow(actions, "*");
    scene.sandbox.world(|world| {
        world.put_user_policy(ACCOUNT_A, "alice", "large", document);
        world.account_mut(ACCOUNT_A).quotas.attached_per_user = 1;
        world.attach_user_policy(ACCOUNT_A, "alice", "arn:aws:iam::aws:policy/ReadOnlyAccess");
    });
    refuses_to_bootstrap(
        &scene,
        "",
        &["lists 1 role (", "have room for 0 characters", "0 managed policies", "request a higher quota"],
    );
}

#[test]
fn no_credentials_at_all() {
    let words = "bootstrap --yes --target-account 222222222222 --user alice";
    let scene = Scene::new();
    refuses(&scene, words, 1, &["no AWS credentials found", "--profile NAME", "AWS_PROFILE"]);
    assert!(scene.sandbox.requests().is_empty());
}

#[test]
fn an_unknown_profile() {
    let words = BOOTSTRAP.replace("--profile security-admin", "--profile nobody");
    let scene = Scene::new();
    let known = "alice, bob, dev-admin, root, security-admin, third-admin";
    refuses(&scene, &words, 1, &["profile `nobody` does not exist", known]);
    assert!(scene.sandbox.requests().is_empty());
    let words = BOOTSTRAP.replace("--target-profile dev-admin", "--target-profile nobody");
    refuses(&scene, &words, 1, &["profile `nobody` does not exist", known]);
}

#[test]
fn an_unknown_user_profile() {
    let words = BOOTSTRAP.replace("--user-profile alice", "--user-profile nobody");
    refuses(&Scene::new(), &words, 1, &["profile `nobody` does not exist"]);
}

#[test]
fn a_target_account_without_credentials() {
    let words = "bootstrap --yes --target-account 333333333333 --user alice --profile security-admin";
    refuses(&Scene::new(), words, 1, &["333333333333", "--target-profile NAME", "--enter-role", "--only source"]);
}

#[test]
fn several_profiles_of_the_target_account() {
    let scene = Scene::new();
    scene.configure("third-admin", "aws_account_id = 222222222222");
    let words = "bootstrap --yes --target-account 222222222222 --user alice --profile security-admin";
    refuses(&scene, words, 1, &["dev-admin, third-admin", "--target-profile NAME"]);
}

#[test]
fn an_enter_role_that_cannot_be_assumed() {
    let words =
        "bootstrap --yes --target-account 222222222222 --user alice --profile security-admin --enter-role Nobody";
    refuses(&Scene::new(), words, 1, &["cannot assume role `Nobody`", "allow the source operator"]);
}

#[test]
fn no_terminal() {
    let words = "bootstrap --target-account 222222222222 --user alice --profile security-admin";
    refuses(&Scene::new(), words, 2, &["no terminal to ask for confirmation", "--yes", "--dry-run"]);
}

#[test]
fn invalid_access_keys() {
    let scene = Scene::new();
    let key = |id: &str, secret: &str| AccessKey { id: id.to_owned(), secret: secret.to_owned() };
    add_profile(&scene, "unknown", &key("AKIAUNKNOWNUNKNOWNXX", "secret"));
    add_profile(&scene, "wrong-secret", &key("AKIASANDBOXADMINAAAA", "wrong"));
    let words = |profile: &str| BOOTSTRAP.replace("--profile security-admin", &format!("--profile {profile}"));
    refuses(&scene, &words("unknown"), 1, &["the access key does not exist", "InvalidClientTokenId"]);
    let texts = ["the secret access key does not match the access key ID", "SignatureDoesNotMatch"];
    refuses(&scene, &words("wrong-secret"), 1, &texts);
}

#[test]
fn a_failure_prints_one_json_document() {
    let document = foreign_role().bootstrap_json("", 1);
    assert_eq!(document["error"]["kind"], "refused");
    assert_ne!(document["error"]["hints"], Value::Array(Vec::new()));
}

#[test]
fn does_not_open_a_role_restricted_to_another_user() {
    let scene = Scene::linked("--restrict-to-user");
    let before = scene.trust_policy();
    let words = "bootstrap --yes --no-verify --target-account 222222222222 --user bob --profile security-admin \
                 --target-profile dev-admin --config bob.toml";
    scene.xacct(words).exits_with(1).says(&["trusts only `arn:aws:iam::111111111111:user/alice`", "--role-name"]);
    assert_eq!(scene.trust_policy(), before);
    scene.xacct(&format!("{words} --restrict-to-user=false --adopt --allow-weaker")).exits_with(0);
}

#[test]
fn does_not_change_the_user_of_recorded_links() {
    let scene = Scene::linked("");
    let words = "bootstrap --yes --target-account 333333333333 --user bob --profile security-admin \
                 --enter-role OrganizationAccountAccessRole";
    scene.xacct(words).exits_with(2).says(&["xacct.toml:5", "`alice`", "--config bob.toml"]);
    assert!(scene.sandbox.requests().is_empty());
}

#[test]
fn does_not_rename_a_recorded_role() {
    let scene = Scene::linked("");
    scene.xacct("bootstrap --yes --role-name other").exits_with(2).says(&["cannot rename it", "--role-name other"]);
    assert!(scene.sandbox.requests().is_empty());
}
