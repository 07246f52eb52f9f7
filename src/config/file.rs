//! The content of `xacct.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use super::grant::GrantSettings;
use crate::cli::{BucketNamespace, Probe};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::iam::admission::Accepted;
use crate::iam::arn::{ManagedPolicy, PrincipalRef, RoleArn, UserRef};
use crate::iam::names::{
    AccountId, Description, ExternalId, IamPath, MaxSessionDuration, Region, RoleName, SessionName, Tag, TagValue,
};
use crate::iam::orphans::Named;
use crate::iam::partition::Partition;
use crate::text::shell::ShellCommand;

/// The variable with the external ID of targets whose ID is not in `xacct.toml`.
pub const VARIABLE: &str = "XACCT_EXTERNAL_ID";

/// The default name of a role.
pub const DEFAULT_ROLE_NAME: &str = "xacct";

/// The recorded links: `xacct.toml` as xacct read it.
#[derive(Debug, Clone, Default)]
pub struct ConfigFile {
    /// The path, even if the file does not exist yet.
    pub path: PathBuf,
    /// The text; `None` if the file does not exist.
    pub text: Option<String>,
    /// `[source]`.
    pub source: RecordedSource,
    /// `[targets.NAME]`, in the order of the file.
    pub targets: Vec<(String, Recorded)>,
    /// All principals: those of the source, and those of single targets.
    pub principals: Vec<PrincipalRef>,
    /// The partitions of the Regions of all targets: each target without a Region asks for them.
    pub partitions: BTreeSet<Partition>,
    /// `xacct.local.toml`, whose values are already part of `source` and `targets`.
    pub local: Local,
}

/// What one person keeps out of `xacct.toml`: `xacct.local.toml` beside it, and `XACCT_EXTERNAL_ID`.
#[derive(Debug, Clone, Default)]
pub struct Local {
    /// The path, even if the file does not exist.
    pub path: PathBuf,
    /// The text; `None` if the file does not exist.
    pub text: Option<String>,
    /// The profile of the source operator.
    pub profile: Option<String>,
    /// The user's own profile.
    pub user_profile: Option<String>,
    /// `[targets.NAME]`. `xacct.toml` need not have these targets: it may be that of another branch.
    pub targets: BTreeMap<String, LocalTarget>,
    /// `XACCT_EXTERNAL_ID`.
    pub variable: Option<String>,
}

/// A target in `xacct.local.toml`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LocalTarget {
    /// The profile of the target operator.
    pub profile: Option<String>,
    /// The external ID, and older ones that the role still accepts.
    pub external_ids: Vec<ExternalId>,
}

/// The tool that changes a role instead of xacct.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manager {
    /// Terraform, since it imported what `xacct print role-hcl` printed.
    Terraform,
}

impl Manager {
    /// Returns the value of `managed_by`.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Terraform => "terraform",
        }
    }
}

impl fmt::Display for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Terraform => "Terraform",
        })
    }
}

/// The value of `external_id` that says that the ID is not in the file. No external ID has a `$`.
pub const EXTERNAL_ID_ELSEWHERE: &str = "$XACCT_EXTERNAL_ID";

/// `[source]`: the principals' account. `profile` is the operator's profile, `user_profile` that of a principal.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields are the keys of the file, which the README explains")]
pub struct RecordedSource {
    pub account: Option<AccountId>,
    /// `principals`, or the one of `user`.
    pub principals: Vec<PrincipalRef>,
    /// Whether the file has `principals`, not `user`.
    pub lists_principals: bool,
    pub profile: Option<String>,
    pub user_profile: Option<String>,
    pub other_files: Vec<PathBuf>,
    /// `grant`, `set_grant` and `organization`.
    pub grant: GrantSettings,
}

/// The other role of a target that `xacct move` moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OtherRole {
    /// The new role, which has not passed its test yet (`moving_to`).
    New(RoleArn),
    /// The old role, which may still be in use (`moved_from`).
    Old(RoleArn),
}

impl OtherRole {
    /// Returns the role.
    #[must_use]
    pub fn arn(&self) -> &RoleArn {
        match self {
            Self::New(arn) | Self::Old(arn) => arn,
        }
    }

    /// Returns the old role, if the new one has passed its test.
    #[must_use]
    pub fn old(&self) -> Option<&RoleArn> {
        match self {
            Self::New(_) => None,
            Self::Old(arn) => Some(arn),
        }
    }
}

