//! Compares xacct with the tools people use today: `cargo bench --bench contenders`.
//!
//! All contenders do the same job (see [`job::Job`]) on the same servers, in turn, round after round. The results are
//! the median of the rounds and, in brackets, minimum and maximum. A failed job or a wrong result ends the benchmark.
//! xacct is built by `cargo build --release`; the time of a program is from its start to its end.
//!
//! The main table is over TLS to three hosts, where a connect, a handshake and a request each take a round trip of 50 ms or
//! 150 ms. The sandbox delays requests itself, and a proxy for each host delays connections; for ministack a proxy delays
//! what clients send. `terraform init` is not counted. A target that is missed fails the benchmark.
//!
//! Options, after `--`: `--rounds 5`, and the parts to run: `jobs`, `bounds`, `targets`, `vault`,
//! `startup`. The results are also written
//! to `bench/contenders.json` in the target directory.
//!
//! `cargo test` runs a short form, with xacct alone.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints what it measured, and panics where it cannot"
)]

mod bars;
mod bounds;
mod contender;
mod ground;
mod job;
mod jobs;
mod measure;
#[path = "../../tests/third_party/ministack.rs"]
mod ministack;
mod report;
mod result;
mod startup;
mod statistics;
#[path = "../../tests/support/mod.rs"]
mod support;
mod targets;
mod vault;
mod wire;

use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use serde_json::json;

use crate::contender::{Contender, XACCT};
use crate::ground::Server;
use crate::result::Result;

/// Compare xacct with the tools people use today
#[derive(Debug, Parser)]
struct Options {
    /// Number of counted rounds
    #[arg(long, default_value = "5", value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Parts to run (default: all)
    parts: Vec<Part>,
    /// Passed by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// One link, by every contender
    Jobs,
    /// Round trips of commands
    Bounds,
    /// Many targets
    Targets,
    /// `exec` beside aws-vault's
    Vault,
    /// Offline commands
    Startup,
}

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    let outcome = match arguments.nth(1) {
        Some(first) if first == measure::MEASURE => measure::measure(arguments),
        _ => run().map(|()| ExitCode::SUCCESS),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}

fn run() -> Result<()> {
    // The arguments of `cargo test` are for regular tests.
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    if is_bench { whole(&Options::parse()) } else { short() }
}

fn whole(options: &Options) -> Result<()> {
    let has = |part| options.parts.is_empty() || options.parts.contains(&part);
    let rounds = usize::from(options.rounds);
    let before = report::load()?;
    let mut found = serde_json::Map::new();
    let mut bars = Vec::new();
    let (contenders, mut skipped) = Contender::all();
    let versions = contenders.iter().map(Contender::version).collect::<Result<Vec<_>>>()?;
    println!("{}, median of {rounds} rounds (least–most)\n{before}", versions.join("; "));
    if has(Part::Jobs) {
        let mut servers = vec![Server::Sandbox];
        match ministack::shared() {
            Ok(_) => servers.push(Server::Ministack),
            Err(reason) => skipped.push(format!("everything on ministack: {reason}")),
        }
        let rows = jobs::run(&contenders, &jobs::scenarios(&servers), rounds)?;
        report::print_round_trips(&rows);
        report::print_jobs(&rows);
        bars.extend(bars::of_jobs(&rows));
        found.insert("jobs".to_owned(), report::jobs(&rows));
    }
    if has(Part::Bounds) {
        let trips = bounds::run(rounds)?;
        report::print_bounds(&trips);
        bars.extend(bars::of_bounds(&trips));
        found.insert("bounds".to_owned(), report::bounds(&trips));
    }
    if has(Part::Targets) {
        let limits = targets::Limits::usual()?;
        let crowds = targets::run(&[1, 10, 100], Some(1000), rounds)?;
        report::print_crowds(&crowds, limits);
        bars.extend(bars::of_crowds(&crowds, limits));
        found.insert("targets".to_owned(), report::crowds(&crowds));
    }
    if has(Part::Vault) {
        match vault::run(10 * rounds) {
            Ok(both) => {
                bars.push(bars::of_vault(&both));
                found.insert("vault".to_owned(), report::vault(&both));
            }
            Err(error) => skipped.push(format!("aws-vault: {error}")),
        }
    }
    if has(Part::Startup) {
        let startup = startup::run(20 * rounds)?;
        report::print_startup(&startup);
        bars.extend(bars::of_startup(&startup));
        found.insert("startup".to_owned(), report::startup(&startup));
    }
    report::print_bars(&bars);
    let after = report::load()?;
    println!("\n{after} at the end");
    for reason in &skipped {
        println!("skipped: {reason}");
    }
    found.insert("bars".to_owned(), report::bars(&bars));
    found.insert("versions".to_owned(), json!(versions));
    found.insert("machine".to_owned(), json!([before, after]));
    found.insert("skipped".to_owned(), json!(skipped));
    write(&serde_json::Value::Object(found))?;
    match bars.iter().filter(|bar| !bar.met).count() {
        0 => Ok(()),
        missed => Err(format!("{missed} of {} targets were missed", bars.len()).into()),
    }
}

/// Runs one round of what every machine has.
fn short() -> Result<()> {
    jobs::run(&[Contender::Xacct], &jobs::scenarios(&[Server::Sandbox]), 0)?;
    bounds::check()?;
    let crowds = targets::run(&[2], Some(50), 1)?;
    if crowds.iter().all(|crowd| crowd.throttled() == 0) {
        return Err("STS throttled nothing".into());
    }
    startup::run(1)?;
    Ok(())
}

fn write(found: &serde_json::Value) -> Result<()> {
    let folder = Path::new(XACCT).ancestors().nth(2).ok_or("no target directory")?.join("bench");
    std::fs::create_dir_all(&folder)?;
    let file = folder.join("contenders.json");
    std::fs::write(&file, format!("{found:#}\n"))?;
    println!("{}", file.display());
    Ok(())
}
