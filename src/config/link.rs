//! A link with all its settings, and the source of all links.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::file::{DEFAULT_ROLE_NAME, LocalTarget, Manager, OtherRole, Recorded, RecordedSource};
use super::grant::GrantSettings;
use crate::cli::{BucketNamespace, OperatorAccess, Probe, ProofOptions, RoleOptions, SessionAttributes};
use crate::error::{Error, Result};
use crate::iam::admission::Accepted;
use crate::iam::arn::{ManagedPolicy, PolicyOwner, PrincipalRef, RoleArn};
use crate::iam::identity::LINK_TAG;
use crate::iam::names::{
    AccountId, Description, ExternalId, IamPath, MaxSessionDuration, Region, RoleName, SessionName, Tag, TagValue,
};
use crate::iam::partition::Partition;
use crate::iam::policy::PolicyDocument;
use crate::iam::record::POLICIES_TAG;
use crate::iam::state::{BOUNDARY_TAG, MANAGED_BY, SOURCE_TAG};

/// The principals' account, and the credentials for it.
#[derive(Debug, Clone, Default)]
pub struct Source {
    /// The account ID, if known before the operator's credentials are.
    pub account: Option<AccountId>,
    /// The principals that get the grant of links without principals of their own; none means the operator, if that is a
    /// user.
    pub principals: Vec<PrincipalRef>,
    /// The operator's profile; `None` means the usual credential chain.
    pub profile: Option<String>,
    /// The principal whose grant for the links goes: another one has replaced it.
    pub leaving: Option<PrincipalRef>,
    /// The only principal whose test counts; any one if `None`.
    pub tested_as: Option<PrincipalRef>,
    /// The profile of a principal, to test links with; `None` means the operator's, if the operator is one.
    pub user_profile: Option<String>,
    /// Another profile that may have the credentials of a principal, if `user_profile` is not set.
    pub profile_to_try: Option<String>,
    /// The line of `account` in the file, such as `xacct.toml:2`.
    pub account_place: Option<String>,
    /// How the principals get their grant.
    pub grant: GrantSettings,
}

impl From<&RecordedSource> for Source {
    fn from(recorded: &RecordedSource) -> Self {
        let account = recorded.account().cloned();
        let RecordedSource { principals, profile, user_profile, grant, .. } = recorded.clone();
        Self { account, principals, profile, user_profile, grant, ..Self::default() }
    }
}

/// One link with every setting that the role, the grant and the proof depend on.
///
/// Fields with the name of a key in `xacct.toml` mean the same; the README explains the keys.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the fields are the keys of the file, which the README explains")]
pub struct Link {
    /// The target's name in `xacct.toml`.
    pub name: String,
    pub account: AccountId,
    pub role: RoleName,
    pub role_path: IamPath,
    /// The principals that may assume the role; none before AWS has told that it is the operator.
    pub principals: Vec<PrincipalRef>,
    /// Whether they are those of this target, not of `[source]`.
    pub has_own_principals: bool,
    /// The other role, while `xacct move` moves the link.
    pub other_role: Option<OtherRole>,
    /// Whether this run moves the link from `other_role` to `role`.
    pub begins_move: bool,
    /// Whether this stands for the other role of a target, which is to be removed.
    pub is_other_role: bool,
    pub external_id: ExternalIdChoice,
    /// Further external IDs that the role accepts until all consumers send the new one.
    pub old_external_ids: Vec<ExternalId>,
    /// Whether this run begins to replace the external ID: the role is to accept `external_id` beside the old ones.
    pub begins_rotation: bool,
    /// The principal that this run gives the link to, beside those that have it.
    pub gives_to: Option<PrincipalRef>,
    /// The external IDs as `xacct.toml` has them, whatever options say; `None` for a link that is new to the file.
    pub external_ids_on_record: Option<Vec<ExternalId>>,
    /// The tag by which the link knows its role again (`link`).
    pub id: Option<TagValue>,
    /// Whether the role requires MFA.
    pub require_mfa: bool,
    /// Whether the role trusts only the link's principals.
    pub restrict_to_user: bool,
    /// Whether sessions may carry tags and a source identity.
    pub allow_session_tags: bool,
    pub policy_arns: Vec<ManagedPolicy>,
    /// `policy_arns` as `xacct.toml` has them, whatever options say: what the options leave out is detached.
    pub policy_arns_on_record: Vec<ManagedPolicy>,
    /// Files with inline policies, as the user wrote them: relative to the directory of `xacct.toml` or of the caller.
    pub policy_files: Vec<PathBuf>,
    /// Files with further statements of the trust policy, as the user wrote them.
    pub trust_statement_files: Vec<PathBuf>,
    /// The statements in these files, once they are read (`settle::read_trust_statements`).
    pub trust_statements: PolicyDocument,
    pub permissions_boundary: Option<ManagedPolicy>,
    pub max_session_duration: MaxSessionDuration,
    /// `None` for the one that xacct writes.
    pub description: Option<Description>,
    pub tags: Vec<Tag>,
    /// The name of sessions; `None` for the user's name.
    pub session_name: Option<SessionName>,
    pub session_tags: Vec<Tag>,
    pub source_identity: Option<SessionName>,
    /// Region of sessions and buckets.
    pub region: Option<Region>,
    /// How the operator enters the target account.
    pub way_in: WayIn,
    pub probe: Probe,
    pub bucket_tags: Vec<Tag>,
    pub bucket_namespace: BucketNamespace,
    /// Callers whom the role may admit in addition to those of the link.
    pub accept: Vec<Accepted>,
    /// Whether nothing undeclared may be on the role, and only declared callers may be admitted even if xacct did not create
    /// it.
    pub exclusive: bool,
    /// The tool that changes the role and the grant instead of xacct.
    pub managed_by: Option<Manager>,
    /// Whether a trust policy that cannot be read fails the test (`--require-read`).
    pub require_read: bool,
    /// Settings of an existing role to keep, because `xacct.toml` and the options do not decide about them.
    pub keeps: Keeps,
}

