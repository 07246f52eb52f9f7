//! The checks at every point.

use std::time::{Duration, Instant};

use serde_json::Value;
use xacct_sandbox::world::{ADMIN_A, ADMIN_B, ALICE};
use xacct_sandbox::{Fault, FaultKind, Sandbox, SandboxBuilder};

use super::kinds::{Call, Kind};
use super::scenario::{Scenario, standing};
use crate::scene::{ACCOUNT_A, ACCOUNT_B, Scene};
use crate::support::Output;
use crate::support::schema;

/// The maximum time of a run. A hanging call times out after 35 seconds, and may occur before and after the writes, and
/// once more to delete the last bucket; the rest is a margin for a busy machine.
const DEADLINE: Duration = Duration::from_secs(90);

/// The faults of one run.
pub struct Point<'a> {
    /// The command.
    pub scenario: &'a Scenario,
    /// The failing call, its fault, and whether later calls of the operation fail too.
    pub faults: Vec<(&'a Call, &'a Kind, bool)>,
    /// The clock skew of the server, in seconds.
    pub skew: i64,
}

/// The result of a point.
pub struct Outcome {
    /// Whether the run succeeded despite the fault.
    pub succeeded: bool,
    /// The duration of the run.
    pub took: Duration,
    /// Whether a bucket was left behind and deleted by `sweep`.
    pub left: bool,
}

impl Point<'_> {
    /// Describes the point.
    pub fn name(&self) -> String {
        let fault = |(call, kind, lasts): &(&Call, &Kind, bool)| {
            let lasts = if *lasts { ", always" } else { "" };
            format!("{} {} ({}{lasts})", call.operation, call.number, kind.name)
        };
        let faults: Vec<_> = self.faults.iter().map(fault).collect();
        format!("{}: {} clock {:+}", self.scenario.name, faults.join(" and "), self.skew)
    }

    /// Runs the command with these faults. `Err` names the failed check.
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
            ensure(took < DEADLINE, || format!("it took {took:?}"))?;
            self.ends_well(&output)?;
            keeps_secrets(&scene, &output, self.scenario.name == "credentials" && succeeded)?;
            makes_nothing_twice(&scene)?;
            ensure(succeeded || !self.must_be_overcome(), || "the run must survive this fault".to_owned())?;
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

    /// Checks for a documented exit code, a document that follows the schema, and errors with location and hint.
    fn ends_well(&self, output: &Output) -> Result<(), String> {
        // Only a resource that IAM calls absent says something about the link.
        let may_be_broken = self.faults.iter().any(|(_, kind, _)| kind.name == "NoSuchEntity");
        let is_expected = [0, 1, 5].contains(&output.code) || (output.code == 3 && may_be_broken);
        ensure(is_expected, || "an unexpected exit code".to_owned())?;
        ensure(!output.everything().contains("panicked"), || "a panic".to_owned())?;
        if self.scenario.name != "credentials" {
            let document = serde_json::from_str(&output.stdout).map_err(|error| format!("no document: {error}"))?;
            schema::assert_follows_the_schema(&document);
            ensure(document["exit_code"] == output.code, || "the document has another exit code".to_owned())?;
            outcomes(&document).try_for_each(|outcome| {
                let is_right = ["works", "not_proven"].contains(&outcome);
                ensure(is_right, || format!("the fault says nothing about the link, and the outcome is {outcome}"))
            })?;
            errors(&document).try_for_each(|error| {
                let has_hint = error["hints"].as_array().is_some_and(|hints| !hints.is_empty());
                ensure(has_hint, || format!("no hint: {error:#}"))
            })?;
        }
        if output.code == 0 {
            return Ok(());
        }
        let everything = output.everything();
        // If the server is gone, every call fails; with clock skew, the SDK corrects later calls; and for a missing
        // resource the message names the resource instead of the call.
        let is_named = |(call, kind, _): &(&Call, &Kind, _)| match kind.what {
            FaultKind::Gone | FaultKind::Skew(_) => {
                ["iam:", "sts:", "s3:"].iter().any(|service| everything.contains(service))
            }
            _ => everything.contains(&call.name()) || kind.name == "NoSuchEntity",
        };
        ensure(self.faults.iter().any(is_named), || "no error names the call".to_owned())?;
        paragraphs(&output.stderr).iter().try_for_each(|error| {
            let whose = [ACCOUNT_A, ACCOUNT_B, "profile "].iter().any(|text| error.contains(text));
            ensure(whose, || format!("neither the account nor the credentials are named: {error}"))
        })
    }

    /// Checks that no bucket is left, unless its deletion failed; then it is named and can be swept.
    fn leaves(&self, scene: &Scene, output: &Output) -> Result<bool, String> {
        let kept = self.scenario.end.0["buckets"].as_object().map_or(0, serde_json::Map::len);
        if self.scenario.name == "sweep" || scene.buckets() == kept {
            return Ok(false);
        }
        let cannot_delete = self
            .faults
            .iter()
            .any(|(call, kind, lasts)| kind.what == FaultKind::Gone || (*lasts && call.operation == "DeleteBucket"));
        ensure(cannot_delete, || "a bucket is left".to_owned())?;
        ensure(output.stderr.contains("aws s3api delete-bucket --bucket xacct-verify-"), || {
            "a bucket is left, and not named".to_owned()
        })?;
        scene.sandbox.clear_faults();
        if !scene.environment.has("xacct.toml") {
            return Err("a bucket is left, and no xacct.toml to sweep with".to_owned());
        }
        let swept = scene.xacct("sweep --all --yes --older-than 0s");
        ensure(scene.buckets() == kept, || format!("sweep leaves a bucket too\n{swept}"))?;
        Ok(true)
    }

    /// Checks that a successful run has the result of an undisturbed one, and that after a failed run the next one
    /// reaches it.
    fn converges(&self, scene: &Scene, succeeded: bool) -> Result<(), String> {
        if standing(scene) == self.scenario.end {
            return Ok(());
        }
        ensure(!succeeded, || "the run reports success, but its result differs from an undisturbed run".to_owned())?;
        scene.sandbox.clear_faults();
        let again = scene.xacct(&self.scenario.words);
        ensure(again.code == 0, || format!("the next run fails\n{again}"))?;
        let (found, wanted) = (standing(scene), &self.scenario.end);
        ensure(found == *wanted, || format!("the next run leaves {found:#?}\nnot {wanted:#?}\n{again}"))
    }
}

fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}

/// Checks that the output contains no secret, except a session's own where the command prints it.
fn keeps_secrets(scene: &Scene, output: &Output, may_show_session: bool) -> Result<(), String> {
    let mut secrets = [ADMIN_A, ADMIN_B, ALICE].map(|key| key.secret.to_owned()).to_vec();
    if !may_show_session {
        scene.sandbox.world(|world| {
            secrets.extend(world.sessions().flat_map(|session| [session.key.secret.clone(), session.token.clone()]));
        });
    }
    let said = output.everything();
    ensure(!secrets.iter().any(|secret| said.contains(secret.as_str())), || "a secret is shown".to_owned())
}

/// Checks that at most one request to create a role or bucket of the same name succeeded.
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
    ensure(made.len() == all, || format!("created twice: {made:?}"))
}

/// Returns all errors of a document.
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

/// Returns the outcome of each target's test.
fn outcomes(document: &Value) -> impl Iterator<Item = &str> {
    let targets = document["targets"].as_object().into_iter().flat_map(|targets| targets.values());
    targets.filter_map(|target| target["verification"]["outcome"].as_str())
}

/// Returns each error on stderr, with its notes and hints.
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
