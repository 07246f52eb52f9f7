//! The observations on which bootstrap and teardown decide, composed of single reads. A denied read is reported as
//! unreadable, never as absence.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use aws_sdk_iam::types::SummaryKeyType;
use futures_util::future::{join_all, try_join_all};
use tokio::time::{Instant, sleep, timeout};

use crate::aws::client::access::Access;
use crate::aws::client::error::Call;
use crate::aws::iam::read::{self, Holder};
use crate::error::{Error, Kind, Result};
use crate::iam::arn::{
    CallerArn, PolicyArn, PolicyOwner, PrincipalArn, PrincipalRef, RESERVED_PATH, RoleArn, set_of_role,
};
use crate::iam::effective::EffectivePolicies;
use crate::iam::grant_names::{GRANT_PATH, grant_part_number};
use crate::iam::names::{PermissionSetName, PolicyName, RoleName};
use crate::iam::permission_set::{INLINE_POLICY, ObservedPermissionSet, ObservedSetRole};
use crate::iam::plan::teardown::StandingRole;
use crate::iam::policy::is_unique_id;
use crate::iam::state::{
    DEFAULT_ATTACHED_POLICIES_QUOTA, DEFAULT_GROUP_POLICIES_QUOTA, DEFAULT_MANAGED_POLICY_QUOTA,
    DEFAULT_ROLE_POLICIES_QUOTA, DEFAULT_TRUST_POLICY_QUOTA, DEFAULT_USER_POLICIES_QUOTA, DesiredRole, FoundDocument,
    GrantPart, ManagedPolicies, OWN_POLICY_PREFIX, ObservedBoundary, ObservedPrincipal, ObservedRole, PolicyVersion,
    Quota, Reading, RoleQuotas,
};
use crate::iam::templates::LINK_SID;

/// How long to wait for the ARN of a role that was created a moment ago.
const ARN_PATIENCE: Duration = Duration::from_secs(60);

/// Unwraps what is present; any other reading is returned from the caller.
macro_rules! present {
    ($reading:expr) => {
        match $reading {
            Reading::Present(found) => found,
            Reading::Absent => return Ok(Reading::Absent),
            Reading::Unreadable { permission, answer } => return Ok(Reading::Unreadable { permission, answer }),
        }
    };
}

/// Reads a role with all its policies: in one round trip, if it has no inline policies beyond `expected`.
///
/// # Errors
/// When AWS cannot be reached, or answers with an error that means neither absence nor denial.
pub async fn role(access: &Access, name: &RoleName, expected: &BTreeSet<String>) -> Result<Reading<ObservedRole>> {
    with_arn(name, async || role_as_shown(access, name, expected).await, |role| &role.arn).await
}

/// Reads the same once, though IAM may show the unique ID in place of the ARN: for callers that wait for their own
/// changes anyway.
///
/// # Errors
/// As for [`role`].
pub async fn role_as_shown(
    access: &Access,
    name: &RoleName,
    expected: &BTreeSet<String>,
) -> Result<Reading<ObservedRole>> {
    let holder = Holder::Role(name.as_str());
    let (role, attachments, inline) = tokio::join!(
        read::role(access, name),
        read::attached(access, holder),
        inline_policies(access, holder, expected)
    );
    let role = present!(role?);
    // `Absent` here means that the role was deleted between the calls.
    let (attachments, inline) = (present!(attachments?), present!(inline?));
    Ok(Reading::Present(observed(role, attachments, inline)))
}

/// Reads a role without its policies, in one call, as an observation.
///
/// # Errors
/// As for [`found_role`].
pub async fn role_frame(access: &Access, name: &RoleName) -> Result<Reading<ObservedRole>> {
    Ok(found_role(access, name).await?.map(|role| observed(role, BTreeSet::new(), BTreeMap::new())))
}

