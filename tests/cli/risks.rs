//! What may go wrong with a link is said before it is made, and changes no exit code.

use serde_json::{Value, json};

use crate::scene::{ACCOUNT_A, ACCOUNT_B, BOOTSTRAP, Scene, text, trust};
use crate::support::policies::{allow, document};

const ADMINISTRATOR: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

/// The warnings of a bootstrap with these options that writes nothing: of the target, then of the source.
#[track_caller]
fn warnings(scene: &Scene, more: &str) -> Vec<String> {
    let document = scene.bootstrap_json(&format!("--dry-run {more}"), 0);
    assert_eq!(scene.writes(), [""; 0]);
    let of = |side: &Value| side["warnings"].as_array().expect("warnings").clone();
    let (target, source) = (of(&document["targets"][ACCOUNT_B]), of(&document["source"]));
    target.iter().chain(&source).map(text).collect()
}

/// The same where a link is there, and its role has this trust policy instead.
#[track_caller]
fn warnings_of(options: &str, trust: &Value) -> Vec<String> {
    let scene = Scene::linked(options);
    scene.sandbox.world(|world| world.set_trust_policy(ACCOUNT_B, "xacct", trust));
    warnings(&scene, options)
}

/// A link with an external ID, whose role admits this principal besides.
#[track_caller]
fn warnings_beside(principal: &Value, condition: &Value) -> Vec<String> {
    let mut found = trust(&json!({"StringEquals": {"sts:ExternalId": "abc"}}));
    let mut statement = json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"});
    if condition != &json!({}) {
        statement["Condition"] = condition.clone();
    }
    found["Statement"].as_array_mut().unwrap().push(statement);
    warnings_of("--external-id abc", &found)
}

#[test]
fn a_link_that_is_narrow_has_none() {
    for options in ["--external-id abc", "--generate-external-id --allow-session-tags", "--restrict-to-user"] {
        assert_eq!(warnings(&Scene::new(), options), [""; 0], "{options}");
    }
}

#[test]
fn an_account_trusted_without_an_external_id() {
    let warning = "account 111111111111 is trusted as a whole without an external ID: whoever can use it for others, \
                   such as a service, may be tricked into using the role (confused deputy); --generate-external-id \
                   prevents that";
    assert_eq!(warnings(&Scene::new(), ""), [warning]);
    assert_eq!(warnings(&Scene::new(), "--require-mfa"), [warning]);
    assert_eq!(
        warnings_beside(&json!({"AWS": "333333333333"}), &json!({})),
        ["until this is applied, account 333333333333 is trusted as a whole without an external ID: whoever can use \
             it for others, such as a service, may be tricked into using the role (confused deputy)"]
    );
}

