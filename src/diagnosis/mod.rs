//! The diagnosis of a link: which side is wrong, why, and what to change.
//!
//! [`collect`] reads both halves, [`diagnose`] judges what was read. AWS words every refusal of AssumeRole the same across
//! accounts (IAM User Guide, "Troubleshoot access denied error messages"), so the policies are evaluated here, and AWS's
//! answer decides only where it says more.

mod cause;
mod checks;
pub mod collect;
pub mod facts;
mod fix;
mod statement;
mod verdict;

use serde::Serialize;
use serde_json::Value;

pub use cause::{Cause, Side};
pub use facts::Facts;
pub use fix::{Fix, FixStep};

use facts::{Answer, LinkFacts, NotSent};
pub use verdict::Verdict;

use checks::{answer, bucket, credentials, grant, trust};
use verdict::Judged;

/// What a diagnosis says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Diagnosis {
    /// What was asked, and what AWS answered.
    pub attempt: Attempt,
    /// What is wrong, the most certain first.
    pub findings: Vec<Finding>,
    /// What may be wrong besides, where the facts do not settle it.
    pub possible: Vec<Possibility>,
    /// What could not be read, and what would allow it.
    pub unread: Vec<Unread>,
    /// How each kind of policy decides, with reasons.
    pub layers: Vec<Layer>,
}

/// What was asked of STS, by whom, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// The ARN of who asked; absent where it could not be learned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    /// Where the credentials come from, such as `profile alice`.
    pub credentials: String,
    /// The region of the STS endpoint.
    pub region: String,
    /// AWS's answer with its request ID, or why nothing was asked.
    pub answer: String,
}

impl Attempt {
    fn of(facts: &Facts) -> Self {
        let answer = match &facts.answer {
            Answer::Accepted(session) => format!("sts:AssumeRole gave {session}"),
            Answer::Refused(answer) => answer.to_string(),
            Answer::NotSent(NotSent::NoCredentials(why)) => format!("nothing was asked: {why}"),
            Answer::NotSent(NotSent::NotTheUsers) => {
                "nothing was asked: these are not the user's credentials".to_owned()
            }
            Answer::NotSent(NotSent::NoMfaCode(why)) => format!("nothing was asked: {why}"),
        };
        Self {
            caller: facts.caller.identity.present().map(ToString::to_string),
            credentials: facts.caller.origin.clone(),
            region: facts.request.region.to_string(),
            answer,
        }
    }
}

/// How sure a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// AWS or the policies say so.
    Certain,
    /// Everything that was read agrees with it, and with nothing else.
    Likely,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// What kind of thing.
    #[serde(serialize_with = "as_id")]
    pub cause: Cause,
    /// Where it lies.
    pub side: Side,
    /// How sure it is.
    pub certainty: Certainty,
    /// What is wrong, in a sentence without its full stop.
    pub summary: String,
    /// What shows it.
    pub evidence: Vec<Evidence>,
    /// What to do. The first is enough; the others are alternatives.
    pub fixes: Vec<Fix>,
}

/// What shows that something is wrong.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// A fact in words.
    Fact(String),
    /// A statement of a policy.
    Statement {
        /// The policy, such as `trust policy of role xacct`.
        policy: String,
        /// The number of the statement in it, from 1.
        number: usize,
        /// The statement.
        statement: Value,
        /// The elements at fault, each as the keys that lead to it.
        marked: Vec<Vec<String>>,
    },
}

/// What may be wrong, and what would show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Possibility {
    /// What may be wrong, in a fragment.
    pub what: String,
    /// The one reading that would decide.
    pub decided_by: String,
}

/// What could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unread {
    /// What, such as `the trust policy of role xacct`.
    pub what: String,
    /// The permission that would allow it; empty where it is not a permission that lacks.
    pub permission: String,
    /// Why it could not be read.
    pub answer: String,
}

/// How one kind of policy decides the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Layer {
    /// Such as `trust policy of role xacct`.
    pub name: String,
    /// What it decides.
    pub verdict: Verdict,
    /// Why: each statement that applies, or why it does not.
    pub reasons: Vec<String>,
}

