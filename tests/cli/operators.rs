//! Operators with exactly the policies of `policies/` can do everything; with fewer permissions, xacct names the
//! missing one.

use serde_json::Value;
use xacct_sandbox::world::{ALICE, AccessKey};

use crate::scene::{ACCOUNT_A, ACCOUNT_B, ROLE, Scene, side_by_side};
use crate::support::Output;

const SOURCE: &str = include_str!("../../policies/operator-source.json");
const TARGET: &str = include_str!("../../policies/operator-target.json");

pub const WORDS: &str = "bootstrap --yes --target-account 222222222222 --user alice --user-profile alice --profile operator-a \
                     --target-profile operator-b";

/// Creates a scene with a user `operator` in each account who has only these policies.
pub fn with_operators(source: Value, target: Value) -> Scene {
    let scene = Scene::new();
    for (account, profile, document) in [(ACCOUNT_A, "operator-a", source), (ACCOUNT_B, "operator-b", target)] {
        let key = AccessKey {
            id: format!("AKIAOPERATOR{}", &account[..8]),
            secret: format!("secret/of/the/operator/of/{account}"),
        };
        scene.environment.append(
            "aws/config",
            &format!(
                "[profile {profile}]\nregion = us-east-1\naws_access_key_id = {}\naws_secret_access_key = {}\n",
                key.id, key.secret
            ),
        );
        scene.sandbox.world(|world| {
            world.add_user(account, "operator").keys.push(key);
            world.put_user_policy(account, "operator", "operator", document);
        });
    }
    scene
}

pub fn source_policy() -> Value {
    let filled = SOURCE.replace("${UserArn}", "arn:aws:iam::111111111111:user/alice");
    let filled = filled.replace("${GrantPolicies}", "arn:aws:iam::111111111111:policy/xacct/xacct-user-alice-*");
    parsed(&filled.replace("${Partition}", "aws"))
}

pub fn target_policy(role: &str) -> Value {
    let without_path = format!("arn:aws:iam::222222222222:role/{}", role.rsplit('/').next().unwrap());
    let filled = TARGET.replace("${RoleArnWithoutPath}", &without_path);
    parsed(&filled.replace("${RoleArn}", role).replace("${Partition}", "aws"))
}

fn parsed(text: &str) -> Value {
    assert!(!text.contains("${"), "{text}");
    serde_json::from_str(text).expect("a policy")
}

/// Returns the policy without one action.
pub fn without(mut policy: Value, action: &str) -> Value {
    for statement in policy["Statement"].as_array_mut().unwrap() {
        match &mut statement["Action"] {
            Value::Array(actions) => actions.retain(|found| found != action),
            one if one == action => *one = "iam:NoSuchAction".into(),
            _ => {}
        }
    }
    assert!(!policy.to_string().contains(&format!("\"{action}\"")), "{policy}");
    policy
}

fn actions(policy: &Value) -> Vec<String> {
    let statements = policy["Statement"].as_array().unwrap().iter();
    let actions = statements.flat_map(|statement| match &statement["Action"] {
        Value::Array(actions) => actions.clone(),
        one => vec![one.clone()],
    });
    actions.map(|action| crate::scene::text(&action)).collect()
}

#[test]
fn minimal_permissions_suffice_for_a_new_link_and_a_second_run() {
    let scene = with_operators(source_policy(), target_policy(ROLE));
    scene.xacct(&format!("{WORDS} --generate-external-id")).exits_with(0);
    assert_eq!(scene.xacct_json("bootstrap", 0)["pending_changes"], 0);
}

#[test]
fn minimal_permissions_suffice_for_every_option_and_for_drift() {
    let role = "arn:aws:iam::222222222222:role/engineering/xacct";
    let scene = with_operators(source_policy(), target_policy(role));
    let words = format!("{WORDS} --role-path /engineering/ --restrict-to-user --allow-session-tags");
    scene.xacct(&format!("{words} --policy-arn ReadOnlyAccess --external-id abc --probe identity")).exits_with(0);
    let changed = format!(
        "{words} --allow-weaker --policy-arn PowerUserAccess --external-id new --tag a=b --max-session-duration 2h \
         --permissions-boundary AdministratorAccess"
    );
    let document = scene.xacct_json(&changed, 0);
    assert_eq!(document["pending_changes"], 7, "{document:#}");
    scene.xacct("bootstrap --check").exits_with(0);
}

