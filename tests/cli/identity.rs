//! A link knows its role from a colleague's: the tag decides, and without one what both agree on.

use serde_json::json;

use crate::scene::{ACCOUNT_A, ACCOUNT_B, Scene, trust};

const TAG: &str = "xacct:link";

/// What links bob to the same account with a file of his own.
const BOBS: &str = "--config bob.toml bootstrap --yes --no-verify --target-account 222222222222 --user bob \
                    --profile security-admin --target-profile dev-admin";

fn tag(scene: &Scene) -> Option<String> {
    scene.sandbox.world(|world| world.role(ACCOUNT_B, "xacct").expect("the role").tags.get(TAG).cloned())
}

/// Makes the link one of 0.1, which knew no such tag.
fn make_old(scene: &Scene) {
    scene.sandbox.world(|world| world.role_mut(ACCOUNT_B, "xacct").expect("the role").tags.remove(TAG));
    let file = scene.environment.read("xacct.toml");
    let lines: Vec<_> = file.lines().filter(|line| !line.starts_with("link = ")).collect();
    assert_eq!(lines.len() + 1, file.lines().count(), "{file}");
    scene.environment.write("xacct.toml", &format!("{}\n", lines.join("\n")));
}

fn with_bob(options: &str) -> Scene {
    let scene = Scene::linked(&format!("--no-verify {options}"));
    scene.sandbox.world(|world| {
        world.add_user(ACCOUNT_A, "bob");
    });
    scene
}

#[test]
fn a_colleagues_link_is_shown_and_taken_over_only_when_adopted() {
    for (is_old, options) in [(false, "--external-id abc"), (true, "--external-id abc"), (false, ""), (true, "")] {
        let scene = with_bob(options);
        if is_old {
            make_old(&scene);
        }
        let before = scene.trust_policy();
        for more in ["", "--external-id other", "--generate-external-id", "--restrict-to-user"] {
            let refused = scene.xacct(&format!("{BOBS} {more}")).exits_with(1);
            refused.says(&["belongs to another link", "the role belongs to link", "xacct.toml names link", "--adopt"]);
        }
        assert_eq!(scene.writes(), [""; 0], "{is_old} {options}");
        assert_eq!(scene.trust_policy(), before);
        assert!(!scene.environment.has("bob.toml"));

        let alices = tag(&scene);
        scene.xacct(&format!("{BOBS} --external-id other --adopt --allow-weaker")).exits_with(0);
        assert_ne!(tag(&scene), alices);
        // Now it is alice who may not take it back in silence, nor take it down.
        scene.sandbox.clear_requests();
        scene.xacct("bootstrap --yes").exits_with(1).says(&["belongs to another link"]);
        scene.xacct("teardown --all --yes --only target").exits_with(1).says(&["belongs to another link", "--adopt"]);
        assert_eq!(scene.writes(), [""; 0]);
    }
}

/// A file that somebody wrote by hand does not make a colleague's role one's own.
#[test]
fn teardown_takes_no_colleagues_role() {
    for is_old in [false, true] {
        let scene = with_bob("--external-id abc");
        if is_old {
            make_old(&scene);
        }
        let file = "[source]\naccount = \"111111111111\"\nuser = \"bob\"\nprofile = \"security-admin\"\n\
                    [targets.dev]\naccount = \"222222222222\"\nprofile = \"dev-admin\"\n";
        scene.environment.write("bob.toml", file);
        let output = scene.xacct("--config bob.toml teardown --all --yes").exits_with(1);
        output.says(&["belongs to another link", "external ID abc"]);
        assert_eq!(scene.writes(), [""; 0]);
    }
}

#[test]
fn with_the_same_tag_whatever_differs_is_drift() {
    let scene = Scene::linked("--no-verify --external-id abc");
    let recorded = tag(&scene).expect("a tag");
    assert!(scene.environment.read("xacct.toml").contains(&format!("link = \"{recorded}\"")));
    let other = trust(&json!({"StringEquals": {
        "sts:ExternalId": "somebodys", "aws:PrincipalArn": "arn:aws:iam::111111111111:user/bob",
    }}));
    scene.sandbox.world(|world| world.set_trust_policy(ACCOUNT_B, "xacct", &other));
    scene.xacct("bootstrap --check").exits_with(4);
    scene.xacct("bootstrap --yes --allow-weaker --no-verify").exits_with(0);
    assert_eq!(scene.conditions(), json!({"StringEquals": {"sts:ExternalId": "abc"}}));
    // The external ID is rotated, and the link is the same.
    scene.xacct("bootstrap --yes --allow-weaker --no-verify --external-id new").exits_with(0);
    assert_eq!(tag(&scene), Some(recorded));
    scene.xacct("teardown --all --yes").exits_with(0);
}

#[test]
fn a_link_of_0_1_is_known_by_what_agrees_and_gets_its_tag_without_being_drift() {
    for options in ["--external-id abc", "--restrict-to-user", ""] {
        let scene = Scene::linked(&format!("--no-verify {options}"));
        let recorded = tag(&scene);
        make_old(&scene);
        scene.xacct("bootstrap --check").exits_with(0).says(&[TAG]);
        assert_eq!(scene.writes(), [""; 0]);
        scene.xacct("bootstrap --yes --allow-weaker --no-verify --external-id new").exits_with(0);
        assert_eq!(tag(&scene), recorded, "{options}");
        scene.xacct("bootstrap --check").exits_with(0);
        make_old(&scene);
        scene.xacct("teardown --all --yes").exits_with(0);
    }
}
