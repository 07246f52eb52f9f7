//! What all consumers of a link share.

use std::collections::BTreeSet;

use clap::Args;

use crate::aws::credentials::profiles::Profiles;
use crate::cli::ToolOptions;
use crate::commands::command_line::{Start, Verb};
use crate::config::Link;
use crate::environment;
use crate::error::{Ended, Error, ExitCode, Result};
use crate::iam::arn::{Partition, PrincipalArn, PrincipalRef, RoleArn, UserArn, UserRef};
use crate::iam::names::{AccountId, MfaSerial, Region, SessionDuration, SessionName};
use crate::operations::run::Run;
use crate::print::Access;
use crate::text::shell::ShellCommand;
use crate::text::some_of;

/// A tool that uses a link, with the arguments that print its settings.
pub trait Consumer: Args + 'static {
    /// The name after `xacct print`.
    const NAME: &'static str;

    /// Prints the settings.
    ///
    /// # Errors
    /// When the recorded values and the arguments do not give valid settings, or the file cannot be written.
    fn print(&self, run: &Run<'_>) -> Result<ExitCode>;

    /// Returns the usual name of the command, which the printed settings contain.
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

/// Returns the data about a link that every tool needs.
pub fn access(
    link: &Link,
    region: Option<&Region>,
    duration: Option<SessionDuration>,
    run: &Run<'_>,
) -> Result<Access> {
    link.check_session()?;
    let region = region.or(link.region.as_ref());
    Ok(Access {
        target: link.name.clone(),
        role: role(link, region, run)?,
        region: region.cloned(),
        external_id: link.external_id.known().cloned(),
        needs_mfa: link.require_mfa,
        session_name: link.session_name.clone().or_else(|| session_name(link)),
        session_tags: link.session_tags.clone(),
        source_identity: link.source_identity.clone(),
        duration: limited(duration, link)?,
        profile: user_profile(link, run)?.filter(|name| name != environment::PROFILE),
        principals: link.principals.clone(),
    })
}

/// Returns the profile with the credentials of a principal of the link: the one that signs in with its permission set, or the
/// user profile of xacct.toml, unless that is another principal's.
///
/// # Errors
/// When the AWS config file cannot be read.
pub fn user_profile(link: &Link, run: &Run<'_>) -> Result<Option<String>> {
    let own = run.file.source.user_profile.clone();
    let [principal] = link.principals.as_slice() else { return Ok(own) };
    if let Some(found) = sign_in(principal, run)? {
        return Ok(Some(found));
    }
    let mut others = run.file.principals.iter().filter(|other| !other.is_same(principal));
    // Only its name, and the kind of its principal, tell whose it is.
    let mut is_anothers =
        |profile: &str| others.any(|it| it.name() == profile || principal.acts_as_role() && !it.acts_as_role());
    Ok(own.filter(|profile| profile == environment::PROFILE || !is_anothers(profile)))
}

/// Returns the only AWS profile that signs in with a permission set in the source account; `None` for other principals.
fn sign_in(principal: &PrincipalRef, run: &Run<'_>) -> Result<Option<String>> {
    let (PrincipalRef::PermissionSet(set), Some(account)) = (principal, run.file.source.account()) else {
        return Ok(None);
    };
    let in_account = Profiles::with("sso_account_id", account.as_str())?;
    let of_set = Profiles::with("sso_role_name", set.as_str())?;
    let mut both = of_set.into_iter().filter(|name| in_account.contains(name));
    Ok(both.next().filter(|_| both.next().is_none()))
}

/// Makes the principal of `--as`, if there is one, the only one of the links.
///
/// # Errors
/// When a link does not have it.
pub fn narrow(links: &mut [Link], options: &ToolOptions) -> Result<()> {
    let Some(wanted) = &options.as_principal else { return Ok(()) };
    for link in links {
        let found = link.principals.iter().find(|principal| principal.is_same(wanted)).cloned();
        let found = found.ok_or_else(|| {
            Error::usage(format!("{} is not a principal of target `{}`", wanted.in_words(), link.name))
                .note(format!("its principals: {}", link.principals_in_words()))
                .hint(format!(
                    "specify one of them: --as {}",
                    link.principals
                        .first()
                        .map_or_else(|| "KIND/NAME".to_owned(), |it| it.without_account().to_string())
                ))
        })?;
        link.principals = vec![found];
    }
    Ok(())
}

/// Returns the role's ARN, in the partition of the link.
fn role(link: &Link, region: Option<&Region>, run: &Run<'_>) -> Result<RoleArn> {
    Ok(link.role_arn(partition(std::slice::from_ref(link), region, run)?))
}

/// Returns the partition of these links: that of their Regions and of a principal's ARN; otherwise that of the other links,
/// which have the same source account; otherwise that of `--region`.
pub fn partition(links: &[Link], asked: Option<&Region>, run: &Run<'_>) -> Result<Partition> {
    let of_principal = run.file.principals.iter().find_map(PrincipalRef::partition);
    let of_links = links.iter().filter_map(|link| link.region.as_ref()).map(Region::partition);
    let mut found: BTreeSet<_> = of_links.chain(of_principal).collect();
    if found.is_empty() {
        found.clone_from(&run.file.partitions);
    }
    found.extend(asked.map(Region::partition));
    if found.len() > 1 {
        let names: Vec<_> = found.iter().map(ToString::to_string).collect();
        return Err(Error::usage(format!(
            "the user and the Regions of the links are in different partitions ({}), but roles cannot be assumed across partitions",
            names.join(" and ")
        ))
        .hint(format!("fix `region` of the targets in `{}`, or specify another --region", run.file.path.display())));
    }
    Ok(found.first().copied().unwrap_or(Partition::Aws))
}

/// Returns the Region from `--region` or xacct.toml; otherwise that of the environment, with a note to the user.
pub fn region(asked: Option<&Region>, link: &Link, run: &Run<'_>) -> Result<Option<Region>> {
    if let Some(region) = asked.or(link.region.as_ref()) {
        return Ok(Some(region.clone()));
    }
    let ambient = ["AWS_REGION", "AWS_DEFAULT_REGION"].iter().find_map(|name| run.context.variable(name));
    let ambient: Option<Region> = ambient.map(str::parse).transpose()?;
    if let Some(found) = &ambient {
        run.console.say(&format!(
            "Region {found} of target {} comes from the environment. To record it, add region = \"{found}\" to the target \
             in {}",
            link.name,
            run.file.path.display()
        ));
    }
    Ok(ambient)
}

/// Names sessions after the user, so that CloudTrail in the target account shows who used the role.
fn session_name(link: &Link) -> Option<SessionName> {
    the_user(link).and_then(|user| user.name().as_str().parse().ok())
}

/// Returns the user, if the link is for one user alone.
fn the_user(link: &Link) -> Option<&UserRef> {
    match link.principals.as_slice() {
        [one] => one.user(),
        _ => None,
    }
}

/// Returns the requested session duration if the role allows it; without a request, the role's limit.
fn limited(asked: Option<SessionDuration>, link: &Link) -> Result<SessionDuration> {
    let limit = link.max_session_duration;
    let is_any_a_role = link.principals.iter().any(PrincipalRef::acts_as_role);
    let are_all_roles = is_any_a_role && link.principals.iter().all(PrincipalRef::acts_as_role);
    // With a session of a role, AWS opens sessions of at most an hour.
    if are_all_roles || (is_any_a_role && asked.is_none()) {
        let hour = within_an_hour(asked, link, "a session of a role assumes another role", "")?;
        return Ok(hour.unwrap_or(SessionDuration::LONGEST_OF_A_SESSION));
    }
    match asked {
        None => Ok(SessionDuration::from_secs(limit.as_secs())?),
        Some(asked) if asked.as_secs() <= limit.as_secs() => Ok(asked),
        Some(asked) => Err(Error::usage(format!(
            "role `{}` of target `{}` allows sessions of at most {limit}, not {asked}",
            link.role, link.name
        ))
        .hint(format!(
            "use at most --duration {limit}, or raise the role's limit: {}",
            ShellCommand::new("xacct").arg("bootstrap").arg(&link.name).option("--max-session-duration", asked)
        ))),
    }
}

/// Returns the duration for a tool that assumes the role with a session, with which AWS opens sessions of at most an hour.
///
/// # Errors
/// When the duration asked for is longer.
pub fn within_an_hour(
    asked: Option<SessionDuration>,
    link: &Link,
    when: &str,
    hint: &str,
) -> Result<Option<SessionDuration>> {
    let longest = SessionDuration::LONGEST_OF_A_SESSION;
    match asked {
        Some(asked) if asked > longest => {
            Err(Error::usage(format!("AWS allows sessions of at most {longest} when {when}, not {asked}"))
                .hint(format!("use at most --duration {longest}{hint}")))
        }
        Some(asked) => Ok(Some(asked)),
        None => Ok(Some(SessionDuration::from_secs(link.max_session_duration.as_secs())?.min(longest))),
    }
}

/// Returns the duration for a tool that cannot prompt for an MFA code: it uses an MFA session, if the link requires MFA.
///
/// # Errors
/// When the duration asked for is longer than AWS allows then.
pub fn without_prompt(asked: Option<SessionDuration>, link: &Link) -> Result<Option<SessionDuration>> {
    if !link.require_mfa {
        return Ok(asked);
    }
    let hint = ", or run the tool in `xacct exec`, which opens longer sessions";
    within_an_hour(asked, link, "an MFA session assumes the role", hint)
}

/// Returns the only link, for a tool that takes one.
pub fn only_one<'a>(links: &'a [Link], why: &str) -> Result<&'a Link> {
    match links {
        [link] => Ok(link),
        _ => {
            let names = some_of(links.iter().map(|link| &link.name));
            Err(Error::usage(format!("{why}, but {} targets are selected", links.len()))
                .hint(format!("specify one of {names}")))
        }
    }
}

