//! What xacct made and no `xacct.toml` names any more is found by `--check` and `list --live`, and removed one by one. Links to
//! closed accounts are removed without them.

use serde_json::{Value, json};
use time::OffsetDateTime;
use xacct_sandbox::world::RoleUse;
use xacct_sandbox::{Fault, FaultKind};

use crate::operators::{WORDS, source_policy, take_away, target_policy, with_operators};
use crate::scene::{ACCOUNT_A, ACCOUNT_B, ACCOUNT_C, BOOTSTRAP, ROLE, Scene, side_by_side};
use crate::snapshots::assert_output;
use crate::stale::meanwhile;
use crate::support::policies::document;

const NEW: &str = "arn:aws:iam::222222222222:role/deploy";
const ADMINISTRATOR: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

/// Renames the role of the only target in the file, as somebody would who does not know that AWS cannot rename it.
fn renamed(more: &str) -> Scene {
    let scene = Scene::linked(&format!("--no-verify {more}"));
    scene.environment.edit("xacct.toml", "role = \"xacct\"", "role = \"deploy\"");
    scene.xacct("bootstrap --yes --no-verify").exits_with(0);
    scene.sandbox.clear_requests();
    scene
}

/// Links alice to two accounts, which the source operator enters.
fn two_accounts() -> Scene {
    let scene = Scene::new();
    let words = BOOTSTRAP.replace("222222222222", "222222222222,333333333333");
    let words = words.replace("--target-profile dev-admin", "--enter-role OrganizationAccountAccessRole --no-verify");
    scene.xacct(&words).exits_with(0);
    scene
}

/// Replaces the user in the file.
fn with_leaver() -> Scene {
    let scene = Scene::linked("--no-verify");
    let file = scene.environment.read("xacct.toml").replace("\"alice\"", "\"bob\"");
    scene.environment.write("xacct.toml", &file);
    scene.xacct("bootstrap --yes").exits_with(0).says(&["Verified"]);
    scene.sandbox.clear_requests();
    scene
}

fn orphans(scene: &Scene, exit_code: i32) -> Value {
    scene.xacct_json("bootstrap --check", exit_code)["orphans"].clone()
}

fn has_role(scene: &Scene, name: &str) -> bool {
    scene.sandbox.world(|world| world.role(ACCOUNT_B, name).is_some())
}

fn grant_of(scene: &Scene, user: &str) -> Option<Value> {
    scene.sandbox.world(|world| world.user_policy(ACCOUNT_A, user, "xacct").cloned())
}

#[test]
fn renaming_a_role_in_the_file_leaves_the_old_one_which_check_reports_and_teardown_removes() {
    let scene = renamed("--external-id abc");
    let output = scene.xacct("bootstrap --check").exits_with(4);
    assert_output("orphans-role", "bootstrap --check", &output);
    let found = orphans(&scene, 4);
    assert_eq!(found["roles"][0]["role_arn"], ROLE, "{found:#}");
    assert_eq!(found["grants"][0]["role_arns"], json!([ROLE]), "{found:#}");
    assert_eq!((&found["grants"][0]["is_named"], &found["unchecked"]), (&json!(true), &json!([])), "{found:#}");
    assert_eq!(scene.xacct_json("list --live", 0)["orphans"], found);
    scene.xacct("list --live").exits_with(0).says(&[&format!("xacct teardown --orphan {ROLE}")]);
    scene.sandbox.clear_requests();
    let words = format!("teardown --orphan {ROLE}");
    assert_output("orphans-role-dry-run", &words, &scene.xacct(&format!("{words} --dry-run")).exits_with(0));
    scene.xacct(&format!("{words} --check")).exits_with(4);
    scene.xacct(&words).exits_with(2).says(&["no terminal", "--yes"]);
    assert_eq!(scene.writes(), [""; 0]);
    let file = scene.environment.read("xacct.toml");
    scene.xacct(&format!("{words} --yes")).exits_with(0);
    assert!(!has_role(&scene, "xacct") && has_role(&scene, "deploy"));
    assert_eq!(scene.granted(), [NEW]);
    assert_eq!(scene.environment.read("xacct.toml"), file, "the file never named it");
    assert_eq!(orphans(&scene, 0), json!({"roles": [], "grants": [], "unchecked": []}));
    scene.xacct(&format!("{words} --yes")).exits_with(0).says(&["Nothing to do", "no role xacct"]);
}

