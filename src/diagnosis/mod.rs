//! The diagnosis of a link: which side is wrong, why, and how to fix it.
//!
//! [`collect`] reads both halves, and [`diagnose`] finds the causes. Across accounts, AWS gives the same message for
//! every denial of AssumeRole (IAM User Guide, "Troubleshoot access denied error messages"). So xacct evaluates the
//! policies, and uses AWS's message only if it says more.

mod age;
mod ahead;
mod checks;
pub mod collect;
mod context;
mod denial;
pub mod facts;
mod facts_file;
mod finding;
mod fix;
mod join;
pub mod made;
mod message;
pub mod pasted;
pub mod permission;
mod policies;
mod redact;
mod statement;
mod verdict;

use serde::{Serialize, Serializer};

use crate::answers::cause;
pub use crate::answers::cause::{Cause, Side};
pub use age::{outdated, provenance};
pub use facts::Facts;
pub use finding::{Certainty, Evidence, Finding, Possibility, said};
pub use fix::{Fix, FixStep};
pub use join::Part;
pub use message::{Message, Saved, messages, note as message_note, operated};
pub use policies::Unread;
pub use redact::Masks;
pub use verdict::{Layer, ReadPolicy, Verdict};

use ahead::Ahead;
use checks::{
    answer, bucket, change, credentials, duration, grant, mfa, named, others, possible, propagation, tail, too_open,
    trust, unparsed,
};
use facts::{Answer, LinkFacts};
use verdict::{ActionEvaluation, Evaluation, Evaluations};

/// The result of a diagnosis.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Diagnosis {
    /// The request and AWS's answer.
    pub attempt: Attempt,
    /// The decision of the policies, if the link was only evaluated for the principal: nothing is proven.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluated: Option<Evaluated>,
    /// The problems, in the order in which to fix them: first what AWS denied, the most certain first.
    pub findings: Vec<Finding>,
    /// Possible causes, if the facts do not show the cause.
    pub possible: Vec<Possibility>,
    /// What xacct could not read, and the missing permission.
    pub unread: Vec<Unread>,
    /// How each kind of policy decides, with reasons.
    pub layers: Vec<Layer>,
    /// The policies that decide about AssumeRole, as they were read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<ReadPolicy>,
    /// What should be changed and does not make the link wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Further facts, such as accepted callers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// What the policies decide for a principal without a request of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evaluated {
    /// The principal.
    #[serde(rename = "as")]
    pub principal: String,
    /// The decision on AssumeRole.
    pub verdict: Verdict,
    /// That of the trust policy alone; `None` if there is no role.
    #[serde(skip)]
    pub trust: Option<Verdict>,
    /// That of the principal's policies alone.
    #[serde(skip)]
    pub grant: Option<Verdict>,
}

impl Evaluated {
    /// Returns the decision on AssumeRole. The findings count, too: within one account a trust policy may be enough.
    fn of(facts: &Facts, evaluations: &Evaluations<'_>, findings: &[Finding]) -> Option<Self> {
        let layers = evaluations.assume.iter().flat_map(ActionEvaluation::layers).map(Evaluation::verdict);
        let (refusing, others): (Vec<_>, Vec<_>) = layers.partition(|verdict| verdict.refuses());
        let of_policies = || findings.iter().filter(|finding| !finding.foreseen);
        let verdict = if of_policies().any(|finding| finding.certainty == Certainty::Certain) {
            refusing.into_iter().max().unwrap_or(Verdict::NotAllowed)
        } else if of_policies().next().is_some() {
            Verdict::Unknown
        } else {
            others.into_iter().max().unwrap_or(Verdict::Unknown)
        };
        let assume = evaluations.assume.first();
        let trust = assume.and_then(|evaluation| evaluation.trust.as_ref()).map(Evaluation::verdict);
        let grant = assume.map(|evaluation| evaluation.grant.verdict());
        facts.is_evaluated().then(|| Self { principal: facts.link.of_link().label(), verdict, trust, grant })
    }
}

/// The AssumeRole request: the caller and the result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// The caller's ARN; absent if unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    /// The origin of the credentials, such as `profile alice`.
    pub credentials: String,
    /// The Region of the STS endpoint.
    pub region: String,
    /// AWS's response with its request ID, or why xacct sent no request.
    #[serde(serialize_with = "as_text")]
    pub answer: Answer,
}

impl Attempt {
    fn of(facts: &Facts) -> Self {
        Self {
            caller: facts.caller.identity.present().map(ToString::to_string),
            credentials: facts.caller.origin.clone(),
            region: facts.request.region.to_string(),
            answer: facts.answer.clone(),
        }
    }
}

fn as_text<S: Serializer>(answer: &Answer, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(answer)
}

impl Diagnosis {
    /// Returns the cause of the first finding, if any.
    #[must_use]
    pub fn cause(&self) -> Option<Cause> {
        self.findings.first().map(|finding| finding.cause)
    }
}

