//! `xacct print-provider-hcl`.

use super::out::{Form, emit};
use super::{access, region, warn_of_mfa, warn_of_own_role};
use crate::cli::PrintProviderHcl;
use crate::config::{self, Link};
use crate::error::{Error, ExitCode, Result};
use crate::iam::names::SessionDuration;
use crate::operations::run::Run;
use crate::print::Access;
use crate::print::provider::{self, Extras, Provider};

/// Runs the command.
pub fn provider_hcl(args: &PrintProviderHcl, run: &Run<'_>) -> Result<ExitCode> {
    let links = config::recorded_links(&run.file, &args.printed.targets, None)?;
    let constraint = args.version_constraint.as_deref().map(provider::check_version_constraint).transpose()?;
    let alone = links.len() == 1;
    let aliases = provider::aliases(links.iter().map(|link| link.name.as_str()));
    let extras = Extras {
        source_identity: args.source_identity.clone(),
        tags: args.session_tag.clone(),
        transitive_tag_keys: args.transitive_tag_key.clone(),
        through: args.through.clone(),
    };
    let mut providers = Vec::new();
    for (link, alias) in links.iter().zip(aliases) {
        let region = region(args.region.as_ref(), link, run)?;
        let access = access(link, region.as_ref(), duration(args, link)?, run)?;
        check_extras(args, link, &access, run)?;
        if link.require_mfa {
            warn_of_mfa("Terraform", &link.name, run);
        }
        providers.push(Provider { alias: (!alone).then_some(alias), access, extras: extras.clone() });
    }
    warn_of_own_role("Terraform", run);
    emit("print-provider-hcl", Form::Commented, &provider::document(&providers, constraint), &args.printed, run)
}

/// An hour is the most that AWS allows when one role assumes another (IAM User Guide, role chaining).
const LONGEST_CHAINED: i32 = 3600;

fn duration(args: &PrintProviderHcl, link: &Link) -> Result<Option<SessionDuration>> {
    if args.through.is_none() {
        return Ok(args.duration);
    }
    match args.duration {
        Some(asked) if asked.as_secs() > LONGEST_CHAINED => Err(Error::usage(format!(
            "sessions of {asked} are longer than AWS allows when one role assumes another (1h)"
        ))
        .hint("give at most --duration 1h, or leave out --through")),
        Some(asked) => Ok(Some(asked)),
        None => Ok(Some(SessionDuration::from_secs(link.max_session_duration.as_secs().min(LONGEST_CHAINED))?)),
    }
}

/// Refuses what the role would refuse.
fn check_extras(args: &PrintProviderHcl, link: &Link, access: &Access, run: &Run<'_>) -> Result<()> {
    let has_tags = !args.session_tag.is_empty() || args.source_identity.is_some();
    if has_tags && !link.allow_session_tags {
        return Err(Error::usage(format!(
            "the role of target `{}` takes no session tags and no source identity",
            link.name
        ))
        .hint("let it: xacct bootstrap --allow-session-tags"));
    }
    let mut keys = std::collections::BTreeSet::new();
    for tag in &args.session_tag {
        if !keys.insert(tag.key.as_str().to_ascii_lowercase()) {
            return Err(Error::usage(format!("session tag `{}` is given twice", tag.key)).hint("give each key once"));
        }
    }
    if keys.len() > 50 {
        return Err(Error::usage(format!("{} session tags are more than the 50 that AWS allows", keys.len()))
            .hint("give fewer"));
    }
    if let Some(key) = args.transitive_tag_key.iter().find(|key| !keys.contains(&key.as_str().to_ascii_lowercase())) {
        return Err(Error::usage(format!("`{key}` is not the key of a session tag"))
            .hint(format!("give the tag too: --session-tag {key}=VALUE")));
    }
    let Some(first) = &args.through else { return Ok(()) };
    let source = run.file.source.account.as_ref();
    if *first == access.role {
        return Err(Error::usage(format!("`{first}` is the role of target `{}` itself", link.name))
            .hint("leave out --through, or name another role"));
    }
    let obstacle = if source.is_some_and(|source| *source != first.account) {
        Some(format!("admits account {} only", source.map_or("", |source| source.as_str())))
    } else if link.restrict_to_user {
        Some("admits the user only, and no role".to_owned())
    } else if link.require_mfa {
        Some("demands MFA, which a session that a role assumes never has".to_owned())
    } else {
        None
    };
    match obstacle {
        Some(what) => {
            Err(Error::usage(format!("the role of target `{}` {what}", link.name)).hint("leave out --through"))
        }
        None => {
            run.console.say(&format!(
                "bootstrap lets the user assume {}. To go through {first}, it needs sts:AssumeRole on that role, and the user \
                 on {first}",
                access.role
            ));
            Ok(())
        }
    }
}
