//! Warnings about risky links appear before the link is created, and change no exit code.

use serde_json::{Value, json};

use crate::scene::{ACCOUNT_A, ACCOUNT_B, BOOTSTRAP, Scene, text, trust};
use crate::support::policies::{allow, document};

const ADMINISTRATOR: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

/// Returns the warnings of a bootstrap that writes nothing, first of the target, then of the source.
#[track_caller]
fn warnings(scene: &Scene, more: &str) -> Vec<String> {
    let document = scene.bootstrap_json(&format!("--dry-run {more}"), 0);
    assert_eq!(scene.writes(), [""; 0]);
    let of = |side: &Value| side["warnings"].as_array().expect("warnings").clone();
    let (target, source) = (of(&document["targets"][ACCOUNT_B]), of(&document["source"]));
    target.iter().chain(&source).map(text).collect()
}

/// Returns the warnings for an existing link whose role has this trust policy.
#[track_caller]
fn warnings_of(options: &str, trust: &Value) -> Vec<String> {
    let scene = Scene::linked(options);
    scene.sandbox.world(|world| world.set_trust_policy(ACCOUNT_B, "xacct", trust));
    warnings(&scene, options)
}

/// Creates a link with an external ID whose role also admits this principal.
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
fn a_narrow_link_has_no_risks() {
    for options in ["--external-id abc", "--generate-external-id --allow-session-tags", "--restrict-to-user"] {
        assert_eq!(warnings(&Scene::new(), options), [""; 0], "{options}");
    }
}

#[test]
fn an_account_trusted_without_an_external_id() {
    let warning = "the trust policy trusts all of account 111111111111 without an external ID: a service in that \
                   account may be tricked into assuming the role for someone else (confused deputy); use \
                   --generate-external-id";
    assert_eq!(warnings(&Scene::new(), ""), [warning]);
    assert_eq!(warnings(&Scene::new(), "--require-mfa"), [warning]);
    assert_eq!(
        warnings_beside(&json!({"AWS": "333333333333"}), &json!({})),
        ["until this plan is applied, the trust policy trusts all of account 333333333333 without an external ID: a \
             service in that account may be tricked into assuming the role for someone else (confused deputy)"]
    );
}

#[test]
fn a_trust_policy_for_everyone() {
    let everyone = ["until this plan is applied, the trust policy trusts everyone (Principal *)"];
    assert_eq!(warnings_beside(&json!("*"), &json!({})), everyone);
    assert_eq!(
        warnings_beside(&json!({"AWS": "*"}), &json!({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}})),
        everyone
    );
    let organization = json!({"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}});
    assert_eq!(
        warnings_beside(&json!("*"), &organization),
        [
            "until this plan is applied, the trust policy admits organization o-a1b2c3d4e5, which xacct.toml does not declare"
        ]
    );
}

#[test]
fn mfa_condition_with_if_exists() {
    let lax = trust(&json!({
        "BoolIfExists": {"aws:MultiFactorAuthPresent": "true"},
        "StringEquals": {"sts:ExternalId": "abc"},
    }));
    let problem = "the trust policy requires MFA with BoolIfExists, which accepts access keys without MFA";
    let scene = Scene::linked("--external-id abc");
    scene.sandbox.world(|world| world.set_trust_policy(ACCOUNT_B, "xacct", &lax));
    let stays = format!("{problem}; use --require-mfa");
    assert_eq!(warnings(&scene, "--external-id abc"), [stays], "MFA is still not required afterwards");
    let goes = format!("until this plan is applied, {problem}");
    assert_eq!(warnings(&scene, "--external-id abc --require-mfa"), [goes]);
}

#[test]
fn an_administrator_without_a_boundary() {
    let warning = "the role has AdministratorAccess and no permissions boundary: anyone who assumes it may do anything in \
                   the account; limit it with --permissions-boundary";
    let options = "--external-id abc --policy-arn AdministratorAccess";
    assert_eq!(warnings(&Scene::new(), options), [warning]);
    let capped = format!("{options} --permissions-boundary PowerUserAccess");
    assert_eq!(warnings(&Scene::new(), &capped), [""; 0]);

    let by_others = Scene::linked("--external-id abc");
    by_others.sandbox.world(|world| world.attach_role_policy(ACCOUNT_B, "xacct", ADMINISTRATOR));
    let undeclared = format!(
        "the role has managed policy {ADMINISTRATOR}, which xacct.toml does not declare; declare it in policy_arns, or \
         detach it: aws iam detach-role-policy --role-name xacct --policy-arn {ADMINISTRATOR}"
    );
    assert_eq!(warnings(&by_others, "--external-id abc"), [warning, &undeclared]);
    by_others.sandbox.world(|world| {
        world.set_role_boundary(ACCOUNT_B, "xacct", Some("arn:aws:iam::aws:policy/ReadOnlyAccess"));
    });
    assert_eq!(warnings(&by_others, "--external-id abc"), [undeclared]);
}

#[test]
fn a_policy_file_that_allows_everything() {
    let scene = Scene::new();
    let all = allow("*", "*");
    scene.environment.write("all.json", &all.to_string());
    assert_eq!(
        warnings(&scene, "--external-id abc --policy-file all.json"),
        [
            "the role has policy xacct-all, which allows everything, and no permissions boundary: anyone who assumes it may \
             do anything in the account; limit it with --permissions-boundary"
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
        ["until this plan is applied, the grant covers every role that matches arn:aws:iam::222222222222:role/*"]
    );
}

#[test]
fn a_deleted_principal() {
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
            "until this plan is applied, the trust policy names a deleted user ({id}): a new user with the same name is not trusted"
        )]
    );
}

