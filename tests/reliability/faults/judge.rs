//! What must hold at every point.

use std::time::{Duration, Instant};

use serde_json::Value;
use xacct_sandbox::world::{ADMIN_A, ADMIN_B, ALICE};
use xacct_sandbox::{Fault, FaultKind, Sandbox, SandboxBuilder};

use super::kinds::{Call, Kind};
use super::scenario::{Scenario, standing};
use crate::scene::{ACCOUNT_A, ACCOUNT_B, Scene};
use crate::support::Output;
use crate::support::schema;

/// A call that always hangs is given up after 35 seconds, and may be asked for before and after the writes, or once more
/// to delete the last bucket; the rest is for a machine that has much to do.
const DEADLINE: Duration = Duration::from_secs(90);

/// Faults of one run.
pub struct Point<'a> {
    /// The command.
    pub scenario: &'a Scenario,
    /// Which call goes wrong, how, and whether the operation goes on to.
    pub faults: Vec<(&'a Call, &'a Kind, bool)>,
    /// How far the server's clock is off, in seconds.
    pub skew: i64,
}

/// What came of a point.
pub struct Outcome {
    /// Whether the run succeeded in spite of it.
    pub succeeded: bool,
    /// How long it took.
    pub took: Duration,
    /// Whether a bucket was left, and swept up afterwards.
    pub left: bool,
}

impl Point<'_> {
    /// What was tried, in words.
    pub fn name(&self) -> String {
        let fault = |(call, kind, lasts): &(&Call, &Kind, bool)| {
            let lasts = if *lasts { ", always" } else { "" };
            format!("{} {} ({}{lasts})", call.operation, call.number, kind.name)
        };
        let faults: Vec<_> = self.faults.iter().map(fault).collect();
        format!("{}: {} clock {:+}", self.scenario.name, faults.join(" and "), self.skew)
    }

    /// Tries it. `Err` says what does not hold.
    pub fn try_it(&self) -> Result<Outcome, String> {
        let builder = self.faults.iter().fold(Sandbox::builder(), |builder, (call, kind, lasts)| {
            let last = if *lasts { u64::MAX } else { call.number };
            let fault = Fault::new(&call.operation, kind.what.clone()).on_calls(call.number..=last);
            builder.fault(Fault { processed: kind.processed, ..fault })
        });
        let scene = self.scenario.begin(SandboxBuilder::clock_skew(builder, self.skew));
        let start = Instant::now();
        let output = scene.xacct(&self.scenario.words);
        let took = start.elapsed();
        let succeeded = output.code == 0;
        let check = || -> Result<bool, String> {
            demand(took < DEADLINE, || format!("it took {took:?}"))?;
            self.ends_well(&output)?;
            keeps_secrets(&scene, &output, self.scenario.name == "credentials" && succeeded)?;
            makes_nothing_twice(&scene)?;
            demand(succeeded || !self.must_be_overcome(), || "it must be overcome".to_owned())?;
            let left = self.leaves(&scene, &output)?;
            self.converges(&scene, succeeded)?;
            Ok(left)
        };
        match check() {
            Ok(left) => Ok(Outcome { succeeded, took, left }),
            Err(why) => Err(format!("{}: {why}\n{output}", self.name())),
        }
    }

    fn must_be_overcome(&self) -> bool {
        match self.faults.as_slice() {
            [(call, kind, false)] => (kind.overcome)(call),
            several => several.is_empty(),
        }
    }

    /// An exit code from the list, a document that follows the schema, and errors that say where and what to do.
    fn ends_well(&self, output: &Output) -> Result<(), String> {
        demand([0, 1, 3].contains(&output.code), || "an exit code for no such thing".to_owned())?;
        demand(!output.everything().contains("panicked"), || "a panic".to_owned())?;
        if self.scenario.name != "credentials" {
            let document = serde_json::from_str(&output.stdout).map_err(|error| format!("no document: {error}"))?;
            schema::assert_follows_the_schema(&document);
            demand(document["exit_code"] == output.code, || "the document says another exit code".to_owned())?;
            errors(&document).try_for_each(|error| {
                let has_hint = error["hints"].as_array().is_some_and(|hints| !hints.is_empty());
                demand(has_hint, || format!("no hint: {error:#}"))
            })?;
        }
        if output.code == 0 {
            return Ok(());
        }
        let everything = output.everything();
        // Of a server that is gone every call is struck, and of one whose clock is off what the SDK learnt from it; a
        // thing that is not there is named, not the call that says so.
        let is_named = |(call, kind, _): &(&Call, &Kind, _)| match kind.what {
            FaultKind::Gone | FaultKind::Skew(_) => {
                ["iam:", "sts:", "s3:"].iter().any(|service| everything.contains(service))
            }
            _ => everything.contains(&call.name()) || kind.name == "NoSuchEntity",
        };
        demand(self.faults.iter().any(is_named), || "no error names the call".to_owned())?;
        paragraphs(&output.stderr).iter().try_for_each(|error| {
            let whose = [ACCOUNT_A, ACCOUNT_B, "profile "].iter().any(|text| error.contains(text));
            demand(whose, || format!("no account and no credentials are named: {error}"))
        })
    }

    /// No bucket, but where deleting it is what fails; then it is named, and swept up later.
    fn leaves(&self, scene: &Scene, output: &Output) -> Result<bool, String> {
        let kept = self.scenario.end.0["buckets"].as_object().map_or(0, serde_json::Map::len);
        if self.scenario.name == "sweep" || scene.buckets() == kept {
            return Ok(false);
        }
        let cannot_delete = self
            .faults
            .iter()
            .any(|(call, kind, lasts)| kind.what == FaultKind::Gone || (*lasts && call.operation == "DeleteBucket"));
        demand(cannot_delete, || "a bucket is left".to_owned())?;
        demand(output.stderr.contains("aws s3api delete-bucket --bucket xacct-verify-"), || {
            "a bucket is left, and not named".to_owned()
        })?;
        scene.sandbox.clear_faults();
        if !scene.environment.has("xacct.toml") {
            return Err("a bucket is left, and no xacct.toml to sweep with".to_owned());
        }
        let swept = scene.xacct("sweep --yes --older-than 0s");
        demand(scene.buckets() == kept, || format!("a bucket is left by sweep, too\n{swept}"))?;
        Ok(true)
    }

    /// What succeeded is as an undisturbed run leaves it; what failed becomes so by running it again.
    fn converges(&self, scene: &Scene, succeeded: bool) -> Result<(), String> {
        if standing(scene) == self.scenario.end {
            return Ok(());
        }
        demand(!succeeded, || "it says that it succeeded, and left other things than an undisturbed run".to_owned())?;
        scene.sandbox.clear_faults();
        let again = scene.xacct(&self.scenario.words);
        demand(again.code == 0, || format!("the next run fails\n{again}"))?;
        let (found, wanted) = (standing(scene), &self.scenario.end);
        demand(found == *wanted, || format!("the next run leaves {found:#?}\nnot {wanted:#?}\n{again}"))
    }
}

