//! What the consumers of a link have in common: how each is run, and what it is told.

use std::collections::BTreeSet;

use clap::Args;

use crate::commands::command_line::{Start, Verb};
use crate::config::Link;
use crate::error::{Ended, Error, ExitCode, Result};
use crate::iam::arn::{Partition, RoleArn, UserArn, UserRef};
use crate::iam::names::{IamPath, MfaSerial, Region, SessionDuration, SessionName};
use crate::operations::run::Run;
use crate::print::Access;
use crate::text::shell::ShellCommand;

/// A tool that uses a link, and what can be typed to get its settings.
pub trait Consumer: Args + 'static {
    /// As it is named after `xacct print`.
    const NAME: &'static str;

    /// Prints the settings.
    ///
    /// # Errors
    /// When the settings cannot be made of what is on record and was typed, or cannot be written.
    fn print(&self, run: &Run<'_>) -> Result<ExitCode>;

    /// The command as it is usually typed, which what it printed names.
    fn command() -> String {
        format!("print {}", Self::NAME)
    }
}

impl<C: Consumer> Verb for C {
    const NAME: &'static str = C::NAME;

    fn run(&self, start: &Start<'_>) -> Result<Ended> {
        self.print(&start.load()?).map(Ended::from)
    }
}

/// What every tool is told of a link.
pub fn access(
    link: &Link,
    region: Option<&Region>,
    duration: Option<SessionDuration>,
    run: &Run<'_>,
) -> Result<Access> {
    let source = &run.file.source;
    let region = region.or(link.region.as_ref());
    Ok(Access {
        target: link.name.clone(),
        role: role(link, region, run)?,
        region: region.cloned(),
        external_id: link.external_id.known().cloned(),
        needs_mfa: link.require_mfa,
        session_name: session_name(run),
        duration: limited(duration, link)?,
        profile: source.user_profile.clone(),
        user: source.user.as_ref().map(|user| user.name().clone()),
    })
}

/// The role, in the partition of the link.
fn role(link: &Link, region: Option<&Region>, run: &Run<'_>) -> Result<RoleArn> {
    Ok(link.role_arn(partition(std::slice::from_ref(link), region, run)?))
}

/// The partition of these links: that of their regions and of the user's ARN, else of the other links, since they start
/// from the same account; else of the region that was asked for.
pub fn partition(links: &[Link], asked: Option<&Region>, run: &Run<'_>) -> Result<Partition> {
    let of_user = match &run.file.source.user {
        Some(UserRef::Arn(arn)) => Some(arn.partition),
        _ => None,
    };
    let of_links = links.iter().filter_map(|link| link.region.as_ref()).map(Region::partition);
    let mut found: BTreeSet<_> = of_links.chain(of_user).collect();
    if found.is_empty() {
        found.clone_from(&run.file.partitions);
    }
    found.extend(asked.map(Region::partition));
    if found.len() > 1 {
        let names: Vec<_> = found.iter().map(ToString::to_string).collect();
        return Err(Error::usage(format!(
            "the user and the regions of the links are in partitions {}, and no role can be assumed from another partition",
            names.join(" and ")
        ))
        .hint(format!("mend `region` of the targets in `{}`, or give another --region", run.file.path.display())));
    }
    Ok(found.first().copied().unwrap_or(Partition::Aws))
}

/// The region that was asked for or recorded, else that of the environment, which is said.
pub fn region(asked: Option<&Region>, link: &Link, run: &Run<'_>) -> Result<Option<Region>> {
    if let Some(region) = asked.or(link.region.as_ref()) {
        return Ok(Some(region.clone()));
    }
    let ambient = ["AWS_REGION", "AWS_DEFAULT_REGION"].iter().find_map(|name| run.context.variable(name));
    let ambient: Option<Region> = ambient.map(str::parse).transpose()?;
    if let Some(found) = &ambient {
        run.console.say(&format!(
            "Region {found} of target {} comes from the environment; record it with region = \"{found}\" in {}",
            link.name,
            run.file.path.display()
        ));
    }
    Ok(ambient)
}

