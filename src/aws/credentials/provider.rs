//! Credentials from the SDK's providers: requested once, with their origin, and the errors if there are none.

use std::sync::{Mutex, PoisonError};

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::credential_feature::AwsCredentialFeature;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::future::ProvideCredentials as ProvideFuture;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};

use crate::aws::client::error::with_causes;
use crate::aws::keys::fit_headers;
use crate::environment::Machine;
use crate::error::{Error, Kind};
use crate::text::shell::ShellCommand;

/// A provider whose first credentials serve twice: to inspect, and to sign with. Otherwise a `credential_process` would
/// run twice, and perhaps prompt for an MFA code twice.
#[derive(Debug)]
pub(in crate::aws) struct Once {
    inner: SharedCredentialsProvider,
    first: Mutex<Option<Credentials>>,
}

impl Once {
    pub(in crate::aws) fn new(config: &SdkConfig) -> Option<Self> {
        Some(Self { inner: config.credentials_provider()?, first: Mutex::new(None) })
    }

    pub(in crate::aws) async fn first(&self) -> std::result::Result<Credentials, CredentialsError> {
        let credentials = self.ask().await?;
        *self.first.lock().unwrap_or_else(PoisonError::into_inner) = Some(credentials.clone());
        Ok(credentials)
    }

    async fn ask(&self) -> std::result::Result<Credentials, CredentialsError> {
        let credentials = self.inner.provide_credentials().await?;
        if fit_headers(&credentials) { Ok(credentials) } else { Err(CredentialsError::invalid_configuration(Unfit)) }
    }
}

impl ProvideCredentials for Once {
    fn provide_credentials<'a>(&'a self) -> ProvideFuture<'a>
    where
        Self: 'a,
    {
        match self.first.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(credentials) => ProvideFuture::ready(Ok(credentials)),
            None => ProvideFuture::new(self.ask()),
        }
    }
}

/// The error for credentials that cannot be sent.
#[derive(Debug, thiserror::Error)]
#[error("the access key ID or the session token contains a space, a line break or another invalid character")]
pub(in crate::aws) struct Unfit;

/// Returns the SDK's record of how it found the credentials.
pub(in crate::aws) fn features(credentials: &Credentials) -> Vec<AwsCredentialFeature> {
    credentials.get_property::<Vec<AwsCredentialFeature>>().cloned().unwrap_or_default()
}

/// Returns the origin of credentials, as shown to users.
pub(in crate::aws) fn origin(credentials: &Credentials, profile: Option<&str>) -> String {
    use AwsCredentialFeature as From;
    let found = features(credentials);
    let any = |wanted: &[From]| wanted.iter().any(|feature| found.contains(feature));
    let how = if any(&[From::CredentialsEnvVars]) {
        return "environment".to_owned();
    } else if machine(credentials) == Some(Machine::WebIdentity) {
        return "web identity token in the environment".to_owned();
    } else if any(&[From::CredentialsSso, From::CredentialsProfileSso]) {
        Some("SSO")
    } else if any(&[From::CredentialsProcess, From::CredentialsProfileProcess]) {
        Some("credential_process")
    } else if any(&[From::CredentialsLogin, From::CredentialsProfileLogin]) {
        Some("aws login")
    } else if any(&[From::CredentialsImds]) {
        Some("instance metadata")
    } else if any(&[From::CredentialsHttp]) {
        Some("container")
    } else {
        None
    };
    match (profile, how) {
        (Some(profile), None) => format!("profile {profile}"),
        (Some(profile), Some(how)) => format!("profile {profile}, {how}"),
        (None, Some(how)) => how.to_owned(),
        (None, None) => "default credentials".to_owned(),
    }
}

/// Returns the part of this machine that provided the credentials, if no profile did. A profile that has none is passed over
/// (`aws-config`, `default_provider/credentials.rs`).
pub(in crate::aws) fn machine(credentials: &Credentials) -> Option<Machine> {
    use AwsCredentialFeature as From;
    let found = features(credentials);
    // The SDK gives a token file in the environment the feature of one in a profile.
    let of = [
        (From::CredentialsProfileStsWebIdToken, Machine::WebIdentity),
        (From::CredentialsImds, Machine::Instance),
        (From::CredentialsHttp, Machine::Container),
    ];
    let is_of_profile = found.contains(&From::CredentialsProfile);
    of.into_iter().find(|(feature, _)| !is_of_profile && found.contains(feature)).map(|(_, machine)| machine)
}

/// Returns the error for a profile, or an environment, without credentials.
pub(in crate::aws) fn missing(profile: Option<&str>) -> Error {
    match profile {
        Some(name) => {
            let look = ShellCommand::new("aws").args(["sts", "get-caller-identity"]).option("--profile", name);
            Error::new(Kind::Credentials, format!("cannot get credentials from profile `{name}`"))
                .hint(format!("sign in, or check the profile: {look}"))
        }
        None => Error::new(Kind::Credentials, "no AWS credentials found").hint(
            "choose a profile (--profile NAME or AWS_PROFILE), or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        ),
    }
}

/// Returns the error for a provider that failed. `words` puts the profiles' own names into the SDK's message.
///
/// `signs_in` is the command that signs in, if the profile needs one.
pub(in crate::aws) fn unusable(
    error: CredentialsError,
    profile: Option<&str>,
    signs_in: Option<&ShellCommand>,
    words: impl Fn(&str) -> String,
) -> Error {
    let mut failure = missing(profile);
    if let Some(command) = signs_in {
        failure.hints = vec![format!("sign in: {command}")];
    }
    if !matches!(error, CredentialsError::CredentialsNotLoaded(_)) {
        failure = failure.said(words(&with_causes(&error)));
    }
    failure.caused_by(error)
}
