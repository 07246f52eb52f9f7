//! `xacct diagnose --as` and `--message`: evaluates links for a principal without its credentials, alone or beside AWS's answer
//! to another tool.

use super::arguments::Diagnose;
use super::diagnosed::Diagnosed;
use super::{facts_file, links, message};
use crate::config::{Link, Source};
use crate::diagnosis::facts::{Answer, Mfa};
use crate::diagnosis::{Facts, pasted};
use crate::error::{AwsAnswer, Error, Result};
use crate::iam::arn::{CallerArn, PrincipalRef};
use crate::iam::names::SessionDuration;
use crate::iam::state::Reading;
use crate::operations::evaluation::Evaluation;
use crate::operations::run::Run;

/// What a message does not tell.
const ASSUMED: &str = "a message does not show the request: external ID, session name, tags and duration are assumed to be those \
                       of xacct.toml";

/// Reads AWS's answer from the message.
fn answer(message: &str) -> Result<AwsAnswer> {
    pasted::answer(message).ok_or_else(|| {
        Error::usage("--message has no answer of AWS that xacct knows")
            .hint("paste the whole message, with the error code, the operation and AWS's words")
    })
}

/// Returns the principal of the links that the caller is, or else the first one.
fn principal_of(links: &[Link], caller: Option<&CallerArn>) -> Option<PrincipalRef> {
    let all = || links.iter().flat_map(|link| &link.principals);
    let is_it = |principal: &&PrincipalRef| caller.is_some_and(|caller| principal.is(caller));
    let is_exact = |principal: &&PrincipalRef| !matches!(principal, PrincipalRef::Group(_)) && is_it(principal);
    all().find(is_exact).or_else(|| all().find(is_it)).or_else(|| all().next()).cloned()
}

/// Evaluates every link for the principal.
///
/// # Errors
/// When the principal is of another account, the options do not fit the links, or the message has no answer of AWS.
pub async fn diagnosed(args: &Diagnose, run: &Run<'_>) -> Result<Vec<Diagnosed>> {
    let answer = args.message.as_deref().map(answer).transpose()?;
    let links = links::links(args, run)?;
    let caller = answer.as_ref().and_then(pasted::caller);
    let principal = &match &args.as_principal {
        Some(principal) => principal.clone(),
        None => principal_of(&links, caller.as_ref()).ok_or_else(|| Error::usage("the target has no principal"))?,
    };
    let mut source = Source::from(&run.file.source);
    source.profile = args.profile.clone().or(source.profile);
    let evaluation = Evaluation { principal, source, user: &args.user, report: args.report, run };
    let duration = args.request.duration.map(SessionDuration::as_secs);
    let prepare = |facts: &mut Facts| {
        facts.request.duration_seconds = duration;
        if let Some(answer) = &answer {
            facts.answer = Answer::Refused(answer.clone());
            "as the message says".clone_into(&mut facts.caller.origin);
            facts.caller.is_session |= caller.as_ref().is_some_and(|caller| caller.user().is_none());
            facts.caller.identity = caller.clone().map_or(Reading::Absent, Reading::Present);
            facts.caller.mfa = if facts.link.require_mfa { Mfa::Unknown } else { facts.caller.mfa };
        }
    };
    let mut all = evaluation.of(&links, prepare).await?;
    if answer.is_some_and(|answer| answer.service == "sts") {
        all.iter_mut().for_each(|it| it.diagnosis.notes.push(ASSUMED.to_owned()));
    }
    let diagnosed = all.into_iter().map(|evaluated| {
        let facts = &evaluated.facts;
        let not_saved = facts_file::save_if_asked(Some(facts), args, run).err();
        let not_saved = not_saved.inspect(|error| run.console.error(error));
        Diagnosed {
            name: evaluated.link.name.clone(),
            account: evaluated.link.account.to_string(),
            role_name: evaluated.link.role_below_its_path(),
            role: evaluated.role.to_string(),
            user: principal.label(),
            proof: None,
            messages: message::messages(facts, &evaluated.diagnosis.findings, args, not_saved.is_none(), run),
            diagnosis: Some(evaluated.diagnosis),
            not_saved,
        }
    });
    Ok(diagnosed.collect())
}