/// What an existing role keeps if the link is new to `xacct.toml` and no option decides about it: a missing file must not
/// weaken a role, and who adopts one must not reset it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Keeps {
    /// MFA is required (`require_mfa`).
    pub mfa: bool,
    /// Only the one user is trusted (`restrict_to_user`).
    pub user: bool,
    /// Sessions may carry tags (`allow_session_tags`).
    pub session_tags: bool,
    /// The boundary (`permissions_boundary`).
    pub boundary: bool,
    /// The session limit (`max_session_duration`).
    pub duration: bool,
    /// The description, which no option sets.
    pub description: bool,
}

/// The external ID of a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExternalIdChoice {
    /// The one from an option or the file.
    Use(ExternalId),
    /// The one that the role has, or a random one if it has none.
    Generate,
    /// None, because xacct.toml records the link without one.
    None,
    /// One that xacct.toml keeps elsewhere, but this machine does not have.
    Missing,
    /// The one that the role has, if any, because the link is new to `xacct.toml`.
    AsFound,
}

impl ExternalIdChoice {
    /// Returns the external ID if it does not depend on the existing role.
    #[must_use]
    pub fn known(&self) -> Option<&ExternalId> {
        match self {
            Self::Use(id) => Some(id),
            _ => None,
        }
    }
}

/// How the operator gets credentials for the target account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WayIn {
    /// With this AWS profile of the operator.
    Profile(String),
    /// By assuming this role there as the source operator.
    EnterRole(RoleName),
    /// With the only profile in the AWS config file that names the account.
    Search,
}

/// Returns principals as KIND/NAME; users by name if there is no other kind.
#[must_use]
pub fn principal_names(principals: &[PrincipalRef]) -> Vec<String> {
    match principals.iter().all(|principal| principal.user().is_some()) {
        true => principals.iter().map(PrincipalRef::label).collect(),
        false => principals.iter().map(|principal| principal.without_account().to_string()).collect(),
    }
}

impl Link {
    /// Returns the role's name below its path: `engineering/deploy`.
    #[must_use]
    pub fn role_below_its_path(&self) -> String {
        format!("{}{}", self.role_path.as_str().trim_start_matches('/'), self.role)
    }

    /// Returns the principals, for a table or a sentence.
    #[must_use]
    pub fn principals_in_words(&self) -> String {
        self.principals.iter().map(PrincipalRef::label).collect::<Vec<_>>().join(", ")
    }

    /// Returns the principals, for JSON.
    #[must_use]
    pub fn principal_names(&self) -> Vec<String> {
        principal_names(&self.principals)
    }

    /// Returns the Region, or whose it is.
    #[must_use]
    pub fn region_in_words(&self) -> String {
        self.region.as_ref().map_or_else(|| "the profile's".to_owned(), ToString::to_string)
    }

