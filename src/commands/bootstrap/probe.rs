//! Decides before the test whether the role can have a test bucket (`--probe auto`).

use super::arguments::Bootstrap;
use super::work::{Job, Work};
use crate::aws::client::access::Access;
use crate::cli::{BucketNamespace, Probe};
use crate::config::ConfigFile;
use crate::iam::names::{SAMPLE_SUFFIX, test_bucket_name};
use crate::iam::plan::Change;
use crate::operations::run::side_by_side;
use crate::proof::{Foreseen, Foresight, StepId, StepOutcome};

/// The questions of all links, in their order; `None` for a link whose settings decide. They hold all that the answers
/// need, so that these can be read beside the writes.
pub struct Questions(Vec<Option<Question>>);

/// A question about one link.
struct Question {
    access: Access,
    foresight: Foresight,
    /// The role before the plan, if `xacct.toml` says to test without a bucket: bootstrap decided that only if the role's
    /// policies could never allow one. If they could, a person did, and it stays.
    before: Option<Foresight>,
    /// A name that the bucket can have.
    bucket: String,
    /// Whether the name is in the Region of the test.
    is_exact: bool,
}

impl Questions {
    /// Returns the questions of this run.
    pub fn of(work: &Work, args: &Bootstrap, file: &ConfigFile) -> Self {
        let question = |job: &Job| {
            let access = job.operator.as_ref()?.access.clone();
            if job.link.probe == Probe::Auto {
                return Some(Question::of(job, access));
            }
            let before = job.state.foresight().before().filter(|_| is_decided_anew(job, args, file))?;
            Some(Question { before: Some(before), ..Question::of(job, access) })
        };
        Self(work.jobs.iter().map(question).collect())
    }

    /// Reads the policies and answers.
    pub async fn answer(self, concurrency: Option<u16>) -> Answers {
        let answer = async |question: &Option<Question>| match question {
            Some(question) => question.answer().await,
            None => None,
        };
        Answers(side_by_side(&self.0, concurrency, answer).await)
    }
}

impl Question {
    fn of(job: &Job, access: Access) -> Self {
        let link = &job.link;
        let is_regional = link.bucket_namespace == BucketNamespace::AccountRegional;
        let region = link.region.as_ref().unwrap_or(&access.region);
        let bucket = test_bucket_name(SAMPLE_SUFFIX, &job.role.account, region, is_regional);
        // Without a Region in the link, the test uses that of the user's credentials.
        let is_exact = link.region.is_some() || !is_regional;
        Self { foresight: job.state.foresight(), before: None, access, bucket, is_exact }
    }

    /// Returns what the policies say; `None` if that does not matter.
    async fn answer(&self) -> Option<Foreseen> {
        if let Some(before) = &self.before
            && !matches!(before.look(&self.access, &self.bucket).await, Foreseen::Impossible(_))
        {
            return None;
        }
        Some(match self.foresight.look(&self.access, &self.bucket).await {
            Foreseen::Impossible(_) if !self.is_exact => Foreseen::Unread,
            foreseen => foreseen,
        })
    }
}

/// What the policies of each link say, in the order of the links.
pub struct Answers(Vec<Option<Foreseen>>);

impl Answers {
    /// Puts the answers to the links: `xacct.toml` records them, for verify.
    pub fn settle(self, work: &mut Work) {
        for (job, foreseen) in work.jobs.iter_mut().zip(self.0) {
            match foreseen {
                None => {}
                // What was decided for other policies ends with them.
                Some(Foreseen::Possible) => job.link.probe = Probe::Auto,
                Some(Foreseen::Unread) => job.state.is_open = job.link.probe == Probe::Auto,
                Some(Foreseen::Impossible(why)) => without_bucket(job, why),
            }
        }
    }
}

/// Takes over what only the test could find out, with the session's own rights to read. Returns whether there was anything.
pub fn settle_late(work: &mut Work) -> bool {
    let mut any = false;
    for job in &mut work.jobs {
        let steps = job.state.proof.iter().flatten().flat_map(|proof| &proof.steps);
        let mut skipped = steps.filter(|it| it.id == StepId::CreateBucket && it.outcome == StepOutcome::Skipped);
        if job.link.probe == Probe::Auto
            && let Some(why) = skipped.next().map(|step| step.evidence.clone())
        {
            without_bucket(job, why);
            any = true;
        }
    }
    any
}

/// Returns whether `xacct.toml` says to test without a bucket, and was about other policies, or this plan lets the role do
/// more.
fn is_decided_anew(job: &Job, args: &Bootstrap, file: &ConfigFile) -> bool {
    let link = &job.link;
    let Some(recorded) = file.target(&link.name).filter(|recorded| recorded.probe == Some(Probe::Identity)) else {
        return false;
    };
    let is_about_others = recorded.policy_arns != link.policy_arns
        || recorded.policy_files != link.policy_files
        || recorded.permissions_boundary != link.permissions_boundary;
    let adds = job.plan.changes.iter().any(Change::adds_permissions);
    args.proof.probe.is_none() && (is_about_others || adds)
}

fn without_bucket(job: &mut Job, why: String) {
    job.link.probe = Probe::Identity;
    job.state.no_bucket = Some(why);
}