/// Reads a role without its policies, in one call.
///
/// # Errors
/// When AWS cannot be reached, or answers with an error that means neither absence nor denial.
pub async fn found_role(access: &Access, name: &RoleName) -> Result<Reading<read::FoundRole>> {
    with_arn(name, async || read::role(access, name).await, |role| &role.arn).await
}

/// Repeats the read of a role while IAM shows its unique ID in place of its ARN, as it does for a moment after CreateRole
/// (terraform-provider-aws, internal/service/iam/role.go).
async fn with_arn<T>(
    name: &RoleName,
    look: impl AsyncFn() -> Result<Reading<T>>,
    arn: impl Fn(&T) -> &str,
) -> Result<Reading<T>> {
    let (start, mut pause) = (Instant::now(), Duration::from_millis(200));
    loop {
        let reading = look().await?;
        if !reading.present().is_some_and(|role| is_unique_id(arn(role))) {
            return Ok(reading);
        }
        if start.elapsed() > ARN_PATIENCE {
            return Err(Error::new(Kind::Aws, format!("IAM shows the unique ID of role `{name}` instead of its ARN"))
                .note("IAM is still propagating the creation of the role")
                .hint("run the command again in a minute"));
        }
        sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(3));
    }
}

fn observed(
    role: read::FoundRole,
    attachments: BTreeSet<String>,
    inline: BTreeMap<String, Option<FoundDocument>>,
) -> ObservedRole {
    let read::FoundRole { unique_id: id, arn, description, max_session, boundary, tags, trust, last_used, .. } = role;
    ObservedRole { id, arn, description, max_session, boundary, tags, trust, attachments, inline, last_used }
}

/// Reads what the removal of a role depends on, in one round trip.
///
/// # Errors
/// When AWS cannot be reached, or answers with an error that means neither absence nor denial.
pub async fn role_to_remove(access: &Access, name: &RoleName) -> Result<Reading<StandingRole>> {
    with_arn(name, async || standing_role(access, name).await, |role| &role.arn).await
}

async fn standing_role(access: &Access, name: &RoleName) -> Result<Reading<StandingRole>> {
    let holder = Holder::Role(name.as_str());
    let look = async || {
        tokio::try_join!(
            read::role(access, name),
            read::attached(access, holder),
            read::inline_names(access, holder),
            read::instance_profiles(access, name),
        )
    };
    let what = format!("role `{name}`");
    let found = consistent(&what, look, |(role, attachments, inline, profiles)| {
        let absent = [role.is_absent(), attachments.is_absent(), inline.is_absent(), profiles.is_absent()];
        let shown = [role.present().is_some(), attachments.present().is_some(), inline.present().is_some()];
        absent.contains(&true) && shown.contains(&true)
    });
    let (role, attachments, inline, profiles) = found.await?;
    let role = present!(role);
    let (attachments, inline, profiles) = (present!(attachments), present!(inline), present!(profiles));
    Ok(Reading::Present(StandingRole {
        id: role.unique_id,
        arn: role.arn,
        tags: role.tags,
        trust: role.trust,
        boundary: role.boundary,
        attachments,
        inline: inline.into_iter().collect(),
        instance_profiles: profiles,
        last_used: role.last_used,
    }))
}

/// Reads all inline policies. A policy that xacct does not manage has no document if AWS denies the read, or rejects its
/// name.
async fn inline_policies(
    access: &Access,
    holder: Holder<'_>,
    expected: &BTreeSet<String>,
) -> Result<Reading<BTreeMap<String, Option<FoundDocument>>>> {
    let read = |names: Vec<String>| {
        try_join_all(names.into_iter().map(async |name| {
            let reading = match read::inline(access, holder, &name).await {
                Err(error) if error.code() == Some("ValidationError") && !name.starts_with(OWN_POLICY_PREFIX) => {
                    Reading::Unreadable { permission: String::new(), answer: error.to_string() }
                }
                reading => reading?,
            };
            Ok::<_, Error>((name, reading))
        }))
    };
    // The expected policies are read concurrently with the list.
    let (names, mut documents) =
        tokio::try_join!(read::inline_names(access, holder), read(expected.iter().cloned().collect()))?;
    let names = present!(names);
    documents.extend(read(names.into_iter().filter(|name| !expected.contains(name)).collect()).await?);
    let mut policies = BTreeMap::new();
    for (name, reading) in documents {
        match reading {
            Reading::Absent => {}
            Reading::Unreadable { .. } if !name.starts_with(OWN_POLICY_PREFIX) => {
                policies.insert(name, None);
            }
            reading => {
                policies.insert(name, Some(present!(reading)));
            }
        }
    }
    Ok(Reading::Present(policies))
}

