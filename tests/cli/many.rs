//! Twelve targets in 80 columns: what they share is said once, each has a row, and whatever differs is named.

use serde_json::json;
use xacct_sandbox::Sandbox;
use xacct_sandbox::world::World;

use crate::scene::{ACCOUNT_A, Scene, trust};
use crate::snapshots::assert_output;
use crate::support::Output;
use crate::support::schema::assert_follows_the_schema;
use crate::support::third_party::test_name;
use crate::terminal::Terminal;

const ADMINISTRATOR: &str = "arn:aws:iam::aws:policy/AdministratorAccess";
const ENTERED: &str = "OrganizationAccountAccessRole";

/// The names of the targets; account number N is 4000000000NN.
const NAMES: [&str; 12] = [
    "dev",
    "test",
    "stage",
    "prod",
    "sandbox",
    "payments-dev",
    "payments-prod",
    "data-platform-production-eu-central-1",
    "shared",
    "network",
    "audit",
    "a_name_that_has_no_hyphen_and_is_as_long_as_a_name_can_possibly_",
];

fn account(name: &str) -> String {
    let number = NAMES.iter().position(|known| *known == name).expect("a target");
    format!("{:012}", 400_000_000_000 + number)
}

/// Creates twelve accounts that the source operator may enter, and a file that names them.
fn scene() -> Scene {
    let scene = Scene::of(Sandbox::builder().plant(|world| {
        for name in NAMES {
            world.add_role(&account(name), ENTERED, trust(&json!({})));
            world.attach_role_policy(&account(name), ENTERED, ADMINISTRATOR);
        }
    }));
    let mut file = format!(
        "[source]\naccount = \"{ACCOUNT_A}\"\nuser = \"alice\"\nuser_profile = \"alice\"\nprofile = \"security-admin\"\n"
    );
    for name in NAMES {
        file.push_str(&format!(
            "\n[targets.{name}]\naccount = \"{}\"\nexternal_id = \"abc\"\nenter_role = \"{ENTERED}\"\nregion = \
             \"us-east-1\"\n",
            account(name)
        ));
    }
    scene.environment.write("xacct.toml", &file);
    scene
}

/// Creates twelve links that work.
fn linked() -> Scene {
    let scene = scene();
    scene.xacct("bootstrap --yes --no-verify").exits_with(0);
    scene
}

/// Lets a statement of the role's trust policy admit another account, too.
fn admit_others(world: &mut World, name: &str) {
    let mut policy = trust(&json!({"StringEquals": {"sts:ExternalId": "abc"}}));
    policy["Statement"].as_array_mut().expect("statements").push(json!({
        "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::999999999999:root"}, "Action": "sts:AssumeRole",
    }));
    world.set_trust_policy(&account(name), "xacct", &policy);
}

/// Runs a command, and compares its output with a snapshot: plain, and no wider than the terminal, except the ARNs and
/// commands that cannot be broken.
#[track_caller]
fn shows(name: &str, scene: &Scene, words: &str, exit_code: i32) -> Output {
    let output = scene.xacct(words).exits_with(exit_code);
    assert!(!output.everything().contains('\u{1b}'), "{output:?}");
    for line in output.stdout.lines() {
        assert_eq!(line, line.trim_end(), "trailing spaces");
        let is_unbreakable = ["arn:", "     xacct ", "--"].iter().any(|part| line.contains(part));
        assert!(is_unbreakable || line.chars().count() <= 80, "{}: {line}\n{output}", line.chars().count());
    }
    assert_output(name, words, &output);
    assert_follows_the_schema(&scene_json(scene, words));
    output
}

/// Runs the command again for JSON, except where it would change something.
fn scene_json(scene: &Scene, words: &str) -> serde_json::Value {
    let words = if words.contains("--yes") { "list" } else { words };
    scene.xacct(&format!("{words} --output json")).json()
}

#[test]
fn new_links_have_one_plan() {
    let output = shows("many-bootstrap-new", &scene(), "bootstrap --yes", 0);
    assert!(output.stdout.ends_with("12 of 12 work\n"), "{output}");
}

