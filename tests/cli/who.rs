//! `xacct who` lists everybody who gets through a link, by the policies of both accounts.

use std::io::Read;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wait4::Wait4;
use xacct_sandbox::{Fault, FaultKind, Sandbox, steps};

use crate::operators::{source_policy, take_away, target_policy, with_operators};
use crate::scene::{ACCOUNT_A, ACCOUNT_B, ROLE, Scene, trust};
use crate::snapshots::assert_output;
use crate::support::policies::{allow, deny, document};

const AUDITOR: &str = include_str!("../../policies/auditor-source.json");
const ADMINISTRATOR: &str = "arn:aws:iam::aws:policy/AdministratorAccess";
const LINK: &str = "--no-verify --external-id abc";

/// Returns the entries of a list by the names of the principals.
fn by_name<'a>(list: &'a Value, name: &str) -> &'a Value {
    let found = list.as_array().expect("a list").iter().find(|entry| entry["name"] == name);
    found.unwrap_or(&Value::Null)
}

fn names(list: &Value) -> Vec<&str> {
    let list = list.as_array().expect("a list").iter();
    list.filter_map(|entry| entry["name"].as_str().or(entry["who"].as_str())).collect()
}

/// Runs `who` and returns the only target.
#[track_caller]
fn who(scene: &Scene, words: &str, exit_code: i32) -> Value {
    let document = scene.xacct_json(&format!("who {words}"), exit_code);
    document["targets"][ACCOUNT_B].clone()
}