impl Diagnosis {
    /// The first finding, if there is one.
    #[must_use]
    pub fn cause(&self) -> Option<Cause> {
        self.findings.first().map(|finding| finding.cause)
    }
}

impl Finding {
    fn new(cause: Cause, summary: impl Into<String>) -> Self {
        Self {
            cause,
            side: cause.side(),
            certainty: Certainty::Certain,
            summary: summary.into(),
            evidence: Vec::new(),
            fixes: Vec::new(),
        }
    }

    fn likely(self) -> Self {
        Self { certainty: Certainty::Likely, ..self }
    }

    fn on(self, side: Side) -> Self {
        Self { side, ..self }
    }

    fn because(mut self, evidence: Evidence) -> Self {
        self.evidence.push(evidence);
        self
    }

    fn fact(self, words: impl Into<String>) -> Self {
        self.because(Evidence::Fact(words.into()))
    }

    fn fix(mut self, fix: Fix) -> Self {
        self.fixes.push(fix);
        self
    }
}

/// Judges what was read.
#[must_use]
pub fn diagnose(facts: &Facts) -> Diagnosis {
    let mut diagnosis = Diagnosis {
        attempt: Attempt::of(facts),
        findings: Vec::new(),
        possible: Vec::new(),
        unread: unread(facts),
        layers: Vec::new(),
    };
    let findings = &mut diagnosis.findings;
    findings.extend(answer::answered(facts));
    findings.extend(credentials::findings(facts));
    let is_credentials = findings.iter().any(|finding| is_about_credentials(finding.cause));
    let layers = verdict::layers(facts);
    match &facts.answer {
        Answer::Accepted(_) => {
            findings.extend(trust::too_open(facts));
            findings.extend(bucket::findings(facts, &layers));
        }
        // Who cannot even be asked about has no policies to speak of.
        Answer::Refused(_) | Answer::NotSent(_) if is_credentials => {}
        Answer::Refused(_) | Answer::NotSent(_) => {
            findings.extend(trust::refusals(facts, &layers));
            // The grant may well be right for the role that is meant.
            match trust::meant(facts) {
                Some(role) => {
                    let facts = Facts { link: LinkFacts { role, ..facts.link.clone() }, ..facts.clone() };
                    findings.extend(grant::refusals(&facts, &verdict::layers(&facts)));
                }
                None => findings.extend(grant::refusals(facts, &layers)),
            }
            findings.extend(answer::foreseen(facts, findings));
            merge_mfa(findings);
        }
    }
    // Credentials are not another's where the file names a user that does not exist.
    if findings.iter().any(|finding| finding.cause == Cause::UserAbsent) {
        findings.retain(|finding| finding.cause != Cause::CallerIsAnotherUser);
    }
    findings.extend(verdict::unparsed(facts));
    let is_of_policy = |finding: &&Finding| finding.cause != Cause::UnreadablePolicy;
    let certain = diagnosis.findings.iter().any(|finding| finding.certainty == Certainty::Certain);
    if answer::is_denial(facts.answer.code_and_message().0) && !certain {
        if diagnosis.findings.iter().any(|finding| is_of_policy(&finding)) {
            diagnosis.possible.extend(verdict::gaps(layers.all()));
        } else {
            undecided(facts, &layers, &mut diagnosis);
        }
    } else if !diagnosis.findings.iter().any(|finding| is_of_policy(&finding)) {
        diagnosis.possible.extend(bucket::possible(facts, &layers));
    }
    diagnosis.layers = layers.all().map(Judged::report).collect();
    // A stable sort: what stands first in the order of looking stays first among its equals.
    diagnosis.findings.sort_by_key(|finding| finding.certainty);
    diagnosis
}

