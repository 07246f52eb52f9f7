//! Tests that a caller whom a link does not admit is denied.

use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::Instant;

use crate::answers::Meaning;
use crate::aws::client::access::Access;
use crate::aws::client::request_ids;
use crate::aws::connections::Connections;
use crate::aws::iam::{observe, read};
use crate::aws::sts::{self, Caller};
use crate::config::Link;
use crate::error::{Error, Kind, Result};
use crate::iam::arn::{CallerArn, PrincipalRef, RoleArn, UserRef};
use crate::iam::names::SessionDuration;
use crate::iam::state::Reading;
use crate::operations::operators::Operators;
use crate::operations::proving;
use crate::operations::run::Run;
use crate::proof::{Claim, Freshness, Prover};

/// What AWS answered to a caller whom it must deny.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// AWS denied the request.
    Denied,
    /// AWS opened a session.
    Accepted,
    /// AWS's answer is no decision about the caller.
    NotProven,
}

/// A request that AWS must deny.
pub struct Attempt {
    pub verdict: Verdict,
    /// AWS's answer in a few words.
    pub evidence: String,
    /// Why nothing is proven.
    pub error: Option<Error>,
    pub notes: Vec<String>,
    pub started_at: OffsetDateTime,
    pub duration: Duration,
    pub request_ids: Vec<String>,
}

/// The caller whom the roles must refuse.
pub struct Stranger {
    pub arn: CallerArn,
    prover: Prover,
    operators: Operators,
}

impl Attempt {
    /// Returns an attempt that was not made, because AWS does not say whose the credentials are.
    pub fn unmade(error: &Error, run: &Run<'_>) -> Self {
        Self {
            verdict: Verdict::NotProven,
            evidence: in_short(error),
            error: Some(error.clone()),
            notes: Vec::new(),
            started_at: (run.context.now)().into(),
            duration: Duration::ZERO,
            request_ids: Vec::new(),
        }
    }
}

impl Stranger {
    /// Finds out whose these credentials are.
    ///
    /// # Errors
    /// When AWS does not say, or the profile's `mfa_serial` is malformed.
    pub async fn of(access: Access, connections: &Connections, run: &Run<'_>) -> Result<Self> {
        let Caller { arn, .. } = sts::caller(&access).await?;
        // The name of the session is the caller's, or that of the link's user.
        let principals = match arn.user() {
            Some(user) => vec![PrincipalRef::User(UserRef::Arn(user.clone()))],
            None => proving::principals_on_record(run)?,
        };
        let prover = proving::prover(connections, access, true, principals, None, run)?;
        let operators = Operators::new(&connections.that_ask_nobody(), run.file.source.profile.clone(), None);
        Ok(Self { arn, prover, operators })
    }

    /// Tries to assume the role of this link, as its user would.
    ///
    /// # Errors
    /// When the sign-in has expired.
    pub async fn attempt(&self, link: &Link, role: &RoleArn, run: &Run<'_>) -> Result<Attempt> {
        let started_at = (run.context.now)().into();
        let start = Instant::now();
        let mut claim = proving::claim_to_test(link, role, Freshness::Settled, run);
        claim.principals.clear();
        // The shortest, in case AWS opens it.
        claim.request.duration = Some(SessionDuration::SHORTEST);
        // Only a user with an access key can add MFA to a request.
        claim.require_mfa = link.require_mfa && self.arn.user().is_some() && !self.prover.access().is_session;
        let (answer, request_ids) = request_ids::collected(self.send(claim)).await;
        let attempt = |verdict, evidence: String| Attempt {
            verdict,
            evidence,
            error: None,
            notes: Vec::new(),
            started_at,
            duration: start.elapsed(),
            request_ids,
        };
        let error = match answer {
            Ok(session) => return Ok(attempt(Verdict::Accepted, format!("session {session}"))),
            Err(error) => error,
        };
        let code = in_short(&error);
        match error.meaning() {
            Some(Meaning::SessionExpired) => Err(error),
            Some(Meaning::Denied | Meaning::DeniedByOthers | Meaning::CallerIsRoot) if is_of_assume_role(&error) => {
                let denied = attempt(Verdict::Denied, code);
                Ok(self.confirmed(denied, error.meaning(), link, role).await)
            }
            _ => Ok(Attempt { error: Some(error), ..attempt(Verdict::NotProven, code) }),
        }
    }

    /// Sends the request, with MFA if the role requires it. Without a code, also tries without MFA: the role may not
    /// require what the link says.
    async fn send(&self, mut claim: Claim) -> Result<CallerArn> {
        let answer = self.prover.session(&claim).await;
        let answer = match answer {
            Err(error) if claim.require_mfa && !is_of_assume_role(&error) => {
                claim.require_mfa = false;
                self.prover.session(&claim).await.map_err(|_| error)
            }
            answer => answer,
        };
        answer.map(|session| session.arn)
    }

    /// Returns whether the denial says anything about the caller: AWS denies a role that does not exist in the same words.
    async fn confirmed(&self, denied: Attempt, meaning: Option<Meaning>, link: &Link, role: &RoleArn) -> Attempt {
        let mut denied = denied;
        let access = self.prover.access();
        let not_proven =
            |why: String, hint: String| (Verdict::NotProven, Some(Error::new(Kind::Credentials, why).hint(hint)));
        if meaning == Some(Meaning::DeniedByOthers) {
            denied.notes.push(
                "denied by a policy of the organization or of a VPC endpoint; from elsewhere, the answer may differ"
                    .to_owned(),
            );
        }
        let lacks_mfa = link.require_mfa && access.is_session && self.arn.user().is_some();
        if lacks_mfa && read::carries_mfa(access).await != Some(true) {
            let why = format!("role `{}` requires MFA, and this session may lack it", role.name);
            (denied.verdict, denied.error) =
                not_proven(why, "use a profile with the user's access key, or a session with MFA".to_owned());
            return denied;
        }
        match self.role_exists(link, role).await {
            Some(true) => {}
            Some(false) => {
                let why = format!("`{role}` does not exist, and AWS denies such a role to everybody");
                (denied.verdict, denied.error) =
                    not_proven(why, "correct the target in xacct.toml, or create the role: xacct bootstrap".to_owned());
            }
            None => denied.notes.push(format!(
                "not checked whether the role exists, because AWS denies one that does not in the same words; that needs \
                 iam:GetRole in {}",
                role.account
            )),
        }
        denied
    }

    /// Returns whether the role exists; `None` if that could not be read.
    async fn role_exists(&self, link: &Link, role: &RoleArn) -> Option<bool> {
        let access = self.operators.target(link).await.ok()?;
        if sts::caller(&access).await.ok()?.account != role.account {
            return None;
        }
        match observe::found_role(&access, &role.name).await.ok()? {
            Reading::Present(found) => Some(found.arn == role.to_string()),
            Reading::Absent => Some(false),
            Reading::Unreadable { .. } => None,
        }
    }
}

fn in_short(error: &Error) -> String {
    error.code().map_or_else(|| error.message.clone(), str::to_owned)
}

/// Returns whether AWS answered AssumeRole so, and not a request that finds a device or opens a session with MFA.
fn is_of_assume_role(error: &Error) -> bool {
    error.aws.as_ref().is_some_and(|answer| answer.operation == "AssumeRole")
}
