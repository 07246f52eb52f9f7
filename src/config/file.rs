//! The content of `xacct.toml`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::cli::{BucketNamespace, Probe};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::iam::admission::Accepted;
use crate::iam::arn::{ManagedPolicy, UserRef};
use crate::iam::names::{
    AccountId, Description, ExternalId, IamPath, MaxSessionDuration, Region, RoleName, SessionName, Tag, TagValue,
};
use crate::iam::orphans::Named;
use crate::iam::partition::Partition;
use crate::text::shell::ShellCommand;

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
    /// The partitions of the Regions of all targets: each target without a Region asks for them.
    pub partitions: BTreeSet<Partition>,
}

/// `[source]`: the user's account. `profile` is the operator's profile, `user_profile` the user's own.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields are the keys of the file, which the README explains")]
pub struct RecordedSource {
    pub account: Option<AccountId>,
    pub user: Option<UserRef>,
    pub profile: Option<String>,
    pub user_profile: Option<String>,
    pub other_files: Vec<PathBuf>,
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
    pub link: Option<TagValue>,
    pub external_id: Option<ExternalId>,
    /// The rest of `external_id`, if that is a list.
    pub old_external_ids: Vec<ExternalId>,
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
}

impl RecordedSource {
    /// Returns the source account: `account`, or that of the user's ARN.
    #[must_use]
    pub fn account(&self) -> Option<&AccountId> {
        self.account.as_ref().or_else(|| self.user.as_ref()?.account())
    }
}

impl ConfigFile {
    /// Returns the target with this name.
    #[must_use]
    pub fn target(&self, name: &str) -> Option<&Recorded> {
        self.targets.iter().find(|(known, _)| known == name).map(|(_, record)| record)
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
        for (account, role) in &self.roles()? {
            named.add_role(account, role);
        }
        if let Some(user) = &self.source.user {
            named.add_user(user.name());
        }
        Ok(named)
    }

    /// Returns the accounts and names of the roles of all targets.
    ///
    /// # Errors
    /// Never: the default name is valid.
    pub fn roles(&self) -> Result<BTreeSet<(AccountId, RoleName)>> {
        let role = |(_, record): &(String, Recorded)| {
            let name = record.role.clone().map_or_else(|| DEFAULT_ROLE_NAME.parse(), Ok)?;
            Ok((record.account.clone(), name))
        };
        self.targets.iter().map(role).collect()
    }

    /// Returns the partition of a link with this Region, as far as the file tells: that of the Region, of the user's ARN, or
    /// of the other links.
    #[must_use]
    pub fn partition_of(&self, region: Option<&Region>) -> Partition {
        let of_user = match &self.source.user {
            Some(UserRef::Arn(arn)) => Some(arn.partition),
            _ => None,
        };
        let of_region = region.map(Region::partition);
        of_region.or(of_user).or_else(|| self.partitions.first().copied()).unwrap_or(Partition::Aws)
    }

    /// Returns the command `xacct` for this file: with `--config`, unless it is the usual `xacct.toml`.
    #[must_use]
    pub fn xacct(&self) -> ShellCommand {
        let path = self.path.display().to_string();
        ShellCommand::new("xacct").option_if("--config", Some(path).filter(|path| path != "xacct.toml"))
    }

    /// Returns the directory to which relative paths in the file are relative.
    #[must_use]
    pub fn folder(&self, context: &Context) -> PathBuf {
        let path = context.directory.join(&self.path);
        path.parent().map_or_else(|| context.directory.clone(), Path::to_owned)
    }
}
