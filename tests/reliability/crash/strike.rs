//! Sends one signal to one run.

use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};

use xacct_sandbox::{Hold, Stage};

use super::call::Call;
use super::trial::{Traces, Trial};
use crate::scene::{ACCOUNT_B, Scene};
use crate::support::{Output, Running};

/// The maximum time that requests may take after a signal.
const PATIENCE: Duration = Duration::from_secs(30);

/// The delay of a late request, counted from the signal to its client.
const LATE: Duration = Duration::from_millis(300);

/// A signal and its time.
#[derive(Debug, Clone)]
pub struct Blow {
    /// The time.
    pub when: When,
    /// The signal.
    pub signal: Signal,
}

/// The time of a signal.
#[derive(Debug, Clone)]
pub enum When {
    /// During a call.
    At(Call, Moment),
    /// This long after the start.
    After(Duration),
}

/// A moment during a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    /// AWS has received the request and never processes it.
    Lost,
    /// AWS has received the request and processes it after the signal.
    Late,
    /// AWS has processed the request, but the answer never arrives.
    Unanswered,
    /// AWS has sent the answer.
    Answered,
}

impl Moment {
    const ALL: [Self; 4] = [Self::Lost, Self::Late, Self::Unanswered, Self::Answered];

    /// Returns the moments worth testing: for reads, late or lost answers make no difference.
    pub fn of(call: &Call) -> &'static [Self] {
        if call.is_write() { &Self::ALL } else { &[Self::Lost, Self::Answered] }
    }

    fn stage(self) -> Stage {
        match self {
            Self::Lost | Self::Late => Stage::Arrived,
            Self::Unanswered => Stage::Processed,
            Self::Answered => Stage::Answered,
        }
    }
}

/// A signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signal {
    Kill,
    Int,
    Term,
    /// Ctrl-C twice: the second one skips the deletion of buckets.
    IntTwice,
}

impl Signal {
    pub const ALL: [Self; 4] = [Self::Kill, Self::Int, Self::Term, Self::IntTwice];

    /// Returns the signals worth testing at a call: without a bucket, the second Ctrl-C makes no difference.
    pub fn of(call: &Call) -> &'static [Self] {
        if call.operation.ends_with("Bucket") { &Self::ALL } else { &[Self::Kill, Self::Int, Self::Term] }
    }

    fn number(self) -> rustix::process::Signal {
        match self {
            Self::Kill => rustix::process::Signal::KILL,
            Self::Int | Self::IntTwice => rustix::process::Signal::INT,
            Self::Term => rustix::process::Signal::TERM,
        }
    }

    /// Returns the exit code of a run that this signal ended.
    fn exit_code(self) -> i32 {
        128 + self.number().as_raw()
    }
}

/// The result of an interruption.
#[derive(Debug)]
pub struct Struck {
    /// The signal and its time.
    pub blow: Blow,
    /// Whether the run finished before the signal could end it.
    pub was_through: bool,
    /// The time from the signal to the end of the run.
    pub ended_after: Duration,
    /// The number of test buckets left behind.
    pub left: usize,
    /// Whether the same command, run again, reached the result of an uninterrupted run.
    pub converged: bool,
    /// The failed checks.
    pub problems: Vec<String>,
}

