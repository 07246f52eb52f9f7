//! `xacct print profile`.

use std::path::PathBuf;

use clap::Args;

use super::consumer::{Consumer, access, usual_mfa_serial, xacct};
use super::out::{Form, emit};
use crate::cli::{Printed, valid};
use crate::config::{self, Link};
use crate::error::{Error, ExitCode, Result};
use crate::iam::names::{MfaSerial, Region, SessionDuration};
use crate::operations::run::Run;
use crate::print::Access;
use crate::print::profile::{self, MfaDevice, Process, Profile, Session};

/// Print profiles for ~/.aws/config that use a link.
///
/// For the AWS CLI, the SDKs, and whatever reads AWS profiles. With --credential-process the profile asks xacct for
/// the session: then tools that cannot prompt for an MFA code can use it, too.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  xacct print profile >> ~/.aws/config
  xacct print profile dev --profile-name work --duration 30m
  For tools that cannot prompt for an MFA code:
    xacct print profile dev --credential-process --program /usr/local/bin/xacct")]
pub struct Profiles {
    /// For which links, and where to.
    #[command(flatten)]
    pub printed: Printed,
    /// Name of the profile (default: the target's name)
    #[arg(long, value_name = "NAME")]
    pub profile_name: Option<String>,
    /// The profile that has the user's own credentials (default: user_profile in xacct.toml)
    #[arg(long, value_name = "NAME", env = "XACCT_USER_PROFILE", conflicts_with = "credential_process")]
    pub source_profile: Option<String>,
    /// ARN of the user's MFA device (default: the device named after the user)
    #[arg(long, value_name = "ARN", value_parser = valid::<MfaSerial>, conflicts_with = "credential_process")]
    pub mfa_serial: Option<MfaSerial>,
    /// Get the session from xacct, as credential_process
    #[arg(long)]
    pub credential_process: bool,
    /// Path of xacct, for --credential-process (default: xacct, found in PATH)
    #[arg(long, value_name = "FILE", requires = "credential_process")]
    pub program: Option<PathBuf>,
    /// Region of the profile (default: the target's in xacct.toml)
    #[arg(long, value_name = "REGION", value_parser = valid::<Region>, env = "XACCT_REGION")]
    pub region: Option<Region>,
    /// How long sessions last, 15m to 12h (default: the role's limit)
    #[arg(long, value_name = "DURATION", value_parser = valid::<SessionDuration>, conflicts_with = "credential_process")]
    pub duration: Option<SessionDuration>,
}

impl Consumer for Profiles {
    const NAME: &'static str = "profile";

    fn print(&self, run: &Run<'_>) -> Result<ExitCode> {
        let links = config::recorded_links(&run.file, &self.printed.targets, None)?;
        if self.profile_name.is_some() && links.len() > 1 {
            return Err(Error::usage(format!(
                "--profile-name names one profile, and these are {} targets",
                links.len()
            ))
            .hint("name one target, or leave the option out"));
        }
        let mut profiles = Vec::new();
        for link in &links {
            let access = access(link, self.region.as_ref(), self.duration, run)?;
            let session = if self.credential_process {
                if link.require_mfa {
                    let ask = xacct(run).arg("exec").arg(&link.name).command(["true"]);
                    run.console.say(&format!(
                        "Target {} demands MFA, and a tool that calls a credential_process cannot be asked for a code. \
                         Before it runs, let xacct ask:\n  {ask}",
                        link.name
                    ));
                }
                Session::Process(process(self, run))
            } else {
                Session::Assumed {
                    source_profile: source_profile(self, &access, run)?,
                    mfa: mfa(self, link, &access, run)?,
                }
            };
            let name = self.profile_name.clone().unwrap_or_else(|| profile::name_of(&link.name));
            refuse_own_source(&name, self, link, run)?;
            profiles.push(Profile { name, access, session });
        }
        let text = profile::document(&profiles)?;
        run.console.say(
        "Where Terraform uses such a profile, leave assume_role out of its providers and backend: the role would have to \
         assume itself",
    );
        emit::<Self>(Form::Commented, &text, &self.printed, run)
    }
}

fn source_profile(args: &Profiles, access: &Access, run: &Run<'_>) -> Result<String> {
    let known = args.source_profile.as_ref().or(access.profile.as_ref());
    known.cloned().ok_or_else(|| {
        Error::usage(format!("[source] of `{}` has no `user_profile`", run.file.path.display()))
            .hint("name the profile that has the user's own credentials: --source-profile NAME")
    })
}

fn mfa(args: &Profiles, link: &Link, access: &Access, run: &Run<'_>) -> Result<Option<MfaDevice>> {
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
fn process(args: &Profiles, run: &Run<'_>) -> Process {
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
fn refuse_own_source(name: &str, args: &Profiles, link: &Link, run: &Run<'_>) -> Result<()> {
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
