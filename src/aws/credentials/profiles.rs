//! The profiles of the AWS config files, read once.

use std::borrow::Cow;
use std::iter::successors;
use std::path::{Path, PathBuf};

use aws_config::profile::ProfileSet;
use aws_credential_types::Credentials;
use aws_credential_types::credential_feature::AwsCredentialFeature;
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_types::os_shim_internal::{Env, Fs};

use crate::aws::client::error::with_causes;
use crate::aws::client::http::variable;
use crate::aws::credentials::config_files::Files;
use crate::aws::credentials::process::Process;
use crate::aws::credentials::provider::{Unfit, features};
use crate::aws::credentials::role_chain::{self, Chain};
use crate::aws::keys::fit_headers;
use crate::error::{Error, Kind, Result};
use crate::files;
use crate::iam::names::{AccountId, RoleName};
use crate::text::shell::ShellCommand;

/// The settings of a sign-in with SSO.
const SSO: [&str; 5] = ["sso_session", "sso_start_url", "sso_account_id", "sso_role_name", "sso_region"];

/// The other settings that the SDK prefers to `credential_process`.
const PREFERRED_TO_PROCESS: [&str; 3] = ["credential_source", "web_identity_token_file", "login_session"];

/// The profiles of the AWS config files.
#[derive(Debug)]
pub struct Profiles {
    set: ProfileSet,
    files: Files,
}

impl Profiles {
    /// Reads the files from the SDK's locations.
    ///
    /// # Errors
    /// When a file cannot be read or parsed.
    pub(in crate::aws) async fn load() -> Result<Self> {
        let files = Files::read(&variable)?;
        Ok(Self { set: load(&EnvConfigFiles::default(), None).await?, files })
    }

    /// Returns the profile that the environment selects: `AWS_PROFILE`, or `default`.
    pub(in crate::aws) fn selected(&self) -> &str {
        self.set.selected_profile()
    }

    fn exists(&self, name: &str) -> bool {
        self.set.get_profile(name).is_some()
    }

    /// Returns a setting of a profile, such as `mfa_serial`.
    #[must_use]
    pub fn setting(&self, profile: &str, key: &str) -> Option<&str> {
        self.set.get_profile(profile)?.get(key)
    }

    fn has_any(&self, profile: &str, keys: &[&str]) -> bool {
        keys.iter().any(|key| self.setting(profile, key).is_some())
    }

    /// Checks that a profile exists, without getting its credentials.
    ///
    /// # Errors
    /// When the AWS config files have no profile of that name.
    pub fn require(&self, name: &str) -> Result<()> {
        if self.exists(name) {
            return Ok(());
        }
        let mut names: Vec<_> = self.set.profiles().collect();
        names.sort_unstable();
        let error = Error::new(Kind::Credentials, format!("profile `{name}` does not exist in the AWS config files"));
        Err(if names.is_empty() {
            error.hint(format!("create it: {}", ShellCommand::new("aws").arg("configure").option("--profile", name)))
        } else {
            error.note(format!("existing profiles: {}", names.join(", "))).hint("use one of these profiles")
        })
    }

    /// Returns the only profile whose settings name this account, ignoring profiles for the link's own role.
    ///
    /// # Errors
    /// When there is none, or more than one.
    pub fn of_account(&self, account: &AccountId, link_role: &RoleName) -> Result<String> {
        let role = format!(":{account}:role/");
        let own = format!("/{link_role}");
        let mut names: Vec<_> = self
            .set
            .profiles()
            .filter(|name| {
                self.set.get_profile(name).is_some_and(|profile| {
                    profile.get("aws_account_id") == Some(account.as_str())
                        || profile.get("sso_account_id") == Some(account.as_str())
                        || profile.get("role_arn").is_some_and(|arn| arn.contains(&role) && !arn.ends_with(&own))
                })
            })
            .collect();
        names.sort_unstable();
        let hint = "or, if the source operator may assume a role there: --enter-role OrganizationAccountAccessRole";
        match names.as_slice() {
            [one] => Ok((*one).to_owned()),
            [] => Err(Error::new(Kind::Credentials, "no credentials configured".to_owned())
                .hint("set the profile of the target operator: --target-profile NAME")
                .hint(hint)
                .hint("or create only the half in the source account: --only source")),
            several => Err(Error::new(
                Kind::Credentials,
                format!("several profiles belong to this account: {}", several.join(", ")),
            )
            .hint("choose one: --target-profile NAME")),
        }
    }

    /// Iterates over a profile, its `source_profile`, and so on.
    pub(in crate::aws) fn sources<'a>(&'a self, profile: &'a str) -> impl Iterator<Item = &'a str> {
        let source = |profile: &&'a str| self.setting(profile, "source_profile");
        // Profiles may form a cycle; any other chain has at most as many steps as there are profiles.
        successors(Some(profile), source).take(self.set.profiles().count())
    }