    /// Returns the external ID, or that there is none.
    #[must_use]
    pub fn external_id_in_words(&self) -> String {
        let Some(id) = self.external_id.known() else {
            return match self.external_id {
                ExternalIdChoice::Missing => "external ID not on this machine".to_owned(),
                _ => "no external ID".to_owned(),
            };
        };
        let old: Vec<_> = self.old_external_ids.iter().map(ToString::to_string).collect();
        match old.is_empty() {
            true => format!("external ID {id}"),
            false => format!("external ID {id}; still accepted: {}", old.join(", ")),
        }
    }

    /// Returns the other terms on which the role admits the user.
    #[must_use]
    pub fn terms_in_words(&self) -> String {
        let mut terms = vec![if self.require_mfa { "MFA required" } else { "no MFA" }.to_owned()];
        if self.restrict_to_user {
            terms.push(if self.principals.len() > 1 { "these principals only" } else { "this user only" }.to_owned());
        }
        if self.allow_session_tags {
            terms.push("session tags".to_owned());
        }
        terms.push(format!("sessions up to {}", self.max_session_duration));
        terms.join(" · ")
    }

    /// Returns the role's ARN.
    #[must_use]
    pub fn role_arn(&self, partition: Partition) -> RoleArn {
        RoleArn { partition, account: self.account.clone(), path: self.role_path.clone(), name: self.role.clone() }
    }

    /// Returns the link with another role, to which it is moved from its own.
    #[must_use]
    pub fn moved_to(&self, role: &RoleArn) -> Self {
        let old = self.role_arn(role.partition);
        Self { other_role: Some(OtherRole::Old(old)), begins_move: true, ..self.with_role(role) }
    }

    /// Returns the link as it is until its new role passes the test; `None` if this run does not move it.
    #[must_use]
    pub fn before_move(&self) -> Option<Self> {
        let old = self.old_role().filter(|_| self.begins_move)?;
        let new = self.role_arn(old.partition);
        Some(Self { other_role: Some(OtherRole::New(new)), begins_move: false, ..self.with_role(old) })
    }

    /// Returns the role from which the link was moved, if it still has it.
    #[must_use]
    pub fn old_role(&self) -> Option<&RoleArn> {
        self.other_role.as_ref().and_then(OtherRole::old)
    }

    /// Returns what stands for the other role, if the link is being moved.
    #[must_use]
    pub fn of_other_role(&self) -> Option<Self> {
        let other = self.other_role.as_ref()?;
        Some(Self { other_role: None, is_other_role: true, ..self.with_role(other.arn()) })
    }

    /// Returns the links, each followed by what stands for its other role.
    #[must_use]
    pub fn with_other_roles(links: Vec<Self>) -> Vec<Self> {
        let with_other = |link: Self| {
            let other = link.of_other_role();
            [Some(link), other].into_iter().flatten()
        };
        links.into_iter().flat_map(with_other).collect()
    }

    fn with_role(&self, role: &RoleArn) -> Self {
        Self { role: role.name.clone(), role_path: role.path.clone(), ..self.clone() }
    }

    /// Returns a link with default settings.
    pub(super) fn new(account: AccountId) -> Result<Self> {
        Ok(Self {
            name: account.to_string(),
            account,
            role: DEFAULT_ROLE_NAME.parse()?,
            role_path: IamPath::root(),
            principals: Vec::new(),
            has_own_principals: false,
            other_role: None,
            begins_move: false,
            is_other_role: false,
            external_id: ExternalIdChoice::AsFound,
            old_external_ids: Vec::new(),
            begins_rotation: false,
            gives_to: None,
            external_ids_on_record: None,
            id: None,
            require_mfa: false,
            restrict_to_user: false,
            allow_session_tags: false,
            policy_arns: Vec::new(),
            policy_arns_on_record: Vec::new(),
            policy_files: Vec::new(),
            trust_statement_files: Vec::new(),
            trust_statements: PolicyDocument::of(Vec::new()),
            permissions_boundary: None,
            max_session_duration: "1h".parse()?,
            description: None,
            tags: Vec::new(),
            session_name: None,
            session_tags: Vec::new(),
            source_identity: None,
            region: None,
            way_in: WayIn::Search,
            probe: Probe::Auto,
            bucket_tags: Vec::new(),
            bucket_namespace: BucketNamespace::Global,
            accept: Vec::new(),
            exclusive: false,
            managed_by: None,
            require_read: false,
            keeps: Keeps {
                mfa: true,
                user: true,
                session_tags: true,
                boundary: true,
                duration: true,
                description: true,
            },
        })
    }