/// Returns the ARNs of the link's principals, from the command or xacct.toml; a user's without a path if the file does not
/// tell it, with a note if the ARN becomes part of the output.
pub fn principals(
    typed: Option<&UserArn>,
    link: &Link,
    partition: Partition,
    is_printed: bool,
    run: &Run<'_>,
) -> Result<BTreeSet<PrincipalArn>> {
    if let Some(arn) = typed {
        return Ok(BTreeSet::from([arn.clone().into()]));
    }
    let own = &link.principals;
    let missing = |what: &str| {
        Error::usage(format!("[source] of `{}` has no `{what}`", run.file.path.display()))
            .hint("add it there, or specify the user's ARN: --user-arn ARN")
    };
    if own.is_empty() {
        return Err(missing("user"));
    }
    let account = own.iter().find_map(PrincipalRef::account).or(run.file.source.account.as_ref());
    let account = account.ok_or_else(|| missing("account"))?;
    let arns = own.iter().map(|principal| {
        let arn = principal.at_root(partition, account);
        if principal.lacks_path() && is_printed {
            run.console.say(&format!(
                "Assuming that the {kind} is {arn}. {remedy}",
                kind = principal.kind(),
                remedy = match principal {
                    PrincipalRef::User(_) => "If the user has a path, specify the ARN: --user-arn ARN",
                    _ => "If it has a path, use its ARN in `principals` of xacct.toml",
                }
            ));
        }
        arn
    });
    Ok(arns.collect())
}

