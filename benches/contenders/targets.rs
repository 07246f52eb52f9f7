//! Many targets at once, within xacct's default limits.

use std::ops::Range;
use std::time::Duration;

use clap::Parser;
use serde_json::json;
use xacct::cli::ReportOptions;
use xacct_sandbox::world::{ACCOUNT_A, ADMIN_A, ALICE, AccessKey, World};
use xacct_sandbox::{Fault, FaultKind, RecordedRequest, Sandbox};

use crate::contender::XACCT;
use crate::ground::{Distance, EXTERNAL_ID, Ground, POLICY, ROLE, keys};
use crate::jobs::{LATENCY, Seen};
use crate::measure::{Usage, Usages, measured};
use crate::result::Result;

/// The jobs for many targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Create the links, of which most of the grant is in managed policies, and test each.
    Bootstrap,
    /// Verify the links.
    Verify,
}

impl std::fmt::Display for Work {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Bootstrap => "bootstrap",
            Self::Verify => "verify",
        })
    }
}

/// The runs of a job with this many targets.
pub struct Crowd {
    /// The job.
    pub work: Work,
    /// The number of targets.
    pub count: usize,
    /// The runs, in the order of the rounds.
    pub attempts: Vec<Attempt>,
}

/// One run of a job with many targets.
pub struct Attempt {
    /// Time and memory.
    pub usage: Usage,
    /// The sandbox's record.
    pub seen: Seen,
    /// The maximum STS requests of the source account in one second.
    pub rate: usize,
    /// The number of them that STS throttled.
    pub throttled: usize,
    /// Their number.
    pub of_source: usize,
}

impl Crowd {
    /// Time and memory.
    pub fn usage(&self) -> Usages {
        self.attempts.iter().map(|attempt| attempt.usage).collect()
    }

    /// The maximum STS requests of the source account in one second.
    pub fn rate(&self) -> usize {
        self.attempts.iter().map(|attempt| attempt.rate).max().unwrap_or(0)
    }

    /// The number of them that STS throttled.
    pub fn throttled(&self) -> usize {
        self.attempts.iter().map(|attempt| attempt.throttled).sum()
    }
}

/// xacct's default limits.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The number of concurrent targets that the first of them set the pace with: xacct works on more where that is
    /// faster, so the time can be shorter than this ideal.
    pub concurrency: usize,
    /// The maximum STS requests per second.
    pub sts_rate: usize,
}

impl Limits {
    /// Reads the defaults from xacct's command line.
    pub fn usual() -> Result<Self> {
        /// The options that limit the work on many targets.
        #[derive(Parser)]
        struct Defaults {
            #[command(flatten)]
            report: ReportOptions,
        }
        let report = Defaults::try_parse_from(["xacct"])?.report;
        Ok(Self { concurrency: report.concurrency.unwrap_or(8).into(), sts_rate: report.sts_rate.into() })
    }
}

/// Creates and verifies this many targets in every round. Once, half of the largest number are created, and all of them
/// verified while STS throttles some of the calls.
pub fn run(counts: &[usize], largest: Option<usize>, rounds: usize) -> Result<Vec<Crowd>> {
    let mut crowds = Vec::new();
    for work in [Work::Bootstrap, Work::Verify] {
        crowds.extend(counts.iter().map(|&count| Crowd { work, count, attempts: Vec::new() }));
    }
    for round in 1..=rounds {
        for crowd in &mut crowds {
            crowd.attempts.push(attempt(crowd.work, crowd.count, None)?);
        }
        eprintln!("round {round} of {rounds} with many targets is done");
    }
    if let Some(count) = largest {
        // As many as fit into the grant of a user.
        let created = count / 2;
        let attempts = vec![attempt(Work::Bootstrap, created, None)?];
        crowds.push(Crowd { work: Work::Bootstrap, count: created, attempts });
        // There are three calls per target. One in 75 is throttled, all of those consecutive.
        let middle = 3 * u64::try_from(count)? / 2;
        let fault = Fault::new("AssumeRole", FaultKind::Throttle).on_calls(middle + 1..=middle + middle / 37);
        let attempts = vec![attempt(Work::Verify, count, Some(fault))?];
        crowds.push(Crowd { work: Work::Verify, count, attempts });
    }
    Ok(crowds)
}