/// Starts the command, sends the signal, and runs the command again.
pub fn strike(trial: &Trial, blow: Blow) -> Struck {
    let scene = trial.scene();
    let Interrupted { output, ended_after, problem } = interrupt(&scene, trial, &blow);
    let mut problems = Vec::from_iter(problem);
    let mut ensure = |holds: bool, what: &dyn Fn() -> String| {
        if !holds {
            problems.push(what());
        }
    };

    let traces = Traces::of(&scene);
    let was_through = output.code == 0 && traces == trial.goal;
    ensure(was_through || output.code == blow.signal.exit_code(), &|| format!("ended wrongly: {output}"));
    // Before xacct handles signals it has sent no request, so the default action is right.
    let listens = !scene.sandbox.requests().is_empty();
    if blow.signal != Signal::Kill && listens && !was_through {
        let last = output.stderr.lines().last().unwrap_or_default();
        let says = output.stderr.contains("error: interrupted") && last.contains("run the command again");
        ensure(says, &|| format!("does not say what to do: {output}"));
        ensure(temporary_files(&scene).is_empty(), &|| format!("left {:?}", temporary_files(&scene)));
    }
    let is_whole = [&trial.start.file, &trial.between, &trial.goal.file].contains(&&traces.file);
    ensure(is_whole, &|| format!("the file is neither the old nor the new one: {:?}", traces.file));
    let spared = traces.of_others() == trial.start.of_others();
    ensure(spared, &|| format!("changed unmanaged resources: {}", trial.start.differences(&traces)));
    let left = traces.test_buckets();
    let may_be_left = match blow.signal {
        Signal::Kill => 1,
        Signal::IntTwice => usize::from(output.stderr.contains("may be left behind")),
        Signal::Int | Signal::Term => 0,
    };
    ensure(left.len() <= may_be_left, &|| format!("left {left:?}: {output}"));

    let again = scene.xacct(&trial.words);
    if let Some(bucket) = left.first() {
        let sweep = scene.xacct(&format!("sweep {ACCOUNT_B} --yes --older-than 0s --target-profile dev-admin"));
        ensure(sweep.code == 0 && sweep.stdout.contains(bucket), &|| format!("did not sweep {bucket}: {sweep}"));
    }
    let traces = Traces::of(&scene);
    let converged = again.code == 0 && traces == trial.goal;
    ensure(converged, &|| format!("did not converge: {}\n{again}", trial.goal.differences(&traces)));
    Struck { blow, was_through, ended_after, left: left.len(), converged, problems }
}

/// A run that received the signal.
struct Interrupted {
    output: Output,
    ended_after: Duration,
    /// The call never happened.
    problem: Option<String>,
}

fn interrupt(scene: &Scene, trial: &Trial, blow: &Blow) -> Interrupted {
    let (mut hold, mut may_hang, mut problem) = (None, 0, None);
    let mut run;
    match &blow.when {
        When::At(call, moment) => {
            let held = scene.sandbox.hold(&call.operation, call.number, moment.stage());
            run = scene.start(&trial.words);
            if !reaches(&mut run, &held) {
                problem = Some("the call never happened".to_owned());
            }
            may_hang = usize::from(matches!(moment, Moment::Lost | Moment::Unanswered));
            hold = Some((held, moment));
        }
        When::After(time) => {
            run = scene.start(&trial.words);
            std::thread::sleep(*time);
        }
    }
    run.signal(blow.signal.number());
    let struck = Instant::now();
    if let Some((held, _)) = hold.take_if(|(_, moment)| **moment == Moment::Late) {
        std::thread::sleep(LATE);
        held.release();
    }
    if blow.signal == Signal::IntTwice {
        std::thread::sleep(LATE);
        run.signal(blow.signal.number());
    }
    let (mut output, status) = run.ended_with_status();
    // As a shell reports it.
    output.code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default());
    let ended_after = struck.elapsed();
    wait_for_quiet(scene, may_hang);
    Interrupted { output, ended_after, problem }
}

/// Waits for the request to reach this moment, or for the run to end without it.
fn reaches(run: &mut Running, hold: &Hold) -> bool {
    while !run.is_over() {
        if hold.reached(Duration::from_millis(20)) {
            return true;
        }
    }
    // A run may end before the sandbox notices that its last answer was sent.
    hold.reached(Duration::from_secs(1))
}

/// Waits until the sandbox has processed all requests except those that hang on purpose.
fn wait_for_quiet(scene: &Scene, may_hang: usize) {
    let start = Instant::now();
    while scene.sandbox.requests().iter().filter(|request| request.end.is_none()).count() > may_hang {
        assert!(start.elapsed() < PATIENCE, "a request did not finish in time");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Returns the temporary files of a run that was interrupted while writing.
fn temporary_files(scene: &Scene) -> Vec<String> {
    let folder = std::fs::read_dir(scene.environment.path("")).expect("the directory");
    let names = folder.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with(".xacct-")).collect()
}