#[test]
fn everyone() {
    let everyone = ["until this is applied, the trust policy admits everyone (Principal *)"];
    assert_eq!(warnings_beside(&json!("*"), &json!({})), everyone);
    assert_eq!(
        warnings_beside(&json!({"AWS": "*"}), &json!({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}})),
        everyone
    );
    let organization = json!({"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}});
    assert_eq!(warnings_beside(&json!("*"), &organization), [""; 0]);
}

#[test]
fn mfa_only_if_it_exists() {
    let lax = trust(&json!({
        "BoolIfExists": {"aws:MultiFactorAuthPresent": "true"},
        "StringEquals": {"sts:ExternalId": "abc"},
    }));
    let problem = "the trust policy demands MFA with BoolIfExists, which lets access keys without MFA in";
    let scene = Scene::linked("--external-id abc");
    scene.sandbox.world(|world| world.set_trust_policy(ACCOUNT_B, "xacct", &lax));
    let stays = format!("{problem}; --require-mfa does not");
    assert_eq!(warnings(&scene, "--external-id abc"), [stays], "MFA is not demanded afterwards either");
    let goes = format!("until this is applied, {problem}");
    assert_eq!(warnings(&scene, "--external-id abc --require-mfa"), [goes]);
}

#[test]
fn an_administrator_without_a_boundary() {
    let warning = "the role has AdministratorAccess and no permissions boundary: whoever assumes it may do anything in \
                   the account, unless --permissions-boundary caps it";
    let options = "--external-id abc --policy-arn AdministratorAccess";
    assert_eq!(warnings(&Scene::new(), options), [warning]);
    let capped = format!("{options} --permissions-boundary PowerUserAccess");
    assert_eq!(warnings(&Scene::new(), &capped), [""; 0]);

    let by_others = Scene::linked("--external-id abc");
    by_others.sandbox.world(|world| world.attach_role_policy(ACCOUNT_B, "xacct", ADMINISTRATOR));
    assert_eq!(warnings(&by_others, "--external-id abc"), [warning]);
    by_others.sandbox.world(|world| {
        world.set_role_boundary(ACCOUNT_B, "xacct", Some("arn:aws:iam::aws:policy/ReadOnlyAccess"));
    });
    assert_eq!(warnings(&by_others, "--external-id abc"), [""; 0]);
}

#[test]
fn a_policy_file_that_allows_everything() {
    let scene = Scene::new();
    let all = allow("*", "*");
    scene.environment.write("all.json", &all.to_string());
    assert_eq!(
        warnings(&scene, "--external-id abc --policy-file all.json"),
        [
            "the role has policy xacct-all, which allows everything, and no permissions boundary: whoever assumes it may \
             do anything in the account, unless --permissions-boundary caps it"
        ]
    );
}

#[test]
fn a_grant_with_wildcards() {
    let scene = Scene::linked("--external-id abc");
    scene.sandbox.world(|world| {
        let statements = json!([
            {"Sid": "XacctAssumeRole", "Effect": "Allow", "Action": "sts:*", "Resource": "arn:aws:iam::222222222222:role/*"},
        ]);
        world.put_user_policy(ACCOUNT_A, "alice", "xacct", document(statements));
    });
    assert_eq!(
        warnings(&scene, ""),
        ["until this is applied, the grant reaches every role that matches arn:aws:iam::222222222222:role/*"]
    );
}

#[test]
fn a_principal_that_was_deleted() {
    let scene = Scene::linked("--external-id abc");
    let mut named = trust(&json!({"StringEquals": {"sts:ExternalId": "abc"}}));
    named["Statement"][0]["Principal"]["AWS"] = json!("arn:aws:iam::111111111111:user/bob");
    let id = scene.sandbox.world(|world| {
        world.set_trust_policy(ACCOUNT_B, "xacct", &named);
        world.recreate_user(ACCOUNT_A, "bob");
        text(&world.trust_policy(ACCOUNT_B, "xacct").unwrap()["Statement"][0]["Principal"]["AWS"])
    });
    assert!(id.starts_with("AIDA"), "{id}");
    assert_eq!(
        warnings(&scene, "--external-id abc"),
        [format!(
            "until this is applied, the trust policy names a deleted user ({id}): whoever has its name now is not let in"
        )]
    );
}

#[test]
fn quotas_that_are_almost_used_up() {
    let trust_policy = warnings(&Scene::new(), &format!("--external-id {}", "x".repeat(1200)));
    assert_eq!(trust_policy, [""; 0], "there is room");

    let scene = Scene::new();
    let filler = |characters: usize| {
        let statement = json!({"Sid": "x".repeat(characters), "Effect": "Allow", "Action": "s3:*", "Resource": "*"});
        document(json!([statement]))
    };
    scene.sandbox.world(|world| world.put_user_policy(ACCOUNT_A, "alice", "by-hand", filler(1650)));
    scene.environment.write("long.json", &filler(9500).to_string());
    let [role, user] = &warnings(&scene, "--external-id abc --policy-file long.json")[..] else { panic!("two") };
    assert!(role.starts_with("the role's inline policies take 95") && role.contains(" of 10240 characters"), "{role}");
    assert!(user.starts_with("the user's inline policies take 1") && user.contains(" of 2048 characters"), "{user}");
}

#[test]
fn a_policy_that_cannot_be_read() {
    let scene = Scene::linked("--external-id abc");
    scene.sandbox.world(|world| {
        let role = world.role_mut(ACCOUNT_B, "xacct").unwrap();
        role.trust["Statement"][0]["Effect"] = json!("Perhaps");
    });
    assert_eq!(
        warnings(&scene, "--external-id abc"),
        [
            "cannot evaluate the trust policy as it stands now: statement 1, Effect: is `Perhaps`, and must be `Allow` or \
             `Deny`"
        ]
    );
}

#[test]
fn a_role_that_is_adopted() {
    let scene = Scene::new();
    scene.sandbox.world(|world| {
        let everyone = json!({"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"});
        world.add_role(ACCOUNT_B, "xacct", document(json!([everyone])));
        world.attach_role_policy(ACCOUNT_B, "xacct", ADMINISTRATOR);
    });
    let found = warnings(&scene, "--adopt --external-id abc");
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("the role has AdministratorAccess"), "{found:?}");
    assert_eq!(found[1], "until this is applied, the trust policy admits everyone (Principal *)");
}

#[test]
fn they_are_shown_below_the_changes_and_where_there_is_none() {
    let lines = [
        " !  target  account 111111111111 is trusted as a whole without an external ID:\n",
        "            whoever can use it for others, such as a service, may be tricked",
    ];
    let scene = Scene::new();
    let made = scene.bootstrap("").exits_with(0).says(&lines);
    assert!(made.stdout.find(" !  target") > made.stdout.find("put policy xacct-verify"), "{made}");
    // They count as no change.
    scene.xacct("bootstrap --check").exits_with(0).says(&["No changes"]).says(&lines);
    scene
        .xacct(&format!("{BOOTSTRAP} --dry-run --generate-external-id"))
        .exits_with(0)
        .says(&[" !  target  until this is applied, account 111111111111 is trusted as a whole"]);
}