/// One target is new, one differs and has others' policies, one admits others, and one cannot be read.
fn differing() -> Scene {
    let scene = linked();
    scene.sandbox.world(|world| {
        world.delete_role(&account("test"), "xacct");
        world.attach_role_policy(&account("prod"), "xacct", ADMINISTRATOR);
        let role = world.role_mut(&account("prod"), "xacct").expect("the role");
        role.max_session_duration = 43_200;
        role.policies.inline.clear();
        admit_others(world, "payments-prod");
        world.attach_role_policy(&account("shared"), "xacct", "arn:aws:iam::aws:policy/ReadOnlyAccess");
        world.attach_role_policy(&account("network"), "xacct", "arn:aws:iam::aws:policy/ReadOnlyAccess");
        world.delete_role(&account("audit"), ENTERED);
    });
    scene
}

#[test]
fn a_plan_names_whatever_differs() {
    let scene = differing();
    let output = shows("many-bootstrap-differing", &scene, "bootstrap --check", 1);
    // No warning is hidden, and each is said once.
    for (part, times) in [("AdministratorAccess", 3), ("account 999999999999", 2), ("policy/ReadOnlyAccess, which", 1)]
    {
        let text = output.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(text.matches(part).count(), times, "{part}\n{output}");
    }
    for name in ["prod", "payments-prod", "shared", "network"] {
        let row = output.stdout.lines().find(|line| line.trim_start().starts_with(&format!("{name} ")));
        assert!(row.is_some_and(|row| row.contains("! ")), "{name}\n{output}");
    }
}

#[test]
fn a_dry_run_shows_every_change_of_every_target() {
    let scene = scene();
    let output = scene.xacct("bootstrap --dry-run").exits_with(0);
    assert_eq!(output.stdout.matches("create role xacct, trusting").count(), 12, "{output}");
    assert_eq!(output.stdout.matches("alice may assume arn:aws:iam::ACCOUNT:role/xacct").count(), 1, "{output}");
    let output = scene.xacct("bootstrap --check --show-policies").exits_with(4);
    for name in NAMES {
        assert!(
            output.stdout.contains(&format!("alice may assume arn:aws:iam::{}:role/xacct", account(name))),
            "{output}"
        );
    }
    assert_eq!(output.stdout.matches("\"sts:ExternalId\": \"abc\"").count(), 12, "{output}");
    assert!(scene.writes().is_empty());
}

#[test]
fn roles_with_different_names_share_a_line() {
    let scene = scene();
    for name in NAMES {
        let role = format!("[targets.{name}]\nrole = \"x-{}\"", &account(name)[10..]);
        scene.environment.edit("xacct.toml", &format!("[targets.{name}]"), &role);
    }
    let output = scene.xacct("bootstrap --check").exits_with(4);
    assert_eq!(output.stdout.matches("alice may assume a role of its own").count(), 1, "{output}");
    assert_eq!(output.stdout.matches("may assume").count(), 1, "{output}");
    assert_eq!(output.stdout.matches("create the role, trusting account").count(), 1, "{output}");
    assert_eq!(output.stdout.matches("add policy xacct-verify to the role: ").count(), 1, "{output}");
    let row = output.stdout.lines().find(|line| line.trim_start().starts_with("payments-dev "));
    assert!(row.is_some_and(|row| row.contains("  x-05  ")), "{output}");
}

#[test]
fn the_next_steps_name_the_targets_of_the_run() {
    let scene = scene();
    let all = "print-provider-hcl > provider.tf";
    scene.xacct("bootstrap dev --yes").exits_with(0).says(&["xacct print-provider-hcl dev > provider.tf"]);
    scene.xacct("bootstrap dev test --yes").exits_with(0).says(&["xacct print-provider-hcl dev test > provider.tf"]);
    scene.xacct("bootstrap --yes").exits_with(0).says(&[all]);
}

