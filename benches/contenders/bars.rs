//! The performance targets of xacct, and the measured values.

use crate::bounds::{MARGIN, Trips};
use crate::contender::{Contender, XACCT};
use crate::ground::{Distance, Server};
use crate::job::Job;
use crate::jobs::{self, LATENCY, Row, Scenario};
use crate::measure::{mebibytes, milliseconds};
use crate::startup::Startup;
use crate::statistics::{Sample, short};
use crate::targets::{Crowd, Limits, Work};
use crate::vault::Vault;

/// A performance target.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// What it measures.
    pub what: String,
    /// The target value.
    pub bar: String,
    /// The measured value.
    pub figure: String,
    /// Whether the target is met.
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

/// The targets for one link.
pub fn of_jobs(rows: &[Row]) -> Vec<Bar> {
    let find = |job, server, milliseconds, tls, contender: &str| {
        let distance = Distance { latency: std::time::Duration::from_millis(milliseconds), tls };
        let scenario = Scenario { job, server, distance };
        rows.iter().find(|row| row.scenario == scenario && row.contender == contender)
    };
    let mut bars = Vec::new();
    for (job, contender, trips) in jobs::round_trips(rows) {
        let most = match job {
            Job::Whole => 9.3,
            Job::Verify => 6.2,
            Job::Exec => 3.1,
            Job::Link | Job::ExecManyRoots => continue,
        };
        if contender == "xacct" {
            bars.push(Bar {
                what: format!("{job} with TLS: round trips to 3 hosts, connections included"),
                bar: format!("≤ {most}"),
                met: trips.median() <= most,
                figure: trips.to_string(),
            });
        }
    }
    for (milliseconds, bar) in [(50, 3.8), (0, 12.0)] {
        let rows = ["boto3", "xacct"].map(|name| find(Job::Whole, Server::Sandbox, milliseconds, true, name));
        if let [Some(other), Some(xacct)] = rows {
            let what = format!("whole job with TLS, {milliseconds} ms, boto3: time");
            bars.push(at_least(what, bar, &other.usage().wall().over(&xacct.usage().wall())));
        }
    }
    let plain = find(Job::Exec, Server::Sandbox, 0, false, "xacct").map(|row| row.usage().cpu().median());
    for (job, most) in [(Job::Exec, 3.0), (Job::ExecManyRoots, 5.0)] {
        let encrypted = find(job, Server::Sandbox, 0, true, "xacct").map(|row| row.usage().cpu().median());
        if let (Some(encrypted), Some(plain)) = (encrypted, plain) {
            bars.push(under(format!("{job}: processor time of TLS"), most, "ms", encrypted - plain));
        }
    }
    for job in [Job::Whole, Job::Verify] {
        let rows = [true, false].map(|tls| find(job, Server::Sandbox, 50, tls, "xacct"));
        let [Some(encrypted), Some(plain)] = rows else { continue };
        let connections = encrypted.attempts.iter().filter_map(|attempt| attempt.connections).max();
        if let Some(connections) = connections.and_then(|count| u32::try_from(count).ok()) {
            let more = encrypted.usage().cpu().median() - plain.usage().cpu().median();
            let what = format!("{job}: processor time of TLS for each of {connections} connections");
            bars.push(under(what, 1.0, "ms", more / f64::from(connections)));
        }
    }
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
        let (what, other, xacct) = (format!("whole job, {server}, 0 ms, {name}"), other.usage(), xacct.usage());
        bars.push(at_least(format!("{what}: time"), bar, &other.wall().over(&xacct.wall())));
        if (server, name) == (Server::Sandbox, "boto3") {
            bars.push(at_least(format!("{what}: processor time"), 30.0, &other.cpu().over(&xacct.cpu())));
        }
    }
    for job in [Job::Whole, Job::Verify] {
        let attempts = find(job, Server::Sandbox, 50, true, "xacct").into_iter().flat_map(|row| &row.attempts);
        let counts = attempts.filter_map(|attempt| Some((attempt.connections?, attempt.seen?.at_once)));
        // The run with the most unnecessary connections.
        if let Some((opened, needed)) = counts.max_by_key(|(opened, needed)| opened.saturating_sub(*needed)) {
            bars.push(Bar {
                what: format!("{job} with TLS: connections to 3 hosts"),
                bar: format!("≤ {needed}, the most requests at once"),
                figure: opened.to_string(),
                met: opened <= needed,
            });
        }
    }
    let of_xacct = rows.iter().filter(|row| row.contender == Contender::Xacct.to_string());
    if let Some(most) = of_xacct.map(|row| row.usage().memory().most()).max_by(f64::total_cmp) {
        bars.push(under("memory of a single target, any job, at most", 30.0, "MiB", most));
    }
    bars
}

/// Compares the time with that of the round trips, each as long as the latency.
fn near_the_limit(row: &Row, factor: f64, most: usize) -> Bar {
    let job = row.scenario.job;
    let steps = row.attempts.iter().filter_map(|attempt| Some(attempt.seen?.steps)).max().unwrap_or(0);
    let limit = time_of(steps);
    let over = Sample::of(row.usage().wall().numbers().iter().map(|wall| wall / limit));
    Bar {
        what: format!("{job} at 50 ms, over its steps × 50 ms"),
        bar: format!("≤ {factor:.2} ×, ≤ {most} steps"),
        met: over.median() <= factor && steps <= most,
        figure: format!("{over} ×, {steps} steps"),
    }
}