#[test]
fn changing_the_user_leaves_the_grant_of_the_leaver_which_check_reports_and_teardown_removes() {
    let scene = with_leaver();
    let output = scene.xacct("bootstrap --check").exits_with(4);
    assert_output("orphans-grant", "bootstrap --check", &output);
    let grant = json!({"principal": "arn:aws:iam::111111111111:user/alice", "is_named": false, "role_arns": [ROLE]});
    assert_eq!(orphans(&scene, 4), json!({"roles": [], "grants": [grant], "unchecked": []}));
    // The leaver still gets in.
    assert!(grant_of(&scene, "alice").is_some());
    scene.sandbox.clear_requests();
    let words = "teardown --orphan user/alice";
    assert_output("orphans-grant-dry-run", words, &scene.xacct(&format!("{words} --dry-run")).exits_with(0));
    assert_eq!(scene.writes(), [""; 0]);
    scene.xacct_json(&format!("{words} --check"), 4);
    assert_output("orphans-grant-removed", words, &scene.xacct(&format!("{words} --yes")).exits_with(0));
    assert_eq!(scene.writes(), ["DeleteUserPolicy"]);
    assert!(grant_of(&scene, "alice").is_none() && grant_of(&scene, "bob").is_some() && has_role(&scene, "xacct"));
    orphans(&scene, 0);
    scene.xacct("verify").exits_with(0);
    scene.xacct(&format!("{words} --yes")).exits_with(0).says(&["Nothing to do: there is no grant of user alice"]);
}

/// The grant of the file's own user keeps what the targets name.
#[test]
fn of_the_users_own_grant_only_the_roles_that_no_target_names_go() {
    let scene = renamed("");
    scene.sandbox.world(|world| world.delete_role(ACCOUNT_B, "xacct"));
    scene
        .xacct("bootstrap --check")
        .exits_with(4)
        .says(&[&format!("in the grant of user alice: {ROLE}"), "xacct teardown --orphan user/alice"]);
    scene.xacct("teardown --orphan user/alice --yes").exits_with(0);
    assert_eq!(scene.granted(), [NEW]);
    orphans(&scene, 0);
}

/// Statements of others in the grant stay, and a policy of that name that xacct did not write.
#[test]
fn removing_a_grant_keeps_what_xacct_did_not_write() {
    let scene = with_leaver();
    let statement = json!({"Sid": "Theirs", "Effect": "Allow", "Action": "s3:List*", "Resource": "*"});
    scene.sandbox.world(|world| {
        let policy = world.user_mut(ACCOUNT_A, "alice").policies.inline.get_mut("xacct").expect("the grant");
        policy["Statement"].as_array_mut().expect("statements").push(statement.clone());
    });
    scene.xacct("teardown --orphan user/alice --yes").exits_with(0);
    assert_eq!(grant_of(&scene, "alice").expect("the rest")["Statement"], json!([statement]));
    orphans(&scene, 0);
    scene.xacct("teardown --orphan user/alice --yes").exits_with(0);
    assert!(grant_of(&scene, "alice").is_some());
}

#[test]
fn what_a_target_names_is_no_orphan_and_nothing_is_sent() {
    let scene = renamed("");
    scene.environment.write("own.toml", "[targets.dev]\naccount = \"222222222222\"\n");
    let cases = [
        (format!("--orphan {NEW}"), vec!["target `222222222222` has it", "xacct teardown 222222222222"]),
        ("--orphan deploy".to_owned(), vec!["is no orphan"]),
        // Names are unique regardless of case and path.
        ("--orphan arn:aws:iam::222222222222:role/team/Deploy".to_owned(), vec!["is no orphan"]),
        (format!("--orphan {ROLE} 222222222222"), vec!["cannot be used with"]),
        (format!("--orphan {ROLE} --only source"), vec!["cannot be used with"]),
        ("--orphan other/x".to_owned(), vec!["use the ARN of a role, user/NAME, group/NAME or permission-set/NAME"]),
        ("--orphan arn:aws:s3:::x".to_owned(), vec!["names a resource of service `s3`"]),
        ("--orphan arn:aws:iam::999999999999:user/alice".to_owned(), vec!["the source account is 111111111111"]),
        (format!("--orphan {ROLE} --config none.toml"), vec!["does not exist"]),
        (format!("--orphan {ROLE} --config own.toml"), vec!["is no orphan"]),
    ];
    for (words, texts) in cases {
        scene.xacct(&format!("teardown --yes {words}")).exits_with(2).says(&texts);
    }
    assert_eq!(scene.sandbox.requests().len(), 0);
}