    pub(super) fn from_record(name: &str, record: &Recorded, source: &RecordedSource) -> Result<Self> {
        let new = Self::new(record.account.clone())?;
        let external_id = match &record.external_id {
            Some(id) => ExternalIdChoice::Use(id.clone()),
            None if record.is_external_id_elsewhere => ExternalIdChoice::Missing,
            None => ExternalIdChoice::None,
        };
        let external_ids_on_record = record.external_id.iter().chain(&record.old_external_ids).cloned().collect();
        Ok(Self {
            name: name.to_owned(),
            role: record.role.clone().unwrap_or(new.role),
            role_path: record.role_path.clone().unwrap_or(new.role_path),
            other_role: record.other_role.clone(),
            begins_move: false,
            is_other_role: false,
            principals: match record.principals.is_empty() {
                true => source.principals.clone(),
                false => record.principals.clone(),
            },
            has_own_principals: !record.principals.is_empty(),
            external_ids_on_record: Some(external_ids_on_record).filter(|_| external_id != ExternalIdChoice::Missing),
            external_id,
            old_external_ids: record.old_external_ids.clone(),
            begins_rotation: false,
            gives_to: None,
            id: record.link.clone(),
            require_mfa: record.require_mfa.unwrap_or(false),
            restrict_to_user: record.restrict_to_user.unwrap_or(false),
            allow_session_tags: record.allow_session_tags.unwrap_or(false),
            policy_arns: record.policy_arns.clone(),
            policy_arns_on_record: record.policy_arns.clone(),
            policy_files: record.policy_files.clone(),
            trust_statement_files: record.trust_statement_files.clone(),
            trust_statements: new.trust_statements,
            permissions_boundary: record.permissions_boundary.clone(),
            max_session_duration: record.max_session_duration.unwrap_or(new.max_session_duration),
            description: record.description.clone(),
            tags: record.tags.clone(),
            session_name: record.session_name.clone(),
            session_tags: record.session_tags.clone(),
            source_identity: record.source_identity.clone(),
            region: record.region.clone(),
            way_in: match (&record.profile, &record.enter_role) {
                (Some(profile), _) => WayIn::Profile(profile.clone()),
                (None, Some(role)) => WayIn::EnterRole(role.clone()),
                (None, None) => WayIn::Search,
            },
            probe: record.probe.unwrap_or(new.probe),
            bucket_tags: record.bucket_tags.clone(),
            bucket_namespace: record.bucket_namespace.unwrap_or(new.bucket_namespace),
            accept: record.accept.clone(),
            exclusive: record.exclusive.unwrap_or(false),
            managed_by: record.managed_by,
            require_read: false,
            account: new.account,
            keeps: Keeps::default(),
        })
    }

    /// Returns a link that is new to `xacct.toml` with what `xacct.local.toml` has for its name.
    pub(super) fn with_local(mut self, local: Option<&LocalTarget>) -> Self {
        let Some(LocalTarget { profile, external_ids }) = local else { return self };
        self = self.way_in_by(profile.clone());
        if let [id, old @ ..] = external_ids.as_slice() {
            self.external_id = ExternalIdChoice::Use(id.clone());
            self.old_external_ids = old.to_vec();
        }
        self
    }

    /// Returns the link with this profile of the target operator, if there is one.
    pub(super) fn way_in_by(self, profile: Option<String>) -> Self {
        let way_in = profile.map_or_else(|| self.way_in.clone(), WayIn::Profile);
        Self { way_in, ..self }
    }

    /// Returns the external IDs that the role accepts, the one to send first.
    pub fn external_ids(&self) -> impl Iterator<Item = &ExternalId> {
        self.external_id.known().into_iter().chain(&self.old_external_ids)
    }

    /// Returns whether this ends a rotation: of the external IDs on record, only the new one stays.
    #[must_use]
    pub fn finishes_rotation(&self) -> bool {
        let first = self.external_ids_on_record.as_ref().and_then(|ids| ids.first());
        first.is_some() && first == self.external_id.known() && self.former_external_ids().next().is_some()
    }

    /// Returns the external IDs on record that the role is to accept no longer.
    pub fn former_external_ids(&self) -> impl Iterator<Item = &ExternalId> {
        let on_record = self.external_ids_on_record.iter().flatten();
        on_record.filter(|id| !self.external_ids().any(|accepted| accepted == *id))
    }