/// One code passes whatever demands MFA: the first finding about it tells it all.
fn merge_mfa(findings: &mut Vec<Finding>) {
    use Cause as C;
    let is_mfa = |finding: &Finding| {
        matches!(finding.cause, C::MfaAbsent | C::MfaCodeWrong | C::MfaSerialWrong | C::SessionWithoutMfa)
    };
    let Some(first) = findings.iter().position(is_mfa) else { return };
    let (mut merged, mut index) = (Vec::new(), 0);
    findings.retain(|finding| {
        let is_another = index > first && matches!(finding.cause, C::MfaAbsent | C::SessionWithoutMfa);
        index += 1;
        if is_another {
            merged.extend(finding.evidence.clone());
        }
        !is_another
    });
    if let Some(first) = findings.get_mut(first) {
        first.evidence.extend(merged);
    }
}

/// Whether a finding says that nobody knows who is asking, or that AWS did not come so far as to look at policies.
fn is_about_credentials(cause: Cause) -> bool {
    use Cause as C;
    matches!(
        cause,
        C::NoCredentials
            | C::ExpiredToken
            | C::UnknownCredentials
            | C::WrongSecret
            | C::ClockSkew
            | C::WrongPartition
            | C::RegionNotEnabled
            | C::StsInactive
            | C::AwsUnavailable
    )
}

/// AWS refused, and nothing that was read says why.
fn undecided(facts: &Facts, layers: &verdict::Layers, diagnosis: &mut Diagnosis) {
    let propagating = answer::propagating(facts, layers);
    let is_propagating = propagating.is_some();
    diagnosis.findings.extend(propagating);
    diagnosis.possible.extend(verdict::gaps(layers.all()));
    let (source, target) = (source_account(facts), facts.link.role.account.to_string());
    let possible = [
        (
            "a change of one half that AWS does not honour everywhere yet".to_owned(),
            "xacct verify, again in a minute".to_owned(),
        ),
        (
            format!("a service control policy on account {source}"),
            format!(
                "in the management account of its organization: aws organizations list-policies-for-target --target-id {source} --filter SERVICE_CONTROL_POLICY"
            ),
        ),
        (
            format!("a resource control policy on account {target}"),
            format!(
                "in the management account of its organization: aws organizations list-policies-for-target --target-id {target} --filter RESOURCE_CONTROL_POLICY"
            ),
        ),
        (
            "the policy of a VPC endpoint for STS, if the calls go through one".to_owned(),
            "aws ec2 describe-vpc-endpoints --query 'VpcEndpoints[].[ServiceName,PolicyDocument]'".to_owned(),
        ),
    ];
    let possible = possible.into_iter().skip(usize::from(is_propagating));
    diagnosis.possible.extend(possible.map(|(what, decided_by)| Possibility { what, decided_by }));
}

/// The source account, as far as it is known.
fn source_account(facts: &Facts) -> String {
    let told = facts.link.source_account.as_ref();
    let asked = facts.caller.identity.present().and_then(|arn| arn.account());
    told.or(asked).map_or_else(|| "of the user".to_owned(), ToString::to_string)
}

/// Everything that could not be read.
fn unread(facts: &Facts) -> Vec<Unread> {
    let mut unread = verdict::Unreadables::default();
    let user = &facts.link.user;
    unread.note(&facts.caller.identity, "who the credentials belong to");
    unread.note(&facts.source.operator.identity, "the source account");
    unread.note(&facts.source.user, &format!("user {user}"));
    unread.note_policies(&facts.source.policies, &format!("user {user}"));
    unread.note(&facts.source.groups, &format!("the groups of user {user}"));
    for (group, policies) in facts.source.groups.present().into_iter().flatten() {
        unread.note_policies(policies, &format!("group {group}"));
    }
    unread.note(&facts.source.boundary, &format!("the boundary of user {user}"));
    unread.note(&facts.source.mfa_devices, &format!("the MFA devices of user {user}"));
    unread.note(&facts.target.operator.identity, "the target account");
    unread.note(&facts.target.role, &format!("role {}", facts.link.role.name));
    unread.note_policies(&facts.target.policies, &format!("role {}", facts.link.role.name));
    unread.note(&facts.target.boundary, &format!("the boundary of role {}", facts.link.role.name));
    unread.all
}

fn as_id<S: serde::Serializer>(cause: &Cause, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_str(cause.id())
}
