//! The text of the AWS config files, passed to `aws-config` in parts.
//!
//! `aws-config` parses the files again for every access and keeps the result. With a profile for each of many accounts the
//! cost would be quadratic, so each access gets only the sections of its own profiles.

use std::path::{Path, PathBuf};

use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};

use crate::aws::client::http::Variables;

/// The text of both files; empty if a file does not exist.
#[derive(Debug, Default)]
pub(in crate::aws) struct Files {
    config: String,
    credentials: String,
}

impl Files {
    /// Reads the files from the SDK's locations (AWS SDKs and Tools Reference Guide, "Finding and changing the location of
    /// the shared files"). Errors are ignored here, because the SDK has already read and parsed the files.
    pub(in crate::aws) fn read(variable: Variables<'_>) -> Self {
        let home = std::env::home_dir();
        let text = |name: &str, usual: &str| {
            let path = variable(name).unwrap_or_else(|| usual.to_owned());
            let bytes = std::fs::read(expanded(&path, home.as_deref())).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        Self {
            config: text("AWS_CONFIG_FILE", "~/.aws/config"),
            credentials: text("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"),
        }
    }

    /// Returns the sections of these profiles, for the SDK to parse.
    pub(in crate::aws) fn about(&self, profiles: &[&str]) -> EnvConfigFiles {
        EnvConfigFiles::builder()
            .with_contents(EnvConfigFileKind::Config, part(&self.config, profiles))
            .with_contents(EnvConfigFileKind::Credentials, part(&self.credentials, profiles))
            .build()
    }
}

fn expanded(path: &str, home: Option<&Path>) -> PathBuf {
    match (path.strip_prefix("~/"), home) {
        (Some(below), Some(home)) => home.join(below),
        _ => PathBuf::from(path),
    }
}

/// Returns the sections of these profiles, and those of no profile, such as `[sso-session …]`.
fn part(text: &str, profiles: &[&str]) -> String {
    let mut is_included = true;
    let lines = text.split_inclusive('\n').filter(|line| {
        if let Some((heading, _)) = line.strip_prefix('[').and_then(|line| line.split_once(']')) {
            let words: Vec<_> = heading.split_whitespace().collect();
            is_included = match words.as_slice() {
                [name] | ["profile", name] => profiles.contains(name),
                _ => true,
            };
        }
        is_included
    });
    lines.collect()
}

#[cfg(test)]
mod tests;
