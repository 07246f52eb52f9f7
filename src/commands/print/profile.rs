//! `xacct print profile`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::consumer::{Consumer, access, narrow, user_profile, usual_mfa_serial};
use super::install::edit_config_file;
use super::out::{Form, emit};
use crate::cli::{Printed, ToolOptions, valid};
use crate::config::{self, Link};
use crate::environment;
use crate::error::{Error, ExitCode, Result};
use crate::iam::arn::PrincipalRef;
use crate::iam::names::{MfaSerial, Region, SessionDuration};
use crate::operations::run::Run;
use crate::print::Access;
use crate::print::profile::{self, CredentialSource, CredentialsFrom, MfaDevice, Process, Profile, Session, install};

/// Print profiles for ~/.aws/config that use a link, or install them there.
///
/// For the AWS CLI, the SDKs, and other tools that read AWS profiles. With --credential-process, tools get the session
/// from xacct, so even tools that cannot prompt for an MFA code can use the profile.
///
/// --install writes the profiles to the AWS config file itself (AWS_CONFIG_FILE, otherwise ~/.aws/config). It replaces those
/// that xacct wrote before, keeps everything else as it is, and shows the difference.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  xacct print profile --install
  xacct print profile dev --remove
  xacct print profile dev --profile-name work --duration 30m
  For tools that cannot prompt for an MFA code:
    xacct print profile dev --credential-process --program /usr/local/bin/xacct")]
pub struct Profiles {
    /// The links, and the file to write to.
    #[command(flatten)]
    pub printed: Printed,
    /// Whose credentials the tool uses.
    #[command(flatten)]
    pub tool: ToolOptions,
    /// Write the profiles to the AWS config file, replacing those that xacct wrote
    #[arg(long, conflicts_with = "out")]
    pub install: bool,
    /// Remove the profiles that --install wrote for these targets; needs a target or --all, and ignores XACCT_TARGET
    #[arg(long, conflicts_with_all = ["install", "out", "profile_name", "mfa_serial", "credential_process", "duration"])]
    pub remove: bool,
    /// With --remove: every profile that --install wrote for this xacct.toml
    #[arg(long, requires = "remove", conflicts_with = "targets")]
    pub all: bool,
    /// Name of the profile (default: the target's name)
    #[arg(long, value_name = "NAME")]
    pub profile_name: Option<String>,
    /// AWS profile with the credentials of a principal, or `-` for the environment (default: user_profile in xacct.toml)
    #[arg(long, value_name = "NAME", env = "XACCT_USER_PROFILE", conflicts_with = "credential_process")]
    pub source_profile: Option<String>,
    /// Take the credentials of a role from the machine instead of a profile
    #[arg(long, value_name = "SOURCE", conflicts_with_all = ["credential_process", "source_profile"])]
    pub credential_source: Option<MachineCredentials>,
    /// ARN of the user's MFA device (default: the device named after the user)
    #[arg(long, value_name = "ARN", value_parser = valid::<MfaSerial>, conflicts_with = "credential_process")]
    pub mfa_serial: Option<MfaSerial>,
    /// Print a profile that gets its session from xacct with credential_process
    #[arg(long, conflicts_with = "as_principal")]
    pub credential_process: bool,
    /// Path to xacct, for --credential-process (default: xacct from PATH)
    #[arg(long, value_name = "FILE", requires = "credential_process")]
    pub program: Option<PathBuf>,
    /// Region of the profile (default: the target's in xacct.toml)
    #[arg(long, value_name = "REGION", value_parser = valid::<Region>, env = "XACCT_REGION")]
    pub region: Option<Region>,
    /// How long sessions last, 15m to 12h (default: the role's limit)
    #[arg(long, value_name = "DURATION", value_parser = valid::<SessionDuration>, conflicts_with = "credential_process")]
    pub duration: Option<SessionDuration>,
}

/// A part of a machine that has the credentials of a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MachineCredentials {
    /// The variables of a pipeline or a Lambda function
    Environment,
    /// The role of an EC2 instance
    Instance,
    /// The role of a container in ECS, CodeBuild or EKS Pod Identity
    Container,
}