#[test]
fn quotas_almost_exhausted() {
    let trust_policy = warnings(&Scene::new(), &format!("--external-id {}", "x".repeat(1200)));
    assert_eq!(trust_policy, [""; 0], "within the quota");

    let scene = Scene::new();
    let filler = |characters: usize| {
        let statement = json!({"Sid": "x".repeat(characters), "Effect": "Allow", "Action": "s3:*", "Resource": "*"});
        document(json!([statement]))
    };
    scene.sandbox.world(|world| world.put_user_policy(ACCOUNT_A, "alice", "by-hand", filler(1650)));
    scene.environment.write("long.json", &filler(9500).to_string());
    let [role, user] = &warnings(&scene, "--external-id abc --policy-file long.json")[..] else { panic!("two") };
    assert!(role.starts_with("the role's inline policies use 95") && role.contains(" of 10240 characters"), "{role}");
    assert!(
        user.starts_with("the principal's inline policies use 1") && user.contains(" of 2048 characters"),
        "{user}"
    );
}

#[test]
fn an_unreadable_policy() {
    let scene = Scene::linked("--external-id abc");
    scene.sandbox.world(|world| {
        let role = world.role_mut(ACCOUNT_B, "xacct").unwrap();
        role.trust["Statement"][0]["Effect"] = json!("Perhaps");
    });
    assert_eq!(
        warnings(&scene, "--external-id abc"),
        [
            "weaker: xacct cannot compare the new trust policy with the current one",
            "xacct cannot evaluate the trust policy in its current form: statement 1, Effect: is `Perhaps`, but must be `Allow` or \
             `Deny`"
        ]
    );
}

#[test]
fn an_adopted_role() {
    let scene = Scene::new();
    scene.sandbox.world(|world| {
        let everyone = json!({"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"});
        world.add_role(ACCOUNT_B, "xacct", document(json!([everyone])));
        world.attach_role_policy(ACCOUNT_B, "xacct", ADMINISTRATOR);
    });
    let found = warnings(&scene, "--adopt --external-id abc");
    assert_eq!(found.len(), 4, "{found:?}");
    assert!(found[0].starts_with("the role has AdministratorAccess"), "{found:?}");
    assert!(found[1].starts_with("the role has managed policy"), "{found:?}");
    assert_eq!(found[2], "until this plan is applied, the trust policy trusts everyone (Principal *)");
    assert!(found[3].starts_with("everyone loses access"), "{found:?}");
}

#[test]
fn shows_risks_with_and_without_changes() {
    let lines = [
        " !  target  the trust policy trusts all of account 111111111111 without an\n",
        "            external ID: a service in that account may be tricked into",
    ];
    let scene = Scene::new();
    let made = scene.bootstrap("").exits_with(0).says(&lines);
    assert!(made.stdout.find(" !  target") > made.stdout.find("add policy xacct-verify"), "{made}");
    // Warnings do not count as changes.
    scene.xacct("bootstrap --check").exits_with(0).says(&["No changes"]).says(&lines);
    scene
        .xacct(&format!("{BOOTSTRAP} --dry-run --generate-external-id"))
        .exits_with(0)
        .says(&[" !  target  until this plan is applied, the trust policy trusts all of"]);
}
