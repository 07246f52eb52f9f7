//! Completes saved facts: reads the half that they lack, or sends the request.
//!
//! The facts come from somebody else. They never decide which account is asked: before anything is read, the credentials
//! must belong to the account of that half, and only `xacct.toml` decides which role is assumed.

use crate::aws::client::access::Access;
use crate::aws::connections::Connections;
use crate::aws::sts;
use crate::config::{Link, Source, WayIn};
use crate::diagnosis::collect::{self, Reader};
use crate::diagnosis::{Facts, Part};
use crate::error::{Error, Result};
use crate::iam::arn::PrincipalRef;
use crate::iam::names::{AccountId, SessionDuration};
use crate::operations::accounts::enter;
use crate::operations::explain::{Case, Diagnostician, now};
use crate::operations::proving;
use crate::operations::run::Run;
use crate::proof::{Claim, Extent, Freshness, Proof};

/// How many roles of `xacct.toml` an error names.
const MOST_NAMES: usize = 5;

/// The credentials for one part, and whether an option names them.
pub struct Means {
    /// Whether an option of the command line names them. Otherwise they are used only for what the facts lack, and it is
    /// no error if they do not work.
    pub is_asked: bool,
    /// The profile from an option, a variable or `xacct.toml`.
    pub profile: Option<String>,
}

/// Completes facts with credentials of the other account.
pub struct Completion<'a> {
    /// The run.
    pub run: &'a Run<'a>,
    /// The connections.
    pub connections: &'a Connections,
    /// The link in the caller's own `xacct.toml`, if there is one.
    pub own: Option<&'a Link>,
    /// The source account in it.
    pub source: &'a Source,
    /// The user's credentials.
    pub user: Means,
    /// Those of the operator in the source account.
    pub source_operator: Means,
    /// Those of the operator in the target account.
    pub target_operator: Means,
    /// The duration of the requested session.
    pub duration: Option<SessionDuration>,
}