/// A target as `xacct.toml` records it, without defaults.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the keys of the file, which the README explains")]
pub struct Recorded {
    pub account: AccountId,
    pub profile: Option<String>,
    pub enter_role: Option<RoleName>,
    pub role: Option<RoleName>,
    pub role_path: Option<IamPath>,
    pub principals: Vec<PrincipalRef>,
    /// The keys `moving_to` and `moved_from`.
    pub other_role: Option<OtherRole>,
    pub link: Option<TagValue>,
    pub external_id: Option<ExternalId>,
    /// The rest of `external_id`, if that is a list.
    pub old_external_ids: Vec<ExternalId>,
    /// Whether `external_id` is `$XACCT_EXTERNAL_ID`.
    pub is_external_id_elsewhere: bool,
    pub require_mfa: Option<bool>,
    pub restrict_to_user: Option<bool>,
    pub allow_session_tags: Option<bool>,
    pub policy_arns: Vec<ManagedPolicy>,
    pub policy_files: Vec<PathBuf>,
    pub trust_statement_files: Vec<PathBuf>,
    pub permissions_boundary: Option<ManagedPolicy>,
    pub max_session_duration: Option<MaxSessionDuration>,
    pub description: Option<Description>,
    pub tags: Vec<Tag>,
    pub session_name: Option<SessionName>,
    pub session_tags: Vec<Tag>,
    pub source_identity: Option<SessionName>,
    pub region: Option<Region>,
    pub probe: Option<Probe>,
    pub bucket_tags: Vec<Tag>,
    pub bucket_namespace: Option<BucketNamespace>,
    pub accept: Vec<Accepted>,
    pub exclusive: Option<bool>,
    pub managed_by: Option<Manager>,
}

impl RecordedSource {
    /// Returns the source account: `account`, or that of a principal's ARN.
    #[must_use]
    pub fn account(&self) -> Option<&AccountId> {
        self.account.as_ref().or_else(|| self.principals.iter().find_map(PrincipalRef::account))
    }
}

impl ConfigFile {
    /// Returns the target with this name.
    #[must_use]
    pub fn target(&self, name: &str) -> Option<&Recorded> {
        self.targets.iter().find(|(known, _)| known == name).map(|(_, record)| record)
    }

    /// Returns the user, if all links are for one user alone.
    #[must_use]
    pub fn the_user(&self) -> Option<&UserRef> {
        match (self.source.principals.as_slice(), self.principals.as_slice()) {
            ([one], [_]) => one.user(),
            _ => None,
        }
    }

    /// Returns the users and roles that this file names, and those of its `other_files`.
    ///
    /// # Errors
    /// When another file does not exist, cannot be used, or is of another source account.
    pub fn named(&self, context: &Context) -> Result<Named> {
        let mut named = self.own_names()?;
        for path in &self.source.other_files {
            let other = Self::load(&self.folder(context).join(path))?;
            let cannot = |why: String| {
                let place = self.place_of_source("other_files").unwrap_or_default();
                Error::usage(format!("{place}: `{}` {why}", path.display()))
                    .hint("list the xacct.toml files of the same source account, by their paths relative to this one")
            };
            if other.text.is_none() {
                return Err(cannot("does not exist".to_owned()));
            }
            if let (Some(own), Some(account)) = (self.source.account(), other.source.account())
                && own != account
            {
                return Err(cannot(format!("is of source account {account}, not {own}")));
            }
            named.extend(other.own_names()?);
        }
        Ok(named)
    }

    fn own_names(&self) -> Result<Named> {
        let mut named = Named::default();
        for (_, record) in &self.targets {
            let own = if record.principals.is_empty() { &self.source.principals } else { &record.principals };
            for name in role_names(record)? {
                named.add_role(&record.account, &name, own);
            }
        }
        Ok(named)
    }

    /// Returns the accounts and names of the roles of all targets, the other roles of those that are moved included.
    ///
    /// # Errors
    /// Never: the default name is valid.
    pub fn roles(&self) -> Result<BTreeSet<(AccountId, RoleName)>> {
        let mut roles = BTreeSet::new();
        for (_, record) in &self.targets {
            roles.extend(role_names(record)?.into_iter().map(|name| (record.account.clone(), name)));
        }
        Ok(roles)
    }

    /// Returns the partition of a link with this Region, as far as the file tells: that of the Region, of a principal's ARN, or
    /// of the other links.
    #[must_use]
    pub fn partition_of(&self, region: Option<&Region>) -> Partition {
        let of_principal = self.source.principals.iter().find_map(PrincipalRef::partition);
        let of_region = region.map(Region::partition);
        of_region.or(of_principal).or_else(|| self.partitions.first().copied()).unwrap_or(Partition::Aws)
    }

