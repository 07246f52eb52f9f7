//! Twice as many targets, and profiles of the AWS CLI, take about twice the time, in every command, printed setting and report.
#![cfg(target_os = "linux")]

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::json;
use xacct_sandbox::Sandbox;
use xacct_sandbox::world::ACCOUNT_A;

use crate::scene::{Scene, trust};

const ADMINISTRATOR: &str = "arn:aws:iam::aws:policy/AdministratorAccess";
const ENTERED: &str = "OrganizationAccountAccessRole";

fn account(number: usize) -> String {
    format!("{:012}", 600_000_000_000 + number)
}

fn scene(targets: usize, are_there: bool) -> Scene {
    let planted = if are_there { targets } else { 0 };
    let mut scene = Scene::of(Sandbox::builder().plant(|world| {
        for number in 0..planted {
            world.add_role(&account(number), ENTERED, trust(&json!({})));
            world.attach_role_policy(&account(number), ENTERED, ADMINISTRATOR);
        }
    }));
    let mut file = format!(
        "[source]\naccount = \"{ACCOUNT_A}\"\nprofile = \"security-admin\"\nuser = \"alice\"\nuser_profile = \"alice\"\n"
    );
    for number in 0..targets {
        file.push_str(&format!(
            "\n[targets.t{number}]\naccount = \"{}\"\nrole = \"xacct\"\nexternal_id = \"abc\"\nenter_role = \"{ENTERED}\"\nregion = \
             \"us-east-1\"\n",
            account(number)
        ));
    }
    scene.environment.write("xacct.toml", &file);
    let profiles = (0..targets * 4).map(|number| format!("[profile p{number}]\nregion = us-east-1\n"));
    scene.environment.edit(
        "aws/config",
        "[profile alice]\n",
        &profiles.chain(["[profile alice]\n".to_owned()]).collect::<String>(),
    );
    scene.environment.set("XACCT_TIMEOUT", "2s");
    scene
}

/// The processor time of a command, and its memory.
#[derive(Debug, Clone, Copy)]
struct Used {
    processor: Duration,
    kibibytes: u64,
}

/// Runs a command that must succeed, and returns what it used. The kernel keeps the time of a process that has ended until its
/// parent asks for it; the memory is read while it runs.
fn used(scene: &Scene, words: &str) -> Used {
    let mut command: Command = scene.command(words);
    let said = scene.environment.path("said");
    command.stdout(Stdio::null()).stderr(fs::File::create(&said).expect("a file"));
    let mut process = command.spawn().expect("xacct");
    let folder = format!("/proc/{}", process.id());
    let mut kibibytes = 0;
    let after_name = loop {
        let status = fs::read_to_string(format!("{folder}/status")).expect("a process");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse().ok());
        kibibytes = peak.unwrap_or(kibibytes);
        let stat = fs::read_to_string(format!("{folder}/stat")).expect("a process");
        let (_, after_name) = stat.rsplit_once(") ").expect("a name");
        if after_name.starts_with('Z') {
            break after_name.to_owned();
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    // Fields 14 and 15 of proc_pid_stat(5), in hundredths of a second.
    let ticks: u64 =
        after_name.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("ticks")).sum();
    let status = process.wait().expect("a status");
    assert!(status.success(), "{words}: {status}: {}", fs::read_to_string(&said).expect("its messages"));
    Used { processor: Duration::from_millis(ticks * 10), kibibytes }
}

/// Returns the ratio of the second's time to the first's, each with what a process takes without any target.
fn ratio(one: Used, two: Used) -> f64 {
    let least = Duration::from_millis(100);
    (two.processor + least).as_secs_f64() / (one.processor + least).as_secs_f64()
}

/// More than the double may be noise; that of the square would be the fourfold.
const MOST: f64 = 3.2;

#[track_caller]
fn assert_doubles(words: &str, one: Used, two: Used) {
    let time = ratio(one, two);
    assert!(time < MOST, "{words}: {time:.1} times the time: {one:?}, {two:?}");
    assert!(two.kibibytes < one.kibibytes * 2 + 4096, "{words}: more than twice the memory: {one:?}, {two:?}");
}

/// `print role-hcl` is left out: a grant for so many does not fit into the inline policy that it prints.
#[test]
fn offline_commands_and_printed_settings() {
    let scenes = [1_500, 3_000].map(|targets| scene(targets, false));
    for words in [
        "list",
        "list --output json",
        "print provider-hcl",
        "print backend-hcl t0 --bucket state",
        "print terragrunt-hcl t0",
        "print profile",
        "print profile --credential-process",
        "print profile --install",
        "print hcp --organization o --workspace w t0",
        "print cloudformation t0",
        "print policies --for source-operator",
        "print policies --for reader",
        "print policies --for user",
        "print audit-query",
    ] {
        let measured = || scenes.each_ref().map(|scene| used(scene, words));
        let mut best = measured();
        // They take so little time that other processes can double it: the least of several counts.
        for _ in 0..4 {
            let [one, two] = best;
            if ratio(one, two) < MOST {
                break;
            }
            let again = measured();
            best = [0, 1].map(|at| if again[at].processor < best[at].processor { again[at] } else { best[at] });
        }
        let [one, two] = best;
        assert_doubles(words, one, two);
    }
    let [one, two] = scenes.each_ref().map(|scene| used(scene, "forget --all --yes"));
    assert_doubles("forget --all --yes", one, two);
}

/// One after the other, so that both see the same load.
#[test]
fn commands_that_ask_aws() {
    let scenes = [60, 120]
        .map(|targets| (scene(targets, true), (0..targets).map(|number| format!(" t{number}")).collect::<String>()));
    for words in [
        "bootstrap --dry-run",
        "bootstrap --yes",
        "bootstrap --check",
        "verify",
        "verify --output json",
        "verify --report html=a.html --report markdown=a.md --report junit=a.xml --report github --redact",
        "diagnose",
        "list --live",
        "import",
        "rotate external-id TARGETS --dry-run",
        "move TARGETS --role-name other --dry-run",
        "replace alice --with bob --dry-run",
        "sweep --all --dry-run",
        "revoke --all --yes",
        "who",
        "teardown --all --dry-run",
        "teardown --all --yes --even-if-used",
    ] {
        let [one, two] = scenes.each_ref().map(|(scene, names)| used(scene, &words.replace(" TARGETS", names)));
        assert_doubles(words, one, two);
    }
}
