//! Opens sessions of the role or of the user, for `exec` and `credentials`.

use std::time::SystemTime;

use crate::answers::Meaning;
use crate::aws::client::access::Access;
use crate::aws::connections::Connections;
use crate::aws::credentials::mfa;
use crate::aws::credentials::session_cache::{Cache, Key, RoleSession};
use crate::aws::keys::SessionCredentials;
use crate::cli::{RequestOptions, SessionAttributes, SessionOptions};
use crate::config::{self, Link, Source};
use crate::diagnosis::pasted;
use crate::error::{Error, Kind, Result};
use crate::iam::arn::{CallerArn, PrincipalRef, RoleArn};
use crate::iam::names::{AccountId, Region, SessionDuration};
use crate::operations::accounts::labels;
use crate::operations::proving;
use crate::operations::run::{Opening, Run};
use crate::proof::{Claim, Extent, Freshness, Prover};
use crate::text::shell::ShellCommand;

/// What becomes of a session of a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A tool gets it once, so it lasts as long as the role allows.
    HandOver,
    /// A server hands out this one and those that follow it, so the usual hour is enough.
    Serve,
    /// It follows another one of the server. The user is not there to be asked for anything.
    Renew,
}

/// An open session of a role.
pub struct OpenedRole {
    /// The name of the target in `xacct.toml`.
    pub target: String,
    pub role: RoleArn,
    pub opened: Opened,
}

/// An open session.
pub struct Opened {
    pub credentials: SessionCredentials,
    /// The role or the user, in words.
    pub whose: String,
    /// The Region to use it in, if one is set.
    pub region: Option<Region>,
    /// The time of AWS's clock when the session was opened, if AWS has just opened it.
    pub at: Option<SystemTime>,
}

/// Opens a session of the named target, or of the only one.
///
/// # Errors
/// When there are several targets, the credentials are not the user's, or AWS denies the request.
pub async fn of_role(
    target: Option<&str>,
    options: &SessionOptions,
    purpose: Purpose,
    run: &Run<'_>,
) -> Result<OpenedRole> {
    if options.cache && options.user.no_cache {
        return Err(Error::usage("--cache and --no-cache (XACCT_NO_CACHE) conflict").hint("use only one of them"));
    }
    let mut link = the_link(target, run)?;
    link.override_session(&options.request.session);
    link.check(link.region.as_ref().map(Region::partition))?;
    if purpose == Purpose::Serve {
        check_renewable(&link, options, run)?;
    }
    let region = options.user.region.clone().or_else(|| link.region.clone());
    let cache = if options.cache { run.session_cache() } else { None };
    if options.cache && cache.is_none() {
        run.console.warn("Cannot cache the session: neither HOME nor XDG_CACHE_HOME is set to a directory");
    }
    let user = User::of(options, region.clone(), purpose, run)?;
    let known = cache.as_ref().zip(user.origin()).map(|(cache, origin)| (cache, key_ahead(origin, &link, options)));
    let mut _lock = None;
    if let Some((cache, key)) = &known {
        if let Some(found) = cache.load_role(key) {
            return Ok(opened(&link, found));
        }
        _lock = cache.lock(key).await;
        // Another run may have opened it meanwhile.
        if let Some(found) = cache.load_role(key) {
            return Ok(opened(&link, found));
        }
    }
    let prover = user.prover(run).await?;
    let access = prover.access();
    let role = link.role_arn(access.partition());
    let region = region.or_else(|| access.has_region.then(|| access.region.clone()));
    let mut claim = Claim {
        extent: Extent::Session,
        region: region.clone(),
        ..proving::claim(&link, &role, Freshness::Settled, run)
    };
    let usual = if purpose == Purpose::HandOver { longest(&link, access) } else { None };
    claim.request.duration = options.request.duration.or(usual);
    prover.settle_session_name(&claim).await;
    // Only the credentials themselves tell whose they are.
    let by_keys = cache.as_ref().filter(|_| known.is_none());
    let mut cached = from_cache(&prover, &claim, by_keys).await?;
    if cached.is_none() && options.request.duration.is_none() && prover.lacks_code(&claim) {
        // Nobody asked for more than an hour, and an hour needs no code if the user's MFA session is cached.
        claim.request.duration = None;
        cached = from_cache(&prover, &claim, by_keys).await?;
    }
    if let Some(credentials) = cached {
        return Ok(opened(&link, RoleSession { credentials, role, region, opened_at: None }));
    }
    let session = prover.session(&claim).await.map_err(|error| match purpose {
        Purpose::Renew if prover.lacked_code() => without_code(&link.name),
        _ => refused(error, &link, &role, options, run),
    })?;
    let found = RoleSession { credentials: session.credentials, role, region, opened_at: session.opened_at };
    match (&known, by_keys) {
        (Some((cache, key)), _) => cache.store_role(key, &found),
        (None, Some(cache)) => cache.store(&key(&prover, &claim)?, &found.credentials),
        (None, None) => {}
    }
    Ok(opened(&link, found))
}

