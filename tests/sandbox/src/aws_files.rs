//! The files and variables that point AWS clients to the sandbox.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::world::{ACCOUNT_B, ADMIN_A, ADMIN_B, ADMIN_C, ALICE, BOB, KeyPair, ROOT_A};

/// The paths of the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsFiles {
    /// For `AWS_CONFIG_FILE`.
    pub config: PathBuf,
    /// For `AWS_SHARED_CREDENTIALS_FILE`.
    pub credentials: PathBuf,
}

impl AwsFiles {
    fn in_directory(directory: &Path) -> Self {
        AwsFiles { config: directory.join("config"), credentials: directory.join("credentials") }
    }
}

const PROFILES: [(&str, KeyPair); 6] = [
    ("security-admin", ADMIN_A),
    ("dev-admin", ADMIN_B),
    ("third-admin", ADMIN_C),
    ("alice", ALICE),
    ("bob", BOB),
    ("root", ROOT_A),
];

pub(crate) fn write(directory: &Path) -> io::Result<AwsFiles> {
    let (mut config, mut credentials) = (String::new(), String::new());
    for (name, key) in PROFILES {
        let more = match name {
            "dev-admin" => format!("aws_account_id = {ACCOUNT_B}\n"),
            "alice" => "mfa_serial = arn:aws:iam::111111111111:mfa/alice\n".to_owned(),
            _ => String::new(),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(config, "[profile {name}]\nregion = us-east-1\n{more}");
        let _ =
            writeln!(credentials, "[{name}]\naws_access_key_id = {}\naws_secret_access_key = {}\n", key.id, key.secret);
    }
    fs::create_dir_all(directory)?;
    let files = AwsFiles::in_directory(directory);
    fs::write(&files.config, config)?;
    fs::write(&files.credentials, credentials)?;
    Ok(files)
}

pub(crate) fn environment(url: &str, directory: &Path) -> Vec<(String, String)> {
    let files = AwsFiles::in_directory(directory);
    [
        ("AWS_ENDPOINT_URL", url.to_owned()),
        ("AWS_CONFIG_FILE", files.config.display().to_string()),
        ("AWS_SHARED_CREDENTIALS_FILE", files.credentials.display().to_string()),
        // Without this, clients without credentials query the EC2 metadata service, and wait for it.
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}