impl Completion<'_> {
    /// Returns the facts with everything that these credentials can add, and the proof if the link was tested.
    ///
    /// # Errors
    /// When credentials that an option names do not work, or belong to another account.
    pub async fn complete(&self, facts: Facts) -> Result<(Facts, Option<Result<Proof>>)> {
        // The request comes first: it decides which external ID and which role the halves are judged for.
        let (facts, proof) = match self.is_wanted(&self.user, &facts, Part::Request) {
            true => self.request(facts).await?,
            false => (facts, None),
        };
        let (source, target) = tokio::join!(self.source_reader(&facts), self.target_reader(&facts));
        let (source, target) = (source?, target?);
        let (link, now) = (&facts.link, now(self.run));
        let source = async {
            match source {
                Some(reader) => Some(collect::source(reader, link, now).await),
                None => None,
            }
        };
        let target = async {
            match target {
                Some(reader) => Some(collect::target(reader, link, now).await),
                None => None,
            }
        };
        let (source, target) = tokio::join!(source, target);
        let facts = match source {
            Some(source) => facts.with_source(source),
            None => facts,
        };
        let facts = match target {
            Some(target) => facts.with_target(target),
            None => facts,
        };
        Ok((facts, proof))
    }

    fn is_wanted(&self, means: &Means, facts: &Facts, part: Part) -> bool {
        means.is_asked || self.own.is_some() && means.profile.is_some() && facts.lacks(part)
    }

    /// Sends the request for the link in `xacct.toml`.
    async fn request(&self, facts: Facts) -> Result<(Facts, Option<Result<Proof>>)> {
        let Some(link) = self.own else {
            return Err(Error::usage(
                "there is no xacct.toml with this link: a facts file alone must not decide which role xacct assumes",
            )
            .hint("run the command in the directory of xacct.toml, or specify the file: --config FILE"));
        };
        let principals = proving::principals_on_record(self.run)?;
        let access = match self.connections.access(self.user.profile.as_deref()).await {
            Ok(access) => access,
            Err(error) if self.user.is_asked => return Err(error.context("user")),
            Err(_) => return Ok((facts, None)),
        };
        let role = link.role_arn(access.partition());
        self.tell(&format!("Testing {} → {role} ({})", link.principals_in_words(), access.origin));
        let diagnostician = Diagnostician::new(self.run, self.connections, self.source, &principals, None);
        let account = diagnostician.account.clone();
        let prover = proving::prover(self.connections, access, true, principals, account, self.run)?;
        let case = Case { link, role: &role, target: None, written: None, made: None };
        let mut claim = Claim { extent: Extent::Session, ..proving::claim(link, &role, Freshness::Settled, self.run) };
        claim.request.duration = self.duration;
        let saved =
            async { (diagnostician.link(&case, Some(&prover)).await, facts.source.clone(), facts.target.clone()) };
        let (proof, new) = diagnostician.try_with(&case, &prover, &claim, saved).await;
        match new.map(|new| (facts.with_request(new), facts)) {
            Some((Some(joined), _)) => Ok((joined, Some(proof))),
            Some((None, facts)) => {
                self.run.console.warn("The link was not tested again; diagnosing the saved answer");
                Ok((facts, None))
            }
            // AWS could not be reached.
            None => Err(proof.err().unwrap_or_else(|| Error::usage("the link was not tested"))),
        }
    }

    /// Returns the source operator's credentials, if they are to be used.
    async fn source_reader(&self, facts: &Facts) -> Result<Option<Result<Reader>>> {
        let means = &self.source_operator;
        if !self.is_wanted(means, facts, Part::Source) {
            return Ok(None);
        }
        let account = facts.known_source_account().or(self.source.account.as_ref()).cloned();
        let account = account.ok_or_else(|| {
            Error::usage("the facts do not say in which account the user is, so xacct cannot check the credentials")
                .hint("set account in [source] of xacct.toml")
        })?;
        let access = self.connections.access(means.profile.as_deref()).await;
        let what = format!("{} of account {account}", facts.link.whose());
        self.reader(access, facts, (Part::Source, &account), means, &what).await
    }

    /// Returns the target operator's credentials, if they are to be used.
    async fn target_reader(&self, facts: &Facts) -> Result<Option<Result<Reader>>> {
        let means = &self.target_operator;
        let account = &facts.link.role.account;
        let access = match self.own {
            _ if means.is_asked => self.connections.access(means.profile.as_deref()).await,
            Some(link) if facts.lacks(Part::Target) => match &link.way_in {
                WayIn::Search if self.connections.profiles().of_account(account, &link.role).is_err() => {
                    return Ok(None);
                }
                WayIn::EnterRole(_) if self.source_operator.profile.is_none() => return Ok(None),
                WayIn::EnterRole(_) => match self.connections.access(self.source_operator.profile.as_deref()).await {
                    Ok(source) => enter(self.connections, link, Some(&source)).await,
                    Err(error) => Err(error),
                },
                WayIn::Profile(_) | WayIn::Search => enter(self.connections, link, None).await,
            },
            _ => return Ok(None),
        };
        let what = format!("role {} of account {account}", facts.link.role.name);
        self.reader(access, facts, (Part::Target, account), means, &what).await
    }

    /// Checks whose credentials these are, and tells what they will read.
    async fn reader(
        &self,
        access: Result<Access>,
        facts: &Facts,
        (part, account): (Part, &AccountId),
        means: &Means,
        what: &str,
    ) -> Result<Option<Result<Reader>>> {
        let checked = async {
            let access = access?;
            let owner = sts::caller(&access).await?.arn;
            facts.check_owner(part, account, &owner, &access.origin)?;
            self.tell(&format!("Reading {what} as {owner} ({})", access.origin));
            Ok(Reader { access, owner: Some(owner) })
        };
        match checked.await {
            Err(error) if means.is_asked => Err(error),
            reader => Ok(Some(reader)),
        }
    }

    fn tell(&self, text: &str) {
        self.run.console.say(text);
    }
}

/// Returns the link in the caller's own `xacct.toml` that the facts are about.
///
/// # Errors
/// When the file has targets, and none of them is this link.
pub fn own_link(facts: &Facts, links: Vec<Link>, own: &[PrincipalRef], source: &Source, file: &str) -> Result<Link> {
    let role = &facts.link.role;
    let mut names: Vec<_> =
        links.iter().map(|link| format!("{}:role{}{}", link.account, link.role_path, link.role)).collect();
    // AWS finds a role by a name in any case, and whatever its path is.
    let is_it =
        |link: &Link| link.account == role.account && link.role.as_str().eq_ignore_ascii_case(role.name.as_str());
    let is_exact = |link: &Link| link.role == role.name && link.role_path == role.path;
    let mut candidates: Vec<_> = links.into_iter().filter(is_it).collect();
    candidates.sort_by_key(|link| !is_exact(link));
    if names.len() > MOST_NAMES {
        names.truncate(MOST_NAMES);
        names.push("others".to_owned());
    }
    let link = candidates.into_iter().next().ok_or_else(|| {
        Error::usage(format!("the facts are about role {role}, but `{file}` has only {}", names.join(", ")))
            .hint("use the facts of a link in this file, or the xacct.toml of that link: --config FILE")
            .hint("the operator of the target account needs no xacct.toml: run the command in another directory")
    })?;
    facts.check_principal(own, source.account.as_ref(), file)?;
    Ok(link)
}