fn opened(link: &Link, session: RoleSession) -> OpenedRole {
    let RoleSession { credentials, role, region, opened_at: at } = session;
    let whose = format!("role {} in {}", role.name, role.account);
    OpenedRole { target: link.name.clone(), role, opened: Opened { credentials, whose, region, at } }
}

/// Opens another session of a role for a server. Prompts for nothing.
///
/// # Errors
/// When an MFA code is necessary, or for the reasons of [`of_role`].
pub async fn renewed(target: &str, options: &SessionOptions, run: &Run<'_>) -> Result<Opened> {
    Ok(of_role(Some(target), options, Purpose::Renew, run).await?.opened)
}

/// Refuses sessions that cannot be renewed, or too often, before anything is sent.
fn check_renewable(link: &Link, options: &SessionOptions, run: &Run<'_>) -> Result<()> {
    // botocore asks again at each request while a session has less than 15 minutes left (`credentials.py`,
    // `_advisory_refresh_timeout`), so that a shorter one is of no use to it.
    const SHORTEST: i32 = 30 * 60;
    if let Some(duration) = options.request.duration.filter(|duration| duration.as_secs() < SHORTEST) {
        return Err(Error::usage(format!("--server renews sessions, which must last at least 30m, not {duration}"))
            .hint("omit --duration: xacct renews one-hour sessions until the command ends"));
    }
    if !link.require_mfa {
        return Ok(());
    }
    let because = format!("target `{}` requires MFA, and a renewal cannot prompt for a code", link.name);
    if options.request.duration.is_some_and(SessionDuration::needs_access_key) {
        return Err(Error::usage("every session of more than one hour needs a new MFA code, even with --server")
            .note(because)
            .hint("omit --duration: sessions of an hour are renewed with the cached MFA session, for 12h"));
    }
    if options.user.no_cache || cfg!(not(unix)) || run.session_cache().is_none() {
        return Err(Error::usage("--server needs the session cache for this target")
            .note(because)
            .hint("omit --no-cache (XACCT_NO_CACHE), or run the command without --server"));
    }
    Ok(())
}

/// Returns the error of a renewal that needs a code.
fn without_code(target: &str) -> Error {
    let prompt = ShellCommand::new("xacct").args(["exec", target]).option("--duration", "1h").command(["true"]);
    Error::new(Kind::Credentials, "the cached MFA session has ended, and a renewal cannot prompt for a code")
        .hint(format!("enter a code in another terminal, and xacct renews the session: {prompt}"))
}

/// Returns the cached session for this request.
async fn from_cache(prover: &Prover, claim: &Claim, cache: Option<&Cache>) -> Result<Option<SessionCredentials>> {
    let Some(cache) = cache else { return Ok(None) };
    let access = prover.access().in_region(prover.region(claim));
    Ok(mfa::cached(cache, &access, &key(prover, claim)?, |arn| arn.is_of(&claim.role)).await)
}

