//! Reports the results, as tables and as JSON.

use comfy_table::{Table, presets};
use serde_json::{Value, json};

use crate::bars::{Bar, efficiency};
use crate::bounds::Trips;
use crate::jobs::{self, Row};
use crate::measure::Usages;
use crate::result::Result;
use crate::startup::Startup;
use crate::statistics::Sample;
use crate::targets::{Crowd, Limits};
use crate::vault::Vault;

fn table<const N: usize>(header: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(header).add_rows(rows);
    table
}

/// Formats a count that may be unknown.
fn count(number: Option<usize>) -> String {
    number.map_or_else(|| "–".to_owned(), |number| number.to_string())
}

/// Prints a table for each environment and job with one link.
pub fn print_jobs(rows: &[Row]) {
    for of_scenario in rows.chunk_by(|one, other| one.scenario == other.scenario) {
        let Some(xacct) = of_scenario.first() else { continue };
        let scenario = xacct.scenario;
        println!("\n{}, {}, {}\n", scenario.job, scenario.server, scenario.distance);
        let times = |of: fn(&Usages) -> Sample, row: &Row| match of(&row.usage()).over(&of(&xacct.usage())) {
            _ if std::ptr::eq(row, xacct) => "1".to_owned(),
            ratio => ratio.to_string(),
        };
        let lines = of_scenario.iter().map(|row| {
            let last = row.attempts.last();
            let seen = last.and_then(|attempt| attempt.seen);
            [
                row.contender.clone(),
                row.usage().wall().to_string(),
                times(Usages::wall, row),
                row.usage().cpu().to_string(),
                times(Usages::cpu, row),
                row.usage().memory().to_string(),
                count(seen.map(|seen| seen.requests)),
                count(seen.map(|seen| seen.steps).filter(|_| !scenario.distance.latency.is_zero())),
                count(last.and_then(|attempt| attempt.connections)),
            ]
        });
        let header = [
            "contender",
            "time, ms",
            "× xacct",
            "processor, ms",
            "× xacct",
            "memory, MiB",
            "requests",
            "steps",
            "connections",
        ];
        println!("{}", table(header, lines));
    }
}

/// Prints the round trips of each job.
pub fn print_round_trips(rows: &[Row]) {
    println!("\nround trips over TLS to three hosts: a connect, a handshake and a request are one each\n");
    let lines = jobs::round_trips(rows).into_iter();
    let lines = lines.map(|(job, contender, trips)| [job.to_string(), contender.to_owned(), trips.to_string()]);
    println!("{}", table(["job", "contender", "round trips"], lines));
}

/// Prints the round trips of each command, and the chain that it cannot be below.
pub fn print_bounds(trips: &[Trips]) {
    println!("\nround trips of commands over TLS to three hosts, and the chain of what must follow what\n");
    let lines = trips.iter().map(|Trips { known, taken }| {
        [known.name.to_owned(), taken.to_string(), known.chain.len().to_string(), known.chain.join(" → ")]
    });
    println!("{}", table(["command", "round trips", "at least", "chain"], lines));
}

/// Returns the round trips of each command as JSON.
pub fn bounds(trips: &[Trips]) -> Value {
    let of_command = |Trips { known, taken }: &Trips| json!({"command": known.name, "round_trips": taken.numbers(), "chain": known.chain});
    trips.iter().map(of_command).collect()
}

/// Prints the table for many targets.
pub fn print_crowds(crowds: &[Crowd], Limits { concurrency, .. }: Limits) {
    println!("\nmany targets on the sandbox at 50 ms (the ideal is {concurrency} at once)\n");
    let lines = crowds.iter().map(|crowd| {
        let one = crowds.iter().find(|one| one.work == crowd.work && one.count == 1).unwrap_or(crowd);
        let seen = crowd.attempts.last().map(|attempt| attempt.seen);
        [
            format!("{} {}", crowd.work, crowd.count),
            crowd.usage().wall().to_string(),
            efficiency(crowd, one, concurrency).to_string(),
            crowd.usage().cpu().to_string(),
            crowd.usage().memory().to_string(),
            count(seen.map(|seen| seen.requests)),
            crowd.rate().to_string(),
            crowd.throttled().to_string(),
        ]
    });
    let header = [
        "targets",
        "time, ms",
        "of the ideal",
        "processor, ms",
        "memory, MiB",
        "requests",
        "to the source's STS, in 1 s",
        "throttled",
    ];
    println!("{}", table(header, lines));
}

