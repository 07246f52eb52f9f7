//! Profiles that assume a role.
//!
//! `aws-config` ignores `mfa_serial` and `duration_seconds` (its `profile/credentials/repr.rs`), and panics if a program
//! or a server gives it a key with a line feed. So xacct resolves all of these profiles itself, except those with a web
//! identity, by the rules of botocore (`credentials.py`, `AssumeRoleProvider`).

use crate::aws::client::access::Access;
use crate::aws::client::error::Call;
use crate::aws::client::rate_limit::unless_throttled;
use crate::aws::credentials::mfa::{Mfa, check_device};
use crate::aws::keys::SessionCredentials;
use crate::aws::sts;
use crate::error::{Error, Kind, Result};
use crate::iam::names::{MfaCode, MfaSerial, SessionDuration};

/// Looks up a setting by profile and key.
pub(in crate::aws) type Settings<'a> = &'a dyn Fn(&str, &str) -> Option<String>;

/// The roles to assume, each with the session of the previous one, and the credentials for the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::aws) struct Chain {
    pub base: Base,
    pub steps: Vec<Step>,
}

/// The credentials at the start of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::aws) enum Base {
    /// Those of a profile that assumes no role itself.
    Profile(String),
    /// The access key of a profile that also has a role.
    Keys(String),
    /// `credential_source`.
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

/// Resolves the chain of a profile; `None` if it assumes no role.
///
/// # Errors
/// When the profiles form a cycle, one of them does not exist, or a setting is invalid.
pub(in crate::aws) fn chain(exists: &dyn Fn(&str) -> bool, get: Settings<'_>, profile: &str) -> Result<Option<Chain>> {
    let mut steps = Vec::new();
    let mut seen: Vec<String> = Vec::new();
    let mut name = profile.to_owned();
    let base = loop {
        let has_role = get(&name, "role_arn").is_some() && get(&name, "web_identity_token_file").is_none();
        let has_keys = get(&name, "aws_access_key_id").is_some() && get(&name, "aws_secret_access_key").is_some();
        if seen.contains(&name) {
            let cycle = seen.join(", ");
            return Err(Error::new(Kind::Credentials, format!("source_profile forms a cycle: {cycle}, {name}"))
                .hint("the last source_profile must be a profile with credentials of its own"));
        }
        // An access key ends the chain, except in its first profile.
        if has_keys && !seen.is_empty() {
            break if has_role { Base::Keys(name) } else { Base::Profile(name) };
        }
        if !has_role {
            break Base::Profile(name);
        }
        steps.push(step(get, &name)?);
        match source(exists, get, &name)? {
            // A profile may name itself, to use its own access key.
            Source::Profile(source) if source == name && has_keys => break Base::Keys(name),
            Source::Profile(source) => seen.push(std::mem::replace(&mut name, source)),
            Source::Base(base) => break base,
        }
    };
    steps.reverse();
    Ok((!steps.is_empty()).then_some(Chain { base, steps }))
}

/// The source of the credentials for a profile's role.
enum Source {
    Profile(String),
    Base(Base),
}

fn source(exists: &dyn Fn(&str) -> bool, get: Settings<'_>, name: &str) -> Result<Source> {
    let error = |message: String| Error::new(Kind::Credentials, message);
    match (get(name, "source_profile"), get(name, "credential_source")) {
        (Some(source), None) if exists(&source) => Ok(Source::Profile(source)),
        (Some(source), None) => Err(error(format!(
            "profile `{source}`, the source_profile of `{name}`, does not exist in the AWS config files"
        ))
        .hint(format!("correct source_profile of profile `{name}`"))),
        (None, Some(source)) => match source.to_ascii_lowercase().as_str() {
            "environment" => Ok(Source::Base(Base::Environment)),
            "ec2instancemetadata" => Ok(Source::Base(Base::Instance)),
            "ecscontainer" => Ok(Source::Base(Base::Container)),
            _ => Err(error(format!("credential_source of profile `{name}` is invalid: `{source}`"))
                .hint("use Environment, Ec2InstanceMetadata or EcsContainer")),
        },
        (both, _) => {
            let what = match both {
                Some(_) => "both source_profile and credential_source",
                None => "neither source_profile nor credential_source",
            };
            Err(error(format!("profile `{name}` has a role_arn and {what}")).hint("set exactly one of the two"))
        }
    }
}

