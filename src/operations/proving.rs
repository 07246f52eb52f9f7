//! What is claimed of a link, and who proves it.

use std::sync::Arc;

use crate::aws::client::access::Access;
use crate::aws::client::notify::Warn;
use crate::aws::connections::Connections;
use crate::aws::credentials::mfa::{AskForCode, Mfa};
use crate::aws::credentials::session_cache::Cache;
use crate::cli::{BucketNamespace, Probe, TypedCode, UserOptions};
use crate::config::Link;
use crate::error::{Error, Result};
use crate::iam::arn::{RoleArn, UserRef};
use crate::iam::names::{AccountId, ExternalId, MfaSerial};
use crate::operations::run::Run;
use crate::proof::{Claim, Extent, Freshness, MfaMeans, Prover, RequestOptions, TestBucket};

/// Whose links the file records.
///
/// # Errors
/// When it does not say.
pub fn user_on_record(run: &Run<'_>) -> Result<UserRef> {
    run.file.source.user.clone().ok_or_else(|| {
        Error::usage(format!("`{}` does not say whose links these are", run.file.path.display()))
            .hint("write user = \"NAME\" below [source]")
    })
}

/// Says something to the person at the terminal.
pub fn saying(run: &Run<'_>) -> Warn {
    let console = run.console.clone();
    Arc::new(move |text: &str| console.say(text))
}

/// What there is to pass MFA with: a code, somebody to ask for one, a place where sessions are kept.
///
/// # Errors
/// When the code is none.
pub fn mfa(options: &UserOptions, run: &Run<'_>) -> Result<Mfa> {
    let code = options.mfa_code.as_ref().map(TypedCode::parse).transpose()?;
    let ask = run.context.terminal.can_ask.then(|| {
        let console = run.console.clone();
        Arc::new(move |device: &MfaSerial| console.ask(&format!("MFA code of {device}:"))) as AskForCode
    });
    let cache = if options.no_cache { None } else { cache(run) };
    Ok(Mfa::new(code, ask, options.mfa_session_duration, cache))
}

/// Where sessions are kept; nowhere for a user without a home.
pub fn cache(run: &Run<'_>) -> Option<Cache> {
    Some(Cache::new(run.context.cache_folder()?, run.context.now, saying(run)))
}

/// A prover for links of the user, with whatever there is to pass MFA with. `named` says that somebody named these
/// credentials as the user's.
///
/// # Errors
/// When the profile's `mfa_serial` is none.
pub fn prover(
    connections: &Connections,
    access: Access,
    named: bool,
    user: UserRef,
    source: Option<AccountId>,
    run: &Run<'_>,
) -> Result<Prover> {
    let serial = access.profile.as_deref().and_then(|profile| connections.profiles().setting(profile, "mfa_serial"));
    let mfa = MfaMeans { mfa: Arc::clone(connections.mfa()), serial: serial.map(str::parse).transpose()? };
    Ok(Prover::new(access, named, user, source, mfa, run.leftovers.clone()))
}

/// What is claimed of a link.
pub fn claim(
    link: &Link,
    role: RoleArn,
    external_id: Option<ExternalId>,
    freshness: Freshness,
    run: &Run<'_>,
) -> Claim {
    let extent = match link.probe {
        Probe::Identity => Extent::Refusals,
        Probe::Bucket => Extent::Bucket(TestBucket {
            random: run.context.random,
            tags: link.bucket_tags.clone(),
            account_regional: link.bucket_namespace == BucketNamespace::AccountRegional,
        }),
    };
    Claim {
        role,
        external_id,
        require_mfa: link.require_mfa,
        region: link.region.clone(),
        freshness,
        request: RequestOptions::default(),
        extent,
    }
}
