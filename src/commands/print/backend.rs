//! `xacct print backend-hcl`.

use clap::Args;

use super::consumer::{Consumer, access, narrow, only_one, region, warn_of_mfa, warn_of_own_role, without_prompt};
use super::out::{Form, emit};
use crate::cli::{Printed, ToolOptions, valid};
use crate::error::{Error, ExitCode, Result};
use crate::iam::arn::{KmsKeyArn, RoleArn};
use crate::iam::names::{Region, SessionDuration};
use crate::iam::templates::{self, State, StateLock};
use crate::operations::run::Run;
use crate::print::backend::{self, Backend, Version};

/// Print the S3 backend block for Terraform or OpenTofu.
///
/// Terraform versions use different settings for the role, and silently ignore unknown ones, so specify your version.
/// --policy prints the permissions that the role needs for the state.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  xacct print backend-hcl dev --bucket my-state > backend.tf
  xacct print backend-hcl dev --bucket my-state --key network/terraform.tfstate \\
      --terraform-version opentofu-1.8 --lock-table locks
  With a KMS key:
    xacct print backend-hcl dev --bucket my-state --kms-key KEY_ARN
  The permissions that the role needs for the state:
    xacct print backend-hcl dev --bucket my-state --policy --out state.json
    xacct bootstrap --policy-file state.json --probe identity")]
pub struct BackendHcl {
    /// The links, and the file to write to.
    #[command(flatten)]
    pub printed: Printed,
    /// Whose credentials the tool uses.
    #[command(flatten)]
    pub tool: ToolOptions,
    /// Bucket for the state
    #[arg(long, value_name = "BUCKET")]
    pub bucket: String,
    /// Key of the state file
    #[arg(long, value_name = "KEY", default_value = "terraform.tfstate")]
    pub key: String,
    /// Version of Terraform, such as 1.9, or of OpenTofu, such as opentofu-1.8 (default: 1.11)
    #[arg(long, value_name = "VERSION")]
    pub terraform_version: Option<String>,
    /// DynamoDB lock table, for versions before 1.10
    #[arg(long, value_name = "NAME")]
    pub lock_table: Option<String>,
    /// ARN of the KMS key that encrypts the state
    #[arg(long, value_name = "ARN", value_parser = valid::<KmsKeyArn>)]
    pub kms_key: Option<KmsKeyArn>,
    /// Region of the bucket (default: the target's in xacct.toml, else AWS_REGION)
    #[arg(long, value_name = "REGION", value_parser = valid::<Region>, env = "XACCT_REGION")]
    pub region: Option<Region>,
    /// How long sessions last, 15m to 12h (default: the role's limit)
    #[arg(long, value_name = "DURATION", value_parser = valid::<SessionDuration>)]
    pub duration: Option<SessionDuration>,
    /// Print the minimal policy for the state instead, as JSON
    #[arg(long)]
    pub policy: bool,
    /// Include workspaces other than the default one
    #[arg(long, requires = "policy")]
    pub workspaces: bool,
}

impl Consumer for BackendHcl {
    const NAME: &'static str = "backend-hcl";

    fn print(&self, run: &Run<'_>) -> Result<ExitCode> {
        let mut links = run.links_with_external_ids(&self.printed.targets)?;
        narrow(&mut links, &self.tool)?;
        let link = only_one(&links, "a configuration can have only one backend")?;
        let version = self.terraform_version.as_deref().map_or(Ok(Version::USUAL), str::parse)?;
        if let Some(known) = version.as_known() {
            run.console.say(&format!(
                "{version} is newer than the versions that xacct supports: printed the settings for {known}"
            ));
        }
        backend::check_bucket(&self.bucket)?;
        backend::check_key(&self.key)?;
        if let Some(table) = &self.lock_table {
            backend::check_table(table)?;
            if version.has_lockfile() {
                return Err(Error::usage(format!(
                    "{version} needs no lock table: it stores the lock file next to the state"
                ))
                .hint("omit --lock-table"));
            }
        }
        let region = region(self.region.as_ref(), link, run)?;
        let access = access(link, region.as_ref(), without_prompt(self.duration, link)?, run)?;
        if let Some(key) = &self.kms_key {
            check_key(key, &access.role, region.as_ref(), run)?;
        }
        if self.policy {
            let lock = match (&self.lock_table, region) {
                _ if version.has_lockfile() => StateLock::File,
                (None, _) => StateLock::None,
                (Some(name), Some(region)) => {
                    StateLock::Table { name: name.clone(), account: link.account.clone(), region }
                }
                (Some(_), None) => {
                    return Err(Error::usage("the Region of the lock table is unknown").hint("set it: --region REGION"));
                }
            };
            return policy(self, access.role.partition, lock, run);
        }
        if link.require_mfa {
            warn_of_mfa(&version.tool.to_string(), &link.name, run);
        }
        if !version.has_lockfile() && self.lock_table.is_none() {
            run.console.say(&format!(
                "{version} has no lock file: concurrent runs can corrupt the state. To lock it, use a DynamoDB table: \
                 --lock-table NAME"
            ));
        }
        warn_of_own_role(&version.tool.to_string(), Some(link), run);
        let backend = Backend {
            version,
            access,
            region: self.region.clone().or_else(|| link.region.clone()),
            bucket: self.bucket.clone(),
            key: self.key.clone(),
            lock_table: self.lock_table.clone(),
            kms_key: self.kms_key.clone(),
        };
        emit::<Self>(Form::Commented, &backend::document(&backend), &self.printed, run)
    }
}

/// Refuses a key that cannot encrypt objects in the bucket.
fn check_key(key: &KmsKeyArn, role: &RoleArn, region: Option<&Region>, run: &Run<'_>) -> Result<()> {
    if key.partition != role.partition {
        return Err(Error::usage(format!(
            "the KMS key is in partition {}, and the role in {}",
            key.partition, role.partition
        ))
        .hint("use a key in the partition of the role"));
    }
    // S3 User Guide, "Using server-side encryption with AWS KMS keys".
    if let Some(region) = region.filter(|region| **region != key.region) {
        return Err(Error::usage(format!("the KMS key is in Region {}, and the bucket in {region}", key.region))
            .hint(format!("use a key in the Region of the bucket, or set that Region: --region {}", key.region)));
    }
    if key.account != role.account {
        run.console
            .say(&format!("The KMS key is in account {}, so its key policy must allow {role}, too", key.account));
    }
    Ok(())
}

fn policy(
    args: &BackendHcl,
    partition: crate::iam::arn::Partition,
    lock: StateLock,
    run: &Run<'_>,
) -> Result<ExitCode> {
    if args.key.contains(['*', '?', '$']) {
        return Err(Error::usage(format!("a policy for key `{}` would allow access to other keys too", args.key))
            .hint("use a key without `*`, `?` and `$`"));
    }
    let state = State {
        partition,
        bucket: args.bucket.clone(),
        key: args.key.clone(),
        workspaces: args.workspaces,
        kms_key: args.kms_key.clone(),
        lock,
    };
    run.console.say(
        "To add the policy to the role: xacct bootstrap --policy-file FILE --probe identity. The policy does not allow test \
         buckets, so --probe identity tests only the session",
    );
    emit::<BackendHcl>(Form::Json, &templates::state(&state).to_string(), &args.printed, run)
}