fn step(get: Settings<'_>, name: &str) -> Result<Step> {
    let place = |key: &str| format!("{key} of profile `{name}`");
    let duration = get(name, "duration_seconds").map(|text| {
        let seconds = text.trim().parse::<i32>().map_err(|_| {
            Error::usage(format!("{} is `{text}`, which is not a number of seconds", place("duration_seconds")))
                .hint("set it to a number, for example duration_seconds = 3600")
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

/// Assumes the roles of a chain: the first with `access`, each other with the session of the previous one. `name` is the
/// requested profile.
///
/// # Errors
/// When AWS denies a request or cannot be reached, or there is no MFA code.
pub(in crate::aws) async fn walk(steps: &[Step], mut access: Access, name: &str, mfa: &Mfa) -> Result<Access> {
    let place = |error: Error| error.context(format!("profile `{name}`"));
    check(steps, access.is_session).map_err(place)?;
    for step in steps {
        let needs_key = step.duration.is_some_and(SessionDuration::needs_access_key);
        let session = match &step.mfa {
            // One MFA session is enough for all profiles of the user; otherwise each AssumeRole would need a code.
            Some(serial) if !access.is_session && !needs_key => {
                let session = mfa.session(&access, serial).await.map_err(place)?;
                assume(&access.with_session(&session, String::new()), step, None).await
            }
            // An MFA session cannot open one of this duration, so here the AssumeRole request contains the code, as
            // botocore's always does. Botocore caches such a session, too.
            Some(serial) if !access.is_session => {
                let send = async |code: &MfaCode| assume(&access, step, Some((serial, code))).await;
                let make = async || mfa.with_code(serial, send).await;
                let duration = step.duration.map(|it| it.to_string()).unwrap_or_default();
                let texts = [&step.session_name, &step.external_id].map(|it| it.as_deref().unwrap_or_default());
                let [session_name, external_id] = texts;
                let request = [
                    "profile",
                    &step.role_arn,
                    serial.as_str(),
                    session_name,
                    external_id,
                    &duration,
                    access.region.as_str(),
                ];
                mfa.once(&request, &access, make).await
            }
            // Only an access key can get an MFA session.
            Some(serial) => mfa.with_code(serial, async |code| assume(&access, step, Some((serial, code))).await).await,
            None => assume(&access, step, None).await,
        };
        let session = session.map_err(|error| error.context(format!("profile `{}`", step.profile)))?;
        access = access.with_session(&session, format!("profile {name}, assumed role"));
    }
    Ok(Access { profile: Some(name.to_owned()), ..access })
}

/// Rejects what AWS would reject, before xacct asks for a code: more than [`SessionDuration::LONGEST_OF_A_SESSION`] with a
/// session, and a device without codes.
fn check(steps: &[Step], base_is_session: bool) -> Result<()> {
    for (index, step) in steps.iter().enumerate() {
        if let Some(serial) = &step.mfa {
            check_device(serial)?;
        }
        let with_session = base_is_session || index > 0;
        if let Some(duration) = step.duration.filter(|duration| with_session && duration.needs_access_key()) {
            let (name, longest) = (&step.profile, SessionDuration::LONGEST_OF_A_SESSION);
            return Err(Error::new(
                Kind::Credentials,
                format!(
                    "duration_seconds of profile `{name}` is {duration}, but its source profile uses session credentials, \
                     which limit role sessions to {longest}"
                ),
            )
            .hint(format!("set duration_seconds = {} in profile `{name}`", longest.as_secs())));
        }
    }
    Ok(())
}

async fn assume(access: &Access, step: &Step, mfa: Option<(&MfaSerial, &MfaCode)>) -> Result<SessionCredentials> {
    const CALL: Call = Call::sts("AssumeRole");
    let request = access
        .sts()
        .assume_role()
        .role_arn(&step.role_arn)
        .role_session_name(step.session_name.as_deref().unwrap_or("xacct"))
        .set_external_id(step.external_id.clone())
        .set_duration_seconds(step.duration.map(SessionDuration::as_secs))
        .set_serial_number(mfa.map(|(serial, _)| serial.to_string()))
        .set_token_code(mfa.map(|(_, code)| code.as_str().to_owned()));
    let answer = unless_throttled(async || request.clone().send().await.map_err(|error| CALL.failed(error))).await?;
    sts::credentials(answer.credentials()).ok_or_else(|| CALL.lacks("credentials"))
}

#[cfg(test)]
mod tests;
