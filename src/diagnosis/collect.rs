//! Reads both halves of a link concurrently: no chain of calls is longer than three.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::join_all;
use tokio::sync::OnceCell;

use super::facts::{
    Answer, CallerFacts, KeyStatus, LetThrough, LinkFacts, Mfa, NotSent, OperatorFacts, PolicyFacts, RequestFacts,
    RoleFacts, S3Facts, SourceFacts, TargetFacts, UserFacts,
};
use crate::aws::client::access::Access;
use crate::aws::iam::observe;
use crate::aws::iam::read::{self, Holder};
use crate::aws::sts::{self, AssumeRole, Caller};
use crate::error::{AwsAnswer, Error, Kind, Result};
use crate::iam::arn::{CallerArn, Partition, PrincipalRef, RoleRef};
use crate::iam::names::{AccountId, Region, SessionDuration, UserName};
use crate::iam::state::{FoundDocument, Reading, is_ours};
use crate::proof::{Claim, Denied, Proof, Prover, StepId, StepOutcome};

/// The result of testing the link.
#[derive(Debug)]
pub struct Tried {
    /// The answer to AssumeRole.
    pub answer: Answer,
    /// The requests that the role accepted and must reject.
    pub let_through: BTreeSet<LetThrough>,
    /// The requests that the role must reject and that were sent.
    pub refusals_tried: BTreeSet<LetThrough>,
    /// The call that S3 denied.
    pub s3: Option<S3Facts>,
}

impl Tried {
    /// Returns the result of a link with this denial, without AWS's words: right after a write they may be about what was
    /// there before.
    #[must_use]
    pub fn denied(denied: Denied<'_>) -> Self {
        let denial = |service: &'static str, operation: &'static str| AwsAnswer {
            service: service.into(),
            operation: operation.into(),
            code: Some("AccessDenied".to_owned()),
            message: None,
            request_id: None,
            status: None,
        };
        let (answer, s3) = match denied {
            Denied::AssumeRole => (Answer::Refused(denial("sts", "AssumeRole")), None),
            Denied::S3 { session, bucket, region, operation } => {
                let (bucket, region) = (bucket.to_owned(), region.clone());
                (Answer::Accepted(session.clone()), Some(S3Facts { bucket, region, answer: denial("s3", operation) }))
            }
        };
        Self { answer, let_through: BTreeSet::new(), refusals_tried: BTreeSet::new(), s3 }
    }

    /// Returns the result of a proof, or `None` if xacct could not reach AWS. `lacks_device` says that the proof found
    /// no MFA device.
    #[must_use]
    pub fn of(proof: &Result<Proof>, region: &Region, lacks_device: bool) -> Option<Self> {
        let only =
            |answer| Some(Self { answer, let_through: BTreeSet::new(), refusals_tried: BTreeSet::new(), s3: None });
        let proof = match proof {
            Ok(proof) => proof,
            Err(Error { aws: Some(answer), .. }) => return only(Answer::Refused((**answer).clone())),
            Err(error) if error.kind == Kind::Credentials => {
                return only(Answer::NotSent(NotSent::NoCredentials(why(error))));
            }
            Err(_) => return None,
        };
        if proof.unreached().is_some() {
            return None;
        }
        let step = |id: StepId| proof.steps.iter().find(|step| step.id == id);
        let answer_of =
            |id: StepId| step(id).and_then(|step| step.error.as_ref()).and_then(|error| error.aws.as_deref());
        let assumed = step(StepId::AssumeRole);
        let answer = match assumed {
            None => match answer_of(StepId::WhoAmI) {
                Some(answer) => Answer::Refused(answer.clone()),
                None => Answer::NotSent(NotSent::NotTheUsers),
            },
            Some(step) if step.outcome == StepOutcome::Ok => Answer::Accepted(proof.session.clone()?),
            Some(step) => match (answer_of(StepId::AssumeRole), &step.error) {
                // An error of another service, such as listing MFA devices, is no answer to AssumeRole.
                (Some(answer), _) if answer.service == "sts" => Answer::Refused(answer.clone()),
                (_, Some(error)) if lacks_device => Answer::NotSent(NotSent::NoMfaDevice(error.message.clone())),
                (_, Some(error)) => Answer::NotSent(NotSent::NoMfaCode(error.message.clone())),
                (_, None) => return None,
            },
        };
        let refusals = [
            (StepId::RefusedWithoutExternalId, LetThrough::WithoutExternalId),
            (StepId::RefusedWithWrongExternalId, LetThrough::WithWrongExternalId),
            (StepId::RefusedWithoutMfa, LetThrough::WithoutMfa),
        ];
        let ended = |outcomes: &[StepOutcome]| {
            let is_it = |id: StepId| step(id).is_some_and(|step| outcomes.contains(&step.outcome));
            refusals.into_iter().filter(|(id, _)| is_it(*id)).map(|(_, what)| what).collect::<BTreeSet<_>>()
        };
        let let_through = ended(&[StepOutcome::Failed]);
        let refusals_tried = ended(&[StepOutcome::Failed, StepOutcome::Ok]);
        let refused_by_s3 = answer_of(StepId::CreateBucket).or_else(|| answer_of(StepId::DeleteBucket));
        let s3 = refused_by_s3.zip(proof.bucket.as_ref()).map(|(answer, bucket)| S3Facts {
            bucket: bucket.clone(),
            region: region.clone(),
            answer: answer.clone(),
        });
        Some(Self { answer, let_through, refusals_tried, s3 })
    }
}

