//! `print profile --install` and `--remove` edit the AWS config file, and nothing in it that is not xacct's own.

#[cfg(unix)]
use std::os::unix::fs::PermissionsExt;

use crate::scene::Scene;
use crate::snapshots::assert_output;

const FILE: &str = "aws/config";

/// Creates a link, and a config file with settings of others in several styles.
fn scene() -> (Scene, String) {
    let scene = Scene::linked("--name dev --external-id abc");
    let others = scene.environment.read(FILE).replace('\n', "\r\n") + "; mine\r\n[sso-session s]\r\nsso_region=x";
    scene.environment.write(FILE, &others);
    (scene, others)
}

#[test]
fn installing_keeps_everything_else_and_can_be_repeated() {
    let (scene, others) = scene();
    assert_output("profile-install", "print profile --install", &scene.xacct("print profile --install").exits_with(0));
    let installed = scene.environment.read(FILE);
    assert!(installed.starts_with(&others), "{installed}");
    assert!(installed.contains("[profile dev]\r\nrole_arn = arn:aws:iam::222222222222:role/xacct\r\n"), "{installed}");
    let again = scene.xacct("print profile --install").exits_with(0).says(&["needs no change"]);
    assert_eq!(again.stdout, "");
    assert_eq!(scene.environment.read(FILE), installed);

    let words = "print profile dev --install --duration 30m";
    assert_output("profile-install-again", words, &scene.xacct(words).exits_with(0));
    assert_eq!(scene.environment.read(FILE), installed.replace("seconds = 3600", "seconds = 1800"));

    let words = "print profile 2222-2222-2222 --remove";
    assert_output("profile-remove", words, &scene.xacct(words).exits_with(0));
    assert_eq!(scene.environment.read(FILE), format!("{others}\r\n"));
    scene.xacct("print profile --remove --all").exits_with(0).says(&["needs no change"]);
    assert!(scene.sandbox.requests().is_empty());
}

#[test]
fn an_installed_profile_works() {
    let scene = Scene::linked("--name dev --external-id abc");
    scene.xacct("print profile --install").exits_with(0);
    scene.xacct("sweep 222222222222 --target-profile dev --dry-run").exits_with(1).says(&["assumed-role/xacct/"]);
}

#[test]
fn a_profile_that_xacct_wrote_is_never_taken_for_the_operators() {
    let scene = Scene::linked("--name dev");
    let other = "\n[profile other]\nrole_arn = arn:aws:iam::222222222222:role/other\nsource_profile = bob\n";
    scene.environment.append(FILE, other);
    let words =
        "bootstrap --check --target-account 222222222222 --name reader --role-name reader --policy-arn ReadOnlyAccess";
    // An account ID says more than a role.
    scene.xacct(words).exits_with(4);
    let files = scene.environment.read(FILE);
    scene.environment.write(FILE, &files.replace("aws_account_id = 222222222222\n", ""));
    let takes_the_other = |scene: &Scene| {
        scene.xacct(words).exits_with(1).says(&["profile `other`"]);
    };
    takes_the_other(&scene);
    scene.xacct("print profile --install").exits_with(0);
    takes_the_other(&scene);
    // One of another xacct.toml.
    scene.environment.edit(FILE, "role/xacct\n", "role/of-another-file\n");
    takes_the_other(&scene);
    // One that was appended by hand.
    scene.xacct("print profile --remove --all").exits_with(0);
    let printed = scene.xacct("print profile").exits_with(0).stdout;
    scene.environment.append(FILE, &printed);
    takes_the_other(&scene);
}

#[test]
fn profiles_of_removed_targets_can_be_removed() {
    let (scene, others) = scene();
    scene.xacct("print profile --install").exits_with(0);
    scene.xacct("teardown dev --yes --even-if-used").exits_with(0);
    scene.xacct("print profile --remove").exits_with(2).says(&["needs a target, or --all"]);
    scene.xacct("print profile --remove dev").exits_with(0);
    assert_eq!(scene.environment.read(FILE), format!("{others}\r\n"));
}

#[test]
fn a_profile_of_others_is_never_replaced() {
    let (scene, others) = scene();
    scene
        .xacct("print profile --install --profile-name security-admin")
        .exits_with(2)
        .says(&["is the operator's profile"]);
    scene
        .xacct("print profile --install --profile-name bob")
        .exits_with(1)
        .says(&["has a profile `bob` that xacct did not write", "--profile-name"]);
    assert_eq!(scene.environment.read(FILE), others);
}

#[test]
fn a_profile_appended_twice_by_hand_is_replaced_by_one() {
    let scene = Scene::linked("--name dev");
    let printed = scene.xacct("print profile").exits_with(0).stdout;
    scene.environment.append(FILE, &format!("{printed}{printed}"));
    scene.xacct("print profile --install").exits_with(0);
    let installed = scene.environment.read(FILE);
    assert_eq!(installed.matches("[profile dev]").count(), 1, "{installed}");
}

#[cfg(unix)]
#[test]
fn the_mode_and_a_symbolic_link_stay() {
    let (scene, _) = scene();
    let (file, real) = (scene.environment.path(FILE), scene.environment.path("dotfiles"));
    std::fs::rename(&file, &real).unwrap();
    std::os::unix::fs::symlink(&real, &file).unwrap();
    std::fs::set_permissions(&real, PermissionsExt::from_mode(0o640)).unwrap();
    scene.xacct("print profile --install").exits_with(0);
    assert!(file.is_symlink());
    assert_eq!(real.metadata().unwrap().permissions().mode() & 0o777, 0o640);
    assert!(scene.environment.read("dotfiles").contains("[profile dev]"));
    std::fs::remove_file(&real).unwrap();
    scene.xacct("print profile --install").exits_with(1).says(&["is a symbolic link to a file that cannot be used"]);
}

#[cfg(unix)]
#[test]
fn a_new_file_belongs_to_its_owner_alone() {
    let mut scene = Scene::linked("--name dev");
    scene.environment.unset("AWS_CONFIG_FILE");
    scene.xacct("print profile --install").exits_with(0).says(&["Wrote ~/.aws/config"]);
    for (path, mode) in [(".aws", 0o700), (".aws/config", 0o600)] {
        assert_eq!(scene.environment.path(path).metadata().unwrap().permissions().mode() & 0o777, mode, "{path}");
    }
    assert!(scene.environment.read(".aws/config").starts_with("# BEGIN xacct profile: target \"dev\" of "));
}
