//! Environment variables. Everything in `AWS_…` and `XACCT_…` passes through here before the SDK or clap reads it.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Kind, Result};

/// Environment variables, by name.
pub type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The value of a profile option that means: no profile, even if xacct.toml sets one; use the default credential chain.
pub const PROFILE: &str = "-";

/// A part of the machine that provides credentials of its role, which nobody chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Machine {
    /// The metadata service of an EC2 instance.
    Instance,
    /// The credentials endpoint of a container: ECS, EKS Pod Identity, or a program such as xacct.
    Container,
    /// The token file of a pod or a runner.
    WebIdentity,
}

/// The variables that the SDK reads, beside the access key and the `AWS_ENDPOINT_URL_…` of every service.
pub const READ_BY_SDK: [&str; 35] = [
    "AWS_ACCOUNT_ID",
    "AWS_ACCOUNT_ID_ENDPOINT_MODE",
    "AWS_AUTH_SCHEME_PREFERENCE",
    "AWS_CONFIG_FILE",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_DEFAULT_REGION",
    "AWS_DISABLE_CLOCK_SKEW_CORRECTION",
    "AWS_DISABLE_REQUEST_COMPRESSION",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
    "AWS_EXECUTION_ENV",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LOGIN_CACHE_DIRECTORY",
    "AWS_MAX_ATTEMPTS",
    "AWS_NEW_RETRIES_2026",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_REQUEST_CHECKSUM_CALCULATION",
    "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES",
    "AWS_RESPONSE_CHECKSUM_VALIDATION",
    "AWS_RETRY_MODE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_SDK_UA_APP_ID",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_SIGV4A_SIGNING_REGION_SET",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "_X_AMZN_TRACE_ID",
];

/// The access key in the environment.
pub const KEYS: [&str; 3] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

/// Returns the value of a variable.
#[must_use]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Removes variables that are set and empty, and blanks around values, as the AWS CLI ignores them but the SDK does not.
/// Others stay as they are: an empty `AWS_PAGER` has a meaning for the commands that xacct starts. Call it before starting
/// any thread.
pub fn tidy() {
    let set =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    for (name, value) in set.filter(|(name, _)| is_read(name) || KEYS.contains(&&**name) || name.starts_with("XACCT_"))
    {
        let kept = tidied(&value);
        // SAFETY: the caller has started no thread, so no other one reads the environment.
        unsafe {
            match kept {
                "" => std::env::remove_var(&name),
                kept if kept == value => {}
                kept => std::env::set_var(&name, kept),
            }
        }
    }
}

/// Returns the variables that the SDK reads, with the access key, in the order of their names.
#[must_use]
pub fn all_read_by_sdk() -> std::collections::BTreeMap<String, String> {
    let set =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    set.filter(|(name, _)| is_read(name) || KEYS.contains(&&**name)).collect()
}

fn is_read(name: &str) -> bool {
    READ_BY_SDK.contains(&name) || name.starts_with("AWS_ENDPOINT_URL")
}

/// Removes spaces and tabs, but not line breaks: a pasted line break must be reported.
fn tidied(value: &str) -> &str {
    value.trim_matches([' ', '\t'])
}

/// Removes the MFA code from the environment once it has been read: child processes (the command of `exec`, a profile's
/// `credential_process`) do not need it. Call it before starting any thread.
pub fn hide_code() {
    // SAFETY: the caller has started no thread, so no other one reads the environment.
    unsafe { std::env::remove_var("XACCT_MFA_CODE") }
}

/// Checks the variables that the SDK reads in every run.
///
/// # Errors
/// When one of them has a character that no such value can have.
pub fn check() -> Result<()> {
    let set = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
    let mut set = set.filter(|(name, _)| is_read(name));
    let unfit = set.find(|(_, value)| value.to_str().is_none_or(|value| value.contains(char::is_control)));
    unfit.map_or(Ok(()), |(name, _)| Err(unfit_error(Kind::Usage, &name, "a line break")))
}

/// Checks the access key in the environment.
///
/// # Errors
/// When a part of it has a character that cannot be sent.
pub fn check_keys() -> Result<()> {
    let set = KEYS.into_iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
    let is_fit =
        |value: &std::ffi::OsStr| value.to_str().is_some_and(|value| value.bytes().all(|byte| byte.is_ascii_graphic()));
    match set.into_iter().find(|(_, value)| !is_fit(value)) {
        None => Ok(()),
        Some((name, _)) => Err(unfit_error(Kind::Credentials, name, "a space, a line break")),
    }
}

/// Never shows the value: it may be a secret.
fn unfit_error(kind: Kind, name: &str, such_as: &str) -> Error {
    Error::new(kind, format!("{name} contains {such_as} or another invalid character"))
        .hint(format!("set {name} to a valid value, or unset it"))
}

/// Whether the credentials of this profile are the usual ones: it is `-`, or that of the `aws-vault exec` in which xacct runs,
/// which has put its access key into the environment. The profile need not have any in the files, and its program may
/// refuse to run within aws-vault.
#[must_use]
pub fn is_usual(profile: &str) -> bool {
    profile == PROFILE || (has_keys() && variable("AWS_VAULT").as_deref() == Some(profile))
}

/// Whether the environment has an access key, which comes before the profile that `AWS_PROFILE` names.
#[must_use]
pub fn has_keys() -> bool {
    variable("AWS_ACCESS_KEY_ID").is_some() && variable("AWS_SECRET_ACCESS_KEY").is_some()
}