/// A principal with a grant, without its policies.
#[derive(Debug, Clone)]
pub struct FoundPrincipal {
    /// The ARN, as IAM gives it.
    pub arn: PrincipalArn,
    /// The names of the users in a group.
    pub members: Vec<String>,
}

impl From<PrincipalArn> for FoundPrincipal {
    fn from(arn: PrincipalArn) -> Self {
        Self { arn, members: Vec::new() }
    }
}

/// Reads a principal with a grant, by name: only IAM knows the path.
///
/// # Errors
/// When AWS cannot be reached, or answers with an error that means neither absence nor denial.
pub async fn principal(access: &Access, principal: &PrincipalRef) -> Result<Reading<FoundPrincipal>> {
    match principal {
        PrincipalRef::User(user) => {
            let user = present!(read::user(access, user.name()).await?);
            let arn = CallerArn::parse(&user.arn);
            let arn = arn.user().ok_or_else(|| Call::iam("GetUser").lacks("user ARN"))?;
            Ok(Reading::Present(PrincipalArn::from(arn.clone()).into()))
        }
        PrincipalRef::Group(_) => {
            let group = present!(read::group(access, principal.name()).await?);
            let arn = group.arn.parse().map_err(|_| Call::iam("GetGroup").lacks("group ARN"))?;
            Ok(Reading::Present(FoundPrincipal { arn: PrincipalArn::Group(arn), members: group.members }))
        }
        PrincipalRef::Role(_) | PrincipalRef::PermissionSet(_) => {
            let role = present!(found_role(access, &principal.name().parse()?).await?);
            let arn = role.arn.parse().map_err(|_| Call::iam("GetRole").lacks("role ARN"))?;
            Ok(Reading::Present(PrincipalArn::Role(arn).into()))
        }
    }
}

/// Reads the roles of a permission set in the account, with their policies: absent if there are none.
///
/// # Errors
/// When AWS cannot be reached, or answers with an error that means neither absence nor denial.
pub async fn permission_set(access: &Access, name: &PermissionSetName) -> Result<Reading<ObservedPermissionSet>> {
    let of_set = |arn: &RoleArn| set_of_role(arn.name.as_str()).as_ref() == Some(name);
    let arns: Vec<RoleArn> =
        present!(read::roles_below(access, RESERVED_PATH).await?).iter().filter_map(|arn| arn.parse().ok()).collect();
    let mut roles = Vec::new();
    for arn in arns.into_iter().filter(of_set) {
        let role = present!(set_role(access, arn).await?);
        roles.push(role);
    }
    Ok(if roles.is_empty() { Reading::Absent } else { Reading::Present(ObservedPermissionSet { roles }) })
}