    /// Returns the link with the options, which override its settings.
    pub(super) fn with_options(mut self, role: &RoleOptions, access: &OperatorAccess) -> Self {
        if let Some(name) = &role.role_name {
            self.role = name.clone();
        }
        if let Some(path) = &role.role_path {
            self.role_path = path.clone();
        }
        if let Some(id) = role.external_id.as_ref().filter(|id| self.external_id.known() != Some(id)) {
            self.external_id = ExternalIdChoice::Use(id.clone());
            self.old_external_ids.clear();
        } else if role.generate_external_id && self.external_id.known().is_none() {
            self.external_id = ExternalIdChoice::Generate;
        }
        self.keeps.mfa &= role.require_mfa.is_none();
        self.keeps.user &= role.restrict_to_user.is_none();
        self.keeps.session_tags &= role.allow_session_tags.is_none();
        self.keeps.boundary &= role.permissions_boundary.is_none();
        self.keeps.duration &= role.max_session_duration.is_none();
        self.require_mfa = role.require_mfa.unwrap_or(self.require_mfa);
        self.restrict_to_user = role.restrict_to_user.unwrap_or(self.restrict_to_user);
        self.allow_session_tags = role.allow_session_tags.unwrap_or(self.allow_session_tags);
        replace_if_given(&mut self.policy_arns, &role.policy_arn);
        replace_if_given(&mut self.policy_files, &role.policy_file);
        self.exclusive = role.exclusive.unwrap_or(self.exclusive);
        replace_if_given(&mut self.trust_statement_files, &role.trust_statement_file);
        if let Some(boundary) = &role.permissions_boundary {
            self.permissions_boundary = Some(boundary.clone());
        }
        self.max_session_duration = role.max_session_duration.unwrap_or(self.max_session_duration);
        replace_if_given(&mut self.tags, &role.tag);
        self.with_access(access)
    }

    /// Returns the link with the options for the operator's credentials, which override its settings.
    #[must_use]
    pub fn with_access(mut self, access: &OperatorAccess) -> Self {
        if let Some(profile) = &access.target_profile {
            self.way_in = WayIn::Profile(profile.clone());
        } else if let Some(role) = &access.enter_role {
            self.way_in = WayIn::EnterRole(role.clone());
        }
        self
    }

    /// Returns the link with the options for its test, which override its settings.
    #[must_use]
    pub fn with_proof_options(mut self, proof: &ProofOptions) -> Self {
        if proof.user.region.is_some() {
            self.region = proof.user.region.clone();
        }
        self.probe = proof.probe.unwrap_or(self.probe);
        replace_if_given(&mut self.bucket_tags, &proof.bucket_tag);
        self.bucket_namespace = proof.bucket_namespace.unwrap_or(self.bucket_namespace);
        self.override_session(&proof.session);
        self.require_read |= proof.require_read;
        self
    }

    /// Overrides the settings of the session with these options.
    pub fn override_session(&mut self, session: &SessionAttributes) {
        if let Some(name) = &session.session_name {
            self.session_name = Some(name.clone());
        }
        replace_if_given(&mut self.session_tags, &session.session_tag);
        if let Some(identity) = &session.source_identity {
            self.source_identity = Some(identity.clone());
        }
    }

    /// Checks the session tags: at most 50, and keys that differ only in case are one key (STS API reference, AssumeRole).
    ///
    /// # Errors
    /// When tags clash, or there are too many.
    pub fn check_session(&self) -> Result<()> {
        check_tags("session tag", &self.session_tags, 50, &[])
    }

    /// Refuses a link whose role another tool manages.
    ///
    /// # Errors
    /// When `managed_by` names one.
    pub fn check_unmanaged(&self, what: &str) -> Result<()> {
        let Some(manager) = self.managed_by else { return Ok(()) };
        Err(Error::usage(format!("{manager} manages target `{}`, so xacct does not change its role", self.name))
            .hint(format!("change {what} in {manager}'s files, then in xacct.toml"))
            .hint(
                "or take the role back: apply the output of `xacct print role-hcl --removed`, and remove `managed_by`",
            ))
    }