#[test]
fn settings_that_differ_name_their_targets() {
    let scene = scene();
    scene.environment.edit("xacct.toml", "[targets.prod]", "[targets.prod]\nrequire_mfa = true");
    scene.environment.edit(
        "xacct.toml",
        "[targets.dev]\naccount = \"400000000000\"\nexternal_id = \"abc\"",
        "[targets.dev]\naccount = \"400000000000\"",
    );
    let output = shows("many-bootstrap-settings", &scene, "bootstrap --check", 4);
    for words in ["dev: no external ID", "the others: external ID abc", "prod: MFA required", "the others: no MFA"] {
        assert!(output.stdout.contains(words), "{words}\n{output}");
    }
}

#[test]
fn verify_has_a_row_for_each_link() {
    let scene = linked();
    let output = shows("many-verify", &scene, "verify", 0);
    assert!(output.stdout.ends_with("12 of 12 work\n"), "{output}");
    break_two(&scene);
    let output = shows("many-verify-two-fail", &scene, "verify", 3);
    assert!(output.stdout.ends_with("10 of 12 work\n"), "{output}");
}

/// One role is gone, and one admits others.
fn break_two(scene: &Scene) {
    scene.sandbox.world(|world| {
        world.delete_role(&account("stage"), "xacct");
        admit_others(world, "payments-prod");
    });
}

#[test]
fn diagnose_has_a_row_for_each_link_and_a_report_for_each_problem() {
    let scene = linked();
    let output = shows("many-diagnose", &scene, "diagnose", 0);
    assert!(output.stdout.ends_with("12 of 12 have no problems\n"), "{output}");
    break_two(&scene);
    let output = shows("many-diagnose-two-fail", &scene, "diagnose", 3);
    assert_eq!(output.stdout.matches("Tested as").count(), 2, "{output}");
}

/// Without the grant, all fail alike: one report, and a row with the cause for each.
#[test]
fn the_same_problem_has_one_report() {
    let scene = linked();
    scene.sandbox.world(|world| world.user_mut(ACCOUNT_A, "alice").policies.inline.clear());
    for words in ["verify", "diagnose"] {
        let output = shows(&format!("many-{words}-no-grant"), &scene, words, 3);
        assert_eq!(output.stdout.matches("Tested as").count(), 1, "{output}");
        assert_eq!(output.stdout.matches("user alice has no grant").count(), 12, "{output}");
        assert!(output.stdout.contains("The same problem: test, stage, prod, sandbox"), "{output}");
    }
}

/// One statement of the grant names the roles of all targets, and is the evidence for each.
#[test]
fn a_condition_of_the_grant_has_one_report() {
    let scene = linked();
    scene.sandbox.world(|world| {
        let mut grant = world.user_policy(ACCOUNT_A, "alice", "xacct").unwrap().clone();
        assert_eq!(grant["Statement"][0]["Resource"].as_array().unwrap().len(), NAMES.len());
        grant["Statement"][0]["Condition"] = json!({"StringEquals": {"aws:RequestedRegion": "eu-west-3"}});
        world.put_user_policy(ACCOUNT_A, "alice", "xacct", grant);
    });
    for words in ["verify", "diagnose"] {
        let output = scene.xacct(words).exits_with(3).says(&["grant_condition"]);
        assert_eq!(output.stdout.matches("Tested as").count(), 1, "{output}");
    }
}

/// A colleague's account that two targets accept is named beside them, also where all work.
#[test]
fn accepted_callers_are_named_with_their_targets() {
    let scene = linked();
    for name in ["prod", "audit"] {
        let section = format!("[targets.{name}]\n");
        let accept = "accept = [{ who = \"account 999999999999\", reason = \"auditors\" }]\n";
        scene.environment.edit("xacct.toml", &section, &format!("{section}{accept}"));
        scene.sandbox.world(|world| admit_others(world, name));
    }
    let words = "prod, audit: accepted: account 999999999999 (auditors)";
    scene.xacct("verify").exits_with(0).says(&[words, "12 of 12 work"]);
    scene.xacct("diagnose").exits_with(0).says(&[words, "12 of 12 have no problems"]);
    let output = scene.xacct("bootstrap --yes").exits_with(0);
    output.says(&[words, "12 of 12 work", "prod  ", "2 targets (prod, audit)"]);
}

