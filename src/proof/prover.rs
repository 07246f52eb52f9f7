//! Runs the steps of a proof.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use time::OffsetDateTime;
use tokio::sync::{OnceCell, oneshot};
use tokio::time::Instant;

use super::bucket;
use super::claim::{Claim, Extent, RequestOptions, TestName, bucket_spec};
use super::nobody_else::{self, Arrived, Read};
use super::outcome::{Outcome, Proof};
use super::refusals;
use super::step::{Step, StepId, StepOutcome, Timed, timed};
use super::wait::{Denied, Freshness, Settled, may_pass};
use super::watch::Watch;
use crate::answers::Meaning;
use crate::aws::client::access::Access;
use crate::aws::connections::Connections;
use crate::aws::credentials::mfa::Mfa;
use crate::aws::iam::read;
use crate::aws::s3::test_bucket::{self, BucketSpec, Leftovers};
use crate::aws::sts::{self, AssumeRole, Caller, Session};
use crate::error::{Error, Kind, Result};
use crate::iam::arn::{CallerArn, PrincipalRef, RoleArn};
use crate::iam::names::{AccountId, MfaSerial, Region, SessionName};
use crate::iam::state::Reading;

/// Proves links as one of their principals. Identifies the caller once, and uses an MFA code once, for all links.
pub struct Prover {
    pub(super) access: Access,
    /// Whether a setting names these as the user's credentials. If not, their owner is checked before they are used.
    pub(super) said_to_be_the_users: bool,
    /// The principals whose the credentials should be.
    pub(super) principals: Vec<PrincipalRef>,
    source: Option<AccountId>,
    /// The members of groups, by the group's name, if the operator has read them.
    members: BTreeMap<String, Vec<String>>,
    /// The groups of the caller, if it is a user who may list them.
    groups: OnceCell<Option<Vec<String>>>,
    /// The source operator, who may read what a member of a group may not: connections and profile.
    operator: Option<(Connections, Option<String>)>,
    /// Those groups of the principals that have the caller as a member, if the operator may read it.
    groups_by_operator: OnceCell<Option<Vec<String>>>,
    pub(super) mfa: MfaMeans,
    leftovers: Leftovers,
    /// The test buckets that connections were opened for, by role.
    ahead: Mutex<BTreeMap<RoleArn, BucketSpec>>,
    /// The owner of the credentials, and how far AWS's clock is ahead.
    caller: OnceCell<Result<(Caller, time::Duration)>>,
    pub(super) mfa_access: OnceCell<Result<Access>>,
    pub(super) device: OnceCell<Result<MfaSerial>>,
    /// Whether AssumeRole itself was sent with a code.
    pub(super) sent_code: AtomicBool,
}

/// The sources of MFA.
pub struct MfaMeans {
    /// A code, a terminal to ask for one, or a cached session.
    pub mfa: Arc<Mfa>,
    /// The device in the user's profile.
    pub serial: Option<MfaSerial>,
}

/// Why a proof ends before it tries the role.
pub(super) enum Stop {
    /// The user's credentials or MFA are missing.
    NotProven(Box<Step>),
    /// Another error.
    Failed(Error),
}

impl Stop {
    /// Ends the proof because there is no MFA.
    pub(super) fn without_mfa(error: &Error) -> Self {
        let step = Step::new(StepId::AssumeRole, StepOutcome::NotProven, "no session with MFA");
        Self::NotProven(Box::new(step.because(error.clone())))
    }

    pub(super) fn into_error(self) -> Error {
        match self {
            Self::Failed(error) => error,
            Self::NotProven(step) => {
                let words = step.evidence;
                step.error.unwrap_or_else(|| Error::new(Kind::Credentials, words))
            }
        }
    }
}

impl Prover {
    /// Returns a prover for links of `principals`, with credentials that should be one's.
    #[must_use]
    pub fn new(
        access: Access,
        said_to_be_the_users: bool,
        principals: Vec<PrincipalRef>,
        source: Option<AccountId>,
        mfa: MfaMeans,
        leftovers: Leftovers,
    ) -> Self {
        Self {
            access,
            said_to_be_the_users,
            principals,
            source,
            members: BTreeMap::new(),
            groups: OnceCell::new(),
            operator: None,
            groups_by_operator: OnceCell::new(),
            mfa,
            leftovers,
            ahead: Mutex::default(),
            caller: OnceCell::new(),
            mfa_access: OnceCell::new(),
            device: OnceCell::new(),
            sent_code: AtomicBool::new(false),
        }
    }