    /// Refuses MFA for principals that can never have it: `aws:MultiFactorAuthPresent` is false in the sessions of roles
    /// (IAM User Guide, "Configuring MFA-protected API access").
    ///
    /// # Errors
    /// When a principal is a role, and the link requires MFA.
    pub fn check_principals(&self) -> Result<()> {
        let role = self.principals.iter().find(|principal| principal.acts_as_role()).filter(|_| self.require_mfa);
        let Some(role) = role else { return Ok(()) };
        Err(Error::usage(format!(
            "target `{}` requires MFA, but sessions of {} never have MFA",
            self.name,
            role.in_words()
        ))
        .hint("omit --require-mfa (require_mfa in xacct.toml)")
        .hint("or give the link to a user"))
    }

    /// Refuses a role that is restricted to a group, as far as the file tells: no trust policy can name one.
    ///
    /// # Errors
    /// When a principal is a group, and the role trusts only its principals.
    pub fn check_restriction(&self) -> Result<()> {
        let is_group = |principal: &&PrincipalRef| matches!(principal, PrincipalRef::Group(_));
        match self.principals.iter().find(is_group).filter(|_| self.restrict_to_user) {
            Some(group) => Err(self.restricted_to(group).hint("or name its members instead of the group")),
            None => Ok(()),
        }
    }

    /// Returns the error for a role that is restricted to this group.
    #[must_use]
    pub fn restricted_to(&self, group: &PrincipalRef) -> Error {
        Error::usage(format!(
            "target `{}` is restricted to its principals, but a trust policy cannot name {}",
            self.name,
            group.in_words()
        ))
        .hint(
            "trust the source account, where only members of the group get the grant: --restrict-to-user=false \
             (restrict_to_user in xacct.toml)",
        )
    }

    /// Checks what can be checked offline: tags, and that every policy ARN can be used on a role in this
    /// account.
    ///
    /// # Errors
    /// When tags clash, or a policy or boundary belongs to another account or another partition.
    pub fn check(&self, partition: Option<Partition>) -> Result<()> {
        // The path becomes part of the grant's resource, where these characters are wildcards.
        if self.role_path.as_str().contains(['*', '?', '$']) {
            return Err(Error::usage(format!(
                "`{}` is not a valid role path: xacct does not allow `*`, `?` or `$`",
                self.role_path
            ))
            .hint("use a path of letters, digits and `/`"));
        }
        check_tags("tag", &self.tags, 45, &[MANAGED_BY.0, SOURCE_TAG, LINK_TAG, BOUNDARY_TAG, POLICIES_TAG])?;
        check_tags("tag", &self.bucket_tags, 49, &[])?;
        self.check_session()?;
        for policy in self.policy_arns.iter().chain(&self.permissions_boundary) {
            let ManagedPolicy::Arn(arn) = policy else { continue };
            if let PolicyOwner::Account(owner) = &arn.owner
                && *owner != self.account
            {
                return Err(Error::usage(format!(
                    "`{arn}` belongs to account {owner}, but the role is in account {}",
                    self.account
                ))
                .hint("use a policy of the target account, or an AWS managed policy"));
            }
            if let Some(partition) = partition
                && arn.partition != partition
            {
                return Err(Error::usage(format!(
                    "`{arn}` is in partition {}, but the accounts are in {partition}",
                    arn.partition
                ))
                .hint(format!("use an ARN that begins with arn:{partition}:")));
            }
        }
        Ok(())
    }
}

/// Refuses tags that AWS would reject together, and tags that xacct sets itself. AWS compares keys case-insensitively
/// (IAM User Guide, rules for tagging).
fn check_tags(what: &str, tags: &[Tag], most: usize, reserved: &[&str]) -> Result<()> {
    let mut seen = BTreeSet::new();
    for tag in tags {
        let key = tag.key.as_str();
        if reserved.iter().any(|reserved| reserved.eq_ignore_ascii_case(key)) {
            return Err(Error::usage(format!("tag `{key}` is reserved: it marks the roles that xacct created"))
                .hint("use another key"));
        }
        if !seen.insert(key.to_ascii_lowercase()) {
            return Err(Error::usage(format!("{what} `{key}` is set twice")).hint("use each key only once"));
        }
    }
    if tags.len() > most {
        return Err(Error::usage(format!("too many {what}s: {} (xacct allows at most {most})", tags.len()))
            .hint("use fewer tags"));
    }
    Ok(())
}

fn replace_if_given<T: Clone>(setting: &mut Vec<T>, given: &[T]) {
    if !given.is_empty() {
        setting.clear();
        setting.extend_from_slice(given);
    }
}
