//! The links to diagnose.

use super::arguments::Diagnose;
use super::facts_file;
use crate::config::{Link, WayIn};
use crate::error::{Error, Result};
use crate::iam::names::{Region, SessionDuration};
use crate::operations::run::Run;
use crate::operations::settle;

/// Returns the links to diagnose, with the options applied.
///
/// # Errors
/// When the options do not fit the links, or a file cannot be read.
pub fn links(args: &Diagnose, run: &Run<'_>) -> Result<Vec<Link>> {
    let mut links = run.links_with_external_ids(args.target.as_slice())?;
    with_options(&mut links, args, run)?;
    if args.save_facts.is_some() && links.len() > 1 {
        return Err(Error::usage(format!(
            "a facts file can contain only one target, but {} are selected",
            links.len()
        ))
        .hint("specify the target: xacct diagnose TARGET --save-facts FILE"));
    }
    let with_mfa = links.iter().filter(|link| link.require_mfa).count();
    if with_mfa > 1 && args.request.duration.is_some_and(SessionDuration::needs_access_key) {
        let longest = SessionDuration::LONGEST_OF_A_SESSION;
        return Err(Error::usage(format!(
            "sessions of more than {longest} need an MFA code for each target, and {with_mfa} of these targets require MFA"
        ))
        .hint(format!("specify one target, or use at most --duration {longest}")));
    }
    args.save_facts.iter().try_for_each(|path| facts_file::check_overwrites(path, run))?;
    Ok(links)
}

/// Applies the options.
///
/// # Errors
/// When a link does not accept them, or its statements cannot be read.
pub fn with_options(links: &mut [Link], args: &Diagnose, run: &Run<'_>) -> Result<()> {
    settle::read_trust_statements(links, run)?;
    for link in links {
        link.region = args.user.region.clone().or(link.region.take());
        link.way_in = args.target_profile.clone().map_or_else(|| link.way_in.clone(), WayIn::Profile);
        link.override_session(&args.request.session);
        link.check(link.region.as_ref().map(Region::partition))?;
    }
    Ok(())
}