/// Prints the table of offline commands.
pub fn print_startup(startup: &Startup) {
    println!("\noffline commands\n");
    let nothing = [("true", &startup.nothing)];
    let commands = startup.commands.iter().map(|(name, times)| (*name, times));
    let lines = nothing.into_iter().chain(commands).map(|(name, times)| [name.to_owned(), times.to_string()]);
    println!("{}", table(["command", "time, ms"], lines));
}

/// Prints the performance targets.
pub fn print_bars(bars: &[Bar]) {
    println!("\nbars\n");
    let lines = bars.iter().map(|bar| {
        let word = if bar.met { "met" } else { "MISSED" };
        [bar.what.clone(), bar.bar.clone(), bar.figure.clone(), word.to_owned()]
    });
    println!("{}", table(["what", "bar", "figure", ""], lines));
}

/// Returns the results for one link as JSON.
pub fn jobs(rows: &[Row]) -> Value {
    let of_row = |row: &Row| {
        let seen = row.attempts.iter().map(|attempt| attempt.seen);
        json!({
            "job": row.scenario.job.to_string(),
            "server": row.scenario.server.to_string(),
            "latency_ms": row.scenario.distance.latency.as_millis(),
            "tls": row.scenario.distance.tls,
            "contender": row.contender,
            "wall_ms": row.usage().wall().numbers(),
            "cpu_ms": row.usage().cpu().numbers(),
            "memory_mib": row.usage().memory().numbers(),
            "requests": seen.clone().map(|seen| seen.map(|seen| seen.requests)).collect::<Vec<_>>(),
            "steps": seen.clone().map(|seen| seen.map(|seen| seen.steps)).collect::<Vec<_>>(),
            "at_once": seen.map(|seen| seen.map(|seen| seen.at_once)).collect::<Vec<_>>(),
            "connections": row.attempts.iter().map(|attempt| attempt.connections).collect::<Vec<_>>(),
        })
    };
    rows.iter().map(of_row).collect()
}

/// Returns the results for many targets as JSON.
pub fn crowds(crowds: &[Crowd]) -> Value {
    let of_crowd = |crowd: &Crowd| {
        json!({
            "work": crowd.work.to_string(),
            "targets": crowd.count,
            "wall_ms": crowd.usage().wall().numbers(),
            "cpu_ms": crowd.usage().cpu().numbers(),
            "memory_mib": crowd.usage().memory().numbers(),
            "requests": crowd.attempts.iter().map(|attempt| attempt.seen.requests).collect::<Vec<_>>(),
            "steps": crowd.attempts.iter().map(|attempt| attempt.seen.steps).collect::<Vec<_>>(),
            "source_sts_requests_in_a_second": crowd.rate(),
            "throttled": crowd.throttled(),
        })
    };
    crowds.iter().map(of_crowd).collect()
}

/// Returns the results for offline commands as JSON.
pub fn startup(startup: &Startup) -> Value {
    let commands = startup.commands.iter().map(|(name, times)| ((*name).to_owned(), json!(times.numbers())));
    json!({"true": startup.nothing.numbers(), "xacct": commands.collect::<serde_json::Map<_, _>>()})
}

/// Returns the times of `exec` as JSON.
pub fn vault(Vault { xacct, vault }: &Vault) -> Value {
    json!({"xacct_ms": xacct.numbers(), "aws_vault_ms": vault.numbers()})
}

/// Returns the performance targets as JSON.
pub fn bars(bars: &[Bar]) -> Value {
    let of_bar = |bar: &Bar| json!({"what": bar.what, "bar": bar.bar, "figure": bar.figure, "met": bar.met});
    bars.iter().map(of_bar).collect()
}

/// Returns the number of CPUs of the machine and its load (`/proc/loadavg`, if it exists).
pub fn load() -> Result<String> {
    let cores = std::thread::available_parallelism()?;
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').take(3).collect::<Vec<_>>().join(" ");
    Ok(format!("{cores} cores, load {}", if load.is_empty() { "unknown" } else { &load }))
}