/// Opens a session of the user.
///
/// # Errors
/// When the credentials are not the user's or are a session's, or AWS denies the request.
pub async fn of_user(options: &SessionOptions, run: &Run<'_>) -> Result<Opened> {
    let user = User::of(options, options.user.region.clone(), Purpose::HandOver, run)?;
    let name = labels(user.principals.iter().cloned());
    let prover = user.prover(run).await?;
    let credentials = prover.own_session().await?;
    let access = prover.access();
    let whose = format!("user {name}");
    Ok(Opened { credentials, whose, region: access.has_region.then(|| access.region.clone()), at: None })
}

fn the_link(target: Option<&str>, run: &Run<'_>) -> Result<Link> {
    let mut links = run.links_with_external_ids(target.map(str::to_owned).as_slice())?;
    let names: Vec<_> = links.iter().map(|link| link.name.clone()).collect();
    match (links.pop(), links.is_empty()) {
        (Some(link), true) => Ok(link),
        _ => Err(Error::usage(format!(
            "a session needs exactly one target, but these are selected: {}",
            names.join(", ")
        ))
        .hint("specify one target by its name in xacct.toml")),
    }
}

/// The user, and where the credentials are, by the same settings as `verify`.
struct User {
    connections: Connections,
    principals: Vec<PrincipalRef>,
    account: Option<AccountId>,
    /// The user's own profile, if a setting names one.
    own: Option<String>,
    /// The profile to use.
    profile: Option<String>,
}

impl User {
    fn of(options: &SessionOptions, region: Option<Region>, purpose: Purpose, run: &Run<'_>) -> Result<Self> {
        let source = Source::from(&run.file.source);
        let principals = proving::principals_on_record(run)?;
        let opening = Opening { user: &options.user, region, path_style: false, sts_rate: None };
        let connections = match purpose {
            Purpose::Renew => run.reopen_connections(opening)?,
            Purpose::HandOver | Purpose::Serve => run.open_connections(opening)?,
        };
        let own = options.user.user_profile.clone().or(source.user_profile);
        let profile = own.clone().or_else(|| options.profile.clone()).or(source.profile);
        Ok(Self { connections, principals, account: source.account, own, profile })
    }

    /// Returns what decides whose credentials they are, if that is known before AWS is asked.
    fn origin(&self) -> Option<Vec<String>> {
        let origin = self.connections.origin(self.profile.as_deref())?;
        let own = self.own.is_some().to_string();
        Some(self.principals.iter().map(ToString::to_string).chain([own]).chain(origin).collect())
    }

    /// Gets the credentials.
    async fn prover(self, run: &Run<'_>) -> Result<Prover> {
        let access = self.connections.access(self.profile.as_deref()).await?;
        proving::prover(&self.connections, access, self.own.is_some(), self.principals, self.account, run)
    }
}

/// Returns the longest duration that the role allows, because a command may run long. A session made with another
/// session lasts at most an hour (STS API reference, AssumeRole, role chaining).
fn longest(link: &Link, access: &Access) -> Option<SessionDuration> {
    let longest = SessionDuration::from_secs(link.max_session_duration.as_secs()).ok()?;
    (!access.is_session && longest > SessionDuration::default()).then_some(longest)
}