#[test]
fn minimal_permissions_suffice_for_import_and_a_missing_one_is_named() {
    let words = "import --user alice --profile operator-a --target-profile operator-b --config imported.toml";
    for missing in [None, Some("iam:GetRole")] {
        let scene = with_operators(source_policy(), target_policy(ROLE));
        scene.xacct(&format!("{WORDS} --policy-arn ReadOnlyAccess --external-id abc")).exits_with(0);
        scene.sandbox.clear_requests();
        if let Some(missing) = missing {
            let fewer = without(target_policy(ROLE), missing);
            scene.sandbox.world(|world| world.put_user_policy(ACCOUNT_B, "operator", "operator", fewer));
        }
        let output = scene.xacct(words).exits_with(if missing.is_some() { 1 } else { 0 });
        output.says(&[missing.unwrap_or("Recorded target 222222222222")]);
        assert_eq!(scene.environment.has("imported.toml"), missing.is_none());
        assert_eq!(scene.writes(), [""; 0]);
    }
}

#[test]
fn minimal_permissions_are_limited_to_this_user_and_role() {
    let scene = with_operators(source_policy(), target_policy(ROLE));
    scene.xacct(&WORDS.replace("alice", "bob")).exits_with(1).says(&["iam:GetUser"]);
    scene.xacct(&format!("{WORDS} --role-name other")).exits_with(1).says(&["iam:GetRole"]);
    assert_eq!(scene.writes(), [""; 0]);
}

/// xacct reports a missing read permission before it writes anything.
#[test]
fn names_a_missing_read_permission_before_writing() {
    let reads = [
        "iam:GetUser",
        "iam:GetUserPolicy",
        "iam:GetRole",
        "iam:ListAttachedRolePolicies",
        "iam:ListRolePolicies",
        "iam:GetRolePolicy",
    ];
    side_by_side(&reads, |permission| {
        let scene = with_operators(source_policy(), target_policy(ROLE));
        scene.xacct(&format!("{WORDS} --no-verify")).exits_with(0);
        take_away(&scene, permission);
        scene.sandbox.clear_requests();
        let document = scene.xacct_json("bootstrap --yes --allow-weaker --external-id new", 1);
        let error = document["error"].clone();
        assert_eq!(error["kind"], "refused", "{permission}: {document:#}");
        assert!(error["message"].to_string().contains(permission), "{permission}: {error:#}");
        assert_eq!(scene.writes(), [""; 0], "{permission}");
    });
}

/// AWS denies the write; the message names the permission and the operator.
#[test]
fn names_a_missing_write_permission() {
    for permission in
        ["iam:CreateRole", "iam:TagRole", "iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:PutUserPolicy"]
    {
        let scene = with_operators(source_policy(), target_policy(ROLE));
        take_away(&scene, permission);
        scene.environment.write(
            "own.json",
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#,
        );
        let output = scene.xacct(&format!("{WORDS} --policy-arn ReadOnlyAccess --policy-file own.json")).exits_with(1);
        assert_names(&output, permission);
    }
}

#[test]
fn names_a_missing_permission_to_fix_drift() {
    side_by_side(
        &[
            "iam:UpdateRole",
            "iam:UpdateAssumeRolePolicy",
            "iam:PutRolePermissionsBoundary",
            "iam:DeleteRolePolicy",
            "iam:TagRole",
        ],
        |permission| {
            let scene = with_operators(source_policy(), target_policy(ROLE));
            scene.xacct(&format!("{WORDS} --no-verify")).exits_with(0);
            take_away(&scene, permission);
            let output = scene
            .xacct(&format!(
                "{WORDS} --allow-weaker --external-id new --tag a=b --max-session-duration 2h --permissions-boundary AdministratorAccess \
                 --policy-arn AdministratorAccess"
            ))
            .exits_with(1);
            assert_names(&output, permission);
        },
    );
}