/// Reads the policies of a role of a permission set. Where its inline policy has a grant of xacct, that decides alone.
async fn set_role(access: &Access, arn: RoleArn) -> Result<Reading<ObservedSetRole>> {
    let holder = Holder::Role(arn.name.as_str());
    // One read may lag behind, and the set would seem to have no grant.
    let what = format!("policy {INLINE_POLICY} of role {}", arn.name);
    let look =
        async || tokio::try_join!(read::inline_names(access, holder), read::inline(access, holder, INLINE_POLICY));
    let inline = consistent(&what, look, |(names, inline)| {
        let is_listed = names.present().is_some_and(|names| names.iter().any(|name| *name == INLINE_POLICY));
        is_listed && inline.is_absent()
    });
    let ((_, inline), attached) = tokio::try_join!(inline, read::attached(access, holder))?;
    let inline = match inline {
        Reading::Absent => None,
        reading => Some(present!(reading)),
    };
    let has_grant = inline.as_ref().and_then(FoundDocument::policy).is_some_and(|it| it.statement(LINK_SID).is_some());
    let policies = attached.present().cloned().unwrap_or_default();
    let none = BTreeMap::new();
    let texts = policies.iter().filter(|_| !has_grant).map(|arn| read::managed(access, arn, &none));
    let attached = try_join_all(texts).await?.iter().filter_map(|text| text.present().cloned()).collect();
    Ok(Reading::Present(ObservedSetRole { arn, inline, policies, attached }))
}

/// Returns where the policies of a principal are. Those of a permission set are on roles with other names.
#[must_use]
pub fn holder(principal: &PrincipalRef) -> Holder<'_> {
    match principal {
        PrincipalRef::User(_) => Holder::User(principal.name()),
        PrincipalRef::Group(_) => Holder::Group(principal.name()),
        PrincipalRef::Role(_) | PrincipalRef::PermissionSet(_) => Holder::Role(principal.name()),
    }
}

/// The grant policy of a principal, and the quota that its other inline policies leave.
#[derive(Debug, Clone)]
pub struct GrantPolicies {
    grant: Option<FoundDocument>,
    others: OtherPolicies,
    quota: Quota,
    managed: Option<ManagedPolicies>,
}

impl GrantPolicies {
    /// Whether the list of policies includes the grant although reading it found none.
    #[must_use]
    pub fn contradict_themselves(&self) -> bool {
        self.grant.is_none() && self.others.list_the_grant
    }

    /// Whether any policy of the principal was read, so that it exists.
    #[must_use]
    pub fn show_the_principal(&self) -> bool {
        let is_attached =
            |managed: &ManagedPolicies| managed.others > 0 || managed.parts.values().any(|it| it.is_attached);
        self.grant.is_some()
            || self.others.size.is_some_and(|size| size > 0)
            || self.managed.as_ref().is_some_and(is_attached)
    }

    /// Adds the principal's ARN.
    #[must_use]
    pub fn of(self, arn: PrincipalArn) -> ObservedPrincipal {
        let Self { grant, others, quota, managed } = self;
        ObservedPrincipal { arn, grant, other_policies_size: others.size, quota, managed }
    }
}

/// Reads the grant policies of a principal and the size of its other inline policies.
///
/// # Errors
/// When AWS cannot be reached, or answers with an error that means neither absence nor denial.
pub async fn grant_policies(
    access: &Access,
    principal: &PrincipalRef,
    grant: &PolicyName,
) -> Result<Reading<GrantPolicies>> {
    let holder = holder(principal);
    let (size, default, attached) = match principal {
        PrincipalRef::User(_) => (
            SummaryKeyType::UserPolicySizeQuota,
            DEFAULT_USER_POLICIES_QUOTA,
            SummaryKeyType::AttachedPoliciesPerUserQuota,
        ),
        PrincipalRef::Group(_) => (
            SummaryKeyType::GroupPolicySizeQuota,
            DEFAULT_GROUP_POLICIES_QUOTA,
            SummaryKeyType::AttachedPoliciesPerGroupQuota,
        ),
        PrincipalRef::Role(_) | PrincipalRef::PermissionSet(_) => (
            SummaryKeyType::RolePolicySizeQuota,
            DEFAULT_ROLE_POLICIES_QUOTA,
            SummaryKeyType::AttachedPoliciesPerRoleQuota,
        ),
    };
    let (found, others, managed, summary) = tokio::join!(
        read::inline(access, holder, grant.as_str()),
        other_policies(access, holder, grant),
        managed_grant(access, principal),
        account_summary(access),
    );
    let grant = match found? {
        Reading::Absent => None,
        reading => Some(present!(reading)),
    };
    let summary = summary.unwrap_or_default();
    let quota = |key, default| Quota::or_default(quota_in(&summary, &key), default);
    let managed = managed?.map(|ManagedGrant { parts, others }| ManagedPolicies {
        parts,
        others,
        size: quota(SummaryKeyType::PolicySizeQuota, DEFAULT_MANAGED_POLICY_QUOTA),
        attachments: quota(attached, DEFAULT_ATTACHED_POLICIES_QUOTA),
    });
    Ok(Reading::Present(GrantPolicies { grant, others: others?, quota: quota(size, default), managed }))
}