/// Returns the source account: that of the principals.
pub fn account_of(principals: &BTreeSet<PrincipalArn>, run: &Run<'_>) -> Result<AccountId> {
    let account = run.file.source.account.as_ref().or_else(|| principals.first().map(PrincipalArn::account));
    account.cloned().ok_or_else(|| {
        Error::usage(format!("[source] of `{}` has no `account`", run.file.path.display())).hint("add it there")
    })
}

/// Returns the ARN of an MFA device with the user's name, as the AWS console suggests; `None` if the link is not for one user
/// alone.
pub fn usual_mfa_serial(link: &Link, role: &RoleArn, run: &Run<'_>) -> Option<MfaSerial> {
    let source = &run.file.source;
    let (user, account) = (the_user(link)?, source.account()?);
    format!("arn:{}:iam::{account}:mfa/{}", role.partition, user.name()).parse().ok()
}

/// Tells how to use a link that requires MFA with a tool that cannot prompt for a code.
pub fn warn_of_mfa(tool: &str, target: &str, run: &Run<'_>) {
    run.console.say(&format!(
        "Target {target} requires MFA, and {tool} cannot prompt for a code. Open an MFA session first:\n  eval \"$({})\"",
        run.file.xacct().arg("credentials").flag("--session-token").option("--format", "env")
    ));
}

/// Tells which credentials a tool needs that assumes the role itself.
pub fn warn_of_own_role(tool: &str, link: Option<&Link>, run: &Run<'_>) {
    let credentials = link.map_or_else(|| own_credentials(&[]), |link| own_credentials(&link.principals));
    run.console.say(&format!(
        "Run {tool} with {credentials}, not inside `xacct exec` or with a profile of the role: a role cannot assume itself"
    ));
}

/// Names the credentials of these principals.
pub fn own_credentials(principals: &[PrincipalRef]) -> String {
    if principals.iter().all(|principal| matches!(principal, PrincipalRef::User(_))) {
        return "the user's own credentials".to_owned();
    }
    let owners: Vec<_> = principals.iter().map(|principal| principal.owner_in_words().replace('`', "")).collect();
    format!("credentials of {}", owners.join(" or "))
}
