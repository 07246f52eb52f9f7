//! One link: every contender does the same job, round by round.

use std::path::Path;
use std::time::Duration;

use xacct_sandbox::{RecordedRequest, most_at_once, steps};

use crate::contender::{Contender, xacct};
use crate::ground::{Distance, Ground, Server};
use crate::job::Job;
use crate::measure::{Usage, Usages, measured, milliseconds};
use crate::result::Result;
use crate::statistics::Sample;

/// The certificates of Debian and Ubuntu.
const SYSTEM_BUNDLE: &str = "/etc/ssl/certs/ca-certificates.crt";

/// The latency of the scenarios that have one.
pub const LATENCY: Duration = Duration::from_millis(50);

/// A longer one: what a job takes more with it are its round trips, and nothing else.
pub const LONG_LATENCY: Duration = Duration::from_millis(150);

/// A job and its environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scenario {
    /// The job.
    pub job: Job,
    /// The server.
    pub server: Server,
    /// The network distance.
    pub distance: Distance,
}

/// One run of one contender's job.
#[derive(Debug, Clone, Copy)]
pub struct Attempt {
    /// Time and memory.
    pub usage: Usage,
    /// The number of connections, if known.
    pub connections: Option<usize>,
    /// The sandbox's record.
    pub seen: Option<Seen>,
}

/// The sandbox's record of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// The number of requests.
    pub requests: usize,
    /// The number of sequential round trips, as far as the latency shows them.
    pub steps: usize,
    /// The maximum number of concurrent requests, summed over IAM, STS and S3: the number of connections needed.
    pub at_once: usize,
}

/// All runs of one contender in one scenario.
pub struct Row {
    /// The scenario.
    pub scenario: Scenario,
    /// The contender.
    pub contender: String,
    /// The runs, in the order of the rounds.
    pub attempts: Vec<Attempt>,
}

impl Row {
    /// Time and memory.
    pub fn usage(&self) -> Usages {
        self.attempts.iter().map(|attempt| attempt.usage).collect()
    }
}

/// Returns all scenarios on these servers.
pub fn scenarios(servers: &[Server]) -> Vec<Scenario> {
    let near = Distance { latency: Duration::ZERO, tls: false };
    let far = Distance { latency: LATENCY, tls: false };
    let encrypted = Distance { latency: LATENCY, tls: true };
    let farther = Distance { latency: LONG_LATENCY, tls: true };
    let at_hand = Distance { latency: Duration::ZERO, tls: true };
    let all = [
        (Job::Whole, Server::Sandbox, encrypted),
        (Job::Whole, Server::Sandbox, farther),
        (Job::Whole, Server::Sandbox, at_hand),
        (Job::Whole, Server::Sandbox, near),
        (Job::Whole, Server::Sandbox, far),
        (Job::Link, Server::Sandbox, far),
        (Job::Verify, Server::Sandbox, near),
        (Job::Verify, Server::Sandbox, far),
        (Job::Verify, Server::Sandbox, encrypted),
        (Job::Verify, Server::Sandbox, farther),
        (Job::Exec, Server::Sandbox, encrypted),
        (Job::Exec, Server::Sandbox, farther),
        (Job::Exec, Server::Sandbox, at_hand),
        (Job::Exec, Server::Sandbox, near),
        (Job::ExecManyRoots, Server::Sandbox, at_hand),
        (Job::Whole, Server::Ministack, near),
        (Job::Whole, Server::Ministack, far),
    ];
    let all = all.map(|(job, server, distance)| Scenario { job, server, distance });
    let can = |scenario: &Scenario| scenario.job != Job::ExecManyRoots || Path::new(SYSTEM_BUNDLE).exists();
    all.into_iter().filter(can).filter(|scenario| servers.contains(&scenario.server)).collect()
}

/// Returns the round trips of a job, connections included, for each contender that did it at both latencies: the time
/// that it takes longer with the longer one, over the difference.
pub fn round_trips(rows: &[Row]) -> Vec<(Job, &str, Sample)> {
    let with = |row: &Row, latency| {
        let Scenario { server, distance, .. } = row.scenario;
        server == Server::Sandbox && distance == Distance { latency, tls: true }
    };
    let near = rows.iter().filter(|row| with(row, LATENCY));
    let both = near.filter_map(|near| {
        let is_same = |row: &&Row| row.scenario.job == near.scenario.job && row.contender == near.contender;
        Some((near, rows.iter().filter(|row| with(row, LONG_LATENCY)).find(is_same)?))
    });
    let slope = |(near, far): (&Row, &Row)| {
        let (near, far) = (near.usage().wall(), far.usage().wall());
        let more = far.numbers().iter().zip(near.numbers()).map(|(far, near)| far - near);
        Sample::of(more.map(|more| more / milliseconds(LONG_LATENCY - LATENCY)))
    };
    both.map(|(near, far)| (near.scenario.job, near.contender.as_str(), slope((near, far)))).collect()
}

/// Every contender does every job in every round. With more than one round, the first is not counted, because the
/// machine's caches are cold.
pub fn run(contenders: &[Contender], scenarios: &[Scenario], rounds: usize) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for scenario in scenarios {
        for contender in contenders {
            // Terraform sends requests that the sandbox does not support.
            let can = scenario.server == Server::Ministack || !matches!(contender, Contender::Terraform(_));
            if can && contender.does(scenario.job) {
                let row = Row { scenario: *scenario, contender: contender.to_string(), attempts: Vec::new() };
                rows.push((contender, row));
            }
        }
    }
    for round in 0..=rounds {
        for (contender, row) in &mut rows {
            let attempt = attempt(contender, row.scenario).map_err(|error| {
                let Scenario { job, server, distance } = row.scenario;
                format!("{contender}, {job}, {server}, {distance}: {error}")
            })?;
            if round > 0 {
                row.attempts.push(attempt);
            }
        }
        eprintln!("round {round} of {rounds} is done");
    }
    Ok(rows.into_iter().map(|(_, row)| row).collect())
}

fn attempt(contender: &Contender, scenario: Scenario) -> Result<Attempt> {
    let Scenario { job, server, distance } = scenario;
    let mut ground = Ground::new(server)?;
    if matches!(job, Job::Verify | Job::Exec | Job::ExecManyRoots) {
        measured(&xacct(&ground, Job::Link), 0)?;
    }
    ground.move_away(distance);
    if job == Job::ExecManyRoots {
        ground.environment.append("authority.pem", &std::fs::read_to_string(SYSTEM_BUNDLE)?);
    }
    let mut usage = Usage::default();
    for command in contender.commands(job, &ground) {
        usage = usage.then(measured(&command, 0)?);
    }
    let (connections, seen) = (ground.connections(), ground.requests().as_deref().map(Seen::of));
    ground.check(job)?;
    Ok(Attempt { usage, connections, seen })
}

impl Seen {
    /// Evaluates the sandbox's record.
    pub fn of(requests: &[RecordedRequest]) -> Self {
        let services = ["iam", "sts", "s3"];
        let at_once =
            services.map(|service| most_at_once(requests.iter().filter(|request| request.service == service)));
        Self { requests: requests.len(), steps: steps(requests).len(), at_once: at_once.iter().sum() }
    }
}