/// The managed policies of a grant, and how many other managed policies the principal has.
#[derive(Debug, Clone)]
pub struct ManagedGrant {
    /// As in [`ManagedPolicies`].
    pub parts: BTreeMap<u32, GrantPart>,
    /// As in [`ManagedPolicies`].
    pub others: usize,
}

/// Reads the managed policies of a grant: in one round trip, if there are none. `None` if a read is denied. Those of a
/// permission set do not count as attached: only its roles show that.
///
/// # Errors
/// When AWS cannot be reached, or answers with an error that means neither absence nor denial.
pub async fn managed_grant(access: &Access, principal: &PrincipalRef) -> Result<Option<ManagedGrant>> {
    let attached = async {
        match principal {
            PrincipalRef::PermissionSet(_) => Ok(Reading::Present(BTreeSet::new())),
            _ => read::attached(access, holder(principal)).await,
        }
    };
    let (attached, policies) = tokio::join!(attached, read::policies_under(access, GRANT_PATH));
    let attached = match attached? {
        Reading::Present(attached) => attached,
        Reading::Absent => BTreeSet::new(),
        Reading::Unreadable { .. } => return Ok(None),
    };
    let Reading::Present(policies) = policies? else { return Ok(None) };
    let number = |arn: &str| grant_part_number(principal.kind(), principal.name(), arn);
    let (own, others): (BTreeSet<_>, BTreeSet<_>) = attached.into_iter().partition(|arn| number(arn).is_some());
    let versions: BTreeMap<_, _> = policies.into_iter().filter(|(arn, _)| number(arn).is_some()).collect();
    // The list may lag behind.
    let all: BTreeSet<_> = own.iter().chain(versions.keys()).collect();
    let read = all.into_iter().map(async |arn| {
        let document = listed_policy(access, arn, &versions).await?;
        Ok::<_, Error>((number(arn).unwrap_or_default(), document, own.contains(arn)))
    });
    let mut parts = BTreeMap::new();
    for (number, document, is_attached) in try_join_all(read).await? {
        match document {
            Reading::Present(document) => _ = parts.insert(number, GrantPart { document, is_attached }),
            Reading::Absent => {}
            Reading::Unreadable { .. } => return Ok(None),
        }
    }
    Ok(Some(ManagedGrant { parts, others: others.len() }))
}

/// Reads a managed policy that a list shows. One read may lag behind, and so may the list, but not for long: after the last of
/// these reads it counts as deleted.
async fn listed_policy(
    access: &Access,
    arn: &str,
    versions: &BTreeMap<String, String>,
) -> Result<Reading<FoundDocument>> {
    for pause in [200, 400, 800] {
        let found = read::managed(access, arn, versions).await?;
        if !found.is_absent() {
            return Ok(found);
        }
        sleep(Duration::from_millis(pause)).await;
    }
    read::managed(access, arn, versions).await
}