impl From<(&AssumeRole, &Region)> for RequestFacts {
    fn from((request, region): (&AssumeRole, &Region)) -> Self {
        Self {
            region: region.clone(),
            session_name: request.session_name.to_string(),
            external_id: request.external_id.as_ref().map(ToString::to_string),
            duration_seconds: request.duration.map(SessionDuration::as_secs),
            tags: request.tags.iter().map(|tag| (tag.key.to_string(), tag.value.to_string())).collect(),
            source_identity: request.source_identity.as_ref().map(ToString::to_string),
        }
    }
}

/// Reads who owns the credentials that the proof used as the user's.
pub async fn caller(prover: &Prover, claim: &Claim) -> CallerFacts {
    let (access, region, mfa) = (prover.access(), prover.region(claim), prover.has_mfa(claim));
    // If the Region's partition is not that of the credentials, they most likely belong to `aws`.
    let is_other = region.partition() != Partition::Aws;
    let first = if is_other { Partition::Aws } else { region.partition() }.default_region().parse::<Region>().ok();
    let elsewhere = first.filter(|_| is_other || region.is_opt_in()).map(|first| access.in_region(&first));
    let known = |caller: Result<Caller>| settled(caller.map(|caller| Reading::Present(caller.arn)));
    let elsewhere = async {
        match &elsewhere {
            Some(elsewhere) => Some(known(sts::caller(elsewhere).await)),
            None => None,
        }
    };
    let carries_mfa = async {
        match (mfa, access.is_session) {
            (true, _) => Mfa::Present,
            (false, false) => Mfa::Absent,
            (false, true) => match read::carries_mfa(access).await {
                Some(false) => Mfa::Absent,
                // Role sessions may call IAM and carry no MFA.
                _ => Mfa::Unknown,
            },
        }
    };
    let (identity, elsewhere, mfa) = tokio::join!(async { known(prover.caller().await) }, elsewhere, carries_mfa);
    CallerFacts {
        origin: access.origin.clone(),
        profile: access.profile.clone(),
        profile_of_user: None,
        is_user_in_environment: false,
        machine: access.machine,
        hidden_profile: None,
        is_session: access.is_session,
        mfa,
        identity,
        elsewhere,
    }
}

/// Returns the caller's facts if there are no credentials.
#[must_use]
pub fn no_caller(error: &Error) -> CallerFacts {
    CallerFacts {
        origin: "none".to_owned(),
        profile: None,
        profile_of_user: None,
        is_user_in_environment: false,
        machine: None,
        hidden_profile: None,
        is_session: false,
        mfa: Mfa::Absent,
        identity: failed(error),
        elsewhere: None,
    }
}

/// The credentials with which an account is read.
pub struct Reader {
    /// The credentials.
    pub access: Access,
    /// Their owner, if already known.
    pub owner: Option<CallerArn>,
}

impl Reader {
    async fn identity(&self) -> Reading<CallerArn> {
        match &self.owner {
            Some(owner) => Reading::Present(owner.clone()),
            None => settled(sts::caller(&self.access).await.map(|caller| Reading::Present(caller.arn))),
        }
    }
}

