//! The config files without the credentials of the default profile, which every SDK prefers to those of a container.

use std::path::PathBuf;

use super::ini::is_space;
use super::locations::{self, CONFIG, CREDENTIALS};
use crate::environment::Variables;
use crate::error::Result;

/// The keys of a profile with which SDKs find credentials.
const LEADING: [&str; 20] = [
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "aws_security_token",
    "aws_account_id",
    "aws_credential_expiration",
    "credential_process",
    "credential_source",
    "external_id",
    "login_session",
    "mfa_serial",
    "role_arn",
    "role_session_name",
    "source_profile",
    "sso_account_id",
    "sso_region",
    "sso_role_name",
    "sso_session",
    "sso_start_url",
    "web_identity_token_file",
];

/// The access keys, which are copied from no profile.
const SECRET: [&str; 4] = ["aws_access_key_id", "aws_secret_access_key", "aws_session_token", "aws_security_token"];

/// The variable with the path of a config file of Boto 2, and the usual paths. The AWS CLI and Boto3 prefer its credentials to
/// those of a container (botocore, `credentials.py`, `BotoProvider` and `create_credential_resolver`).
pub const BOTO_CONFIG: &str = "BOTO_CONFIG";
const BOTO_USUAL: [&str; 2] = ["/etc/boto.cfg", "~/.boto"];

/// A config file with credentials that SDKs find without a profile: those of the default profile, or of Boto 2.
#[derive(Debug, PartialEq, Eq)]
pub struct Shadow {
    /// The variable with which another file can be named.
    pub variable: &'static str,
    /// The path of the file.
    pub path: PathBuf,
    /// The text without them. It has no access keys, but what other profiles run or connect to may contain a password.
    pub text: String,
}

/// Returns the files with credentials that SDKs find without a profile, without these.
///
/// # Errors
/// When a file cannot be read.
pub fn shadows(variable: Variables<'_>) -> Result<Vec<Shadow>> {
    let files = [
        (CONFIG, without_credentials as fn(&str) -> Option<String>),
        // Its other profiles have nothing but access keys.
        (CREDENTIALS, |text| without_credentials(text).map(|_| String::new())),
    ];
    let mut shadows = Vec::new();
    for (file, without) in files {
        let (_, path, text) = locations::text(file, variable)?;
        if let Some(text) = without(&text) {
            shadows.push(Shadow { variable: file.variable, path, text });
        }
    }
    let usual = || BOTO_USUAL.map(str::to_owned).to_vec();
    for path in variable(BOTO_CONFIG).map_or_else(usual, |path| vec![path]) {
        // botocore skips one that it cannot read.
        if let Ok((path, text)) = locations::text_at(&path)
            && has_boto_credentials(&text)
        {
            shadows.push(Shadow { variable: BOTO_CONFIG, path, text: String::new() });
            break;
        }
    }
    Ok(shadows)
}

/// Returns whether a file of Boto 2 has an access key for AWS. One for Google, which `gsutil` reads, has other keys.
fn has_boto_credentials(text: &str) -> bool {
    let key = |line: &str| line.split(['=', ':']).next().unwrap_or_default().trim_matches(is_space).to_lowercase();
    text.lines().any(|line| key(line) == "aws_access_key_id")
}

/// Returns the text of a file without comments, access keys, and the lines of the default profile that lead to credentials;
/// `None` if there are no such lines.
///
/// It is not parsed, because SDKs differ in what they make of a line: what any of them may take for such a key goes.
fn without_credentials(text: &str) -> Option<String> {
    let mut kept = String::new();
    let mut is_default = false;
    let mut has_credentials = false;
    // The indentation of the last key, and whether it is left out.
    let mut last: Option<(usize, bool)> = None;
    for line in text.strip_prefix('\u{feff}').unwrap_or(text).lines() {
        let content = line.trim_matches(is_space);
        if content.starts_with(['#', ';']) {
            continue;
        }
        if let Some(heading) = content.strip_prefix('[') {
            is_default = is_of_default(heading.split(']').next().unwrap_or_default());
            last = None;
        } else if !content.is_empty() {
            let indentation = line.chars().take_while(|c| is_space(*c)).count();
            let goes_on = last.filter(|(key, _)| indentation > *key);
            let key = content.split(['=', ':']).next().unwrap_or_default().trim_matches(is_space).to_lowercase();
            let leads = is_default && LEADING.contains(&key.as_str());
            let is_left_out = leads || SECRET.contains(&key.as_str()) || goes_on.is_some_and(|(_, left_out)| left_out);
            has_credentials |= leads;
            last = Some((goes_on.map_or(indentation, |(key, _)| key), is_left_out));
            if is_left_out {
                continue;
            }
        }
        kept.push_str(line);
        kept.push('\n');
    }
    has_credentials.then_some(kept)
}

/// Whether a heading is that of the default profile, in any of its forms. Python's `DEFAULT` is of every profile.
fn is_of_default(heading: &str) -> bool {
    let words: Vec<_> = heading.split(is_space).map(|word| word.trim_matches(['"', '\''])).collect();
    let words: Vec<_> = words.into_iter().filter(|word| !word.is_empty()).collect();
    matches!(words.as_slice(), [name] | ["profile", name] if name.eq_ignore_ascii_case("default"))
}

#[cfg(test)]
mod tests;