/// Reads the managed policy with the grant of a permission set, which need not exist; `None` if a read is denied.
///
/// # Errors
/// When AWS cannot be reached, or answers with an error that means neither absence nor denial.
pub async fn set_policy(access: &Access, name: &PermissionSetName) -> Result<Option<ManagedPolicies>> {
    let set = PrincipalRef::PermissionSet(name.clone());
    let (managed, summary) = tokio::join!(managed_grant(access, &set), account_summary(access));
    let size = quota_in(&summary.unwrap_or_default(), &SummaryKeyType::PolicySizeQuota);
    Ok(managed?.map(|ManagedGrant { parts, others }| ManagedPolicies {
        parts,
        others,
        size: Quota::or_default(size, DEFAULT_MANAGED_POLICY_QUOTA),
        attachments: Quota { most: 1, is_read: true },
    }))
}

/// Repeats the reads of one resource until they agree on whether it exists. Each read may lag behind writes, and a policy
/// that one read misses must be neither taken for absent nor overwritten.
///
/// # Errors
/// When a read fails, or the reads still disagree after some seconds.
pub async fn consistent<T>(
    what: &str,
    look: impl AsyncFn() -> Result<T>,
    contradict: impl Fn(&T) -> bool,
) -> Result<T> {
    let mut pause = Duration::from_millis(200);
    for _ in 0..5 {
        let found = look().await?;
        if !contradict(&found) {
            return Ok(found);
        }
        sleep(pause).await;
        pause *= 2;
    }
    Err(Error::new(Kind::Aws, format!("IAM's responses are inconsistent: some show {what}, others do not"))
        .hint("IAM may still be propagating a change: run the command again in a minute"))
}

/// The inline policies other than the grant.
#[derive(Debug, Clone)]
struct OtherPolicies {
    /// `None` if one of them cannot be read: then only AWS can tell whether the quota suffices.
    size: Option<usize>,
    list_the_grant: bool,
}

async fn other_policies(access: &Access, holder: Holder<'_>, grant: &PolicyName) -> Result<OtherPolicies> {
    let names = match read::inline_names(access, holder).await? {
        Reading::Present(names) => names,
        Reading::Absent => return Ok(OtherPolicies { size: Some(0), list_the_grant: false }),
        Reading::Unreadable { .. } => return Ok(OtherPolicies { size: None, list_the_grant: false }),
    };
    let (own, others): (Vec<_>, Vec<_>) = names.iter().partition(|name| *name == grant.as_str());
    let documents = try_join_all(others.into_iter().map(|name| read::inline(access, holder, name))).await?;
    let sizes = documents.into_iter().map(|reading| match reading {
        Reading::Present(document) => Some(document.size()),
        Reading::Absent => Some(0),
        Reading::Unreadable { .. } => None,
    });
    Ok(OtherPolicies { size: sizes.sum(), list_the_grant: !own.is_empty() })
}

/// Reads the account's quotas for roles; returns IAM's defaults if they cannot be read.
pub async fn role_quotas(access: &Access) -> RoleQuotas {
    let summary = account_summary(access).await.unwrap_or_default();
    let value = |key: SummaryKeyType, default| Quota::or_default(quota_in(&summary, &key), default);
    RoleQuotas {
        trust_policy: value(SummaryKeyType::AssumeRolePolicySizeQuota, DEFAULT_TRUST_POLICY_QUOTA),
        inline_policies: value(SummaryKeyType::RolePolicySizeQuota, DEFAULT_ROLE_POLICIES_QUOTA),
        attached_policies: value(SummaryKeyType::AttachedPoliciesPerRoleQuota, DEFAULT_ATTACHED_POLICIES_QUOTA),
    }
}

/// Reads the account's quotas, with a short timeout because there are defaults.
async fn account_summary(access: &Access) -> Option<HashMap<SummaryKeyType, i32>> {
    let answer = timeout(Duration::from_secs(10), access.iam().get_account_summary().send()).await;
    answer.ok()?.ok()?.summary_map
}

fn quota_in(summary: &HashMap<SummaryKeyType, i32>, key: &SummaryKeyType) -> Option<usize> {
    usize::try_from(*summary.get(key)?).ok().filter(|quota| *quota > 0)
}