/// Returns what the facts show. The checks have the order in which AWS denies: credentials, then policies, then S3. AWS
/// ends at the first denial; the policies show what it would deny next.
#[must_use]
pub fn diagnose(facts: &Facts) -> Diagnosis {
    let mut diagnosis = Diagnosis {
        attempt: Attempt::of(facts),
        evaluated: None,
        findings: Vec::new(),
        possible: Vec::new(),
        unread: policies::unread(facts),
        layers: Vec::new(),
        policies: Vec::new(),
        warnings: Vec::new(),
        notes: Vec::new(),
    };
    let findings = &mut diagnosis.findings;
    findings.extend(answer::answered(facts));
    if !change::is_asked_for(facts) {
        findings.extend(credentials::findings(facts));
    }
    let is_credentials = findings.iter().any(|finding| is_about_credentials(finding.cause));
    let evaluations = verdict::evaluations(facts);
    let mut ahead = Ahead::default();
    match &facts.answer {
        Answer::Accepted(_) => {
            // With session credentials, the test requests at most the duration that AWS allows, so AWS accepted it.
            findings.extend(duration::foreseen(facts, findings));
            findings.extend(grant::of_accepted(facts));
            findings.extend(too_open::findings(facts));
            findings.extend(bucket::findings(facts, &evaluations));
            let others = others::reviewed(facts);
            findings.extend(others.finding);
            diagnosis.warnings = others.warnings;
            diagnosis.notes = [too_open::notes(facts), others.notes].concat();
        }
        // An operator's request says nothing about the link, nor does one that another tool sent without the role.
        Answer::Refused(_)
            if change::is_asked_for(facts) || findings.iter().any(|it| it.cause == Cause::RoleNotAssumed) => {}
        // Without valid credentials AWS does not reach the policies.
        Answer::Refused(_) | Answer::NotSent(_) if is_credentials => {
            let facts = &ahead::with_credentials(facts);
            let mut policies = halves(facts, &verdict::evaluations(facts));
            mfa::merge(&mut policies);
            ahead = ahead::of(facts, &policies);
            policies.retain(|finding| finding.certainty == Certainty::Certain);
            findings.extend(policies.into_iter().map(Finding::foreseen));
            findings.extend(duration::foreseen(facts, findings));
        }
        Answer::Refused(_) | Answer::NotSent(_) => {
            findings.extend(halves(facts, &evaluations));
            findings.extend(duration::foreseen(facts, findings));
            mfa::merge(findings);
            tail::compare(facts, &evaluations, findings);
            ahead = ahead::of(facts, findings);
        }
    }
    let Ahead { findings: next, layers, notes } = ahead;
    diagnosis.notes.extend(notes);
    // If the file names a user that does not exist, the credentials are not the problem.
    if findings.iter().any(|finding| finding.cause == Cause::UserAbsent) {
        findings.retain(|finding| finding.cause != Cause::CallerIsAnotherUser);
    }
    if findings.iter().any(|finding| finding.cause == Cause::UserDeleted) {
        findings.retain(|finding| finding.cause != Cause::UserAbsent);
    }
    findings.extend(unparsed::findings(facts));
    let is_of_policy = |finding: &&Finding| finding.cause != Cause::UnreadablePolicy && !finding.foreseen;
    let explains = |finding: &Finding| finding.certainty == Certainty::Certain && !finding.foreseen;
    let certain = diagnosis.findings.iter().any(explains);
    diagnosis.evaluated = Evaluated::of(facts, &evaluations, &diagnosis.findings);
    let is_denied = matches!(&facts.answer, Answer::Refused(answer) if answer.is_denial());
    if is_denied && !certain {
        if diagnosis.findings.iter().any(|finding| is_of_policy(&finding)) {
            diagnosis.possible.extend(verdict::gaps(evaluations.all()));
        } else {
            let propagating = propagation::propagating(facts, &evaluations);
            diagnosis.possible.extend(possible::of_assume_role(facts, &evaluations, propagating.is_some()));
            diagnosis.findings.extend(propagating);
        }
    } else if facts.is_evaluated() {
        diagnosis.possible.extend(verdict::gaps(evaluations.all()));
    } else if !diagnosis.findings.iter().any(|finding| is_of_policy(&finding)) {
        diagnosis.possible.extend(possible::of_s3(facts, &evaluations));
    }
    diagnosis.findings.extend(next);
    diagnosis.warnings.extend(named::warning(facts, &diagnosis.findings));
    diagnosis.warnings.extend(age::warnings(facts));
    if !change::is_asked_for(facts) {
        diagnosis.layers = evaluations.all().map(Evaluation::report).chain(layers).collect();
        let assume = evaluations.assume.first().into_iter().flat_map(ActionEvaluation::layers);
        diagnosis.policies = assume.flat_map(Evaluation::read).collect();
    }
    // The sort is stable: findings of equal certainty keep the order of the checks.
    diagnosis.findings.sort_by_key(|finding| (finding.foreseen, finding.certainty));
    diagnosis
}

/// Returns why the policies of the two halves do not let the user assume the role.
fn halves(facts: &Facts, evaluations: &Evaluations<'_>) -> Vec<Finding> {
    let mut findings = trust::refusals(facts, evaluations);
    // The grant may be right for the role that is probably meant.
    findings.extend(match trust::meant(facts) {
        Some(role) => {
            let facts = Facts { link: LinkFacts { role, ..facts.link.clone() }, ..facts.clone() };
            grant::refusals(&facts, &verdict::evaluations(&facts))
        }
        None => grant::refusals(facts, evaluations),
    });
    findings
}

/// Returns whether AWS rejects the request before it evaluates policies because of this cause.
fn is_about_credentials(cause: Cause) -> bool {
    use Cause as C;
    matches!(
        cause,
        C::NoCredentials
            | C::ExpiredToken
            | C::UnknownCredentials
            | C::AccessKeyInactive
            | C::UserDeleted
            | C::WrongSecret
            | C::ClockSkew
            | C::WrongPartition
            | C::RegionNotEnabled
            | C::SigningRegion
            | C::OwnRoleRefused
            | C::VersionOneToken
            | C::AccountNotReady
            | C::StsInactive
            | C::AwsUnavailable
    )
}
