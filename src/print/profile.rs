//! Profiles for `~/.aws/config`.
//!
//! The file has no escapes, and tools parse it differently: the AWS CLI uses Python's `configparser` and splits section
//! names like a shell; the SDKs for Rust and Go end a value at ` #` or ` ;`. xacct refuses values that they would read
//! differently.

pub mod install;

use crate::error::{Error, Result};
use crate::iam::names::MfaSerial;
use crate::print::Access;

/// A profile in the AWS config file that uses a link.
#[derive(Debug, Clone)]
pub struct Profile {
    /// The name in `[profile NAME]`.
    pub name: String,
    /// The link that it uses.
    pub access: Access,
    /// How the session is opened.
    pub session: Session,
}

/// The program that opens the session.
#[derive(Debug, Clone)]
pub enum Session {
    /// The tool that reads the profile.
    Assumed {
        /// The credentials of a principal of the link.
        source: CredentialsFrom,
        /// The user's MFA device, if the role requires MFA.
        mfa: Option<MfaDevice>,
    },
    /// xacct, as a `credential_process`.
    Process(Process),
}

/// Where the tool finds the credentials of a principal of the link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialsFrom {
    /// A profile (`source_profile`).
    Profile(String),
    /// The machine (`credential_source`).
    Machine(CredentialSource),
}

/// A part of a machine that has credentials (AWS SDKs and Tools Reference Guide, Assume role credential provider).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialSource {
    /// Its variables, such as those of a pipeline or a Lambda function.
    Environment,
    /// The role of an EC2 instance.
    Instance,
    /// The role of a container in ECS, CodeBuild or EKS Pod Identity.
    Container,
}

impl CredentialSource {
    /// Returns the value of `credential_source`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Environment => "Environment",
            Self::Instance => "Ec2InstanceMetadata",
            Self::Container => "EcsContainer",
        }
    }
}

/// An MFA device.
#[derive(Debug, Clone)]
pub struct MfaDevice {
    /// Its serial number or ARN.
    pub serial: MfaSerial,
    /// Whether xacct derived it from the user's name.
    pub is_guess: bool,
}

/// How a tool calls xacct.
#[derive(Debug, Clone)]
pub struct Process {
    /// The path or name of the program.
    pub program: String,
    /// The value of `--config`, absolute because tools call xacct from any directory.
    pub config: String,
}

/// The special characters that the AWS SDK for Rust (`aws-runtime`) accepts in profile names; other tools accept more.
const NAME_SIGNS: &str = "_-/.%@:+";

/// Returns a profile name derived from a target's name.
#[must_use]
pub fn name_of(target: &str) -> String {
    target.chars().map(|c| if is_of_a_name(c) { c } else { '-' }).collect()
}

fn is_of_a_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || NAME_SIGNS.contains(c)
}

/// Returns the text to add to `~/.aws/config`.
///
/// # Errors
/// When the file cannot hold a value that all tools read in the same way.
pub fn document(profiles: &[Profile]) -> Result<String> {
    let mut blocks = Vec::new();
    for (index, profile) in profiles.iter().enumerate() {
        if profiles.iter().take(index).any(|other| other.name == profile.name) {
            return Err(Error::usage(format!("two profiles would have the name `{}`", profile.name))
                .hint("print each target separately, with --profile-name NAME"));
        }
        blocks.push(block(profile)?);
    }
    Ok(blocks.join("\n"))
}

fn block(profile: &Profile) -> Result<String> {
    let access = &profile.access;
    let name = checked_name(&profile.name)?;
    // For the AWS CLI, `[profile default]` and `[default]` are different profiles.
    let mut text = if name == "default" { "[default]\n".to_owned() } else { format!("[profile {name}]\n") };
    match &profile.session {
        Session::Assumed { source, mfa } => {
            line(&mut text, "role_arn", &access.role.to_string())?;
            match source {
                CredentialsFrom::Profile(name) => line(&mut text, "source_profile", checked_name(name)?)?,
                CredentialsFrom::Machine(source) => line(&mut text, "credential_source", source.name())?,
            }
            if let Some(id) = &access.external_id {
                line(&mut text, "external_id", id.as_str())?;
            }
            if let Some(MfaDevice { serial, is_guess }) = mfa {
                line(&mut text, "mfa_serial", serial.as_str())?;
                if *is_guess {
                    text.push_str("# ^ guessed from the user's name; to find the device: aws iam list-mfa-devices\n");
                }
            }
            if let Some(name) = &access.session_name {
                line(&mut text, "role_session_name", name.as_str())?;
            }
            line(&mut text, "duration_seconds", &access.duration.as_secs().to_string())?;
        }
        Session::Process(process) => line(&mut text, "credential_process", &command(process, &access.target)?)?,
    }
    if let Some(region) = &access.region {
        text.push_str(&format!("region = {region}\n"));
    }
    Ok(text)
}

fn line(text: &mut String, key: &str, value: &str) -> Result<()> {
    text.push_str(&format!("{key} = {}\n", checked_value(key, value)?));
    Ok(())
}

fn command(process: &Process, target: &str) -> Result<String> {
    if target.starts_with('-') {
        return Err(Error::usage(format!("the name of target `{target}` looks like an option of xacct"))
            .hint("rename the target in xacct.toml so that its name begins with a letter"));
    }
    let words = [&*process.program, "--config", &process.config, "credentials", target, "--format", "process"];
    let words: Result<Vec<_>> = words.into_iter().map(word).collect();
    Ok(words?.join(" "))
}

/// Quotes a word for both a shell and Python's `shlex`: the AWS CLI starts the program itself, the SDKs start it through
/// a shell.
fn word(text: &str) -> Result<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@+,=%".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return Ok(text.to_owned());
    }
    // Double quotes, because Windows has no others.
    if !text.contains(['"', '$', '`', '\\', '!']) {
        return Ok(format!("\"{text}\""));
    }
    if !text.contains('\'') {
        return Ok(format!("'{text}'"));
    }
    Err(Error::usage(format!("`{}` cannot be used in credential_process", text.escape_debug()))
        .hint("use a path or name without quotes"))
}

fn checked_name(name: &str) -> Result<&str> {
    if !name.is_empty() && name.chars().all(is_of_a_name) {
        return Ok(name);
    }
    Err(Error::usage(format!("some tools cannot read a profile named `{}`", name.escape_debug()))
        .hint(format!("use only letters, digits and {NAME_SIGNS}")))
}

fn checked_value<'a>(key: &str, value: &'a str) -> Result<&'a str> {
    let ends_early =
        value.contains([' ', '\t']) && value.split([' ', '\t']).skip(1).any(|part| part.starts_with(['#', ';']));
    let breaks = value.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'));
    if !ends_early && !breaks && value.trim() == value {
        return Ok(value);
    }
    Err(Error::usage(format!("`{}` cannot be the {key} in ~/.aws/config", value.escape_debug()))
        .note("the file has no escapes: a value is one line, and ends at a space before `#` or `;`")
        .hint("use a value without line breaks, leading or trailing spaces, or spaces before `#` or `;`"))
}

#[cfg(test)]
mod tests;