    /// Checks that no program runs for the credentials of a profile: it may ask for a code or a sign-in.
    ///
    /// # Errors
    /// When one does.
    pub(in crate::aws) fn check_asks_nobody(&self, profile: &str) -> Result<()> {
        match self.sources(profile).find(|source| self.setting(source, "credential_process").is_some()) {
            None => Ok(()),
            Some(source) => Err(Error::new(
                Kind::Credentials,
                format!("profile `{source}` has a credential_process, which may ask for a code or a sign-in"),
            )),
        }
    }

    /// Checks the access keys of a profile and its sources, which the SDK may sign with before anybody sees them.
    ///
    /// # Errors
    /// When one of them has a character that cannot be sent.
    pub(in crate::aws) fn check_keys(&self, profile: &str) -> Result<()> {
        for source in self.sources(profile) {
            let setting = |key: &str| self.setting(source, key).unwrap_or_default();
            let token = Some(setting("aws_session_token").to_owned());
            let keys = Credentials::new(setting("aws_access_key_id"), "", token, None, "profile");
            if !fit_headers(&keys) {
                return Err(Error::new(Kind::Credentials, format!("profile `{source}`: {Unfit}"))
                    .hint("enter the access key and the session token again, each on one line"));
            }
        }
        Ok(())
    }

    /// Returns the program that a profile names for its credentials, unless the SDK prefers another of its settings
    /// (`aws-config`, `profile/credentials/repr.rs`).
    pub(in crate::aws) fn process(&self, profile: &str) -> Option<Process> {
        let is_preferred = self.has_any(profile, &SSO) || self.has_any(profile, &PREFERRED_TO_PROCESS);
        self.setting(profile, "credential_process").filter(|_| !is_preferred).map(Process::new)
    }

    /// Checks the files with tokens of a profile, because the SDK reads them to their end, which those of a device do not
    /// have.
    ///
    /// # Errors
    /// When one of them is not a regular file, or is too large.
    pub(in crate::aws) fn check_token_files(&self, profile: &str) -> Result<()> {
        let of_environment = variable("AWS_WEB_IDENTITY_TOKEN_FILE");
        let of_profile = self.setting(profile, "web_identity_token_file").map(str::to_owned);
        let mut paths: Vec<_> = of_environment.into_iter().chain(of_profile).map(PathBuf::from).collect();
        let folders: [(&[&str], _); 2] = [(&SSO, ".aws/sso/cache"), (&["login_session"], ".aws/login/cache")];
        for (keys, folder) in folders {
            if let Some(home) = std::env::home_dir().filter(|_| self.has_any(profile, keys)) {
                let found = std::fs::read_dir(home.join(folder)).into_iter().flatten().flatten();
                paths.extend(found.map(|entry| entry.path()).filter(|path| path.extension() == Some("json".as_ref())));
            }
        }
        paths.iter().try_for_each(|path| check_token_file(path))
    }

    /// Returns the sections of a profile and its sources, for the SDK to parse.
    pub(in crate::aws) fn files_about(&self, profile: &str) -> EnvConfigFiles {
        self.files.about(&self.sources(profile).collect::<Vec<_>>())
    }

    /// Returns the settings of a profile as if it were selected.
    ///
    /// # Errors
    /// When they cannot be parsed.
    pub(in crate::aws) async fn alone(&self, profile: &str) -> Result<ProfileSet> {
        load(&self.files_about(profile), Some(profile.to_owned())).await
    }

    /// Resolves the roles of a profile, if `aws-config` would ignore some of its settings.
    pub(in crate::aws) fn chain(&self, profile: Option<&str>) -> Result<Option<Chain>> {
        let is_set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
        if profile.is_none() && is_set("AWS_ACCESS_KEY_ID") && is_set("AWS_SECRET_ACCESS_KEY") {
            return Ok(None);
        }
        let exists = |name: &str| self.exists(name);
        let get = |name: &str, key: &str| self.setting(name, key).map(str::to_owned);
        role_chain::chain(&exists, &get, profile.unwrap_or_else(|| self.selected()))
    }

    /// Returns the profile behind credentials of the default chain, if any.
    pub(in crate::aws) fn behind(&self, credentials: &Credentials) -> Option<String> {
        let from_environment = features(credentials).contains(&AwsCredentialFeature::CredentialsEnvVars);
        let selected = self.selected();
        (!from_environment && self.exists(selected)).then(|| selected.to_owned())
    }
}

fn check_token_file(path: &Path) -> Result<()> {
    match files::read_bytes(path, files::LONGEST_TEXT) {
        // The SDK reports what is missing, if it is needed.
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            let words = format!("cannot read the token in `{}`: {error}", path.display());
            Err(Error::new(Kind::Credentials, words).caused_by(error).hint("remove the file, then sign in again"))
        }
        _ => Ok(()),
    }
}

async fn load(files: &EnvConfigFiles, selected: Option<String>) -> Result<ProfileSet> {
    let selected = selected.map(Cow::Owned);
    aws_config::profile::load(&Fs::real(), &Env::real(), files, selected).await.map_err(|error| {
        Error::new(Kind::File, format!("cannot read the AWS config files: {}", with_causes(&error))).caused_by(error)
    })
}
