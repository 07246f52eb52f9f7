//! The profiles of the AWS config files, read once.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::iter::successors;
use std::path::{Path, PathBuf};

use aws_config::profile::ProfileSet;
use aws_credential_types::Credentials;
use aws_credential_types::credential_feature::AwsCredentialFeature;
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_types::os_shim_internal::{Env, Fs};

use crate::aws::client::error::with_causes;
use crate::aws::credentials::config_files::{self, Sections, for_sdk};
use crate::aws::credentials::process::Process;
use crate::aws::credentials::provider::{Unfit, features, machine};
use crate::aws::credentials::role_chain::{self, Chain};
use crate::aws::keys::fit_headers;
use crate::environment::{self, variable};
use crate::error::{Error, Kind, Result};
use crate::files;
use crate::iam::names::{AccountId, RoleName};
use crate::text::shell::ShellCommand;

/// Where the AWS CLI and the SDKs keep the tokens of those who signed in, below the home folder.
const SSO_TOKENS: &str = ".aws/sso/cache";

/// The settings of a sign-in with SSO.
const SSO: [&str; 5] = ["sso_session", "sso_start_url", "sso_account_id", "sso_role_name", "sso_region"];

/// The other settings that the SDK prefers to `credential_process`.
const PREFERRED_TO_PROCESS: [&str; 3] = ["credential_source", "web_identity_token_file", "login_session"];

/// The variables with which the usual credential chain begins, beside the access key.
const CHAIN: [&str; 4] = [
    "AWS_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
];

/// A role of SSO, and the session that gives access to it.
#[derive(Debug)]
pub(in crate::aws) struct SsoSettings {
    pub session: String,
    pub start_url: String,
    pub region: String,
    pub account: String,
    pub role: String,
}

/// The profiles of the AWS config files.
#[derive(Debug)]
pub struct Profiles {
    sections: Sections,
    selected: String,
    /// The roles of the links in `xacct.toml`.
    link_roles: BTreeSet<(AccountId, RoleName)>,
}