fn role_trusting(principal: Value) -> Value {
    document(json!([{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]))
}

/// Creates a link, and users and roles of the source account with permissions of every kind.
fn scene(more: &str) -> Scene {
    let scene = Scene::linked(&format!("{LINK} {more}"));
    scene.sandbox.world(|world| {
        world.put_user_policy(ACCOUNT_A, "bob", "own", allow("sts:Assume*", "arn:aws:iam::*:role/x*"));
        let dev = world.add_to_group(ACCOUNT_A, "carol", "dev");
        dev.policies.inline.insert("assume".to_owned(), allow("sts:AssumeRole", ROLE));
        world.put_user_policy(ACCOUNT_A, "dave", "own", allow("sts:AssumeRole", ROLE));
        world.put_user_policy(ACCOUNT_A, "dave", "not", deny("sts:*", "*"));
        world.put_user_policy(ACCOUNT_A, "erin", "own", allow("sts:AssumeRole", ROLE));
        world.set_user_boundary(ACCOUNT_A, "erin", Some("arn:aws:iam::aws:policy/AmazonS3FullAccess"));
        let only_office = json!([{"Sid": "Office", "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": ROLE,
            "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}}]);
        world.put_user_policy(ACCOUNT_A, "frank", "own", document(only_office));
        let root = json!({"AWS": "arn:aws:iam::111111111111:root"});
        world.add_role(ACCOUNT_A, "ci", role_trusting(root));
        world.put_role_policy(ACCOUNT_A, "ci", "deploy", allow("sts:AssumeRole", ROLE));
        world.put_user_policy(ACCOUNT_A, "grace", "own", allow("sts:AssumeRole", "arn:aws:iam::111111111111:role/ci"));
        world.add_user(ACCOUNT_A, "heidi");
        world.add_role(ACCOUNT_A, "step", role_trusting(json!({"AWS": "arn:aws:iam::111111111111:user/heidi"})));
        world.put_role_policy(ACCOUNT_A, "step", "next", allow("sts:AssumeRole", "arn:aws:iam::111111111111:role/ci"));
        world.put_user_policy(ACCOUNT_A, "ivan", "other", allow("s3:*", "*"));
    });
    scene
}

#[test]
fn finds_everybody_by_every_kind_of_permission() {
    let scene = scene("");
    let target = who(&scene, "", 0);
    let principals = &target["principals"];
    assert_eq!(
        names(principals),
        ["admin", "alice", "bob", "carol", "ci", "grace", "step", "heidi", "frank"],
        "{target:#}"
    );
    let carol = by_name(principals, "carol");
    assert_eq!(carol["statement"], json!({"policy": "group dev, policy assume", "number": 1}));
    assert_eq!((&carol["certainty"], &carol["needs"]["external_id"]), (&json!("certain"), &json!(true)));
    assert_eq!(carol["standing"], "declared", "the source account is declared as a whole");
    let frank = by_name(principals, "frank");
    assert_eq!((&frank["certainty"], &frank["undecided"]), (&json!("perhaps"), &json!(["condition on aws:SourceIp"])));
    assert_eq!(frank["statement"]["sid"], "Office");
    let via = |name: &str| by_name(principals, name)["via"].clone();
    let (ci, step) = ("arn:aws:iam::111111111111:role/ci", "arn:aws:iam::111111111111:role/step");
    assert_eq!((via("ci"), via("grace"), via("heidi")), (json!([]), json!([ci]), json!([step])));
    assert_eq!(by_name(principals, "heidi")["statement"]["policy"], "trust policy of role step");
    assert_eq!(target["kept_out"], json!([]));
    // Nothing was written, and no other account was asked.
    assert_eq!(scene.writes(), [""; 0]);
    let hosts = scene.sandbox.requests().into_iter().map(|request| request.operation);
    let mut operations: Vec<_> = hosts.collect();
    operations.sort_unstable();
    operations.dedup();
    assert_eq!(
        operations,
        ["GetAccountAuthorizationDetails", "GetCallerIdentity", "GetPolicy", "GetPolicyVersion", "GetRole"]
    );
}

#[test]
fn a_restricted_role_keeps_the_others_out() {
    let scene = scene("--restrict-to-user");
    let target = who(&scene, "--check", 0);
    assert_eq!(names(&target["principals"]), ["alice"], "{target:#}");
    assert_eq!(names(&target["kept_out"]), ["admin", "bob", "carol", "frank", "ci"]);
    assert_eq!(who(&scene, "--undeclared", 0)["principals"], json!([]));

    // Somebody lets the whole account in: everybody but alice is undeclared.
    scene.sandbox.world(|world| {
        let conditions = json!({"StringEquals": {"sts:ExternalId": "abc"}});
        world.set_trust_policy(ACCOUNT_B, "xacct", &trust(&conditions));
    });
    let target = who(&scene, "--check --undeclared", 4);
    assert_eq!(names(&target["principals"]), ["admin", "bob", "carol", "ci", "grace", "step", "heidi", "frank"]);
    let standings = target["principals"].as_array().expect("a list").iter().map(|entry| &entry["standing"]);
    assert!(standings.clone().all(|standing| standing == "undeclared"), "{target:#}");
    scene.xacct("who").exits_with(0).says(&["!  not declared in xacct.toml"]);
}

#[test]
fn the_report_fits_eighty_columns() {
    let scene = scene("");
    let output = scene.xacct("who");
    assert_output("who", "who", &output);
    assert!(output.stdout.lines().all(|line| line.chars().count() <= 80), "{output}");
    assert_output("who-principal", "who --principal role/ci", &scene.xacct("who --principal role/ci"));
    let restricted = self::scene("--restrict-to-user");
    assert_output("who-restricted", "who", &restricted.xacct("who"));
}

#[test]
fn a_name_comes_before_an_account_and_an_ambiguous_account_is_refused() {
    let scene = Scene::linked(LINK);
    scene.bootstrap(&format!("{LINK} --role-name other")).exits_with(0);
    let targets = |words: &str| {
        let document = scene.xacct_json(words, 0);
        document["targets"].as_object().expect("targets").keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(targets(&format!("who {ACCOUNT_B}")), [ACCOUNT_B]);
    assert_eq!(targets("who"), [ACCOUNT_B.to_owned(), format!("{ACCOUNT_B}-2")]);
    scene.environment.edit("xacct.toml", &format!("[targets.{ACCOUNT_B}]"), "[targets.dev]");
    let refused = scene.xacct(&format!("who {ACCOUNT_B}")).exits_with(2);
    refused.says(&["has several targets: `dev`, `222222222222-2`"]);
}

#[test]
fn names_whoever_may_write_iam_on_one_line() {
    let scene = scene("");
    scene.sandbox.world(|world| {
        world.put_user_policy(ACCOUNT_A, "ivan", "keys", allow("iam:CreateAccessKey", "*"));
        world.put_user_policy(ACCOUNT_A, "judy", "all", allow("iam:*", "*"));
        world.put_user_policy(ACCOUNT_A, "judy", "none", deny("iam:*", "*"));
        world.put_user_policy(ACCOUNT_A, "mallory", "all", allow("iam:*", "*"));
        world.set_user_boundary(ACCOUNT_A, "mallory", Some("arn:aws:iam::aws:policy/AmazonS3FullAccess"));
    });
    let document = scene.xacct_json("who", 0);
    let writers = &document["source"]["may_write_iam"];
    assert_eq!(names(writers), ["admin", "ivan"], "{document:#}");
    assert_eq!(by_name(writers, "ivan")["actions"], json!(["iam:CreateAccessKey"]));
    scene.xacct("who").exits_with(0).says(&["user admin, user ivan"]);

    // Whoever may take away what denies lets itself in, too.
    let takes_away =
        ["iam:RemoveUserFromGroup", "iam:DetachUserPolicy", "iam:PutUserPermissionsBoundary", "iam:TagUser"];
    for action in takes_away {
        scene.sandbox.world(|world| world.put_user_policy(ACCOUNT_A, "ivan", "keys", allow(action, "*")));
        let document = scene.xacct_json("who", 0);
        let found = by_name(&document["source"]["may_write_iam"], "ivan")["actions"].clone();
        assert_eq!(found, json!([action]), "{document:#}");
    }
}

#[test]
fn the_reverse_shows_what_one_principal_reaches() {
    let scene = scene("");
    scene.sandbox.world(|world| {
        let other = allow("sts:AssumeRole", "arn:aws:iam::999999999999:role/elsewhere");
        world.put_role_policy(ACCOUNT_A, "ci", "other", other);
    });
    let document = scene.xacct_json("who --principal role/ci", 0);
    assert_eq!(document["principal"]["named_roles"], json!([ROLE, "arn:aws:iam::999999999999:role/elsewhere"]));
    assert_eq!(names(&document["targets"][ACCOUNT_B]["principals"]), ["ci"]);
    let document = scene.xacct_json("who --principal user/dave", 0);
    assert_eq!(document["targets"][ACCOUNT_B]["principals"], json!([]), "an explicit deny");
    scene.xacct("who --principal user/dave").exits_with(0).says(&["Does not get in"]);
    scene.xacct("who --principal user/nobody").exits_with(1).says(&["account 111111111111 has no user `nobody`"]);
    for wrong in ["alice", "group/dev", "user/", "role/a/b"] {
        scene.xacct(&format!("who --principal {wrong}")).exits_with(2).says(&["use user/NAME or role/NAME"]);
    }
}

#[test]
fn permission_sets_are_named() {
    let scene = Scene::linked(LINK);
    scene.sandbox.world(|world| {
        let provider =
            json!({"Federated": "arn:aws:iam::111111111111:saml-provider/AWSSSO_0123456789abcdef_DO_NOT_DELETE"});
        let trust = document(json!([{"Effect": "Allow", "Principal": provider,
            "Action": ["sts:AssumeRoleWithSAML", "sts:TagSession"],
            "Condition": {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}}}]));
        let name = "AWSReservedSSO_Admin_Access_0123456789abcdef";
        world.add_role(ACCOUNT_A, name, trust).path = "/aws-reserved/sso.amazonaws.com/eu-west-1/".to_owned();
        world.attach_role_policy(ACCOUNT_A, name, ADMINISTRATOR);
    });
    let target = who(&scene, "", 0);
    let role = by_name(&target["principals"], "AWSReservedSSO_Admin_Access_0123456789abcdef");
    assert_eq!(role["permission_set"], "Admin_Access", "{target:#}");
    assert_eq!(target["elsewhere"], json!([]));
    scene.xacct("who").exits_with(0).says(&["permission set Admin_Access", "Identity Center assignments"]);
}

/// Denied reads, texts that are no policies and missing parts are named, and nobody is ruled out for them.
#[test]
fn what_cannot_be_read_is_named_and_never_nobody() {
    let scene = Scene::linked(LINK);
    scene.sandbox.world(|world| {
        world.put_user_policy(ACCOUNT_A, "bob", "broken", json!({"Statement": "what"}));
        world.set_user_boundary(ACCOUNT_A, "alice", Some("arn:aws:iam::aws:policy/PowerUserAccess"));
    });
    let denied = FaultKind::Error { status: 403, code: "AccessDenied".to_owned(), message: "no".to_owned() };
    scene.sandbox.add_fault(Fault::new("GetPolicy", denied.clone()));
    let document = scene.xacct_json("who", 0);
    let unread = document["source"]["unread"].to_string();
    assert!(unread.contains("policy broken of user bob is not a valid policy"), "{document:#}");
    assert!(unread.contains("policy arn:aws:iam::aws:policy/PowerUserAccess: needs iam:GetPolicy"), "{document:#}");
    let principals = &document["targets"][ACCOUNT_B]["principals"];
    let undecided = |name: &str| by_name(principals, name)["undecided"].clone();
    assert_eq!(undecided("bob"), json!(["policy broken could not be read"]), "{document:#}");
    assert_eq!(
        undecided("alice"),
        json!(["permissions boundary arn:aws:iam::aws:policy/PowerUserAccess could not be read"])
    );

    scene.sandbox.add_fault(Fault::new("GetRole", denied.clone()));
    let document = scene.xacct_json("who", 3);
    let target = &document["targets"][ACCOUNT_B];
    assert!(target["unread"].to_string().contains("needs iam:GetRole"), "{document:#}");
    assert_eq!(by_name(&target["principals"], "admin")["certainty"], "perhaps", "{document:#}");

    scene.sandbox.add_fault(Fault::new("GetAccountAuthorizationDetails", denied));
    let document = scene.xacct_json("who", 3);
    assert!(
        document["source"]["unread"].to_string().contains("needs iam:GetAccountAuthorizationDetails"),
        "{document:#}"
    );
    scene.xacct("who").exits_with(3).says(&["needs iam:GetAccountAuthorizationDetails"]);
    scene.xacct("who --principal user/bob").exits_with(1).says(&["cannot look up user/bob", "--for source-auditor"]);
}

#[test]
fn a_trust_policy_that_is_no_policy_admits_everybody_perhaps() {
    let scene = Scene::linked(LINK);
    scene
        .sandbox
        .world(|world| world.set_trust_policy(ACCOUNT_B, "xacct", &json!({"Statement": [{"Effect": "Maybe"}]})));
    let target = who(&scene, "--check", 3);
    assert!(target["unread"].to_string().contains("the trust policy is not valid"), "{target:#}");
    assert_eq!(names(&target["principals"]), ["admin", "alice"]);
}

#[test]
fn says_that_the_role_does_not_exist() {
    let scene = Scene::linked(LINK);
    scene.sandbox.world(|world| drop(world.delete_role(ACCOUNT_B, "xacct")));
    let target = who(&scene, "", 0);
    assert_eq!((&target["role_exists"], &target["principals"]), (&json!(false), &json!([])), "{target:#}");
    scene.xacct("who").exits_with(0).says(&["The role does not exist"]);
}

#[test]
fn an_account_without_anybody_has_empty_pages() {
    let scene = Scene::linked(LINK);
    scene.sandbox.world(|world| {
        let account = world.account_mut(ACCOUNT_A);
        account.users.retain(|name, _| name == "admin");
        account.groups.clear();
    });
    let target = who(&scene, "", 0);
    assert_eq!(names(&target["principals"]), ["admin"], "{target:#}");
}

#[test]
fn reads_every_page() {
    let scene = Scene::linked(LINK);
    scene.sandbox.world(|world| {
        for number in 0..450 {
            world.put_user_policy(ACCOUNT_A, &format!("u{number:03}"), "own", allow("sts:AssumeRole", ROLE));
        }
    });
    let target = who(&scene, "", 0);
    assert_eq!(names(&target["principals"]).len(), 452, "admin, alice and these");
    assert_eq!(scene.requests("GetAccountAuthorizationDetails").len(), 5, "3 of users, 1 of roles, 1 of the rest");
}

/// The permissions that `print policies` prints suffice, beside those of the target operator.
#[test]
fn the_printed_permissions_suffice() {
    let scene = with_operators(source_policy(), target_policy(ROLE));
    scene.xacct(&format!("{} --no-verify", crate::operators::WORDS)).exits_with(0);
    take_away(&scene, "iam:GetAccountAuthorizationDetails");
    scene.xacct("who").exits_with(3).says(&["needs iam:GetAccountAuthorizationDetails"]);
    let printed = scene.xacct("print policies --for source-auditor").exits_with(0).json();
    let expected: Value = serde_json::from_str(&AUDITOR.replace("${Partition}", "aws")).expect("a policy");
    assert_eq!(printed, expected);
    scene.sandbox.world(|world| {
        world.put_user_policy(ACCOUNT_A, "operator", "operator", printed);
        world.set_user_boundary(ACCOUNT_A, "bob", Some("arn:aws:iam::aws:policy/PowerUserAccess"));
    });
    let document = scene.xacct_json("who", 0);
    assert_eq!(document["source"]["unread"], json!([]), "{document:#}");
}

#[test]
fn needs_credentials_of_the_accounts_of_the_link() {
    let scene = Scene::linked(LINK);
    scene.xacct("who --profile dev-admin").exits_with(1).says(&["the source account is 111111111111"]);
    scene.xacct("who --target-profile security-admin").exits_with(1).says(&["the target account is 222222222222"]);
    scene.xacct("who nowhere").exits_with(2).says(&["has no target `nowhere`"]);
}

#[test]
fn accepted_entries_are_shown_and_stale_ones_warned_about() {
    let scene = scene("--restrict-to-user");
    scene.sandbox.world(|world| {
        let conditions = json!({"StringEquals": {"sts:ExternalId": "abc"}});
        world.set_trust_policy(ACCOUNT_B, "xacct", &trust(&conditions));
    });
    let accept = "accept = [{ who = 'account 111111111111', reason = 'migration' }, \
                  { who = 'account 999999999999', reason = 'audit' }]";
    let section = "[targets.222222222222]\n";
    scene.environment.edit("xacct.toml", section, &format!("{section}{accept}\n"));
    let target = who(&scene, "--check", 0);
    let bob = by_name(&target["principals"], "bob");
    assert_eq!((&bob["standing"], &bob["reason"]), (&json!("accepted"), &json!("migration")), "{target:#}");
    assert_eq!(target["unmatched_accept"], json!(["account 999999999999"]));
    scene.xacct("who").exits_with(0).says(&["accepted: migration", "accept names account 999999999999"]);
}

/// Whoever the trust policies admit from elsewhere is shown as a class: directly, and on the way over a role.
#[test]
fn classes_from_elsewhere_are_shown() {
    let scene = scene("");
    let account = |id: &str| json!({"AWS": format!("arn:aws:iam::{id}:root")});
    let statement = |principal: Value| {
        json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": "abc"}}})
    };
    scene.sandbox.world(|world| {
        let own = trust(&json!({"StringEquals": {"sts:ExternalId": "abc"}}))["Statement"][0].clone();
        let added = statement(account("999999999999"));
        world.set_trust_policy(ACCOUNT_B, "xacct", &document(json!([own, added])));
        let of_ci = json!([
            {"Effect": "Allow", "Principal": account(ACCOUNT_A), "Action": "sts:AssumeRole"},
            {"Sid": "Partner", "Effect": "Allow", "Principal": account("888888888888"), "Action": "sts:AssumeRole"},
            {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"},
        ]);
        world.set_trust_policy(ACCOUNT_A, "ci", &document(of_ci));
    });
    let target = who(&scene, "--check", 4);
    let elsewhere = &target["elsewhere"];
    assert_eq!(
        names(elsewhere),
        ["account 999999999999", "account 888888888888", "service ec2.amazonaws.com"],
        "{target:#}"
    );
    let standings = |number: usize| elsewhere[number]["standing"].as_str().expect("a standing");
    assert_eq!([standings(0), standings(1), standings(2)], ["undeclared", "undeclared", "declared"]);
    assert_eq!(elsewhere[0]["statement"], json!({"policy": "trust policy", "number": 2}));
    assert_eq!(elsewhere[0]["needs"]["external_id"], true);
    assert_eq!(elsewhere[1]["statement"]["sid"], "Partner");
    assert_eq!(elsewhere[1]["needs"]["external_id"], true, "the rest of the way needs it");
    assert_eq!(elsewhere[1]["via"], json!(["arn:aws:iam::111111111111:role/ci"]));
    assert_output("who-elsewhere", "who --undeclared", &scene.xacct("who --undeclared"));

    // Everyone, on the role of the link.
    scene.sandbox.world(|world| world.set_trust_policy(ACCOUNT_B, "xacct", &document(json!([statement(json!("*"))]))));
    let target = who(&scene, "--check", 4);
    assert_eq!(target["elsewhere"][0]["who"], "everyone", "{target:#}");
    assert_eq!(by_name(&target["principals"], "alice")["certainty"], "certain");
}

/// Without the source account, whom the trust policy admits of it is still named.
#[test]
fn an_unread_source_account_stays_in_the_list() {
    let scene = scene("");
    let denied = FaultKind::Error { status: 403, code: "AccessDenied".to_owned(), message: "no".to_owned() };
    scene.sandbox.add_fault(Fault::new("GetAccountAuthorizationDetails", denied));
    let target = who(&scene, "", 3);
    assert_eq!(names(&target["elsewhere"]), ["account 111111111111"], "{target:#}");
    assert_eq!(target["elsewhere"][0]["certainty"], "perhaps");
    assert_eq!(who(&scene, "--check", 3)["elsewhere"][0]["standing"], "declared");
}

#[test]
fn what_was_not_read_is_unknown_and_not_nobody() {
    let denied = FaultKind::Error { status: 403, code: "AccessDenied".to_owned(), message: "no".to_owned() };
    let account = "the users and roles of";
    for (operation, words) in [("GetAccountAuthorizationDetails", account), ("GetRole", "the trust policy")] {
        let scene = Scene::linked(LINK);
        scene.sandbox.add_fault(Fault::new(operation, denied.clone()));
        let target = who(&scene, "--undeclared", 3);
        assert_eq!(target["elsewhere"], Value::Null, "{target:#}");
        assert_eq!(target["kept_out"], Value::Null, "{target:#}");
        let principals = if operation == "GetRole" { json!([]) } else { Value::Null };
        assert_eq!(target["principals"], principals, "{target:#}");
        let report = scene.xacct("who --undeclared").exits_with(3);
        let report = report.says(&["Not known whether anybody undeclared gets in", words]);
        assert!(!report.stdout.contains("Nobody"), "{}", report.stdout);
    }
    let scene = Scene::linked(LINK);
    scene.xacct("who --undeclared").exits_with(0).says(&["Nobody undeclared gets in"]);
    assert_eq!(who(&scene, "--undeclared", 0)["elsewhere"], json!([]));
}

/// Plants an account in which some statement of everybody is about roles, most of them others, and in which roles lead to
/// each other.
fn plant_many(scene: &Scene, number: usize) {
    scene.sandbox.world(|world| {
        world.add_policy(ACCOUNT_A, "shared", allow(json!(["s3:Get*", "ec2:Describe*"]), "*"));
        let shared = format!("arn:aws:iam::{ACCOUNT_A}:policy/shared");
        let role = |number: usize| format!("arn:aws:iam::{ACCOUNT_A}:role/app-{number}");
        for one in 0..number {
            let user = format!("user-{one}");
            let own = json!([
                {"Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"], "Resource": role(one)},
                {"Effect": "Allow", "Action": "s3:*", "Resource": format!("arn:aws:s3:::home-{one}/*"),
                    "Condition": {"StringEquals": {"aws:PrincipalTag/team": "red"}}},
                {"Effect": "Deny", "Action": "sts:AssumeRole", "Resource": format!("arn:aws:iam::*:role/x-{one}-*")},
            ]);
            world.put_user_policy(ACCOUNT_A, &user, "own", document(own));
            world.attach_user_policy(ACCOUNT_A, &user, &shared);
            let trust =
                role_trusting(json!({"AWS": format!("arn:aws:iam::{ACCOUNT_A}:root"), "Service": "ec2.amazonaws.com"}));
            let app = format!("app-{one}");
            world.add_role(ACCOUNT_A, &app, trust);
            // Every tenth assumes the role of the link, the others the next role.
            let next = if one % 10 == 0 { ROLE.to_owned() } else { role(one - 1) };
            world.put_role_policy(ACCOUNT_A, &app, "next", allow("sts:AssumeRole", next));
            world.put_role_policy(ACCOUNT_A, &app, "pattern", allow("sts:AssumeRole", format!("{}-*", role(one))));
            world.attach_role_policy(ACCOUNT_A, &app, &shared);
        }
    });
}

/// Watches the memory of a program until it ends, and returns the most it had, in MiB. The system's own figure would be that
/// of this test, of which the program is a copy at first.
#[cfg(target_os = "linux")]
fn most_memory(id: u32) -> std::thread::JoinHandle<u64> {
    std::thread::spawn(move || {
        let mut most = 0;
        while let Ok(status) = std::fs::read_to_string(format!("/proc/{id}/status")) {
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let Some(found) = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok()) else { break };
            // The first figures may be those before exec.
            most = found;
            std::thread::sleep(Duration::from_millis(2));
        }
        most / 1024
    })
}

/// Time and memory grow with the number of users and roles, and stay within two seconds, beside the latency of the pages,
/// and 200 MiB. Prints the figures.
#[cfg(target_os = "linux")]
#[test]
fn thousands_of_users_and_roles_take_seconds_and_little_memory() {
    let latency = Duration::from_millis(50);
    let mut seconds = Vec::new();
    for number in [500, 2000] {
        let scene = Scene::of(Sandbox::builder().latency(latency));
        scene.link(LINK);
        plant_many(&scene, number);
        scene.sandbox.clear_requests();
        let mut command = scene.command("who --output json");
        let start = Instant::now();
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("xacct");
        let memory = most_memory(child.id());
        let mut text = String::new();
        child.stdout.take().expect("stdout").read_to_string(&mut text).expect("a document");
        let memory = memory.join().expect("its figures");
        let used = child.wait4().expect("its figures");
        let took = start.elapsed();
        assert!(used.status.success(), "{text:.2000}");
        let document: Value = serde_json::from_str(&text).expect("a document");
        let principals = document["targets"][ACCOUNT_B]["principals"].as_array().expect("a list").len();
        assert_eq!(principals, 2 * number + 2, "all of them, alice and admin");
        let steps = steps(&scene.sandbox.requests()).len();
        let beside = took.saturating_sub(latency * u32::try_from(steps).expect("a few"));
        let cpu = used.rusage.utime + used.rusage.stime;
        println!(
            "{number}: {took:?}, {steps} round trips of {latency:?}, {beside:?} beside, {cpu:?} CPU, {memory} MiB"
        );
        assert!(memory <= 200, "{number}: {memory} MiB");
        // Processor time, because a busy machine makes everything else slower. Without optimization it is several times
        // what a release takes.
        assert!(cpu <= Duration::from_secs(if cfg!(debug_assertions) { 10 } else { 2 }), "{number}: {cpu:?}");
        seconds.push(cpu.as_secs_f64());
    }
    assert!(seconds[1] <= 8.0 * seconds[0], "four times as many take four times as long, not sixteen: {seconds:?}");
}