/// At the question, the plan is short, and `d` shows every change of every target with its policies.
#[test]
fn the_question_shows_everything_if_asked() {
    let mut scene = scene();
    let Some(mut terminal) = Terminal::start(test_name!(), &mut scene, "bootstrap") else { return };
    let prompt = "Apply 25 changes? [y/N, d = show policies]";
    terminal.answer(prompt, 1, "d\n");
    terminal.answer(prompt, 2, "n\n");
    let (_, screen) = terminal.ended();
    let (before, after) = screen.split_once(prompt).expect("a question");
    assert_eq!(before.matches("create role xacct, trusting").count(), 1, "{screen}");
    assert!(before.lines().count() <= 40, "{screen}");
    assert_eq!(after.matches("create role xacct, trusting").count(), 12, "{screen}");
    assert_eq!(after.matches("\"sts:ExternalId\": \"abc\"").count(), 12, "{screen}");
}

#[test]
fn list_has_a_row_for_each_link() {
    let scene = linked();
    shows("many-list", &scene, "list", 0);
    break_two(&scene);
    let output = shows("many-list-live", &scene, "list --live", 3);
    assert!(output.stdout.ends_with("10 of 12 work\n"), "{output}");
}

/// Settings that need more room than there is do not keep the targets from having rows.
#[test]
fn a_live_list_has_rows_whatever_the_settings_are() {
    let scene = linked();
    let policies = "policy_arns = [\"PowerUserAccess\", \"AmazonS3FullAccess\", \"IAMReadOnlyAccess\"]";
    scene.environment.edit("xacct.toml", "[targets.prod]", &format!("[targets.prod]\n{policies}"));
    scene.sandbox.world(|world| world.delete_role(&account("stage"), "xacct"));
    let output = shows("many-list-live-settings", &scene, "list --live", 3);
    for name in &NAMES[..4] {
        let row = output.stdout.lines().find(|line| line.trim_start().starts_with(&format!("{name} ")));
        assert!(
            row.is_some_and(|row| ["works", "does not work"].iter().any(|word| row.contains(word))),
            "{name}\n{output}"
        );
    }
    assert!(output.stdout.contains("stage: show the fix: xacct diagnose stage\n"), "{output}");
}

/// The question of many names wraps, and nothing before it is a placeholder.
#[test]
fn a_removal_asks_within_the_terminal() {
    for words in ["teardown --all", "revoke --all"] {
        let mut scene = linked();
        let Some(mut terminal) = Terminal::start(test_name!(), &mut scene, words) else { return };
        terminal.answer("confirm:", 1, "n\n");
        let (code, screen) = terminal.ended();
        assert_eq!(code, Some(1), "{screen}");
        assert!(!screen.contains("ACCOUNT:"), "{screen}");
        let begin = screen.find("Remove dev").or_else(|| screen.find("End all")).expect("a question");
        let (question, _) = screen.get(begin..).and_then(|text| text.split_once("confirm:")).expect("a question");
        for line in format!("{question}confirm: yes").lines() {
            assert!(line.chars().count() <= 80, "{words}: {line}\n{screen}");
        }
    }
    let codes = scene().xacct("help exit-codes").exits_with(0);
    assert!(codes.stdout.contains("or you declined"), "{codes}");
}

#[test]
fn teardown_has_a_row_for_each_link() {
    let scene = linked();
    scene.sandbox.world(|world| world.attach_role_policy(&account("prod"), "xacct", ADMINISTRATOR));
    let output = scene.xacct("teardown --all --dry-run").exits_with(1);
    assert_eq!(output.stdout.matches("delete role xacct").count(), 11, "{output}");
    let output = shows("many-teardown", &scene, "teardown --all --yes", 1);
    assert!(output.stdout.contains("alice → role xacct\n") && !output.stdout.contains("ACCOUNT:"), "{output}");
    assert!(scene.environment.read("xacct.toml").contains("[targets.prod]"));
}
