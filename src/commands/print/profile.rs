//! `xacct print-profile`.

use super::out::{Form, emit};
use super::{access, config_option, usual_mfa_serial};
use crate::cli::PrintProfile;
use crate::config::{self, Link};
use crate::error::{Error, ExitCode, Result};
use crate::operations::run::Run;
use crate::print::Access;
use crate::print::profile::{self, MfaDevice, Process, Profile, Session};
use crate::text::word;

/// Runs the command.
pub fn profile(args: &PrintProfile, run: &Run<'_>) -> Result<ExitCode> {
    let links = config::recorded_links(&run.file, &args.printed.targets, None)?;
    if args.profile_name.is_some() && links.len() > 1 {
        return Err(Error::usage(format!("--profile-name names one profile, and these are {} targets", links.len()))
            .hint("name one target, or leave the option out"));
    }
    let mut profiles = Vec::new();
    for link in &links {
        let access = access(link, args.region.as_ref(), args.duration, run)?;
        let session = if args.credential_process {
            if link.require_mfa {
                run.console.say(&format!(
                    "Target {} demands MFA, and a tool that calls a credential_process cannot be asked for a code. Before it \
                     runs, let xacct ask:\n  xacct {}exec {} -- true",
                    link.name,
                    config_option(run),
                    word(&link.name)
                ));
            }
            Session::Process(process(args, run))
        } else {
            Session::Assumed {
                source_profile: source_profile(args, &access, run)?,
                mfa: mfa(args, link, &access, run)?,
            }
        };
        let name = args.profile_name.clone().unwrap_or_else(|| profile::name_of(&link.name));
        refuse_own_source(&name, args, link, run)?;
        profiles.push(Profile { name, access, session });
    }
    let text = profile::document(&profiles)?;
    run.console.say(
        "Where Terraform uses such a profile, leave assume_role out of its providers and backend: the role would have to \
         assume itself",
    );
    emit("print-profile", Form::Commented, &text, &args.printed, run)
}

fn source_profile(args: &PrintProfile, access: &Access, run: &Run<'_>) -> Result<String> {
    let known = args.source_profile.as_ref().or(access.profile.as_ref());
    known.cloned().ok_or_else(|| {
        Error::usage(format!("[source] of `{}` has no `user_profile`", run.file.path.display()))
            .hint("name the profile that has the user's own credentials: --source-profile NAME")
    })
}

fn mfa(args: &PrintProfile, link: &Link, access: &Access, run: &Run<'_>) -> Result<Option<MfaDevice>> {
    if !link.require_mfa {
        return Ok(None);
    }
    run.console.say(&format!(
        "Target {} demands MFA: the AWS CLI asks for the code, Terraform and some SDKs cannot. For them: \
         --credential-process",
        link.name
    ));
    if let Some(serial) = &args.mfa_serial {
        return Ok(Some(MfaDevice { serial: serial.clone(), is_guess: false }));
    }
    let guess = usual_mfa_serial(&access.role, run).ok_or_else(|| {
        Error::usage(format!("target `{}` demands MFA, and the user's device is not known", link.name))
            .hint("give its ARN, which `aws iam list-mfa-devices` shows: --mfa-serial ARN")
    })?;
    Ok(Some(MfaDevice { serial: guess, is_guess: true }))
}

/// The tool that asks for credentials may run anywhere, so both paths are whole.
fn process(args: &PrintProfile, run: &Run<'_>) -> Process {
    let program = args.program.as_ref().map(|program| {
        // A bare name is looked up in the PATH.
        let is_bare = program.components().count() == 1 && program.is_relative();
        if is_bare { program.clone() } else { run.context.directory.join(program) }
    });
    Process {
        program: program.map_or_else(|| "xacct".to_owned(), |program| program.display().to_string()),
        config: run.context.directory.join(&run.file.path).display().to_string(),
    }
}

/// A profile that takes its credentials from itself would ask itself for ever, and one that is called as the operator's
/// would replace it.
fn refuse_own_source(name: &str, args: &PrintProfile, link: &Link, run: &Run<'_>) -> Result<()> {
    let source = &run.file.source;
    let operator = match &link.way_in {
        config::WayIn::Profile(profile) => Some(profile),
        _ => None,
    };
    let uses = [
        (args.source_profile.as_ref().or(source.user_profile.as_ref()), "has the user's own credentials"),
        (source.profile.as_ref(), "is that of the operator of the source account"),
        (operator, "is that of the operator of the target account"),
    ];
    match uses.into_iter().find(|(used, _)| used.is_some_and(|used| used == name)) {
        None => Ok(()),
        Some((_, what)) => Err(Error::usage(format!("profile `{name}` {what}, and cannot be that of the link too"))
            .hint("give another name: --profile-name NAME")),
    }
}