#[test]
fn works_without_reading_quotas_and_policies() {
    side_by_side(
        &["iam:GetAccountSummary", "iam:GetPolicy", "iam:ListUserPolicies", "iam:ListMFADevices"],
        |permission| {
            let scene = with_operators(source_policy(), target_policy(ROLE));
            take_away(&scene, permission);
            scene.xacct(&format!("{WORDS} --policy-arn PowerUserAccess")).exits_with(0);
        },
    );
}

#[test]
fn the_source_operator_sees_an_inactive_key() {
    let scene = with_operators(source_policy(), target_policy(ROLE));
    scene.xacct(WORDS).exits_with(0);
    let key = ALICE.id.to_owned();
    scene.sandbox.world(|world| world.user_mut(ACCOUNT_A, "alice").inactive_keys.insert(key));
    scene.xacct("diagnose").exits_with(3).says(&["is inactive"]);
    take_away(&scene, "iam:ListAccessKeys");
    scene.xacct("diagnose").exits_with(3).says(&["does not know the access key", "allow iam:ListAccessKeys"]);
}

/// The printed policies suffice for bootstrap with two roles in one account, and with `--enter-role`.
#[test]
fn printed_policies_suffice_to_create_links() {
    const LINKS: &str = "[source]\naccount = '111111111111'\nuser = 'alice'\nprofile = 'operator-a'\n\
                         user_profile = 'alice'\n\
                         [targets.one]\naccount = '222222222222'\nprofile = 'operator-b'\n\
                         [targets.two]\naccount = '222222222222'\nprofile = 'operator-b'\nrole = 'deploy'\n\
                         role_path = '/team/'\nallow_session_tags = true\n\
                         [targets.entered]\naccount = '333333333333'\nenter_role = 'OrganizationAccountAccessRole'\n";
    let nothing = parsed(r#"{"Version": "2012-10-17", "Statement": []}"#);
    let scene = with_operators(nothing.clone(), nothing);
    scene.environment.write("xacct.toml", LINKS);
    scene.xacct("bootstrap --yes --no-verify").exits_with(1);
    let print = |words: &str| scene.xacct(&format!("print policies {words}")).exits_with(0).json();
    let (source, target) = (print("--for source-operator"), print("one two --for target-operator"));
    scene.sandbox.world(|world| {
        world.put_user_policy(ACCOUNT_A, "operator", "operator", source);
        world.put_user_policy(ACCOUNT_B, "operator", "operator", target);
    });
    scene.xacct("bootstrap --yes").exits_with(0);
    let grant = scene.sandbox.world(|world| world.user_policy(ACCOUNT_A, "alice", "xacct").cloned());
    assert_eq!(grant.expect("the grant"), print("--for user"));
}

/// A link of the administrators, which readers in both accounts look at, with exactly the printed policy.
fn with_readers(more: &str) -> Scene {
    let nothing = parsed(r#"{"Version": "2012-10-17", "Statement": []}"#);
    let scene = with_operators(nothing.clone(), nothing);
    scene.sandbox.world(|world| {
        let group = world.add_to_group(ACCOUNT_A, "alice", "team");
        group.policies.inline.insert("own".to_owned(), crate::support::policies::allow("s3:ListAllMyBuckets", "*"));
    });
    scene.link(more);
    scene.environment.edit("xacct.toml", "\"security-admin\"", "\"operator-a\"");
    scene.environment.edit("xacct.toml", "\"dev-admin\"", "\"operator-b\"");
    let policy = scene.xacct("print policies --for reader").exits_with(0).json();
    scene.sandbox.world(|world| {
        world.put_user_policy(ACCOUNT_A, "operator", "operator", policy.clone());
        world.put_user_policy(ACCOUNT_B, "operator", "operator", policy);
    });
    scene.sandbox.clear_requests();
    scene
}

const READS: [&str; 6] = [
    "bootstrap --check",
    "who",
    "diagnose",
    "diagnose --action s3:CreateBucket --resource arn:aws:s3:::xacct-verify-x",
    "list --live",
    "verify --require-read",
];

#[test]
fn readers_can_check_and_diagnose_and_list_who_gets_in() {
    let more = "--external-id abc --role-path /team/ --permissions-boundary AdministratorAccess --probe bucket";
    let scene = with_readers(more);
    for words in READS {
        let output = scene.xacct(words).exits_with(0);
        let all = output.everything();
        for missing in ["not authorized", "Could not read", "could not read", "needs iam:", "not checked"] {
            assert!(!all.contains(missing), "{words}: {missing}\n{output}");
        }
    }
    scene.xacct("teardown --all --check").exits_with(4);
    scene.xacct("revoke --all --dry-run").exits_with(0);
    assert_eq!(scene.iam_writes(), [""; 0]);
}

#[test]
fn readers_see_drift_and_can_change_nothing() {
    let scene = with_readers("--external-id abc");
    scene.environment.edit("xacct.toml", "\"abc\"", "\"other\"");
    scene.xacct("bootstrap --check").exits_with(4);
    scene.xacct("bootstrap --yes --allow-weaker").exits_with(1).says(&["not authorized to perform: iam:"]);
    scene.xacct("teardown --all --yes --even-if-used").exits_with(1).says(&["not authorized to perform: iam:"]);
    assert!(scene.environment.has("xacct.toml"));
    let state = scene.sandbox.world(|world| {
        (world.role(ACCOUNT_B, "xacct").is_some(), world.user_policy(ACCOUNT_A, "alice", "xacct").is_some())
    });
    assert_eq!(state, (true, true));
}

/// The policy has no permission that no command uses.
#[test]
fn readers_use_every_permission() {
    let scene = with_readers("--external-id abc --policy-arn ReadOnlyAccess --probe identity");
    let policy = scene.xacct("print policies --for reader").exits_with(0).json();
    for words in READS.iter().chain(&["teardown --all --check"]) {
        scene.xacct(words);
    }
    scene.sandbox.world(|world| {
        world.user_mut(ACCOUNT_A, "alice").inactive_keys.insert(ALICE.id.to_owned());
        world
            .add_to_group(ACCOUNT_A, "alice", "team")
            .policies
            .attached
            .insert("arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned());
    });
    scene.xacct("diagnose").exits_with(3).says(&["is inactive"]);
    scene.sandbox.world(|world| world.delete_role(ACCOUNT_B, "xacct"));
    scene.xacct("diagnose").exits_with(3);
    for action in actions(&policy) {
        let operation = action.strip_prefix("iam:").unwrap();
        assert!(!scene.requests(operation).is_empty(), "no command uses {action}");
    }
}

#[test]
fn a_reader_of_several_accounts_has_one_policy() {
    const LINKS: &str = "[source]\naccount = '111111111111'\nuser = 'alice'\n\
                         [targets.one]\naccount = '222222222222'\n\
                         [targets.entered]\naccount = '333333333333'\nenter_role = 'OrganizationAccountAccessRole'\n";
    let scene = Scene::new();
    scene.environment.write("xacct.toml", LINKS);
    let output =
        scene.xacct("print policies --for reader").exits_with(0).says(&["--enter-role", "--target-profile NAME"]);
    let policy = output.json().to_string();
    assert!(policy.contains("222222222222:role/xacct") && policy.contains("333333333333:role/xacct"), "{policy}");
    assert!(!policy.contains("Put") && !policy.contains("OrganizationAccountAccessRole"), "{policy}");
}

#[test]
fn these_tests_cover_every_permission() {
    let mut all = actions(&source_policy());
    all.extend(actions(&target_policy(ROLE)));
    let tests = [
        include_str!("operators.rs"),
        include_str!("missing_permissions.rs"),
        include_str!("overflow.rs"),
        include_str!("teardown.rs"),
        include_str!("sweep.rs"),
        include_str!("orphans.rs"),
    ]
    .concat();
    for action in all {
        assert!(tests.contains(&format!("\"{action}\"")), "{action} is in no test");
    }
}

pub fn take_away(scene: &Scene, permission: &str) {
    scene.sandbox.world(|world| {
        for (account, policy) in [(ACCOUNT_A, source_policy()), (ACCOUNT_B, target_policy(ROLE))] {
            world.put_user_policy(account, "operator", "operator", without(policy, permission));
        }
    });
}

#[track_caller]
fn assert_names(output: &Output, permission: &str) {
    assert!(output.stderr.contains(&format!("not authorized to perform: {permission}")), "{permission}\n{output}");
    assert!(output.stderr.contains("user/operator"), "{output}");
}