impl From<MachineCredentials> for CredentialSource {
    fn from(source: MachineCredentials) -> Self {
        match source {
            MachineCredentials::Environment => Self::Environment,
            MachineCredentials::Instance => Self::Instance,
            MachineCredentials::Container => Self::Container,
        }
    }
}

impl Consumer for Profiles {
    const NAME: &'static str = "profile";

    fn print(&self, run: &Run<'_>) -> Result<ExitCode> {
        if self.remove {
            return remove(self, run);
        }
        let mut links = run.links_with_external_ids(&self.printed.targets)?;
        narrow(&mut links, &self.tool)?;
        if self.profile_name.is_some() && links.len() > 1 {
            return Err(Error::usage(format!(
                "--profile-name needs exactly one target, but {} targets are selected",
                links.len()
            ))
            .hint("specify one target, or omit --profile-name"));
        }
        let mut profiles = Vec::new();
        for link in &links {
            let access = access(link, self.region.as_ref(), self.duration, run)?;
            let session = if self.credential_process {
                if link.require_mfa {
                    // For more than an hour, exec would send the code with AssumeRole, and leave no MFA session.
                    let hour = SessionDuration::LONGEST_OF_A_SESSION;
                    let is_long = link.max_session_duration.as_secs() > hour.as_secs();
                    let ask = run.file.xacct().arg("exec").arg(&link.name);
                    let ask = ask.option_if("--duration", is_long.then_some(hour)).command(["true"]);
                    run.console.say(&format!(
                        "Target {} requires MFA, and a tool that uses credential_process cannot prompt for a code. Before \
                         you run the tool, let xacct prompt for it:\n  {ask}",
                        link.name
                    ));
                }
                Session::Process(process(self, run))
            } else {
                if !access.session_tags.is_empty() || access.source_identity.is_some() {
                    run.console.say(&format!(
                        "~/.aws/config cannot set the session tags or the source identity of target {}. For them, use \
                         --credential-process",
                        link.name
                    ));
                }
                Session::Assumed { source: source(self, link, run)?, mfa: mfa(self, link, &access, run)? }
            };
            let name = self.profile_name.clone().unwrap_or_else(|| profile::name_of(&link.name));
            refuse_own_source(&name, &session, link, run)?;
            profiles.push(Profile { name, access, session });
        }
        let text = profile::document(&profiles)?;
        run.console.say(
            "If Terraform uses a profile printed here, don't use assume_role in its providers and backend: a role cannot assume \
             itself",
        );
        if self.install {
            let config = config_path(run);
            return edit_config_file(run, |file| install::with(file, &profiles, &config));
        }
        emit::<Self>(Form::Commented, &text, &self.printed, run)
    }
}

/// Removes the profiles of targets, which need not be in `xacct.toml` any more.
fn remove(args: &Profiles, run: &Run<'_>) -> Result<ExitCode> {
    let targets = &args.printed.targets;
    run.check_chosen("print profile --remove", targets, args.all)?;
    if targets.is_empty() && !args.all {
        return Err(Error::usage("xacct print profile --remove needs a target, or --all"));
    }
    let names: Vec<_> = targets.iter().flat_map(|text| config::names_or_text(&run.file, text)).collect();
    let config = config_path(run);
    edit_config_file(run, |file| install::without(file, (!args.all).then_some(names.as_slice()), &config))
}

/// Returns the absolute path of `xacct.toml`, by which its profiles are known.
fn config_path(run: &Run<'_>) -> String {
    run.context.directory.join(&run.file.path).display().to_string()
}