    /// Returns the command `xacct` for this file: with `--config`, unless it is the usual `xacct.toml`.
    #[must_use]
    pub fn xacct(&self) -> ShellCommand {
        let path = self.path.display().to_string();
        ShellCommand::new("xacct").option_if("--config", Some(path).filter(|path| path != "xacct.toml"))
    }

    /// Returns the file with what one person keeps out of it.
    ///
    /// # Errors
    /// When both files have the external ID of a target, or `XACCT_EXTERNAL_ID` is not one and a target needs it.
    pub(super) fn with_local(mut self, local: Local) -> Result<Self> {
        self.source.profile = local.profile.clone().or(self.source.profile);
        self.source.user_profile = local.user_profile.clone().or(self.source.user_profile);
        for (name, record) in &mut self.targets {
            let own = local.targets.get(name).cloned().unwrap_or_default();
            if let Some(profile) = own.profile {
                (record.profile, record.enter_role) = (Some(profile), None);
            }
            let mut ids = own.external_ids.into_iter();
            if record.external_id.is_some() && ids.len() > 0 {
                let (file, local) = (self.path.display(), local.path.display());
                return Err(Error::usage(format!(
                    "`{file}` and `{local}` both have the external ID of target `{name}`"
                ))
                .hint(format!("to keep it out of `{file}`, write there: external_id = \"{EXTERNAL_ID_ELSEWHERE}\"")));
            }
            if let Some(id) = ids.next() {
                (record.external_id, record.old_external_ids) = (Some(id), ids.collect());
                record.is_external_id_elsewhere = true;
            }
            if let (true, Some(variable)) = (record.is_external_id_elsewhere, &local.variable) {
                let id: ExternalId = variable.parse().map_err(|invalid| Error::from(invalid).context(VARIABLE))?;
                let known = record.external_id.replace(id.clone());
                record.old_external_ids.extend(known);
                record.old_external_ids.retain(|old| *old != id);
            }
        }
        self.local = local;
        Ok(self)
    }

    /// Returns the file as it is now, with the same value of `XACCT_EXTERNAL_ID`.
    ///
    /// # Errors
    /// As [`ConfigFile::load`].
    pub fn again(&self) -> Result<Self> {
        Self::load(&self.path)?.with_variable(self.local.variable.as_deref())
    }

    /// Returns the file with the value of `XACCT_EXTERNAL_ID`, which overrides `xacct.local.toml`.
    ///
    /// # Errors
    /// When it is not an external ID and a target needs it.
    pub fn with_variable(self, variable: Option<&str>) -> Result<Self> {
        if variable.is_none() {
            return Ok(self);
        }
        let local = Local { variable: variable.map(str::to_owned), ..self.local.clone() };
        match &self.text {
            Some(text) => Self::parse(&self.path, text.clone())?.with_local(local),
            None => Ok(Self { local, ..self }),
        }
    }

    /// Returns the error for a target whose external ID is kept elsewhere, but not here.
    #[must_use]
    pub fn no_external_id(&self, target: &str) -> Error {
        let (file, local) = (self.path.display(), self.local.path.display());
        let section = toml_edit::Key::new(target);
        Error::usage(format!("the external ID of target `{target}` is not on this machine"))
            .note(format!("`{file}` says that it is in XACCT_EXTERNAL_ID or `{local}`; neither has it"))
            .hint(format!("add it to [targets.{section}] in `{local}`: external_id = \"…\""))
            .hint("or set the variable XACCT_EXTERNAL_ID")
            .hint(format!(
                "or take it from the role: {}",
                self.xacct().arg("bootstrap").arg(target).flag("--generate-external-id")
            ))
    }

    /// Returns the directory to which relative paths in the file are relative.
    #[must_use]
    pub fn folder(&self, context: &Context) -> PathBuf {
        let path = context.directory.join(&self.path);
        path.parent().map_or_else(|| context.directory.clone(), Path::to_owned)
    }
}

/// Returns the name of a target's role, and that of its other role while it is moved.
fn role_names(record: &Recorded) -> Result<Vec<RoleName>> {
    let name = record.role.clone().map_or_else(|| DEFAULT_ROLE_NAME.parse(), Ok)?;
    let other = record.other_role.iter().map(|other| other.arn().name.clone());
    Ok(other.chain([name]).collect())
}
