//! The settings of a run, from options, variables and `xacct.toml`, checked offline.

use std::collections::BTreeMap;

use super::arguments::Bootstrap;
use crate::cli::Half;
use crate::config::{self, Link, Source, Wanted};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::iam::arn::Partition;
use crate::iam::names::{AccountId, ExternalId, Region};
use crate::operations::accounts::{refuse_entering_without_source, source_as_told};
use crate::operations::orphans::Search;
use crate::operations::run::Run;
use crate::operations::settle::{self, InlinePolicies};

/// The settings of one run.
pub struct Settings {
    pub source: Source,
    pub links: Vec<Link>,
    /// The policy files of each link, by its name.
    pub files: BTreeMap<String, InlinePolicies>,
    /// Where to look for orphans; nowhere by default.
    pub search: Search,
}

impl Settings {
    /// Resolves the settings, and refuses missing ones before any request is sent.
    pub fn resolve(args: &Bootstrap, run: &Run<'_>) -> Result<Self> {
        let profile = args.proof.user.user_profile.as_ref();
        let source = config::source(&run.file, &args.principals.all(), &args.access, profile)?;
        let source = Source { grant: source.grant.with(&args.grant), ..source };
        let role_options = config::rebased(&args.role, &run.file, run.context);
        let accounts = accounts(args, run.context);
        // The variable names a target that there is, --name a new one.
        let names_target = !accounts.is_empty() || args.name.is_some();
        let targets = if names_target { args.targets.clone() } else { run.wanted(&args.targets)? };
        let wanted = Wanted { targets: &targets, accounts, name: args.name.as_deref() };
        let mut links = config::links_to_make(&run.file, &wanted, &args.access, &role_options, &args.proof)?;
        let files = settle::read_policy_files(&links, run)?;
        settle::read_trust_statements(&mut links, run)?;
        if args.keep_statements && args.only == Some(Half::Source) {
            return Err(Error::usage(
                "--keep-statements keeps statements of the role, which --only source does not read",
            )
            .hint("omit --keep-statements or --only source"));
        }
        for link in links.iter_mut().filter(|link| !link.has_own_principals) {
            link.principals.clone_from(&source.principals);
        }
        for link in &links {
            refuse_during_rotation(link, args.role.external_id.as_ref(), run)?;
            link.check_principals()?;
            link.check(link.region.as_ref().map(Region::partition))?;
            source.account.as_ref().map_or(Ok(()), |account| refuse_same_account(link, account))?;
            if args.only == Some(Half::Target) {
                source_as_told(&source, std::slice::from_ref(link), Partition::Aws, link.restrict_to_user).map_err(
                    |error| {
                        error
                            .note("--only target does not read the source account")
                            .hint("or specify the user's ARN: --user arn:aws:iam::ACCOUNT:user/NAME")
                    },
                )?;
                refuse_entering_without_source(link)?;
            }
        }
        source.grant.check(&links, &run.file)?;
        Ok(Self { source, links, files, search: Search::default() })
    }
}

/// Returns the accounts of `--target-account`. Targets on the command line override those of the variable, which clap adds
/// to them.
fn accounts<'a>(args: &'a Bootstrap, context: &Context) -> &'a [AccountId] {
    let variable = context.variable("XACCT_TARGET_ACCOUNT").filter(|_| !args.targets.is_empty());
    let of_variable = |text: &str| text.split(',').map(|id| AccountId::typed(id).ok()).collect::<Option<Vec<_>>>();
    match variable.and_then(of_variable) {
        Some(accounts) if accounts == args.target_account => &[],
        _ => &args.target_account,
    }
}

/// Refuses an external ID from an option or variable that would end a rotation.
fn refuse_during_rotation(link: &Link, option: Option<&ExternalId>, run: &Run<'_>) -> Result<()> {
    let on_record = link.external_ids_on_record.as_deref().unwrap_or_default();
    match (on_record, option) {
        ([new, _, ..], Some(id)) if id != new => Err(Error::usage(format!(
            "external ID `{id}`: target `{}` accepts several external IDs until its rotation is finished",
            link.name
        ))
        .hint(format!(
            "finish it first: {}",
            run.file.xacct().args(["rotate", "external-id"]).arg(&link.name).flag("--finish")
        ))
        .hint("or omit --external-id, and unset XACCT_EXTERNAL_ID")),
        _ => Ok(()),
    }
}

/// Refuses a link from an account to itself.
pub fn refuse_same_account(link: &Link, source: &AccountId) -> Result<()> {
    if *source != link.account {
        return Ok(());
    }
    Err(Error::usage(format!("source and target are the same account, {}", link.account))
        .note("a link connects two accounts")
        .hint("use another account: xacct bootstrap ID --name NAME"))
}