/// Checks that managed policies exist before anything is written, and returns the default version of each.
///
/// A policy that cannot be read is assumed to exist: if it does not, AWS rejects attaching it.
///
/// # Errors
/// When a policy does not exist.
pub async fn managed_policies(
    access: &Access,
    policies: &[(&PolicyArn, &'static str)],
) -> Result<Vec<Reading<PolicyVersion>>> {
    let checks = policies.iter().map(async |(arn, role)| match read::default_version(access, arn).await? {
        Reading::Absent => {
            let error = Error::new(Kind::Refused, format!("the {role} `{arn}` does not exist"));
            let near = arn.nearest().map(|near| format!("did you mean `{near}`?"));
            Err(near
                .into_iter()
                .fold(error, Error::hint)
                .hint("list the existing policies: aws iam list-policies --query 'Policies[].Arn'"))
        }
        reading => Ok(reading),
    });
    join_all(checks).await.into_iter().collect()
}

/// Reads the policies that a role has, or will have. What cannot be read, for whatever reason, is unreadable. `versions` are
/// the default versions that are known, by ARN.
pub async fn effective_policies(
    access: &Access,
    desired: &DesiredRole,
    observed: Option<&ObservedRole>,
    versions: &BTreeMap<String, String>,
) -> EffectivePolicies {
    let read = async |arn: String| {
        let unreadable = |error: Error| Reading::Unreadable { permission: String::new(), answer: error.to_string() };
        read::managed(access, &arn, versions).await.unwrap_or_else(unreadable)
    };
    let attached = join_all(desired.attached_on(observed).into_iter().map(read));
    let boundary = desired.boundary.as_ref().map(ToString::to_string).or_else(|| observed?.boundary.clone());
    let boundary = async {
        match boundary {
            Some(arn) => Some(read(arn).await),
            None => None,
        }
    };
    let (mut policies, boundary) = tokio::join!(attached, boundary);
    policies.extend(desired.inline.values().map(|document| Reading::Present(FoundDocument::Policy(document.clone()))));
    let wanted = |name: &str| desired.inline.keys().any(|wanted| wanted.as_str() == name);
    let others = observed.into_iter().flat_map(|role| &role.inline);
    let others = others.filter(|(name, found)| !wanted(name) && !desired.removes_inline(name, found.as_ref()));
    policies.extend(others.map(|(_, document)| match document {
        Some(document) => Reading::Present(document.clone()),
        None => Reading::Unreadable { permission: "iam:GetRolePolicy".to_owned(), answer: String::new() },
    }));
    EffectivePolicies { policies, boundary }
}

/// Returns a boundary with its text, and the recorded text if its version is not the recorded one.
///
/// # Errors
/// When AWS cannot be reached, or answers with an error that means neither absence nor denial.
pub async fn boundary(
    access: &Access,
    arn: &PolicyArn,
    version: Reading<PolicyVersion>,
    recorded: Option<&PolicyVersion>,
) -> Result<ObservedBoundary> {
    let Some(current) = version.present() else {
        return Ok(ObservedBoundary { version, before: None, now: None });
    };
    let other = recorded.filter(|recorded| *recorded != current);
    // AWS says what its own policies allow.
    if other.is_none() && arn.owner == PolicyOwner::Aws {
        return Ok(ObservedBoundary { version, before: None, now: None });
    }
    let arn = arn.to_string();
    let before = async {
        match other {
            None => Ok(None),
            // The versions of a deleted policy are gone.
            Some(recorded) if current.policy_id != recorded.policy_id => Ok(Some(Reading::Absent)),
            Some(recorded) => read::managed_version(access, &arn, &recorded.version).await.map(Some),
        }
    };
    let (before, now) = tokio::try_join!(before, read::managed_version(access, &arn, &current.version))?;
    Ok(ObservedBoundary { before, now: Some(now), version })
}