/// Returns the cache key of a session before the credentials for it are known: what decides whose they are, and everything
/// that bears on the request.
fn key_ahead(origin: Vec<String>, link: &Link, options: &SessionOptions) -> Key {
    let text = |value: Option<String>| value.unwrap_or_default();
    let mut parts = vec![
        "role of an origin".to_owned(),
        origin.len().to_string(),
        link.account.to_string(),
        link.role_path.to_string(),
        link.role.to_string(),
        text(options.user.region.as_ref().or(link.region.as_ref()).map(ToString::to_string)),
        text(link.session_name.as_ref().map(ToString::to_string)),
        text(link.external_id.known().map(ToString::to_string)),
        text(link.source_identity.as_ref().map(ToString::to_string)),
        text(options.request.duration.as_ref().map(ToString::to_string)),
        link.max_session_duration.to_string(),
        link.require_mfa.to_string(),
    ];
    parts.extend(origin);
    parts.extend(link.principals.iter().map(ToString::to_string));
    parts.extend(link.session_tags.iter().map(ToString::to_string));
    Key::new(&parts.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Returns the cache key: everything that distinguishes one session of a role from another.
fn key(prover: &Prover, claim: &Claim) -> Result<Key> {
    let request = prover.request(claim)?;
    let access = prover.access();
    let external_id = request.external_id.map(|id| id.to_string()).unwrap_or_default();
    let duration = request.duration.map(|duration| duration.to_string()).unwrap_or_default();
    let identity = request.source_identity.map(|identity| identity.to_string()).unwrap_or_default();
    let mut parts = vec![
        "role".to_owned(),
        access.key_id().to_owned(),
        access.endpoints().join(" "),
        prover.region(claim).to_string(),
        request.role.to_string(),
        request.session_name.to_string(),
        claim.require_mfa.to_string(),
        external_id,
        duration,
        identity,
    ];
    parts.extend(request.tags.iter().map(ToString::to_string));
    Ok(Key::new(&parts.iter().map(String::as_str).collect::<Vec<_>>()))
}

/// Adds hints to an error of AssumeRole: AWS denies everything in the same words, and `diagnose` knows more.
fn refused(error: Error, link: &Link, role: &RoleArn, options: &SessionOptions, run: &Run<'_>) -> Error {
    if error.meaning() == Some(Meaning::DurationOverRole) {
        let lengthen = ShellCommand::new("xacct").arg("bootstrap").arg(&link.name);
        let lengthen = lengthen.option("--max-session-duration", "12h");
        // In place of the hint that any such answer has.
        let error = Error { hints: Vec::new(), ..error }.hint("request a shorter session: --duration 1h");
        return error.hint(format!("or allow longer sessions: {lengthen}"));
    }
    if !error.is_denial() {
        return error;
    }
    let error = Error { kind: Kind::NoAccess, ..error };
    // The same request as the one that failed, or the diagnosis is about another.
    let diagnose = ShellCommand::new("xacct")
        .arg("diagnose")
        .arg(&link.name)
        .option_if("--profile", options.profile.as_ref())
        .option_if("--user-profile", options.user.user_profile.as_ref())
        .option_if("--region", options.user.region.as_ref());
    let diagnose = with_request(diagnose, &options.request);
    let other = error.aws.as_deref().and_then(pasted::caller).and_then(|caller| target_of(&caller, run));
    let error = match other {
        // Terragrunt runs the command of a dependency in the environment of the unit that depends on it.
        Some(name) => error.hint(format!(
            "the credentials are a session of target `{name}`, not the user's: use a profile for the user (user_profile, \
             --user-profile), which programs such as Terragrunt do not override"
        )),
        None => error,
    };
    error.context(format!("cannot assume `{role}`")).hint(format!("find out why: {diagnose}"))
}

/// Returns the name of the target whose role this session has.
fn target_of<'a>(caller: &CallerArn, run: &'a Run<'_>) -> Option<&'a str> {
    match caller {
        CallerArn::AssumedRole { role, .. } => config::target_with(&run.file, caller.account()?, role),
        _ => None,
    }
}

/// Adds the options to a command that sends the same request.
fn with_request(command: ShellCommand, options: &RequestOptions) -> ShellCommand {
    let RequestOptions { session: SessionAttributes { session_name, session_tag, source_identity }, duration } =
        options;
    let command = command.option_if("--session-name", session_name.as_ref());
    let command = session_tag.iter().fold(command, |command, tag| command.option("--session-tag", tag));
    command.option_if("--source-identity", source_identity.as_ref()).option_if("--duration", duration.as_ref())
}