/// Sessions are called as the user, so that the target account's logs say who came.
fn session_name(run: &Run<'_>) -> Option<SessionName> {
    run.file.source.user.as_ref().and_then(|user| user.name().as_str().parse().ok())
}

/// The length of sessions that was asked for, if the role allows it; else the longest that it allows.
fn limited(asked: Option<SessionDuration>, link: &Link) -> Result<SessionDuration> {
    let limit = link.max_session_duration;
    match asked {
        None => Ok(SessionDuration::from_secs(limit.as_secs())?),
        Some(asked) if asked.as_secs() <= limit.as_secs() => Ok(asked),
        Some(asked) => Err(Error::usage(format!(
            "sessions of {asked} are longer than role `{}` of target `{}` allows ({limit})",
            link.role, link.name
        ))
        .hint(format!(
            "give at most --duration {limit}, or raise the role's limit: {}",
            ShellCommand::new("xacct").arg("bootstrap").option("--max-session-duration", asked)
        ))),
    }
}

/// The only link of those that were named, for a tool that takes one.
pub fn only_one<'a>(links: &'a [Link], why: &str) -> Result<&'a Link> {
    match links {
        [link] => Ok(link),
        _ => {
            let names: Vec<_> = links.iter().map(|link| format!("`{}`", link.name)).collect();
            Err(Error::usage(format!("{why}, and these are {} targets", links.len()))
                .hint(format!("name one of {}", names.join(", "))))
        }
    }
}

/// The user's ARN: as it was typed or recorded, else at the root path of the source account, which is said where it becomes
/// part of what is printed.
pub fn user_arn(typed: Option<&UserArn>, partition: Partition, is_printed: bool, run: &Run<'_>) -> Result<UserArn> {
    let source = &run.file.source;
    if let Some(arn) = typed {
        return Ok(arn.clone());
    }
    match (&source.user, &source.account) {
        (Some(UserRef::Arn(arn)), _) => Ok(arn.clone()),
        (Some(UserRef::Name(name)), Some(account)) => {
            let user = UserArn::new(partition, account.clone(), IamPath::root(), name.clone());
            if is_printed {
                run.console.say(&format!(
                    "Taken for granted: the user is {user}. If the user has a path, give the ARN: --user-arn ARN"
                ));
            }
            Ok(user)
        }
        (user, _) => {
            let missing = if user.is_none() { "user" } else { "account" };
            Err(Error::usage(format!("[source] of `{}` has no `{missing}`", run.file.path.display()))
                .hint("record it there, or give the user's ARN: --user-arn ARN"))
        }
    }
}

/// The user's MFA device, if it is called as the user is: that is what the console proposes.
pub fn usual_mfa_serial(role: &RoleArn, run: &Run<'_>) -> Option<MfaSerial> {
    let source = &run.file.source;
    let (user, account) = (source.user.as_ref()?, source.account.as_ref());
    let account = user.account().or(account)?;
    format!("arn:{}:iam::{account}:mfa/{}", role.partition, user.name()).parse().ok()
}

/// Says how to use a link that demands MFA with a tool that cannot ask for a code.
pub fn warn_of_mfa(tool: &str, target: &str, run: &Run<'_>) {
    run.console.say(&format!(
        "Target {target} demands MFA, and {tool} cannot ask for a code. Before running it, take a session of the user that \
         has one:\n  eval \"$({})\"",
        xacct(run).arg("credentials").flag("--session-token").option("--format", "env")
    ));
}

/// xacct, with this run's file where it is not the one that is found without.
pub fn xacct(run: &Run<'_>) -> ShellCommand {
    let path = run.file.path.display().to_string();
    ShellCommand::new("xacct").option_if("--config", Some(path).filter(|path| path != "xacct.toml"))
}

/// Says with which credentials a tool must run that assumes the role itself.
pub fn warn_of_own_role(tool: &str, run: &Run<'_>) {
    run.console.say(&format!(
        "Run {tool} with the user's own credentials. With those of the role, as `xacct exec` or a profile of the role gives \
         them, the role would have to assume itself, which it may not"
    ));
}