impl From<Access> for Reader {
    fn from(access: Access) -> Self {
        Self { access, owner: None }
    }
}

/// Reads the user with all policies that affect it, at this time.
pub async fn source(reader: Result<Reader>, link: &LinkFacts, now: Option<i64>) -> SourceFacts {
    let reader = match reader {
        Ok(reader) => reader,
        Err(error) => return SourceFacts::unread(None, failed(&error), &why(&error)),
    };
    let access = &reader.access;
    let principal_of_iam = in_iam(access, &link.principal).await;
    let link = &LinkFacts { principal: principal_of_iam, ..link.clone() };
    let managed = &Managed::of(access);
    let boundary = async |user: Reading<UserFacts>| {
        let document = boundary(user.present().and_then(|user| user.boundary.as_deref()), managed).await;
        (user, document)
    };
    let user_and_boundary = async { boundary(settled(principal(access, &link.principal).await)).await };
    let (identity, (user, boundary), policies, groups, mfa_devices, _) = tokio::join!(
        reader.identity(),
        user_and_boundary,
        policies(access, observe::holder(&link.principal), managed),
        groups_of(access, &link.principal, managed),
        mfa_devices(access, &link.principal),
        managed.versions(),
    );
    if let Some(words) = wrong_account(&identity, link.source_account.as_ref(), access) {
        return SourceFacts::unread(access.profile.clone(), identity, &words);
    }
    let operator = OperatorFacts { profile: access.profile.clone(), identity };
    SourceFacts {
        read_at: now,
        operator,
        user,
        policies,
        groups,
        boundary,
        mfa_devices: settled(mfa_devices),
        callers_key: None,
        changed_at: managed.changed_at(),
    }
}

/// Reads the status of an access key of the user; absent if it is none of the user's.
pub async fn key_status(access: &Access, user: &UserName, id: &str) -> Reading<KeyStatus> {
    settled(read::is_key_active(access, user, id).await)
        .map(|is_active| if is_active { KeyStatus::Active } else { KeyStatus::Inactive })
}

/// Reads the policies of a principal: its own, and those of each group of a user.
pub async fn policies_of_principal(
    access: &Access,
    principal: &PrincipalRef,
) -> (PolicyFacts, Reading<BTreeMap<String, PolicyFacts>>) {
    let managed = &Managed::of(access);
    let own = policies(access, observe::holder(principal), managed);
    let groups = groups_of(access, principal, managed);
    let (own, groups, _) = tokio::join!(own, groups, managed.versions());
    (own, groups)
}

/// Returns the role of a permission set in the account, if the principal is one. Of one that has none, it returns a role that
/// does not exist.
async fn in_iam(access: &Access, principal: &PrincipalRef) -> PrincipalRef {
    let PrincipalRef::PermissionSet(name) = principal else { return principal.clone() };
    let set = observe::permission_set(access, name).await;
    let role = set.ok().and_then(|set| set.present()?.roles.first().map(|role| role.arn.clone()));
    role.map_or_else(|| principal.clone(), |role| PrincipalRef::Role(RoleRef::Arn(role)))
}

/// Reads a user or a role with a grant.
async fn principal(access: &Access, principal: &PrincipalRef) -> Result<Reading<UserFacts>> {
    Ok(match principal {
        PrincipalRef::User(user) => read::user(access, user.name()).await?.map(UserFacts::from),
        PrincipalRef::Group(_) => read::group(access, principal.name()).await?.map(UserFacts::from),
        PrincipalRef::Role(_) | PrincipalRef::PermissionSet(_) => {
            observe::found_role(access, &principal.name().parse()?).await?.map(UserFacts::from)
        }
    })
}

/// Reads the MFA devices of a user; a role has none.
async fn mfa_devices(access: &Access, principal: &PrincipalRef) -> Result<Reading<Vec<String>>> {
    match principal.user_name() {
        Some(user) => read::mfa_devices(access, user).await,
        None => Ok(Reading::Present(Vec::new())),
    }
}

/// Reads the policies of each group of a principal; a role has none.
async fn groups_of(
    access: &Access,
    principal: &PrincipalRef,
    managed: &Managed<'_>,
) -> Reading<BTreeMap<String, PolicyFacts>> {
    match principal.user_name() {
        Some(user) => groups(access, user.as_str(), managed).await,
        None => Reading::Present(BTreeMap::new()),
    }
}

