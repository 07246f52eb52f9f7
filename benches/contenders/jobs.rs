//! One link: the same job by every contender, round by round.

use std::time::Duration;

use xacct_sandbox::{RecordedRequest, most_at_once, steps};

use crate::contender::{Contender, xacct};
use crate::ground::{Distance, Ground, Server};
use crate::job::Job;
use crate::measure::{Usage, Usages, measured};
use crate::result::Result;

/// The latency of everything that is not at 0 ms.
pub const LATENCY: Duration = Duration::from_millis(50);

/// A job, and where it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scenario {
    /// What is done.
    pub job: Job,
    /// By whom the accounts are served.
    pub server: Server,
    /// How far away they are.
    pub distance: Distance,
}

/// One contender's job, done once.
#[derive(Debug, Clone, Copy)]
pub struct Attempt {
    /// What it took.
    pub usage: Usage,
    /// How many connections were opened, where that is known.
    pub connections: Option<usize>,
    /// What the sandbox saw.
    pub seen: Option<Seen>,
}

/// What the sandbox saw of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// How many requests.
    pub requests: usize,
    /// How many of them waited for one another, as far as latency lets it be seen.
    pub steps: usize,
    /// The most that were in work at once, added up over IAM, STS and S3: so many connections are needed.
    pub at_once: usize,
}

/// All that one contender did in one scenario.
pub struct Row {
    /// Where, and what.
    pub scenario: Scenario,
    /// Who.
    pub contender: String,
    /// In the order of the rounds.
    pub attempts: Vec<Attempt>,
}

impl Row {
    /// What it took.
    pub fn usage(&self) -> Usages {
        self.attempts.iter().map(|attempt| attempt.usage).collect()
    }
}

/// All that is done on these servers.
pub fn scenarios(servers: &[Server]) -> Vec<Scenario> {
    let near = Distance { latency: Duration::ZERO, tls: false };
    let far = Distance { latency: LATENCY, tls: false };
    let encrypted = Distance { latency: LATENCY, tls: true };
    let all = [
        (Job::Whole, Server::Sandbox, near),
        (Job::Whole, Server::Sandbox, far),
        (Job::Whole, Server::Sandbox, encrypted),
        (Job::Link, Server::Sandbox, far),
        (Job::Verify, Server::Sandbox, near),
        (Job::Verify, Server::Sandbox, far),
        (Job::Verify, Server::Sandbox, encrypted),
        (Job::Whole, Server::Ministack, near),
        (Job::Whole, Server::Ministack, far),
    ];
    let all = all.map(|(job, server, distance)| Scenario { job, server, distance });
    all.into_iter().filter(|scenario| servers.contains(&scenario.server)).collect()
}

/// Every contender does every job in every round. The first round is not counted, if there are others: it finds nothing
/// in the machine's caches.
pub fn run(contenders: &[Contender], scenarios: &[Scenario], rounds: usize) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for scenario in scenarios {
        for contender in contenders {
            // Terraform needs more than the sandbox serves.
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
    if job == Job::Verify {
        measured(&xacct(&ground, Job::Link))?;
    }
    ground.move_away(distance);
    let mut usage = Usage::default();
    for command in contender.commands(job, &ground) {
        usage = usage.then(measured(&command)?);
    }
    let (connections, seen) = (ground.connections(), ground.requests().as_deref().map(Seen::of));
    ground.check(job)?;
    Ok(Attempt { usage, connections, seen })
}

impl Seen {
    /// From the sandbox's record.
    pub fn of(requests: &[RecordedRequest]) -> Self {
        let services = ["iam", "sts", "s3"];
        let at_once =
            services.map(|service| most_at_once(requests.iter().filter(|request| request.service == service)));
        Self { requests: requests.len(), steps: steps(requests).len(), at_once: at_once.iter().sum() }
    }
}
