//! Environment variables that would conflict with a session.

/// The variables that stay: they configure where and how to send requests, not as whom.
const KEPT: [&str; 39] = [
    "AWS_ACCOUNT_ID_ENDPOINT_MODE",
    "AWS_APPEND_USER_AGENT",
    "AWS_CA_BUNDLE",
    "AWS_CONFIG_FILE",
    "AWS_DATA_PATH",
    "AWS_DEFAULTS_MODE",
    "AWS_DEFAULT_OUTPUT",
    "AWS_DEFAULT_REGION",
    "AWS_DISABLE_REQUEST_COMPRESSION",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
    "AWS_EC2_METADATA_V1_DISABLED",
    "AWS_ENABLE_ENDPOINT_DISCOVERY",
    "AWS_EXECUTION_ENV",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_MAX_ATTEMPTS",
    "AWS_METADATA_SERVICE_NUM_ATTEMPTS",
    "AWS_METADATA_SERVICE_TIMEOUT",
    "AWS_NODEJS_CONNECTION_REUSE_ENABLED",
    "AWS_PAGER",
    "AWS_REGION",
    "AWS_REQUEST_CHECKSUM_CALCULATION",
    "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES",
    "AWS_RESPONSE_CHECKSUM_VALIDATION",
    "AWS_RETRY_MODE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_SIGV4A_SIGNING_REGION_SET",
    "AWS_STS_REGIONAL_ENDPOINTS",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_USE_FIPS_ENDPOINT",
    // Profiles may get their credentials from aws-vault. `AWS_VAULT` names one that is not the session's, and
    // `AWS_VAULT_FILE_PASSPHRASE` is a secret.
    "AWS_VAULT_BACKEND",
    "AWS_VAULT_FILE_DIR",
    "AWS_VAULT_KEYCHAIN_NAME",
    "AWS_VAULT_PASS_CMD",
    "AWS_VAULT_PASS_PASSWORD_STORE_DIR",
    "AWS_VAULT_PASS_PREFIX",
    "AWS_VAULT_PROMPT",
    "AWS_VAULT_SECRET_SERVICE_COLLECTION_NAME",
];

/// Prefixes of further variables that stay. Endpoint variables end in a service's name.
const KEPT_PREFIXES: [&str; 4] = ["AWS_CLI_", "AWS_ENDPOINT_URL", "AWS_S3_", "AWS_SDK_"];

/// Other variables from which SDKs and tools read credentials: the SDK for Rust (`aws-config`,
/// `environment/credentials.rs`), the SDK for Ruby (`aws-sdk-core`, `credential_provider_chain.rb`), and Ansible's older
/// AWS modules (assumed: `EC2_…`).
const ALIASES: [&str; 6] = [
    "AMAZON_ACCESS_KEY_ID",
    "AMAZON_SECRET_ACCESS_KEY",
    "AMAZON_SESSION_TOKEN",
    "EC2_ACCESS_KEY",
    "EC2_SECRET_KEY",
    "SECRET_ACCESS_KEY",
];

/// The usual stale variables, for a shell whose variables xacct may not see: keys by their old names, profiles
/// (the SDK for JavaScript prefers `AWS_PROFILE` to keys), roles for web identities and containers, tokens. `AWS_ACCOUNT_ID`
/// would be another account's.
const USUAL: [&str; 17] = [
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_SECURITY_TOKEN",
    "AWS_SESSION_EXPIRATION",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_ACCOUNT_ID",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_ACCESS_KEY",
    "AWS_SECRET_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_BEARER_TOKEN_BEDROCK",
];

/// Whether this variable may hold other credentials or lead to them: every `AWS_*` variable that is not known to be safe.
#[must_use]
pub fn is_stale(name: &str) -> bool {
    let is_kept = KEPT.contains(&name) || KEPT_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    ALIASES.contains(&name) || (name.starts_with("AWS_") && !is_kept)
}

/// Returns the variables that a shell must unset: the usual ones and those of this environment, except those of the session.
#[must_use]
pub fn to_unset<'a>(environment: impl Iterator<Item = &'a str>, set: &[(&'static str, String)]) -> Vec<&'a str> {
    let is_name = |name: &&str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let mut names: Vec<_> = USUAL.into_iter().chain(ALIASES).collect();
    for name in environment.filter(|name| is_stale(name)).filter(is_name) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.retain(|name| !set.iter().any(|(known, _)| known == name));
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_usual_names_are_is_stale() {
        assert!(USUAL.into_iter().chain(ALIASES).chain(["AWS_VAULT", "AWS_VAULT_FILE_PASSPHRASE"]).all(is_stale));
        assert!(
            KEPT.into_iter().chain(["AWS_ENDPOINT_URL_S3", "AWS_CLI_AUTO_PROMPT", "HOME"]).all(|name| !is_stale(name))
        );
    }

    #[test]
    fn what_no_shell_takes_for_a_name_is_left_out() {
        let names = to_unset(["AWS_NEW_KEY", "AWS_$(id)", "AWS_REGION"].into_iter(), &[("AWS_PROFILE", String::new())]);
        assert!(names.contains(&"AWS_NEW_KEY") && !names.contains(&"AWS_PROFILE"));
        assert!(!names.iter().any(|name| name.contains('$') || *name == "AWS_REGION"));
    }
}
