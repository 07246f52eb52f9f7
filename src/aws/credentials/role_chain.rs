//! Profiles that assume a role with MFA or for a chosen time.
//!
//! `aws-config` ignores `mfa_serial` and `duration_seconds` (its `profile/credentials/repr.rs`), so a profile with one of
//! them would send another request than every other AWS tool does. Only such profiles are resolved here; the rules are
//! botocore's (`credentials.py`, `AssumeRoleProvider`), which `aws-config` otherwise follows.

use crate::error::{Error, Kind, Result};
use crate::iam::names::{MfaSerial, SessionDuration};

/// The setting of a profile, by profile and key.
pub(in crate::aws) type Settings<'a> = &'a dyn Fn(&str, &str) -> Option<String>;

/// The roles to assume, one with the session of the one before, and what to begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::aws) struct Chain {
    pub base: Base,
    pub steps: Vec<Step>,
}

/// The credentials at the beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::aws) enum Base {
    /// Those of a profile that assumes no role itself, whatever it has.
    Profile(String),
    /// The access key that stands in a profile which has a role, too.
    Keys(String),
    /// What `credential_source` names.
    Environment,
    Instance,
    Container,
}

/// One role of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::aws) struct Step {
    pub profile: String,
    pub role_arn: String,
    pub session_name: Option<String>,
    pub external_id: Option<String>,
    pub duration: Option<SessionDuration>,
    pub mfa: Option<MfaSerial>,
}

/// The chain of a profile; `None` where `aws-config` does all that it asks for.
///
/// # Errors
/// When profiles lead in a circle, one of them is not there, or a setting cannot be used.
pub(in crate::aws) fn chain(exists: &dyn Fn(&str) -> bool, get: Settings<'_>, profile: &str) -> Result<Option<Chain>> {
    let mut steps = Vec::new();
    let mut seen: Vec<String> = Vec::new();
    let mut name = profile.to_owned();
    let base = loop {
        let has_role = get(&name, "role_arn").is_some() && get(&name, "web_identity_token_file").is_none();
        let has_keys = get(&name, "aws_access_key_id").is_some() && get(&name, "aws_secret_access_key").is_some();
        if seen.contains(&name) {
            let circle = seen.join(", ");
            return Err(Error::new(
                Kind::Credentials,
                format!("the profiles {circle} lead in a circle, back to `{name}`"),
            )
            .hint("let source_profile end at a profile with credentials of its own"));
        }
        // An access key ends the chain, except in the profile that it begins with.
        if has_keys && !seen.is_empty() {
            break if has_role { Base::Keys(name) } else { Base::Profile(name) };
        }
        if !has_role {
            break Base::Profile(name);
        }
        steps.push(step(get, &name)?);
        let source = (get(&name, "source_profile"), get(&name, "credential_source"));
        match source {
            (Some(source), None) if source == name && has_keys => break Base::Keys(name),
            (Some(source), None) => {
                if !exists(&source) {
                    return Err(Error::new(
                        Kind::Credentials,
                        format!("the AWS config files have no profile `{source}`, the source_profile of `{name}`"),
                    )
                    .hint(format!("correct source_profile of profile `{name}`")));
                }
                seen.push(std::mem::replace(&mut name, source));
            }
            (None, Some(source)) => match source.to_ascii_lowercase().as_str() {
                "environment" => break Base::Environment,
                "ec2instancemetadata" => break Base::Instance,
                "ecscontainer" => break Base::Container,
                _ => {
                    let what = format!("credential_source of profile `{name}` is `{source}`");
                    return Err(Error::new(Kind::Credentials, what)
                        .hint("write Environment, Ec2InstanceMetadata or EcsContainer"));
                }
            },
            (both, _) => {
                let what = if both.is_some() { "both" } else { "neither" };
                return Err(Error::new(
                    Kind::Credentials,
                    format!("profile `{name}` has role_arn and {what} of source_profile and credential_source"),
                )
                .hint("give it one of the two"));
            }
        }
    };
    steps.reverse();
    let is_ours = steps.iter().any(|step: &Step| step.mfa.is_some() || step.duration.is_some());
    Ok(is_ours.then_some(Chain { base, steps }))
}

fn step(get: Settings<'_>, name: &str) -> Result<Step> {
    let place = |key: &str| format!("{key} of profile `{name}`");
    let duration = get(name, "duration_seconds").map(|text| {
        let seconds = text.trim().parse::<i32>().map_err(|_| {
            Error::usage(format!("{} is `{text}`, and must be a number of seconds", place("duration_seconds")))
                .hint("write such as duration_seconds = 3600")
        })?;
        SessionDuration::from_secs(seconds).map_err(|invalid| Error::from(invalid).context(place("duration_seconds")))
    });
    let mfa = get(name, "mfa_serial")
        .map(|text| text.parse::<MfaSerial>().map_err(|invalid| Error::from(invalid).context(place("mfa_serial"))));
    Ok(Step {
        profile: name.to_owned(),
        role_arn: get(name, "role_arn").unwrap_or_default(),
        session_name: get(name, "role_session_name"),
        external_id: get(name, "external_id"),
        duration: duration.transpose()?,
        mfa: mfa.transpose()?,
    })
}

#[cfg(test)]
mod tests;