/// Returns the milliseconds of this many round trips.
fn time_of(steps: usize) -> f64 {
    f64::from(u32::try_from(steps).unwrap_or(u32::MAX)) * milliseconds(LATENCY)
}

/// The targets for many targets, within these limits.
pub fn of_crowds(crowds: &[Crowd], limits: Limits) -> Vec<Bar> {
    let Limits { concurrency, sts_rate } = limits;
    let mut bars = Vec::new();
    for work in [Work::Bootstrap, Work::Verify] {
        let find = |count| crowds.iter().find(|crowd| crowd.work == work && crowd.count == count);
        let (Some(one), Some(hundred)) = (find(1), find(100)) else { continue };
        let efficiency = efficiency(hundred, one, concurrency);
        bars.push(Bar {
            what: format!("{work} of 100 targets, 50 ms: of the ideal for {concurrency} at once"),
            bar: "≥ 0.8".to_owned(),
            met: efficiency.median() >= 0.8,
            figure: efficiency.to_string(),
        });
        // With a hundred it works on as many at once as it ever does.
        let largest = crowds.iter().filter(|crowd| crowd.work == work).max_by_key(|crowd| crowd.count);
        if let Some(largest) = largest.filter(|crowd| crowd.count > hundred.count) {
            let [most, usual] = [largest, hundred].map(|crowd| crowd.usage().memory().median());
            let more = f64::from(u32::try_from(largest.count - hundred.count).unwrap_or(u32::MAX));
            let what = format!("{work} of {} targets: memory for each beyond 100", largest.count);
            bars.push(under(what, 100.0, "KiB", (most - usual) * 1024.0 / more));
        }
    }
    let find = |count| crowds.iter().find(|crowd| crowd.work == Work::Bootstrap && crowd.count == count);
    if let (Some(one), Some(crowd)) = (find(1), find(500)) {
        let what = "bootstrap of 500 targets";
        let efficiency = efficiency(crowd, one, concurrency);
        bars.push(Bar {
            what: format!("{what}, 50 ms: of the ideal for {concurrency} at once"),
            bar: "≥ 0.8".to_owned(),
            met: efficiency.median() >= 0.8,
            figure: efficiency.to_string(),
        });
        bars.push(under(format!("{what}: memory"), 150.0, "MiB", crowd.usage().memory().most()));
    }
    if let Some(crowd) = crowds.iter().find(|crowd| crowd.count == 1000) {
        let what = "verify of 1,000 targets";
        bars.push(under(format!("{what}: memory"), 40.0, "MiB", crowd.usage().memory().most()));
        let share = crowd.attempts.iter().map(|attempt| {
            let [requests, rate] =
                [attempt.of_source, sts_rate].map(|number| u32::try_from(number).unwrap_or(u32::MAX));
            f64::from(requests) / f64::from(rate) / attempt.usage.wall.as_secs_f64()
        });
        let share = Sample::of(share);
        bars.push(Bar {
            what: format!("{what}: of the requests to the source's STS that --sts-rate allows"),
            bar: "≥ 0.95".to_owned(),
            met: share.median() >= 0.95,
            figure: share.to_string(),
        });
        bars.push(Bar {
            what: format!("{what}: requests to the source's STS within a second"),
            bar: format!("≤ {sts_rate}, --sts-rate"),
            figure: crowd.rate().to_string(),
            met: crowd.rate() <= sts_rate,
        });
        // A failure would have ended the run before.
        bars.push(Bar {
            what: format!("{what}, of which STS throttles some calls: none fails"),
            bar: "≥ 1 throttled".to_owned(),
            figure: crowd.throttled().to_string(),
            met: crowd.throttled() > 0,
        });
    }
    bars
}

/// The target for `exec`.
pub fn of_vault(Vault { xacct, vault }: &Vault) -> Bar {
    at_least(format!("exec with TLS, {xacct} ms, aws-vault {vault} ms: time"), 1.0, &vault.over(xacct))
}

/// The targets for the round trips of commands.
pub fn of_bounds(trips: &[Trips]) -> Vec<Bar> {
    let bar = |Trips { known, taken }: &Trips| {
        let bound = f64::from(u32::try_from(known.chain.len()).unwrap_or(u32::MAX));
        Bar {
            what: format!("{}: round trips, connections included", known.name),
            bar: format!("≤ {bound} + {MARGIN}"),
            met: taken.median() <= bound + MARGIN,
            figure: taken.to_string(),
        }
    };
    trips.iter().map(bar).collect()
}

/// Compares the time with the ideal: the round trips of one target, each as long as the latency, for one batch after
/// the other.
pub fn efficiency(crowd: &Crowd, one: &Crowd, concurrency: usize) -> Sample {
    let steps = one.attempts.iter().map(|attempt| attempt.seen.steps).min().unwrap_or(0);
    let chain = steps * crowd.count.div_ceil(concurrency);
    let ideal = time_of(chain);
    Sample::of(crowd.usage().wall().numbers().iter().map(|wall| ideal / wall))
}

/// The targets for offline commands and for the program itself.
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
        bars.push(under("the program's size", 14.0, "MiB", mebibytes(file.len())));
    }
    bars
}