#[test]
fn a_role_name_is_enough_if_all_targets_are_in_one_account() {
    let scene = Scene::linked("--no-verify --role-path /team/");
    scene.environment.edit("xacct.toml", "role = \"xacct\"", "role = \"deploy\"");
    scene.xacct("bootstrap --yes --no-verify").exits_with(0);
    scene.environment.append("xacct.toml", "\n[targets.more]\naccount = \"333333333333\"\n");
    scene.xacct("teardown --orphan xacct --yes").exits_with(2).says(&["any of 2 target accounts", "use its ARN"]);
    scene.environment.edit("xacct.toml", "\n[targets.more]\naccount = \"333333333333\"\n", "");
    scene.xacct("teardown --orphan role/xacct --yes").exits_with(0);
    assert!(!has_role(&scene, "xacct"));
    assert_eq!(scene.granted(), ["arn:aws:iam::222222222222:role/team/deploy"]);
}

#[test]
fn only_what_xacct_made_for_this_source_account_is_an_orphan_and_is_removed() {
    let scene = Scene::linked("--no-verify");
    scene.sandbox.world(|world| {
        let mut add = |name: &str, tags: &[(&str, &str)]| {
            let role = world.add_role(ACCOUNT_B, name, document(json!([])));
            role.tags.extend(tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        };
        add("by-hand", &[]);
        add("unknown", &[("managed-by", "xacct")]);
        add("others", &[("managed-by", "xacct"), ("xacct:source-account", ACCOUNT_C)]);
        add("terraform", &[("managed-by", "terraform"), ("xacct:source-account", ACCOUNT_A)]);
        world.grant_assume_role(ACCOUNT_A, "bob", "by-hand", ROLE);
        world.grant_assume_role(ACCOUNT_A, "bob", "xacct", ROLE);
    });
    orphans(&scene, 0);
    let arn = |name: &str| format!("arn:aws:iam::222222222222:role/{name}");
    let cases = [
        (arn("by-hand"), "does not have xacct's tag"),
        (arn("terraform"), "does not have xacct's tag"),
        (arn("unknown"), "no tag xacct:source-account"),
        (arn("others"), "belongs to the link from source account 333333333333"),
        (arn("team/others"), "use this ARN: --orphan arn:aws:iam::222222222222:role/others"),
    ];
    for (role, text) in cases {
        scene.xacct(&format!("teardown --orphan {role} --yes")).exits_with(1).says(&[text]);
    }
    scene
        .xacct("teardown --orphan user/bob --yes")
        .exits_with(0)
        .says(&["Nothing to do", "policy xacct in the source account"]);
    assert_eq!(scene.writes(), [""; 0]);
}

/// The same safety as for a target: no file lists its policies, but the role's own tag does.
#[test]
fn an_orphan_with_policies_of_others_or_in_use_goes_only_on_request() {
    let scene = renamed("--policy-arn ReadOnlyAccess");
    let words = format!("teardown --orphan {ROLE} --yes");
    scene.sandbox.world(|world| {
        let used = RoleUse { at: OffsetDateTime::now_utc(), region: "us-east-1".to_owned() };
        world.role_mut(ACCOUNT_B, "xacct").expect("the role").uses.push(used);
        world.attach_role_policy(ACCOUNT_B, "xacct", ADMINISTRATOR);
    });
    let output = scene.xacct(&words).exits_with(1).says(&[
        "managed policy arn:aws:iam::aws:policy/AdministratorAccess",
        "--even-if-extended",
        "--even-if-used",
    ]);
    assert!(!output.stderr.contains("ReadOnlyAccess"), "xacct attached it\n{output}");
    scene.xacct(&format!("{words} --even-if-extended")).exits_with(1).says(&["--even-if-used"]);
    assert_eq!(scene.writes(), [""; 0]);
    scene.xacct(&format!("{words} --even-if-extended --even-if-used")).exits_with(0);
    assert!(!has_role(&scene, "xacct"));
}

/// Somebody changes the orphan between its first read and the one before the first write.
#[test]
fn an_orphan_that_changed_since_it_was_shown_is_left_alone() {
    let scene = renamed("");
    let words = format!("teardown --orphan {ROLE} --yes");
    let output = meanwhile(&scene, &words, |world| world.attach_role_policy(ACCOUNT_B, "xacct", ADMINISTRATOR));
    output.exits_with(1).says(&["changed since it was shown", &format!("--dry-run --orphan {ROLE}")]);
    assert_eq!(scene.writes(), [""; 0]);
    let scene = with_leaver();
    let output = meanwhile(&scene, "teardown --orphan user/alice --yes", |world| {
        let grant = world.user_policy(ACCOUNT_A, "alice", "xacct").expect("the grant").to_string();
        let grant = serde_json::from_str(&grant.replace("role/xacct", "role/more")).expect("a policy");
        world.put_user_policy(ACCOUNT_A, "alice", "xacct", grant);
    });
    output.exits_with(1).says(&["changed since it was shown", "--dry-run --orphan user/alice"]);
    assert_eq!(scene.writes(), [""; 0]);
}

/// A write fails: the next run removes the rest.
#[test]
fn an_interrupted_removal_goes_on() {
    let denied = FaultKind::Error { status: 403, code: "AccessDenied".to_owned(), message: "no".to_owned() };
    side_by_side(&["DeleteRolePolicy", "DeleteRole", "PutUserPolicy"], |operation| {
        let scene = renamed("");
        scene.sandbox.add_fault(Fault::new(*operation, denied.clone()));
        let words = format!("teardown --orphan {ROLE} --yes");
        scene.xacct(&words).exits_with(1).says(&[operation]);
        scene.sandbox.clear_faults();
        scene.xacct(&words).exits_with(0);
        assert!(!has_role(&scene, "xacct"));
        assert_eq!(scene.granted(), [NEW]);
        orphans(&scene, 0);
    });
}

/// Another file for the same source account names them.
#[test]
fn what_another_file_of_other_files_names_is_no_orphan() {
    let scene = renamed("");
    scene.environment.write(
        "old.toml",
        "[source]\naccount = \"111111111111\"\nuser = \"alice\"\n[targets.old]\naccount = \"222222222222\"\n",
    );
    orphans(&scene, 4);
    scene.environment.edit("xacct.toml", "[source]\n", "[source]\nother_files = [\"old.toml\"]\n");
    orphans(&scene, 0);
    scene.xacct(&format!("teardown --orphan {ROLE} --yes")).exits_with(2).says(&["one of other_files has it"]);
    scene.xacct("bootstrap --yes --no-verify --tag a=b").exits_with(0);
    assert!(scene.environment.read("xacct.toml").contains("other_files = [\"old.toml\"]"), "bootstrap keeps the key");
    scene.sandbox.clear_requests();
    scene.environment.edit("old.toml", "\"111111111111\"", "\"999999999999\"");
    scene
        .xacct("bootstrap --check")
        .exits_with(2)
        .says(&["xacct.toml:4: `old.toml` is of source account 999999999999"]);
    scene.environment.edit("xacct.toml", "old.toml", "none.toml");
    for words in ["bootstrap --check", "list --live", "teardown --orphan user/bob"] {
        scene.xacct(words).exits_with(2).says(&["`none.toml` does not exist", "relative to this one"]);
    }
    assert_eq!(scene.sandbox.requests().len(), 0);
}

/// Operators without the permission learn that nothing was looked for, not that there is nothing.
#[test]
fn an_account_that_cannot_be_listed_is_named_and_is_no_error() {
    let scene = with_operators(source_policy(), target_policy(ROLE));
    scene.xacct(&format!("{WORDS} --no-verify")).exits_with(0);
    assert_eq!(orphans(&scene, 0), json!({"roles": [], "grants": [], "unchecked": []}));
    take_away(&scene, "iam:GetAccountAuthorizationDetails");
    let output = scene.xacct("bootstrap --check").exits_with(0);
    assert_output("orphans-unchecked", "bootstrap --check", &output);
    let reason = "needs iam:GetAccountAuthorizationDetails";
    let unchecked = [ACCOUNT_B, ACCOUNT_A].map(|account| json!({"account": account, "reason": reason}));
    assert_eq!(orphans(&scene, 0), json!({"roles": [], "grants": [], "unchecked": unchecked}));
    // An orphan in the user's own grant, which is read in any case, is found nevertheless.
    scene.sandbox.world(|world| {
        let text = world.user_policy(ACCOUNT_A, "alice", "xacct").expect("the grant").to_string();
        let more = text.replace(&format!("\"{ROLE}\""), &format!("[\"{ROLE}\", \"{NEW}\"]"));
        world.put_user_policy(ACCOUNT_A, "alice", "xacct", serde_json::from_str(&more).expect("a policy"));
    });
    assert_eq!(orphans(&scene, 4)["grants"][0]["role_arns"], json!([NEW]));
    let busy = FaultKind::Error { status: 400, code: "Throttling".to_owned(), message: "Rate exceeded".to_owned() };
    let scene = Scene::linked("--no-verify");
    scene.sandbox.add_fault(Fault::new("GetAccountAuthorizationDetails", busy));
    scene.xacct("bootstrap --check").exits_with(0).says(&["not checked for orphans", "Throttling"]);
}

#[test]
fn every_page_is_read_and_each_account_once() {
    let scene = renamed("");
    scene.sandbox.world(|world| {
        for number in 0..450 {
            world.add_role(ACCOUNT_B, &format!("a{number}"), document(json!([])));
        }
    });
    scene.environment.append(
        "xacct.toml",
        "\n[targets.more]\naccount = \"222222222222\"\nprofile = \"dev-admin\"\nrole = \"more\"\n",
    );
    let found = orphans(&scene, 4);
    assert_eq!(found["roles"][0]["role_arn"], ROLE, "{found:#}");
    let lists = scene.requests("GetAccountAuthorizationDetails");
    assert_eq!(lists.len(), 3 + 1, "three pages of the target's roles, one of the source account's principals");
    let kinds = |list: &xacct_sandbox::RecordedRequest| {
        let keys = ["Filter.member.1", "Filter.member.2", "Filter.member.3", "Filter.member.4"];
        keys.iter().filter_map(|key| list.parameter(key)).map(str::to_owned).collect::<Vec<_>>()
    };
    let mut filters: Vec<_> = lists.iter().map(kinds).collect();
    filters.sort();
    filters.dedup();
    assert_eq!(filters, [vec!["Role"], vec!["User", "Role", "Group", "LocalManagedPolicy"]]);
}

/// Where only one half is looked at, the other account is not listed. What changes nothing lists nothing.
#[test]
fn only_check_and_live_look_for_orphans() {
    let scene = renamed("--external-id abc");
    let lists = |words: &str, exit_code| {
        scene.sandbox.clear_requests();
        scene.xacct(words).exits_with(exit_code);
        scene.requests("GetAccountAuthorizationDetails").len()
    };
    let cases = [
        ("bootstrap --check", 4, 2),
        ("bootstrap --check --only source", 4, 1),
        ("list --live", 0, 2),
        ("bootstrap --dry-run", 0, 0),
        ("bootstrap --yes --no-verify", 0, 0),
        ("verify", 0, 0),
        ("diagnose", 0, 0),
        ("list", 0, 0),
        ("rotate external-id 222222222222 --check", 4, 0),
        ("teardown --all --check", 4, 0),
    ];
    for (words, exit_code, expected) in cases {
        assert_eq!(lists(words, exit_code), expected, "{words}");
    }
}

/// Enters accounts with `--enter-role`, and several of them.
#[test]
fn orphans_of_several_accounts() {
    let scene = two_accounts();
    let file = scene.environment.read("xacct.toml").replace("role = \"xacct\"", "role = \"deploy\"");
    scene.environment.write("xacct.toml", &file);
    scene.xacct("bootstrap --yes --no-verify").exits_with(0);
    scene.sandbox.clear_requests();
    let output = scene.xacct("bootstrap --check").exits_with(4);
    assert_output("orphans-several", "bootstrap --check", &output);
    assert_eq!(scene.requests("AssumeRole").len(), 2, "each account is entered once");
    for account in [ACCOUNT_B, ACCOUNT_C] {
        scene.xacct(&format!("teardown --yes --orphan arn:aws:iam::{account}:role/xacct")).exits_with(0);
    }
    scene.xacct("bootstrap --check").exits_with(0);
    assert_eq!(scene.granted(), ["arn:aws:iam::222222222222:role/deploy", "arn:aws:iam::333333333333:role/deploy"]);
}

/// Nothing answers for the account: its keys are unknown, its role cannot be assumed, or the profile was deleted.
#[test]
fn teardown_gone_removes_the_link_to_a_closed_account_and_leaves_the_account_alone() {
    let unknown_key: fn(&Scene) = |scene| scene.sandbox.world(|world| world.user_mut(ACCOUNT_B, "admin").keys.clear());
    let no_profile: fn(&Scene) = |scene| scene.environment.edit("xacct.toml", "\"dev-admin\"", "\"deleted\"");
    let no_role: fn(&Scene) = |scene| {
        scene.environment.edit(
            "xacct.toml",
            "profile = \"dev-admin\"",
            "enter_role = \"OrganizationAccountAccessRole\"",
        );
        scene.sandbox.world(|world| world.delete_role(ACCOUNT_B, "OrganizationAccountAccessRole"));
    };
    side_by_side(&[unknown_key, no_profile, no_role], |close| {
        let scene = Scene::linked("--no-verify");
        close(&scene);
        scene.xacct("teardown 222222222222 --yes").exits_with(1);
        scene.sandbox.clear_requests();
        let file = scene.environment.read("xacct.toml");
        let words = "teardown 222222222222 --gone";
        scene.xacct(&format!("{words} --check")).exits_with(4).says(&["account 222222222222 was not checked"]);
        scene.xacct(words).exits_with(2).says(&["no terminal"]);
        assert_eq!((scene.writes(), scene.environment.read("xacct.toml")), (Vec::new(), file));
        let document = scene.xacct_json(&format!("{words} --yes"), 0);
        let warning = document["targets"][ACCOUNT_B]["warnings"][0].to_string();
        assert!(warning.contains("was not checked"), "{document:#}");
        assert_eq!(scene.writes(), ["DeleteUserPolicy"]);
        assert!(scene.requests("GetRole").is_empty(), "nothing in the account is read");
        assert!(!scene.environment.read("xacct.toml").contains("[targets"));
    });
}

#[test]
fn teardown_gone_refuses_an_account_that_answers_or_may_answer() {
    let scene = Scene::linked("--no-verify");
    let words = "teardown 222222222222 --gone --yes";
    let output = scene.xacct(words).exits_with(1);
    output.says(&["account 222222222222 is not closed", "xacct teardown 222222222222", "--only source"]);
    let busy = FaultKind::Error { status: 503, code: "ServiceUnavailable".to_owned(), message: "no".to_owned() };
    // The source operator is asked, too.
    let expired = FaultKind::Error { status: 403, code: "ExpiredToken".to_owned(), message: "expired".to_owned() };
    scene.environment.edit("xacct.toml", "profile = \"dev-admin\"", "enter_role = \"OrganizationAccountAccessRole\"");
    for kind in [busy, expired] {
        scene.sandbox.clear_faults();
        scene.sandbox.add_fault(Fault::new("AssumeRole", kind));
        scene.xacct(words).exits_with(1).says(&["cannot tell whether account 222222222222 is closed"]);
    }
    assert_eq!(scene.writes(), [""; 0]);
    assert!(scene.environment.read("xacct.toml").contains("[targets"));
    for words in ["teardown --gone", "teardown --all --gone", "teardown 222222222222 --gone --only source"] {
        scene.xacct(words).exits_with(2);
    }
}

#[test]
fn output_of_teardown_gone() {
    let scene = Scene::linked("--no-verify");
    scene.sandbox.world(|world| world.user_mut(ACCOUNT_B, "admin").keys.clear());
    for (name, words) in
        [("gone-dry-run", "teardown 222222222222 --gone --dry-run"), ("gone", "teardown 222222222222 --gone --yes")]
    {
        assert_output(name, words, &scene.xacct(words).exits_with(0));
    }
    let scene = two_accounts();
    scene.sandbox.world(|world| world.delete_role(ACCOUNT_B, "OrganizationAccountAccessRole"));
    let words = "teardown 222222222222 333333333333 --gone --yes";
    assert_output("gone-several", words, &scene.xacct(words).exits_with(1));
    assert_eq!(scene.granted(), ["arn:aws:iam::333333333333:role/xacct"]);
}
