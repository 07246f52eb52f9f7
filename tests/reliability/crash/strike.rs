//! One signal, sent to one run.

use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};

use xacct_sandbox::{Hold, Stage};

use super::call::Call;
use super::trial::{Traces, Trial};
use crate::scene::{ACCOUNT_B, Scene};
use crate::support::{Output, Running};

/// How long requests may take to end after a signal.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long after its client was struck a request takes effect that is late.
const LATE: Duration = Duration::from_millis(300);

/// When a signal is sent, and which.
#[derive(Debug, Clone)]
pub struct Blow {
    /// When.
    pub when: When,
    /// Which.
    pub signal: Signal,
}

/// When a signal is sent.
#[derive(Debug, Clone)]
pub enum When {
    /// At a moment of a call.
    At(Call, Moment),
    /// This long after the start.
    After(Duration),
}

/// A moment of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    /// AWS has the request, and will never do anything about it.
    Lost,
    /// AWS has the request, and does what it asks when its client has been struck.
    Late,
    /// AWS has done what was asked, and its answer never comes.
    Unanswered,
    /// The answer has been sent.
    Answered,
}

impl Moment {
    const ALL: [Self; 4] = [Self::Lost, Self::Late, Self::Unanswered, Self::Answered];

    /// The moments that are worth a signal: what only reads takes no effect, late or unanswered.
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
    /// Ctrl-C, and again a moment later: there is no patience for the deletion of buckets.
    IntTwice,
}

impl Signal {
    pub const ALL: [Self; 4] = [Self::Kill, Self::Int, Self::Term, Self::IntTwice];

    /// The signals that are worth sending at a call: without a bucket the second Ctrl-C finds nothing under way.
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

    /// The exit code of a run that it ended.
    fn exit_code(self) -> i32 {
        128 + self.number().as_raw()
    }
}

/// What came of it.
#[derive(Debug)]
pub struct Struck {
    /// When and with what.
    pub blow: Blow,
    /// Whether the run was through before the signal could end it.
    pub was_through: bool,
    /// How long after the signal the run ended.
    pub ended_after: Duration,
    /// How many test buckets were left.
    pub left: usize,
    /// Whether the same command, run again, came to what an undisturbed run comes to.
    pub converged: bool,
    /// What did not hold.
    pub problems: Vec<String>,
}

/// Starts the command, strikes, and runs it again.
pub fn strike(trial: &Trial, blow: Blow) -> Struck {
    let scene = trial.scene();
    let Interrupted { output, ended_after, problem } = interrupt(&scene, trial, &blow);
    let mut problems = Vec::from_iter(problem);
    let mut demand = |holds: bool, what: &dyn Fn() -> String| {
        if !holds {
            problems.push(what());
        }
    };

    let traces = Traces::of(&scene);
    let was_through = output.code == 0 && traces == trial.goal;
    demand(was_through || output.code == blow.signal.exit_code(), &|| format!("ended wrongly: {output}"));
    // Before it listens to signals it has asked for nothing, and the default is right.
    let listens = !scene.sandbox.requests().is_empty();
    if blow.signal != Signal::Kill && listens && !was_through {
        let last = output.stderr.lines().last().unwrap_or_default();
        let says = output.stderr.contains("error: interrupted") && last.contains("run the same command again");
        demand(says, &|| format!("does not say what to do: {output}"));
        demand(temporary_files(&scene).is_empty(), &|| format!("left {:?}", temporary_files(&scene)));
    }
    let is_whole = traces.file == trial.start.file || traces.file == trial.goal.file;
    demand(is_whole, &|| format!("neither the old file nor the new one: {:?}", traces.file));
    let spared = traces.of_others() == trial.start.of_others();
    demand(spared, &|| format!("touched what is of others: {}", trial.start.differences(&traces)));
    let left = traces.test_buckets();
    let may_be_left = match blow.signal {
        Signal::Kill => 1,
        Signal::IntTwice => usize::from(output.stderr.contains("may be left behind")),
        Signal::Int | Signal::Term => 0,
    };
    demand(left.len() <= may_be_left, &|| format!("left {left:?}: {output}"));

    let again = scene.xacct(&trial.words);
    if let Some(bucket) = left.first() {
        let sweep = scene.xacct(&format!("sweep {ACCOUNT_B} --yes --older-than 0s --target-profile dev-admin"));
        demand(sweep.code == 0 && sweep.stdout.contains(bucket), &|| format!("did not sweep {bucket}: {sweep}"));
    }
    let traces = Traces::of(&scene);
    let converged = again.code == 0 && traces == trial.goal;
    demand(converged, &|| format!("did not converge: {}\n{again}", trial.goal.differences(&traces)));
    Struck { blow, was_through, ended_after, left: left.len(), converged, problems }
}

/// A run that was struck.
struct Interrupted {
    output: Output,
    ended_after: Duration,
    /// The call never came.
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
                problem = Some("the call never came".to_owned());
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
    // As a shell has it.
    output.code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default());
    let ended_after = struck.elapsed();
    wait_for_quiet(scene, may_hang);
    Interrupted { output, ended_after, problem }
}

/// Waits for the request to come so far, or for the run to end without it.
fn reaches(run: &mut Running, hold: &Hold) -> bool {
    while !run.is_over() {
        if hold.reached(Duration::from_millis(20)) {
            return true;
        }
    }
    // A run may end before it is known that its last answer has left.
    hold.reached(Duration::from_secs(1))
}

/// Waits until AWS has done all it was asked for, but for what hangs on purpose.
fn wait_for_quiet(scene: &Scene, may_hang: usize) {
    let start = Instant::now();
    while scene.sandbox.requests().iter().filter(|request| request.end.is_none()).count() > may_hang {
        assert!(start.elapsed() < PATIENCE, "a request takes for ever");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// What a run leaves that was writing a file.
fn temporary_files(scene: &Scene) -> Vec<String> {
    let folder = std::fs::read_dir(scene.environment.path("")).expect("the folder");
    let names = folder.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with(".xacct-")).collect()
}