    /// Adds the members of groups, by the group's name.
    #[must_use]
    pub fn with_members(mut self, members: BTreeMap<String, Vec<String>>) -> Self {
        self.members = members;
        self
    }

    /// Adds the source operator, asked for the groups of a member who may not list them. The connections must not prompt.
    #[must_use]
    pub fn with_operator(mut self, connections: Connections, profile: Option<String>) -> Self {
        self.operator = Some((connections, profile));
        self
    }

    /// Runs all steps for one link, and reports progress to `watch`. `operator` returns credentials that may read the
    /// role, and asks nobody for them. `obstacle` is called once AWS has denied a request after a write, beside further
    /// attempts: it returns why no wait for propagation can change that, if it knows.
    ///
    /// # Errors
    /// When AWS cannot be reached or the credentials are invalid. A link that does not work is an outcome, not an
    /// error.
    pub async fn prove(
        &self,
        claim: &Claim,
        operator: impl Future<Output = Result<Access>>,
        obstacle: impl AsyncFn(Denied<'_>) -> Option<String>,
        watch: &dyn Watch,
    ) -> Result<Proof> {
        let started_at = claim.declaration.now.unwrap_or_else(OffsetDateTime::now_utc);
        let start = Instant::now();
        let mut seen = Seen::default();
        let (arrived, session) = oneshot::channel();
        let tried = self.steps(claim, &obstacle, watch, &mut seen, arrived);
        let read = nobody_else::step(claim, operator, session, watch);
        let (tried, read, ()) = tokio::join!(tried, read, self.look_for_members(&claim.principals));
        match tried {
            Ok(()) => {}
            Err(Stop::NotProven(step)) => seen.steps.push(*step),
            Err(Stop::Failed(error)) => return Err(error.context(self.whose())),
        }
        let Seen { mut steps, session, bucket } = seen;
        if session.is_some() {
            self.check_membership(&mut steps, &claim.principals);
        }
        let Read { step, role, deciding, used_before } = read.unwrap_or_default();
        steps.extend(step);
        let ready_after = match claim.freshness {
            Freshness::Settled => None,
            Freshness::JustWritten { at, .. } => {
                steps.iter().filter_map(|step| step.since).max().map(|since| since.duration_since(at))
            }
        };
        let (outcome, duration) = (Outcome::of(&steps), start.elapsed());
        let tested_as = self.known_caller().and_then(|caller| self.tested(&claim.principals, caller)).cloned();
        Ok(Proof {
            outcome,
            tested_as,
            steps,
            ready_after,
            started_at,
            duration,
            session,
            bucket,
            role,
            deciding,
            used_before,
        })
    }

    /// Returns the AssumeRole request of the proof: once it has been sent, the one that AWS answered last.
    ///
    /// # Errors
    /// When the user's name cannot be made a session name, which would be a bug.
    pub fn request(&self, claim: &Claim) -> Result<AssumeRole> {
        let RequestOptions { session_name, duration, tags, source_identity } = claim.request.clone();
        let of_tests = || claim.test_name.as_ref().and_then(TestName::usable).cloned();
        let session_name = session_name.or_else(of_tests).map_or_else(|| self.session_name(), Ok)?;
        let external_id = claim.external_id.clone();
        Ok(AssumeRole { role: claim.role.clone(), session_name, external_id, duration, tags, source_identity })
    }

    /// Returns the owner of the credentials; asks AWS only once.
    ///
    /// # Errors
    /// When they are invalid, or AWS cannot be reached.
    pub async fn caller(&self) -> Result<Caller> {
        let ask = async || {
            let (caller, there) = sts::caller_and_time(&self.access).await?;
            let ahead = there.map(|there| OffsetDateTime::from(there) - OffsetDateTime::now_utc());
            Ok((caller, ahead.unwrap_or_default()))
        };
        self.caller.get_or_init(ask).await.clone().map(|(caller, _)| caller)
    }

    /// Returns the owner of the credentials, if AWS has told it.
    #[must_use]
    pub fn known_caller(&self) -> Option<&CallerArn> {
        self.caller.get().and_then(|asked| asked.as_ref().ok()).map(|(caller, _)| &caller.arn)
    }

    /// Asks whose the credentials are, if the name of the session depends on it: links may have several principals, and a
    /// session of a role passes on its own name.
    pub async fn settle_session_name(&self, claim: &Claim) {
        let own = if claim.principals.is_empty() { &self.principals } else { &claim.principals };
        let is_one_user = matches!(own.as_slice(), [PrincipalRef::User(_)]);
        if claim.request.session_name.is_none() && !is_one_user {
            // An error is reported where the credentials are used.
            let _ = self.caller().await;
        }
    }

    /// Returns how far AWS's clock was ahead of this machine's when it told the caller; zero before that.
    #[must_use]
    pub fn clock_ahead(&self) -> time::Duration {
        self.caller.get().and_then(|asked| asked.as_ref().ok()).map_or(time::Duration::ZERO, |(_, ahead)| *ahead)
    }

    /// Returns the access that the proof tries.
    #[must_use]
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// Returns the Region of the proof.
    #[must_use]
    pub fn region<'a>(&'a self, claim: &'a Claim) -> &'a Region {
        claim.region.as_ref().unwrap_or(&self.access.region)
    }

    /// Returns whether the proof added MFA to the credentials.
    #[must_use]
    pub fn has_mfa(&self, claim: &Claim) -> bool {
        let was_added = self.mfa_access.get().is_some_and(Result::is_ok) || self.sent_code.load(Ordering::Relaxed);
        claim.require_mfa && !self.access.is_session && was_added
    }

    /// Runs the steps that send requests. Passes the session on to `arrived`, or drops that if there is none.
    async fn steps(
        &self,
        claim: &Claim,
        obstacle: &impl AsyncFn(Denied<'_>) -> Option<String>,
        watch: &dyn Watch,
        seen: &mut Seen,
        arrived: oneshot::Sender<Arrived>,
    ) -> std::result::Result<(), Stop> {
        let steps = &mut seen.steps;
        self.check_device(claim)?;
        let plain = in_region(&self.access, claim);
        let request = self.request(claim).map_err(Stop::Failed)?;
        let request = AssumeRole { duration: request.duration.map(|asked| self.at_most(asked)), ..request };
        let spec = self.bucket(&plain, claim).map_err(Stop::Failed)?;
        let (access, Timed { value: assumed, requests }) =
            self.enter(&plain, &request, claim, obstacle, watch, steps).await?;
        let session = match assumed.answer {
            Ok(session) => session,
            Err(error) => {
                let step = self.refused(error, claim).map_err(Stop::Failed)?.with(requests);
                steps.push(assumed.in_vain.into_iter().fold(step, Step::not_waited_for));
                return Ok(());
            }
        };
        seen.session = Some(session.arn.clone());
        let first = assumed.since;
        let mut evidence = format!("session in {}", claim.role.account);
        if let Some(denied) = claim.test_name.as_ref().and_then(TestName::denied) {
            let _ = write!(evidence, " as {}; denied as {denied}", self.session_name().map_err(Stop::Failed)?);
        }
        steps.push(Step::new(StepId::AssumeRole, StepOutcome::Ok, evidence).with(requests).since(first));
        let request = AssumeRole { session_name: self.request(claim).map_err(Stop::Failed)?.session_name, ..request };
        let now = who_am_i_now(&session, &claim.role);
        let is_there = now.outcome == StepOutcome::Ok;
        steps.push(now);
        if !is_there {
            return Ok(());
        }
        let again = self.assume_again(&access, &request, claim, first, watch);
        if matches!(claim.extent, Extent::Session) {
            return self.settled(again.await, steps, claim);
        }
        let inside = access.with_session(&session.credentials, format!("session of {}", claim.role.name));
        let source = self.caller().await.map_err(Stop::Failed)?.account;
        // Nobody receives it if the read has ended.
        let _ = arrived.send((inside.clone(), source));
        let (bucket, (refusals, again)) = tokio::join!(
            bucket::steps(&inside, spec, (claim, &session.arn), obstacle, &self.leftovers, watch),
            refusals::steps((&plain, &access), &request, claim, watch, again),
        );
        self.settled(again, steps, claim)?;
        let in_target = |error: Error| Stop::Failed(error.context(format!("target account {}", claim.role.account)));
        let (name, bucket) = bucket.map_err(in_target)?;
        seen.bucket = name;
        steps.extend(bucket);
        steps.extend(refusals);
        Ok(())
    }

    /// Looks up what the proof needs before it can send an MFA code: the owner of the credentials and the user's device.
    pub async fn prepare_for_code(&self) {
        // An error is reported by the proof.
        let device = async { if self.access.is_session { None } else { self.mfa_serial().await.ok() } };
        let _ = tokio::join!(self.caller(), device);
    }

    /// Opens the connection for the test bucket before the role can be assumed, so that the proof does not wait for it.
    pub fn connect_ahead(&self, claim: &Claim) {
        // An error is reported by the proof.
        if let Ok(Some(spec)) = self.bucket(&in_region(&self.access, claim), claim) {
            let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
            ahead.insert(claim.role.clone(), spec);
        }
    }

    /// Returns the test bucket of the claim, to which a connection is open or being opened.
    fn bucket(&self, access: &Access, claim: &Claim) -> Result<Option<BucketSpec>> {
        let known = self.ahead.lock().unwrap_or_else(PoisonError::into_inner).remove(&claim.role);
        if known.is_some() && matches!(claim.extent, Extent::Bucket(_)) {
            return Ok(known);
        }
        let mut spec = bucket_spec(claim, &access.region)?;
        if let Some(spec) = &mut spec {
            test_bucket::connect_ahead(access, spec);
        }
        Ok(spec)
    }

    /// Runs the first two steps: checks the owner of the credentials, and assumes the role. Returns the access used for
    /// the role, and AWS's answer.
    ///
    /// The two are independent, but xacct must not try an administrator's credentials, nor use up a code on the wrong
    /// ones.
    async fn enter(
        &self,
        plain: &Access,
        request: &AssumeRole,
        claim: &Claim,
        obstacle: &impl AsyncFn(Denied<'_>) -> Option<String>,
        watch: &dyn Watch,
        steps: &mut Vec<Step>,
    ) -> std::result::Result<(Access, Timed<Settled<Session>>), Stop> {
        if !claim.require_mfa && self.said_to_be_the_users {
            let assumed = async { Ok(self.assume(plain, request, claim, obstacle, watch).await) };
            let (who, assumed) = tokio::try_join!(self.who_am_i(&claim.principals), assumed)?;
            steps.push(who);
            return Ok((plain.clone(), assumed));
        }
        let device = async {
            if claim.require_mfa && !self.access.is_session {
                // The result is reported where it is needed.
                let _ = self.mfa_serial().await;
            }
        };
        let (who, ()) = tokio::join!(self.who_am_i(&claim.principals), device);
        steps.push(who?);
        if self.takes_code(claim) {
            watch.now("assuming the role");
            let Timed { value: answer, requests } = timed(self.assume_with_code(plain, request)).await;
            if let Err(error) = &answer
                && (error.aws.is_none() || is_about_mfa(error))
            {
                return Err(Stop::without_mfa(error));
            }
            // The credentials without the code: what follows opens no further session.
            return Ok((plain.clone(), Timed { value: Settled::at(answer, Instant::now()), requests }));
        }
        let access = if claim.require_mfa { in_region(self.mfa_access().await?, claim) } else { plain.clone() };
        let assumed = self.assume(&access, request, claim, obstacle, watch).await;
        Ok((access, assumed))
    }

    /// Assumes the role, and waits for propagation.
    async fn assume(
        &self,
        access: &Access,
        request: &AssumeRole,
        claim: &Claim,
        obstacle: &impl AsyncFn(Denied<'_>) -> Option<String>,
        watch: &dyn Watch,
    ) -> Timed<Settled<Session>> {
        watch.now("assuming the role");
        let freshness = claim.freshness;
        let attempt = async || self.assume_under_either_name(access, request, claim).await;
        let waiting = |waited| watch.waiting(freshness.words(Some("sts:AssumeRole"), waited));
        timed(freshness.settle_unless(obstacle(Denied::AssumeRole), attempt, may_pass, waiting)).await
    }

    /// Assumes a role that has just changed once more, beside the steps of the `first` session: servers with and without the
    /// change may answer in turn. `None` where a single answer counts, as with a code, which is used up.
    async fn assume_again(
        &self,
        access: &Access,
        request: &AssumeRole,
        claim: &Claim,
        first: Instant,
        watch: &dyn Watch,
    ) -> Option<Timed<Settled<Session>>> {
        let freshness = claim.freshness;
        if matches!(freshness, Freshness::Settled) || self.takes_code(claim) {
            return None;
        }
        let attempt = async || self.assume_under_either_name(access, request, claim).await;
        let waiting = |waited| watch.waiting(freshness.words(Some("sts:AssumeRole"), waited));
        let settling = freshness.settle_after(Some(first), 2, attempt, Result::is_ok, may_pass, waiting);
        Some(timed(settling).await)
    }

    /// Adds to the step of AssumeRole what AWS answered when the role was assumed again.
    fn settled(
        &self,
        again: Option<Timed<Settled<Session>>>,
        steps: &mut [Step],
        claim: &Claim,
    ) -> std::result::Result<(), Stop> {
        let Some(Timed { value: Settled { answer, since, .. }, requests }) = again else { return Ok(()) };
        let Some(step) = steps.iter_mut().find(|step| step.id == StepId::AssumeRole) else { return Ok(()) };
        match answer {
            Ok(_) => {
                step.since = Some(since);
                step.duration += requests.duration;
                step.request_ids.extend(requests.ids);
            }
            Err(error) => *step = self.refused(error, claim).map_err(Stop::Failed)?.with(requests),
        }
        Ok(())
    }

    /// Assumes the role with the session name of tests, and if AWS denies that, with the user's: a policy that xacct cannot
    /// read, such as one of the organization, may require it.
    pub(super) async fn assume_under_either_name(
        &self,
        access: &Access,
        request: &AssumeRole,
        claim: &Claim,
    ) -> Result<Session> {
        let answer = sts::assume(access, request).await;
        let own = claim.test_name.as_ref().filter(|own| own.is(&request.session_name));
        let Some(test_name) = own else { return answer };
        let meaning = answer.as_ref().err().and_then(Error::meaning);
        let is_denied = matches!(meaning, Some(Meaning::Denied | Meaning::DeniedByOthers));
        test_name.set_denied(is_denied);
        if !is_denied {
            return answer;
        }
        self.settle_session_name(claim).await;
        sts::assume(access, &AssumeRole { session_name: self.session_name()?, ..request.clone() }).await
    }

    /// Returns the step of an AssumeRole that failed.
    fn refused(&self, error: Error, claim: &Claim) -> Result<Step> {
        let step = Step::failed(StepId::AssumeRole, error)?;
        if !claim.require_mfa || !self.access.is_session {
            return Ok(step);
        }
        let error = step.error.map(|error| {
            error
                .note("the role requires MFA, and these session credentials may lack it")
                .hint("use a profile with the user's access key: --user-profile NAME")
        });
        Ok(Step { outcome: StepOutcome::NotProven, error, ..step })
    }

    /// Checks that the credentials belong to a principal of the link. Asks AWS once, for all links.
    pub(super) async fn who_am_i(&self, principals: &[PrincipalRef]) -> std::result::Result<Step, Stop> {
        let Timed { value: caller, requests } = timed(self.caller()).await;
        let caller = match caller {
            Ok(caller) => caller,
            Err(error) if error.is_busy() || error.kind == Kind::Network => {
                let step = Step::failed(StepId::WhoAmI, error).map_err(Stop::Failed)?;
                return Err(Stop::NotProven(Box::new(step.with(requests))));
            }
            // Another answer, such as that STS is not active in the Region, concerns the whole proof.
            Err(error) => return Err(Stop::Failed(error)),
        };
        let step = |outcome| Step::new(StepId::WhoAmI, outcome, caller.arn.to_string()).with(requests);
        let own = if principals.is_empty() { self.principals.as_slice() } else { principals };
        let is_in_account = self.source.as_ref().is_none_or(|source| *source == caller.account);
        self.look_for_groups(own, &caller.arn).await;
        if let Some(tested) = self.tested(own, &caller.arn).filter(|_| is_in_account) {
            let step = step(StepOutcome::Ok);
            let others: Vec<_> = own.iter().filter(|other| *other != tested).map(PrincipalRef::label).collect();
            let step = match others.is_empty() {
                true => step,
                false => step.note(format!("tested as {}, not as {}", tested.label(), others.join(", "))),
            };
            return Ok(step);
        }
        let whose = self.source.as_ref().map_or_else(String::new, |source| format!(" of account {source}"));
        let error = Error::new(
            Kind::Credentials,
            format!("these credentials ({}) do not belong to {}{whose}", self.access.origin, either(own)),
        )
        .hint(match own {
            [PrincipalRef::Group(group)] => {
                let group = PrincipalRef::Group(group.clone());
                format!("use a profile with an access key of a member of {}: --user-profile NAME", group.in_words())
            }
            [PrincipalRef::User(user)] => {
                format!("use a profile with an access key of {}: --user-profile NAME", user.name())
            }
            _ => "use a profile of one of them: --user-profile NAME".to_owned(),
        });
        Err(Stop::NotProven(Box::new(step(StepOutcome::NotProven).because(error))))
    }

    /// Corrects the step that checks the owner of the credentials, once they opened a session: of a group, it must be a
    /// member, and any other grant could have opened it.
    fn check_membership(&self, steps: &mut [Step], own: &[PrincipalRef]) {
        let own = if own.is_empty() { self.principals.as_slice() } else { own };
        let Some(caller) = self.known_caller() else { return };
        let Some(group @ PrincipalRef::Group(_)) = self.tested(own, caller) else { return };
        let (Some(step), Some(user)) = (steps.iter_mut().find(|step| step.id == StepId::WhoAmI), caller.user()) else {
            return;
        };
        let (user, words) = (user.name.as_str(), group.in_words());
        let known = self.groups_by_operator.get().and_then(Option::as_ref);
        match self.is_member(group, caller).or_else(|| Some(known?.iter().any(|known| known == group.name()))) {
            Some(true) => {}
            Some(false) => {
                let error = Error::new(Kind::Credentials, format!("user {user} is not a member of {words}"))
                    .note("another grant opened the session, so the test says nothing about the group's")
                    .hint(format!("use a profile with an access key of a member of {words}: --user-profile NAME"));
                step.outcome = StepOutcome::NotProven;
                step.error = Some(error);
            }
            None => {
                step.outcome = StepOutcome::Warning;
                step.warnings.push(format!(
                    "AWS does not let {user} list its groups, and no source operator could read them: xacct cannot tell \
                     whether {user} is a member of {words}, or another grant opened the session"
                ));
            }
        }
    }

    /// Reads with the operator's credentials whether the caller is a member of these groups, if it may not list its own.
    async fn look_for_members(&self, own: &[PrincipalRef]) {
        let own = if own.is_empty() { self.principals.as_slice() } else { own };
        let groups: Vec<_> = own.iter().filter(|it| matches!(it, PrincipalRef::Group(_))).collect();
        let Some((connections, profile)) = self.operator.as_ref().filter(|_| !groups.is_empty()) else { return };
        let Ok(caller) = self.caller().await else { return };
        self.look_for_groups(own, &caller.arn).await;
        let tested = self.tested(own, &caller.arn).filter(|tested| matches!(tested, PrincipalRef::Group(_)));
        let is_unknown = tested.is_some_and(|group| self.is_member(group, &caller.arn).is_none());
        let Some(user) = caller.arn.user().filter(|_| is_unknown) else { return };
        let read = async || {
            let access = connections.access(profile.as_deref()).await.ok()?;
            let list = read::groups(&access, user.name.as_str());
            let (operator, list) = tokio::join!(sts::caller(&access), list);
            // Another account may have a user of that name.
            if operator.ok()?.account != caller.account {
                return None;
            }
            match list.ok() {
                Some(Reading::Present(list)) => Some(list),
                _ => members_of(&groups, user.name.as_str(), &access).await,
            }
        };
        self.groups_by_operator.get_or_init(read).await;
    }

    /// Reads the groups of the caller, if only they tell whether it is one of these principals.
    async fn look_for_groups(&self, own: &[PrincipalRef], caller: &CallerArn) {
        let is_needed = self.tested(own, caller).is_some_and(|it| matches!(it, PrincipalRef::Group(_)));
        let Some(user) = caller.user().filter(|_| is_needed) else { return };
        let read = async || {
            let groups = read::groups(&self.access, user.name.as_str()).await;
            groups.ok().and_then(|groups| groups.present().cloned())
        };
        self.groups.get_or_init(read).await;
    }

    /// Returns the principal that the caller is, a session of, or a member of.
    fn tested<'a>(&self, own: &'a [PrincipalRef], caller: &CallerArn) -> Option<&'a PrincipalRef> {
        let (groups, others): (Vec<_>, Vec<_>) =
            own.iter().filter(|it| it.is(caller)).partition(|it| matches!(it, PrincipalRef::Group(_)));
        let mut groups: Vec<_> =
            groups.into_iter().filter(|group| self.is_member(group, caller) != Some(false)).collect();
        groups.sort_by_key(|group| self.is_member(group, caller).is_none());
        others.into_iter().chain(groups).next()
    }

    /// Returns whether the caller is a member of a group; `None` if nobody could read it.
    fn is_member(&self, group: &PrincipalRef, caller: &CallerArn) -> Option<bool> {
        let user = caller.user()?.name.as_str();
        match self.members.get(group.name()) {
            Some(members) => Some(members.iter().any(|member| member == user)),
            None => Some(self.groups.get()?.as_ref()?.iter().any(|known| known == group.name())),
        }
    }

    /// Describes the credentials, for errors.
    pub(super) fn whose(&self) -> String {
        format!("credentials of {} ({})", either(&self.principals), self.access.origin)
    }

    /// Returns the user's name as session name: the target account's logs show it, and its trust policy may require it. A
    /// session of a role passes on its own name, once AWS has told it.
    fn session_name(&self) -> Result<SessionName> {
        let caller = self.known_caller();
        let first = || self.principals.first().map_or("xacct", PrincipalRef::name);
        let name = match caller {
            Some(CallerArn::User(user)) if !matches!(&*self.principals, [PrincipalRef::User(_)]) => user.name.as_str(),
            Some(CallerArn::AssumedRole { session, .. }) => session,
            _ => first(),
        };
        Ok(name.parse().or_else(|_| format!("xacct-{name}").parse())?)
    }
}

/// The state of a proof.
#[derive(Default)]
struct Seen {
    steps: Vec<Step>,
    session: Option<CallerArn>,
    bucket: Option<String>,
}

/// Returns those of the groups that have this user as a member; `None` if one cannot be read whole.
async fn members_of(groups: &[&PrincipalRef], user: &str, access: &Access) -> Option<Vec<String>> {
    let mut found = Vec::new();
    for group in groups {
        match read::group(access, group.name()).await.ok()? {
            Reading::Present(read) if read.members.iter().any(|member| member == user) => {
                found.push(group.name().to_owned());
            }
            Reading::Present(read) if read.is_truncated => return None,
            Reading::Present(_) | Reading::Absent => {}
            Reading::Unreadable { .. } => return None,
        }
    }
    Some(found)
}

/// Names these principals, one of which is meant.
fn either(principals: &[PrincipalRef]) -> String {
    principals.iter().map(PrincipalRef::owner_in_words).collect::<Vec<_>>().join(" or ")
}

/// Returns whether AWS's answer is about the code or the device, not about the link.
fn is_about_mfa(error: &Error) -> bool {
    matches!(error.meaning(), Some(Meaning::MfaCodeWrong | Meaning::MfaSerialWrong))
}

/// Returns the same access in the Region of the claim, if it names one.
fn in_region(access: &Access, claim: &Claim) -> Access {
    claim.region.as_ref().map_or_else(|| access.clone(), |region| access.in_region(region))
}

fn who_am_i_now(session: &Session, role: &RoleArn) -> Step {
    let arn = &session.arn;
    let outcome = if arn.is_of(role) { StepOutcome::Ok } else { StepOutcome::Failed };
    let evidence = match arn {
        CallerArn::AssumedRole { account, role, session, .. } => format!("{account}, role {role}, as {session}"),
        other => other.to_string(),
    };
    Step::new(StepId::WhoAmINow, outcome, evidence)
}