fn demand(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}

/// No secret of anybody's; a session's own where it is asked for.
fn keeps_secrets(scene: &Scene, output: &Output, may_show_session: bool) -> Result<(), String> {
    let mut secrets = [ADMIN_A, ADMIN_B, ALICE].map(|key| key.secret.to_owned()).to_vec();
    if !may_show_session {
        scene.sandbox.world(|world| {
            secrets.extend(world.sessions().flat_map(|session| [session.key.secret.clone(), session.token.clone()]));
        });
    }
    let said = output.everything();
    demand(!secrets.iter().any(|secret| said.contains(secret.as_str())), || "a secret is shown".to_owned())
}

/// At most one request that makes a role or a bucket of one name is answered with success.
fn makes_nothing_twice(scene: &Scene) -> Result<(), String> {
    let mut made: Vec<_> = ["CreateRole", "CreateBucket"]
        .iter()
        .flat_map(|operation| scene.requests(operation))
        .filter(|request| request.status == Some(200) && request.error_code.is_none())
        .map(|request| request.parameter("RoleName").or(request.parameter("Bucket")).map(str::to_owned))
        .collect();
    made.sort();
    let all = made.len();
    made.dedup();
    demand(made.len() == all, || format!("something is made twice: {made:?}"))
}

/// All errors of a document, wherever they stand.
fn errors(document: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match document {
        Value::Object(fields) => Box::new(fields.iter().flat_map(|(name, value)| {
            let own = (name == "error" && value.is_object()).then_some(value);
            own.into_iter().chain(errors(value))
        })),
        Value::Array(items) => Box::new(items.iter().flat_map(errors)),
        _ => Box::new(std::iter::empty()),
    }
}

/// Each error on stderr, with what is said of it below.
fn paragraphs(stderr: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut inside = false;
    for line in stderr.lines() {
        if line.starts_with("error:") {
            found.push(line.to_owned());
            inside = true;
        } else if inside && line.starts_with("  ") {
            if let Some(error) = found.last_mut() {
                error.push_str(line);
            }
        } else {
            inside = false;
        }
    }
    found
}
