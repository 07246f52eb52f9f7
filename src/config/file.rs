//! The content of `xacct.toml`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::cli::{BucketNamespace, Probe};
use crate::context::Context;
use crate::error::Result;
use crate::iam::admission::Accepted;
use crate::iam::arn::{ManagedPolicy, PrincipalRef, UserRef};
use crate::iam::names::{
    AccountId, Description, ExternalId, IamPath, MaxSessionDuration, Region, RoleName, SessionName, Tag, TagValue,
};
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

    /// Returns all principals: those of the source, and those of single targets.
    #[must_use]
    pub fn principals(&self) -> Vec<PrincipalRef> {
        let of_targets = self.targets.iter().flat_map(|(_, record)| &record.principals);
        let mut all: Vec<PrincipalRef> = Vec::new();
        for principal in self.source.principals.iter().chain(of_targets) {
            if !all.iter().any(|known| known.label() == principal.label()) {
                all.push(principal.clone());
            }
        }
        all
    }

    /// Returns the user, if all links are for one user alone.
    #[must_use]
    pub fn the_user(&self) -> Option<&UserRef> {
        let is_of_all = self.targets.iter().all(|(_, record)| record.principals.is_empty());
        match self.source.principals.as_slice() {
            [one] if is_of_all => one.user(),
            _ => None,
        }
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

    /// Returns the directory to which relative paths in the file are relative.
    #[must_use]
    pub fn folder(&self, context: &Context) -> PathBuf {
        let path = context.directory.join(&self.path);
        path.parent().map_or_else(|| context.directory.clone(), Path::to_owned)
    }
}