impl Profiles {
    /// Reads the files from the SDK's locations. `link_roles` are the roles of the links in `xacct.toml`.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub(in crate::aws) fn load(link_roles: BTreeSet<(AccountId, RoleName)>) -> Result<Self> {
        let selected = variable("AWS_PROFILE").unwrap_or_else(|| "default".to_owned());
        Ok(Self { sections: config_files::read(&variable)?, selected, link_roles })
    }

    /// Returns the names of all profiles.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn names() -> Result<Vec<String>> {
        Ok(Self::load(BTreeSet::new())?.sections.profiles.into_keys().collect())
    }

    /// Returns the names of the profiles that have this setting.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn with(key: &str, value: &str) -> Result<Vec<String>> {
        let profiles = Self::load(BTreeSet::new())?.sections.profiles.into_iter();
        let found = profiles.filter(|(_, profile)| profile.text(key) == Some(value));
        Ok(found.map(|(name, _)| name).collect())
    }

    /// Returns the profile that the environment selects: `AWS_PROFILE`, or `default`.
    pub(in crate::aws) fn selected(&self) -> &str {
        &self.selected
    }

    fn exists(&self, name: &str) -> bool {
        self.sections.profiles.contains_key(name)
    }

    /// Returns a setting of a profile, such as `mfa_serial`.
    #[must_use]
    pub fn setting(&self, profile: &str, key: &str) -> Option<&str> {
        self.sections.profiles.get(profile)?.text(key)
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
        let names: Vec<_> = self.sections.profiles.keys().map(String::as_str).collect();
        let error = Error::new(Kind::Credentials, format!("profile `{name}` does not exist in the AWS config files"));
        // The profile may be below a heading that cannot be read.
        let error = self.sections.stray.iter().fold(error, |error, line| error.note(line.clone()));
        let error = match environment::has_keys() {
            true => error.hint(
                "to use the access key in the environment instead, specify `-` as the profile: --profile -, \
                 --target-profile -, --user-profile -",
            ),
            false => error,
        };
        Err(if names.is_empty() {
            error.hint(format!("create it: {}", ShellCommand::new("aws").arg("configure").option("--profile", name)))
        } else {
            error
                .note(format!("existing profiles: {}", names.join(", ")))
                .hint("use one of these profiles, by an option or in xacct.local.toml")
        })
    }

    /// Returns the only profile whose account ID is this account, or else whose role is there. Ignores profiles for a role
    /// that xacct created: `link_role`, those of `xacct.toml`, and those that `xacct print profile --install` wrote.
    ///
    /// # Errors
    /// When there is none, or more than one.
    pub fn of_account(&self, account: &AccountId, link_role: &RoleName) -> Result<String> {
        let role = format!(":{account}:role/");
        // AWS finds a role by a name in any case.
        let is_own = |arn: &str| {
            let name = arn.rsplit('/').next().unwrap_or_default();
            let of_file = self.link_roles.iter().filter(|(other, _)| other == account).map(|(_, name)| name);
            of_file.chain([link_role]).any(|own| own.as_str().eq_ignore_ascii_case(name))
        };
        let (mut by_id, mut by_role) = (Vec::new(), Vec::new());
        for (name, profile) in &self.sections.profiles {
            let arn = profile.text("role_arn").filter(|arn| arn.contains(&role));
            let is = |key: &str| profile.text(key) == Some(account.as_str());
            if profile.is_installed || arn.is_some_and(&is_own) {
                continue;
            } else if is("aws_account_id") || is("sso_account_id") {
                by_id.push(name.as_str());
            } else if arn.is_some() {
                by_role.push(name.as_str());
            }
        }
        let names = if by_id.is_empty() { by_role } else { by_id };
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

    /// Returns the only profile whose account ID is this account, for an operator whom no setting names; `None` if the usual
    /// credential chain has something to begin with.
    #[must_use]
    pub fn of_unnamed(&self, account: &AccountId) -> Option<&str> {
        let is_chosen = environment::has_keys() || CHAIN.iter().any(|name| variable(name).is_some());
        if is_chosen || self.exists(self.selected()) {
            return None;
        }
        let is_there = |name: &str| {
            ["aws_account_id", "sso_account_id"].iter().any(|key| self.setting(name, key) == Some(account.as_str()))
        };
        let profiles = self.sections.profiles.iter().filter(|(_, profile)| !profile.is_installed);
        let mut there = profiles.map(|(name, _)| name.as_str()).filter(|name| is_there(name));
        there.next().filter(|_| there.next().is_none())
    }

    /// Returns the profiles with an access key of their own, whose owner may be an IAM user.
    pub fn with_keys(&self) -> impl Iterator<Item = &str> {
        let is_role =
            move |name: &str| self.has_any(name, &["role_arn", "aws_session_token"]) || self.has_any(name, &SSO);
        let has_key = move |name: &&str| self.setting(name, "aws_access_key_id").is_some() && !is_role(name);
        self.sections.profiles.keys().map(String::as_str).filter(has_key)
    }

    /// Iterates over a profile, its `source_profile`, and so on.
    pub(in crate::aws) fn sources<'a>(&'a self, profile: &'a str) -> impl Iterator<Item = &'a str> {
        let source = |profile: &&'a str| self.setting(profile, "source_profile");
        // Profiles may form a cycle; any other chain has at most as many steps as there are profiles.
        successors(Some(profile), source).take(self.sections.profiles.len().max(1))
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

    /// Checks the sections of a profile and its sources, and their access keys, which the SDK may sign with before anybody
    /// sees them.
    ///
    /// # Errors
    /// When a line of them cannot be read, or a key has a character that cannot be sent.
    pub(in crate::aws) fn check(&self, profile: &str) -> Result<()> {
        self.sections.check(&self.sources(profile).collect::<Vec<_>>())?;
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
        let folders: [(&[&str], _); 2] = [(&SSO, SSO_TOKENS), (&["login_session"], ".aws/login/cache")];
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
        let text = for_sdk::text(&self.sections, &self.sources(profile).collect::<Vec<_>>());
        EnvConfigFiles::builder().with_contents(EnvConfigFileKind::Config, text).build()
    }

    /// Returns the settings of a profile as if it were selected.
    ///
    /// # Errors
    /// When they cannot be parsed.
    pub(in crate::aws) async fn alone(&self, profile: &str) -> Result<ProfileSet> {
        let selected = Some(Cow::Owned(for_sdk::name(profile).into_owned()));
        let loaded = aws_config::profile::load(&Fs::real(), &Env::real(), &self.files_about(profile), selected).await;
        loaded.map_err(|error| {
            let words = format!("cannot read the AWS config files: {}", self.with_real_names(&with_causes(&error)));
            Error::new(Kind::File, words).caused_by(error)
        })
    }

    /// Puts the profiles' own names into a message of the SDK, which gets some of them under others.
    pub(in crate::aws) fn with_real_names(&self, message: &str) -> String {
        let renamed = self.sections.profiles.keys().map(|real| (for_sdk::name(real), real));
        let renamed = renamed.filter(|(name, real)| *name != real.as_str());
        renamed.fold(message.to_owned(), |message, (name, real)| message.replace(&*name, real))
    }

    /// Returns how a profile signs in with SSO, if the name of its `sso-session` is one that the SDK cannot take. The name
    /// must not change: the file with the token is named after it.
    pub(in crate::aws) fn renamed_sso(&self, profile: &str) -> Option<SsoSettings> {
        let profile = self.sections.profiles.get(profile)?;
        let name = profile.text("sso_session").filter(|name| for_sdk::name(name) != *name)?;
        let session = self.sections.sso_sessions.get(name)?;
        Some(SsoSettings {
            session: name.to_owned(),
            start_url: session.text("sso_start_url")?.to_owned(),
            region: session.text("sso_region")?.to_owned(),
            account: profile.text("sso_account_id")?.to_owned(),
            role: profile.text("sso_role_name")?.to_owned(),
        })
    }

    /// Returns the command that signs in again for a profile, or for the source of its roles.
    pub(in crate::aws) fn sign_in(&self, profile: &str) -> Option<ShellCommand> {
        let aws = ShellCommand::new("aws");
        self.sources(profile).find_map(|source| {
            let command = match (self.has_any(source, &SSO), self.has_any(source, &["login_session"])) {
                (true, _) => aws.clone().args(["sso", "login"]),
                (false, true) => aws.clone().arg("login"),
                (false, false) => return None,
            };
            Some(command.option("--profile", source))
        })
    }

    /// Returns all that decides whose credentials a profile has, with secrets among it: its settings and those of its
    /// sources, and the variables that the SDK reads. With SSO and programs this is where the credentials come from: the keys
    /// themselves are new each time. `None` if something else decides: this machine, its container, or a token in a file.
    pub(in crate::aws) fn origin(&self, profile: Option<&str>) -> Option<Vec<String>> {
        let variables = environment::all_read_by_sdk().into_iter().map(|(name, value)| format!("{name}={value}"));
        let used = profile.unwrap_or_else(|| self.selected());
        let sources: Vec<_> = self.sources(used).collect();
        let settings = for_sdk::text(&self.sections, &sources);
        if profile.is_none() && environment::has_keys() {
            return Some(variables.chain([settings]).collect());
        }
        let is = |source: &str, key: &str, value: &str| {
            self.setting(source, key).is_some_and(|found| found.eq_ignore_ascii_case(value))
        };
        let is_elsewhere = |source: &&str| {
            self.setting(source, "web_identity_token_file").is_some()
                || is(source, "credential_source", "Ec2InstanceMetadata")
                || is(source, "credential_source", "EcsContainer")
        };
        let last = sources.last().filter(|source| {
            let own = ["aws_access_key_id", "credential_process", "login_session", "credential_source"];
            self.has_any(source, &own) || self.has_any(source, &SSO)
        });
        let is_known = last.is_some() && !sources.iter().any(is_elsewhere);
        // Somebody else may sign in with the same settings.
        let is_signed_in = sources.iter().any(|source| self.has_any(source, &SSO));
        let sign_ins = if is_signed_in { sign_ins()? } else { String::new() };
        is_known.then(|| variables.chain([settings, sign_ins]).collect())
    }

    /// Resolves the roles of a profile; `None` if it assumes none, or if the environment has an access key that comes
    /// first.
    pub(in crate::aws) fn chain(&self, profile: Option<&str>) -> Result<Option<Chain>> {
        if profile.is_none() && environment::has_keys() {
            return Ok(None);
        }
        let exists = |name: &str| self.exists(name);
        let get = |name: &str, key: &str| self.setting(name, key).map(str::to_owned);
        role_chain::chain(&exists, &get, profile.unwrap_or_else(|| self.selected()))
    }

    /// Returns the profile behind credentials of the default chain, if any.
    pub(in crate::aws) fn behind(&self, credentials: &Credentials) -> Option<String> {
        let from_environment = features(credentials).contains(&AwsCredentialFeature::CredentialsEnvVars);
        let is_elsewhere = from_environment || machine(credentials).is_some();
        let selected = self.selected();
        (!is_elsewhere && self.exists(selected)).then(|| selected.to_owned())
    }
}

/// Returns the tokens of all that are signed in with SSO; `None` if nobody is.
fn sign_ins() -> Option<String> {
    let entries = std::fs::read_dir(std::env::home_dir()?.join(SSO_TOKENS)).ok()?;
    let paths: BTreeSet<_> = entries.flatten().map(|entry| entry.path()).collect();
    let texts = paths.into_iter().filter_map(|path| files::read_bytes(&path, files::LONGEST_TEXT).ok());
    let tokens =
        texts.map(|text| String::from_utf8_lossy(&text).into_owned()).filter(|text| text.contains("accessToken"));
    let tokens: String = tokens.collect();
    (!tokens.is_empty()).then_some(tokens)
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