/// Reads the policies of each group of a user.
async fn groups(access: &Access, user: &str, managed: &Managed<'_>) -> Reading<BTreeMap<String, PolicyFacts>> {
    match settled(read::groups(access, user).await) {
        Reading::Present(groups) => {
            let groups = groups.into_iter().map(async |group| {
                let read = policies(access, Holder::Group(&group), managed).await;
                (group, read)
            });
            Reading::Present(join_all(groups).await.into_iter().collect())
        }
        unread => unread.map(|_| BTreeMap::new()),
    }
}

/// Reads the role with its policies, at this time.
pub async fn target(reader: Result<Reader>, link: &LinkFacts, now: Option<i64>) -> TargetFacts {
    let reader = match reader {
        Ok(reader) => reader,
        Err(error) => return TargetFacts::unread(None, failed(&error), &why(&error)),
    };
    let access = &reader.access;
    let name = &link.role.name;
    let managed = &Managed::of(access);
    let role = async {
        let role = settled(read::role(access, name).await).map(RoleFacts::from);
        let arn = role.present().and_then(|role| role.boundary.clone());
        let look_alikes = async {
            match role {
                Reading::Absent => settled(read::roles_like(access, name).await).present().cloned().unwrap_or_default(),
                _ => Vec::new(),
            }
        };
        let (boundary, look_alikes) = tokio::join!(boundary(arn.as_deref(), managed), look_alikes);
        (role, boundary, look_alikes)
    };
    let (identity, (role, boundary, look_alikes), policies, _) = tokio::join!(
        reader.identity(),
        role,
        policies(access, Holder::Role(name.as_str()), managed),
        managed.versions(),
    );
    if let Some(words) = wrong_account(&identity, Some(&link.role.account), access) {
        let meant = role.present().map(|role| role.arn.clone()).into_iter().collect();
        return TargetFacts { look_alikes: meant, ..TargetFacts::unread(access.profile.clone(), identity, &words) };
    }
    let operator = OperatorFacts { profile: access.profile.clone(), identity };
    let changed_at = managed.changed_at();
    TargetFacts { read_at: now, operator, role, look_alikes, policies, boundary, changed_at }
}

/// An account's managed policies. Their default versions are read once, concurrently with everything else, and each
/// document once, even if it is attached to several groups.
struct Managed<'a> {
    access: &'a Access,
    versions: OnceCell<BTreeMap<String, String>>,
    documents: Mutex<BTreeMap<String, Arc<OnceCell<Reading<Version>>>>>,
}

/// The default version of a managed policy: its text, and when it was created.
type Version = (FoundDocument, Option<i64>);

impl<'a> Managed<'a> {
    fn of(access: &'a Access) -> Self {
        Self { access, versions: OnceCell::new(), documents: Mutex::default() }
    }

    async fn versions(&self) -> &BTreeMap<String, String> {
        self.versions.get_or_init(|| read::versions(self.access)).await
    }

    async fn document(&self, arn: &str) -> Reading<FoundDocument> {
        let known = {
            let mut documents = self.documents.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(documents.entry(arn.to_owned()).or_default())
        };
        let read = async || settled(read::managed_with_time(self.access, arn, self.versions().await).await);
        known.get_or_init(read).await.clone().map(|(document, _)| document)
    }

    /// Returns when the documents that were read were changed last.
    fn changed_at(&self) -> BTreeMap<String, i64> {
        let documents = self.documents.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = documents.iter().filter_map(|(arn, read)| Some((arn.clone(), read.get()?.present()?.1?)));
        changed.collect()
    }
}

/// Reads the inline and attached policies of a user, group or role.
async fn policies(access: &Access, of: Holder<'_>, managed: &Managed<'_>) -> PolicyFacts {
    let inline = async {
        match settled(read::inline_names(access, of).await) {
            Reading::Present(names) => {
                let documents = names.into_iter().map(async |name| {
                    let document = settled(read::inline(access, of, &name).await);
                    (name, document)
                });
                Reading::Present(join_all(documents).await.into_iter().collect())
            }
            unread => unread.map(|_| BTreeMap::new()),
        }
    };
    let attached = async {
        match settled(read::attached(access, of).await) {
            Reading::Present(arns) => {
                let documents = arns.into_iter().map(async |arn| {
                    let document = managed.document(&arn).await;
                    (arn, document)
                });
                Reading::Present(join_all(documents).await.into_iter().collect())
            }
            unread => unread.map(|_| BTreeMap::new()),
        }
    };
    let (inline, attached) = tokio::join!(inline, attached);
    PolicyFacts { inline, attached }
}