fn attempt(work: Work, count: usize, fault: Option<Fault>) -> Result<Attempt> {
    let accounts: Vec<_> = (0..count).map(|number| (300_000_000_000 + number).to_string()).collect();
    let sandbox = Sandbox::builder().plant(|world| plant(world, work, &accounts)).start();
    fault.into_iter().for_each(|fault| sandbox.add_fault(fault));
    let mut ground = Ground::of(sandbox);
    let mut command = ground.environment.command(XACCT);
    match work {
        Work::Bootstrap => {
            for account in &accounts {
                let AccessKey { id, secret } = operator(account);
                ground.profile(account, &keys(&id, &secret));
                let line = format!("aws_account_id = {account}\n");
                ground.environment.append(".aws/config", &line);
            }
            command.args([
                "bootstrap",
                "--yes",
                &format!("--target-account={}", accounts.join(",")),
                "--user=alice",
                "--user-profile=alice",
                "--profile=security-admin",
                &format!("--external-id={EXTERNAL_ID}"),
                &format!("--policy-arn={POLICY}"),
            ])
        }
        Work::Verify => {
            ground.environment.write("xacct.toml", &file(&accounts));
            command.arg("verify")
        }
    };
    ground.move_away(Distance { latency: LATENCY, tls: false });
    let usage = measured(&command, 0)?;
    let requests = ground.requests().unwrap_or_default();
    let wanted = if work == Work::Bootstrap { "CreateRole" } else { "DeleteBucket" };
    let done = answered(&requests, wanted, 200..300);
    if done < count {
        return Err(format!("{work} of {count} targets: {done} times {wanted}").into());
    }
    // A denial has status 403.
    let throttled = answered(&requests, "AssumeRole", 400..401);
    let of_source = starts(&requests).len();
    Ok(Attempt { usage, seen: Seen::of(&requests), rate: rate(&requests), throttled, of_source })
}

/// Returns the number of requests of an operation that were answered with one of these statuses.
fn answered(requests: &[RecordedRequest], operation: &str, statuses: Range<u16>) -> usize {
    let of_operation = requests.iter().filter(|request| request.operation == operation);
    of_operation.filter(|request| request.status.is_some_and(|status| statuses.contains(&status))).count()
}

/// Creates the key of a target's operator, and a profile that names the account.
fn operator(account: &str) -> AccessKey {
    AccessKey { id: format!("AKIATEST{account}"), secret: format!("secret-of-the-operator-in-{account}") }
}

fn plant(world: &mut World, work: Work, accounts: &[String]) {
    let statement = json!({
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT_A}:root")},
        "Condition": {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}},
    });
    let trust = json!({"Version": "2012-10-17", "Statement": [statement]});
    for account in accounts {
        match work {
            Work::Bootstrap => {
                world.add_user(account, "admin").keys.push(operator(account));
                world.attach_user_policy(account, "admin", "arn:aws:iam::aws:policy/AdministratorAccess");
            }
            Work::Verify => {
                world.add_role(account, ROLE, trust.clone());
                world.attach_role_policy(account, ROLE, &format!("arn:aws:iam::aws:policy/{POLICY}"));
            }
        }
    }
    if work == Work::Verify {
        world.grant_assume_role(ACCOUNT_A, "alice", ROLE, &format!("arn:aws:iam::*:role/{ROLE}"));
    }
}

fn file(accounts: &[String]) -> String {
    let mut text = format!("[source]\naccount = \"{ACCOUNT_A}\"\nuser = \"alice\"\nuser_profile = \"alice\"\n");
    for account in accounts {
        text += &format!(
            "\n[targets.\"{account}\"]\naccount = \"{account}\"\nrole = \"{ROLE}\"\nexternal_id = \"{EXTERNAL_ID}\"\n\
             policy_arns = [\"{POLICY}\"]\n"
        );
    }
    text
}

/// Returns the times of the STS requests by keys of the source account, in order.
fn starts(requests: &[RecordedRequest]) -> Vec<Duration> {
    let of_source = |key: &str| [ADMIN_A.id, ALICE.id].contains(&key);
    let mut starts: Vec<_> = requests
        .iter()
        .filter(|request| request.service == "sts" && request.access_key.as_deref().is_some_and(of_source))
        .map(|request| request.start)
        .collect();
    starts.sort();
    starts
}

/// Returns the maximum number of STS requests by keys of the source account within a second.
fn rate(requests: &[RecordedRequest]) -> usize {
    let starts = starts(requests);
    let within = |first: usize| {
        let end = starts[first] + Duration::from_secs(1);
        starts[first..].partition_point(|start| *start < end)
    };
    (0..starts.len()).map(within).max().unwrap_or(0)
}