/// Returns where the tool finds the credentials of a principal of the link. `-` as profile means the environment.
fn source(args: &Profiles, link: &Link, run: &Run<'_>) -> Result<CredentialsFrom> {
    if let Some(machine) = args.credential_source {
        if !link.principals.iter().any(|principal| matches!(principal, PrincipalRef::Role(_))) {
            return Err(Error::usage(format!(
                "--credential-source is for roles, but target `{}` is for {}",
                link.name,
                link.principals_in_words()
            ))
            .hint("specify a profile instead: --source-profile NAME"));
        }
        return Ok(CredentialsFrom::Machine(machine.into()));
    }
    let known = user_profile(link, run)?;
    let is_recorded = known.is_some() && known == run.file.source.user_profile;
    // Nobody knows which of several principals the profile of xacct.toml belongs to.
    if let (None, Some(wanted), Some(profile)) =
        (&args.source_profile, &args.tool.as_principal, known.as_ref().filter(|_| is_recorded))
    {
        run.console.say(&format!(
            "Profile {profile} must have the credentials of {}",
            wanted.owner_in_words().replace('`', "")
        ));
    }
    match args.source_profile.clone().or(known) {
        Some(name) if name == environment::PROFILE => Ok(CredentialsFrom::Machine(CredentialSource::Environment)),
        Some(name) => Ok(CredentialsFrom::Profile(name)),
        None => {
            let path = run.file.path.display();
            let error = Error::usage(match &run.file.source.user_profile {
                None => format!("[source] of `{path}` has no `user_profile`"),
                Some(profile) => {
                    format!("`user_profile` of `{path}`, {profile}, is not that of {}", link.principals_in_words())
                }
            });
            let specify = |whose: &str| format!("specify the profile with {whose}: --source-profile NAME");
            Err(match link.principals.as_slice() {
                [PrincipalRef::Role(_)] => error
                    .hint("on a machine that has the role: --credential-source environment, instance or container")
                    .hint(specify("credentials of the role")),
                [PrincipalRef::PermissionSet(set)] => error
                    .hint(format!("create a profile that signs in with permission set {set}: aws configure sso"))
                    .hint(specify("credentials of the permission set")),
                _ => error.hint(specify("the user's own credentials")),
            })
        }
    }
}

fn mfa(args: &Profiles, link: &Link, access: &Access, run: &Run<'_>) -> Result<Option<MfaDevice>> {
    if !link.require_mfa {
        return Ok(None);
    }
    run.console.say(&format!(
        "Target {} requires MFA: the AWS CLI prompts for the code; Terraform and some SDKs cannot. For them, use \
         --credential-process",
        link.name
    ));
    if let Some(serial) = &args.mfa_serial {
        return Ok(Some(MfaDevice { serial: serial.clone(), is_guess: false }));
    }
    let guess = usual_mfa_serial(link, &access.role, run).ok_or_else(|| {
        let error = Error::usage(format!("target `{}` requires MFA, and the user's MFA device is unknown", link.name));
        let user = link.principals.iter().find(|it| link.principals.len() > 1 && it.user().is_some());
        let error = user.into_iter().fold(error, |error, user| {
            error.hint(format!("specify the user whose profile it is: --as {}", user.without_account()))
        });
        error.hint("specify its ARN, which `aws iam list-mfa-devices` shows: --mfa-serial ARN")
    })?;
    Ok(Some(MfaDevice { serial: guess, is_guess: true }))
}

/// Returns absolute paths, because the tool that calls xacct may run in any directory.
fn process(args: &Profiles, run: &Run<'_>) -> Process {
    let program = args.program.as_ref().map(|program| {
        // A bare name is looked up in the PATH.
        let is_bare = program.components().count() == 1 && program.is_relative();
        if is_bare { program.clone() } else { run.context.directory.join(program) }
    });
    Process {
        program: program.map_or_else(|| "xacct".to_owned(), |program| program.display().to_string()),
        config: config_path(run),
    }
}

/// Refuses a name that another profile has: a profile that gets its credentials from itself would call itself forever,
/// and a profile with the name of the operator's would replace that one.
fn refuse_own_source(name: &str, session: &Session, link: &Link, run: &Run<'_>) -> Result<()> {
    let source = &run.file.source;
    let own = match session {
        Session::Assumed { source: CredentialsFrom::Profile(profile), .. } => Some(profile),
        Session::Assumed { .. } => None,
        Session::Process(_) => source.user_profile.as_ref(),
    };
    let operator = match &link.way_in {
        config::WayIn::Profile(profile) => Some(profile),
        _ => None,
    };
    let uses = [
        (own, "has the user's own credentials"),
        (source.profile.as_ref(), "is the operator's profile for the source account"),
        (operator, "is the operator's profile for the target account"),
    ];
    match uses.into_iter().find(|(used, _)| used.is_some_and(|used| used == name)) {
        None => Ok(()),
        Some((_, what)) => {
            Err(Error::usage(format!("profile `{name}` {what}, so the link's profile cannot have this name"))
                .hint("use another name: --profile-name NAME"))
        }
    }
}
