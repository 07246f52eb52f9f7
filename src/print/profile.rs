//! Profiles for `~/.aws/config`.
//!
//! The file has no escapes, and its readers differ: the AWS CLI reads it as Python's `configparser` does and takes the
//! section's name apart like a shell, the SDKs for Rust and Go end a value at a ` #` or ` ;`. What they would read in
//! different ways is refused.

use crate::error::{Error, Result};
use crate::iam::names::MfaSerial;
use crate::print::Access;

/// A profile of the AWS config file that leads into the target account.
#[derive(Debug, Clone)]
pub struct Profile {
    /// The name in `[profile NAME]`.
    pub name: String,
    /// The link that it uses.
    pub access: Access,
    /// Who makes the session.
    pub session: Session,
}

/// Who makes the session.
#[derive(Debug, Clone)]
pub enum Session {
    /// Whoever reads the profile.
    Assumed {
        /// The profile that has the user's own credentials.
        source_profile: String,
        /// The user's MFA device, where the role demands MFA.
        mfa: Option<MfaDevice>,
    },
    /// xacct, as a `credential_process`.
    Process(Process),
}

/// An MFA device.
#[derive(Debug, Clone)]
pub struct MfaDevice {
    /// Its serial number or ARN.
    pub serial: MfaSerial,
    /// Whether nobody said so.
    pub is_guess: bool,
}

/// How xacct is called.
#[derive(Debug, Clone)]
pub struct Process {
    /// The path or name of the program.
    pub program: String,
    /// Its `--config`: whoever calls it may be in any folder.
    pub config: String,
}

/// What a name of a profile may have, as the AWS SDK for Rust (`aws-runtime`) says it; the others admit more.
const NAME_SIGNS: &str = "_-/.%@:+";

/// Returns a profile's name made of a target's.
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
/// When the file cannot say it so that all tools read the same.
pub fn document(profiles: &[Profile]) -> Result<String> {
    let mut blocks = Vec::new();
    for (index, profile) in profiles.iter().enumerate() {
        if profiles.iter().take(index).any(|other| other.name == profile.name) {
            return Err(Error::usage(format!("two profiles would be called `{}`", profile.name))
                .hint("print them one by one, with --profile-name"));
        }
        blocks.push(block(profile)?);
    }
    Ok(blocks.join("\n"))
}

fn block(profile: &Profile) -> Result<String> {
    let access = &profile.access;
    let name = checked_name(&profile.name)?;
    // The AWS CLI takes `[profile default]` for another profile than `[default]`.
    let mut text = if name == "default" { "[default]\n".to_owned() } else { format!("[profile {name}]\n") };
    match &profile.session {
        Session::Assumed { source_profile, mfa } => {
            line(&mut text, "role_arn", &access.role.to_string())?;
            line(&mut text, "source_profile", checked_name(source_profile)?)?;
            if let Some(id) = &access.external_id {
                line(&mut text, "external_id", id.as_str())?;
            }
            if let Some(MfaDevice { serial, is_guess }) = mfa {
                line(&mut text, "mfa_serial", serial.as_str())?;
                if *is_guess {
                    text.push_str("# ^ guessed from the user's name; `aws iam list-mfa-devices` shows the device\n");
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
        return Err(Error::usage(format!("target `{target}` would be taken for an option of xacct"))
            .hint("give it a name in xacct.toml that begins with a letter"));
    }
    let words = [&*process.program, "--config", &process.config, "credentials", target, "--format", "process"];
    let words: Result<Vec<_>> = words.into_iter().map(word).collect();
    Ok(words?.join(" "))
}

/// Returns a word that a shell and Python's `shlex` read the same: the AWS CLI starts the program itself, the SDKs have
/// a shell do it.
fn word(text: &str) -> Result<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@+,=%".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return Ok(text.to_owned());
    }
    // Double quotes, because Windows knows no others.
    if !text.contains(['"', '$', '`', '\\', '!']) {
        return Ok(format!("\"{text}\""));
    }
    if !text.contains('\'') {
        return Ok(format!("'{text}'"));
    }
    Err(Error::usage(format!("`{}` cannot stand in a credential_process", text.escape_debug()))
        .hint("give a path or name without quotes"))
}

fn checked_name(name: &str) -> Result<&str> {
    if !name.is_empty() && name.chars().all(is_of_a_name) {
        return Ok(name);
    }
    Err(Error::usage(format!("not every tool can read a profile that is called `{}`", name.escape_debug()))
        .hint(format!("give a name of letters, digits and {NAME_SIGNS}")))
}

fn checked_value<'a>(key: &str, value: &'a str) -> Result<&'a str> {
    let ends_early =
        value.contains([' ', '\t']) && value.split([' ', '\t']).skip(1).any(|part| part.starts_with(['#', ';']));
    let breaks = value.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'));
    if !ends_early && !breaks && value.trim() == value {
        return Ok(value);
    }
    Err(Error::usage(format!("`{}` cannot stand in ~/.aws/config as {key}", value.escape_debug()))
        .note("the file has no escapes: a value is one line, and ends at a blank before `#` or `;`")
        .hint("give a value without line breaks, outer blanks, and blanks before `#` or `;`"))
}

#[cfg(test)]
mod tests;
