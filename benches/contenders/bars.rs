//! What xacct is held to, beside what it does.

use crate::contender::{Contender, Job, XACCT};
use crate::ground::{Distance, Server};
use crate::jobs::{LATENCY, Row, Scenario, mebibytes, milliseconds};
use crate::startup::Startup;
use crate::statistics::{Sample, short};
use crate::targets::{Crowd, Work};

/// Requests a second that STS takes from an account in a region, AssumeRole and GetCallerIdentity together (IAM User
/// Guide, IAM and AWS STS quotas).
const STS_LIMIT: usize = 600;

/// Something that xacct is held to.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// What of.
    pub what: String,
    /// What it must be.
    pub bar: String,
    /// What it is.
    pub figure: String,
    /// Whether it is what it must be.
    pub met: bool,
}

fn at_least(what: impl Into<String>, bar: f64, figure: &Sample) -> Bar {
    let met = figure.median() >= bar;
    Bar { what: what.into(), bar: format!("≥ {bar} ×"), figure: format!("{figure} ×"), met }
}

fn under(what: impl Into<String>, bar: f64, unit: &str, figure: f64) -> Bar {
    let (bar, met) = (format!("< {bar} {unit}"), figure < bar);
    Bar { what: what.into(), bar, figure: format!("{} {unit}", short(figure)), met }
}

/// One link.
pub fn of_jobs(rows: &[Row]) -> Vec<Bar> {
    let find = |job, server, milliseconds, tls, contender: &str| {
        let distance = Distance { latency: std::time::Duration::from_millis(milliseconds), tls };
        let scenario = Scenario { job, server, distance };
        rows.iter().find(|row| row.scenario == scenario && row.contender == contender)
    };
    let mut bars = Vec::new();
    for (job, factor, most) in [(Job::Verify, 1.10, 4), (Job::Link, 1.15, 5)] {
        if let Some(row) = find(job, Server::Sandbox, 50, false, "xacct") {
            bars.push(near_the_limit(row, factor, most));
        }
    }
    for (server, name, bar) in [
        (Server::Sandbox, "boto3", 15.0),
        (Server::Sandbox, "AWS CLI", 100.0),
        (Server::Ministack, "boto3", 8.0),
        (Server::Ministack, "AWS CLI", 60.0),
        (Server::Ministack, "Terraform", 150.0),
    ] {
        let rows = [name, "xacct"].map(|contender| find(Job::Whole, server, 0, false, contender));
        let [Some(other), Some(xacct)] = rows else { continue };
        bars.push(at_least(format!("whole job, {server}, 0 ms, {name}: time"), bar, &other.wall().over(&xacct.wall())));
        if (server, name) == (Server::Sandbox, "boto3") {
            bars.push(at_least("the same: processor time", 30.0, &other.cpu().over(&xacct.cpu())));
        }
    }
    for job in [Job::Whole, Job::Verify] {
        let attempts = find(job, Server::Sandbox, 50, true, "xacct").into_iter().flat_map(|row| &row.attempts);
        let counts = attempts.filter_map(|attempt| Some((attempt.connections?, attempt.seen?.at_once)));
        if let Some((opened, needed)) = counts.max() {
            bars.push(Bar {
                what: format!("{job} with TLS: connections to 3 hosts"),
                bar: format!("≤ {needed}, the most requests at once"),
                figure: opened.to_string(),
                met: opened <= needed,
            });
        }
    }
    let of_xacct = rows.iter().filter(|row| row.contender == Contender::Xacct.to_string());
    if let Some(most) = of_xacct.map(|row| row.memory().median()).max_by(f64::total_cmp) {
        bars.push(under("memory of a single target, any job", 30.0, "MiB", most));
    }
    bars
}

/// Against the steps that it takes, each as long as the latency.
fn near_the_limit(row: &Row, factor: f64, most: usize) -> Bar {
    let job = row.scenario.job;
    let steps = row.attempts.iter().filter_map(|attempt| Some(attempt.seen?.steps)).max().unwrap_or(0);
    let limit = f64::from(u32::try_from(steps).unwrap_or(u32::MAX)) * milliseconds(LATENCY);
    let over = Sample::of(row.wall().numbers().iter().map(|wall| wall / limit));
    Bar {
        what: format!("{job} at 50 ms, over its steps × 50 ms"),
        bar: format!("≤ {factor:.2} ×, ≤ {most} steps"),
        met: over.median() <= factor && steps <= most,
        figure: format!("{over} ×, {steps} steps"),
    }
}

/// Many targets, so many side by side.
pub fn of_crowds(crowds: &[Crowd], concurrency: usize) -> Vec<Bar> {
    let mut bars = Vec::new();
    for work in [Work::Bootstrap, Work::Verify] {
        let find = |count| crowds.iter().find(|crowd| crowd.work == work && crowd.count == count);
        let (Some(one), Some(hundred)) = (find(1), find(100)) else { continue };
        let efficiency = efficiency(hundred, one, concurrency);
        bars.push(Bar {
            what: format!("{work} of 100 targets, {concurrency} at once, 50 ms: of the ideal"),
            bar: "≥ 0.8".to_owned(),
            met: efficiency.median() >= 0.8,
            figure: efficiency.to_string(),
        });
        let growth = (hundred.memory().median() - one.memory().median()) * 1024.0 / 99.0;
        bars.push(under(format!("{work} of 100 targets: memory for each"), 100.0, "KiB", growth));
    }
    if let Some(crowd) = crowds.iter().find(|crowd| crowd.count == 1000) {
        bars.push(under("verify of 1,000 targets: memory", 150.0, "MiB", crowd.memory().median()));
        bars.push(Bar {
            what: "the same: requests to the source's STS within a second".to_owned(),
            bar: format!("≤ {STS_LIMIT}, AWS's own limit"),
            figure: crowd.rate().to_string(),
            met: crowd.rate() <= STS_LIMIT,
        });
    }
    bars
}

/// How near it is to the ideal: the steps of one target, each as long as the latency, for one batch after the other.
pub fn efficiency(crowd: &Crowd, one: &Crowd, concurrency: usize) -> Sample {
    let steps = one.attempts.iter().map(|attempt| attempt.seen.steps).min().unwrap_or(0);
    let chain = steps * crowd.count.div_ceil(concurrency);
    let ideal = f64::from(u32::try_from(chain).unwrap_or(u32::MAX)) * milliseconds(LATENCY);
    Sample::of(crowd.wall().numbers().iter().map(|wall| ideal / wall))
}

/// Commands that ask nobody, and the program itself.
pub fn of_startup(startup: &Startup) -> Vec<Bar> {
    let limit = 2.0 * startup.nothing.median() + 3.0;
    let mut bars: Vec<_> = startup
        .commands
        .iter()
        .map(|(name, times)| Bar {
            what: format!("{name}: time"),
            bar: format!("≤ {} ms, 2 × `true` + 3 ms", short(limit)),
            figure: format!("{times} ms"),
            met: times.median() <= limit,
        })
        .collect();
    if let Ok(file) = std::fs::metadata(XACCT) {
        bars.push(under("the program's size", 15.0, "MiB", mebibytes(file.len())));
    }
    bars
}