async fn boundary(arn: Option<&str>, managed: &Managed<'_>) -> Reading<FoundDocument> {
    match arn {
        Some(arn) => managed.document(arn).await,
        None => Reading::Absent,
    }
}

/// Returns an explanation if the credentials belong to another account than the one to read.
fn wrong_account(identity: &Reading<CallerArn>, wanted: Option<&AccountId>, access: &Access) -> Option<String> {
    let (found, wanted) = (identity.present()?.account()?, wanted?);
    (found != wanted).then(|| format!("the credentials ({}) belong to account {found}, not {wanted}", access.origin))
}

/// Turns an error into an unreadable reading.
fn settled<T>(result: Result<Reading<T>>) -> Reading<T> {
    result.unwrap_or_else(|error| failed(&error))
}

fn failed<T>(error: &Error) -> Reading<T> {
    Reading::Unreadable { permission: String::new(), answer: why(error) }
}

/// Returns the error in words. Without credentials, the first hint says how to get them, such as the command to sign in.
fn why(error: &Error) -> String {
    let message = error.own_message_and_answer();
    match error.hints.first().filter(|_| error.kind == Kind::Credentials) {
        Some(hint) => format!("{message}; {hint}"),
        None => message,
    }
}

impl SourceFacts {
    /// Returns the facts of an account that was not read, with the reason.
    #[must_use]
    pub fn not_read(why: &str) -> Self {
        Self::unread(None, unread(why), why)
    }

    /// Returns the facts of an account that xacct could not read, with the reason.
    fn unread(profile: Option<String>, identity: Reading<CallerArn>, why: &str) -> Self {
        Self {
            read_at: None,
            operator: OperatorFacts { profile, identity },
            user: unread(why),
            policies: PolicyFacts { inline: unread(why), attached: unread(why) },
            groups: unread(why),
            boundary: unread(why),
            mfa_devices: unread(why),
            callers_key: None,
            changed_at: BTreeMap::new(),
        }
    }
}

impl TargetFacts {
    /// Returns the facts of an account that was not read, with the reason.
    #[must_use]
    pub fn not_read(why: &str) -> Self {
        Self::unread(None, unread(why), why)
    }

    /// Returns the facts of an account that xacct could not read, with the reason.
    fn unread(profile: Option<String>, identity: Reading<CallerArn>, why: &str) -> Self {
        Self {
            read_at: None,
            operator: OperatorFacts { profile, identity },
            role: unread(why),
            look_alikes: Vec::new(),
            policies: PolicyFacts { inline: unread(why), attached: unread(why) },
            boundary: unread(why),
            changed_at: BTreeMap::new(),
        }
    }
}

fn unread<T>(why: &str) -> Reading<T> {
    Reading::Unreadable { permission: String::new(), answer: why.to_owned() }
}

impl From<read::FoundUser> for UserFacts {
    fn from(user: read::FoundUser) -> Self {
        let read::FoundUser { arn, unique_id, age_seconds, boundary, tags } = user;
        Self { arn, unique_id, age_seconds, boundary, tags }
    }
}

impl From<read::FoundGroup> for UserFacts {
    fn from(group: read::FoundGroup) -> Self {
        let read::FoundGroup { arn, unique_id, age_seconds, .. } = group;
        Self { arn, unique_id, age_seconds, boundary: None, tags: BTreeMap::new() }
    }
}

impl From<read::FoundRole> for UserFacts {
    fn from(role: read::FoundRole) -> Self {
        let read::FoundRole { arn, unique_id, age_seconds, boundary, tags, .. } = role;
        Self { arn, unique_id, age_seconds, boundary, tags }
    }
}

impl From<read::FoundRole> for RoleFacts {
    fn from(role: read::FoundRole) -> Self {
        let is_ours = is_ours(&role.tags);
        let read::FoundRole { arn, age_seconds, max_session, boundary, tags, trust, .. } = role;
        Self { arn, is_ours, age_seconds, max_session_seconds: max_session, boundary, tags, trust }
    }
}
