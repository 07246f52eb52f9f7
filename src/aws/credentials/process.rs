//! `credential_process`: runs the program that a profile names for its credentials.
//!
//! The SDK's own provider has no timeout and no output limit, starts itself again if the program is xacct with the same
//! profile, and repeats the program's standard error, which may hold secrets. As it does, this one passes the line to a
//! shell.

use std::fmt;
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::credential_feature::AwsCredentialFeature;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::future::ProvideCredentials as ProvideFuture;
use aws_credential_types::provider::{self, ProvideCredentials};
use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::io::{AsyncRead, AsyncReadExt, copy, sink};
use tokio::process::{Child, Command};

/// How long a program may take. It may wait for a sign-in in a browser.
const PATIENCE: Duration = Duration::from_secs(300);

/// The maximum output in bytes, far more than credentials need.
const LONGEST: u64 = 64 * 1024;

/// How many programs are running that were started for credentials, one by the other.
const DEPTH: &str = "XACCT_CREDENTIAL_PROCESS_DEPTH";

/// The maximum depth. A program may well be xacct, with another profile.
const DEEPEST: u8 = 4;

/// What a program says that is xacct itself and gives up: the one text that is read from its standard error.
const ENDLESS: &str = "starts itself again";

/// The program of a profile. `Debug` is redacted, because its arguments may be secrets.
pub(in crate::aws) struct Process {
    line: String,
    patience: Duration,
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process").finish_non_exhaustive()
    }
}

/// Why there are no credentials. Nothing that the program wrote is repeated.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("credential_process cannot be started")]
    NotStarted(#[source] std::io::Error),
    #[error("credential_process {ENDLESS} ({DEEPEST} levels deep): it needs the credentials that it should provide")]
    Endless,
    #[error("credential_process did not end within {} seconds", .0.as_secs())]
    TooSlow(Duration),
    #[error("credential_process wrote more than {LONGEST} bytes")]
    TooLong,
    #[error("credential_process cannot be read")]
    Unread(#[source] std::io::Error),
    #[error("credential_process ended with {0}")]
    Failed(std::process::ExitStatus),
    #[error("credential_process wrote no credentials: JSON with Version 1, AccessKeyId and SecretAccessKey")]
    Malformed,
    #[error("credential_process wrote an Expiration that is not a time such as 2030-01-01T00:00:00Z")]
    Expiration,
}

/// What the program writes.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Output {
    version: u32,
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
    expiration: Option<String>,
}

impl Process {
    /// Returns the provider for the `credential_process` of a profile.
    pub(in crate::aws) fn new(line: &str) -> Self {
        Self { line: line.to_owned(), patience: PATIENCE }
    }

    async fn credentials(&self) -> Result<Credentials, Failure> {
        let depth = std::env::var(DEPTH).ok().and_then(|depth| depth.parse().ok()).unwrap_or(0_u8);
        if depth >= DEEPEST {
            return Err(Failure::Endless);
        }
        let mut command = shell(&self.line);
        command.env(DEPTH, (depth + 1).to_string());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = Running::start(command).map_err(Failure::NotStarted)?;
        let output = tokio::time::timeout(self.patience, output(&mut child.child)).await;
        let output = output.map_err(|_| Failure::TooSlow(self.patience))??;
        child.has_ended();
        parse(&output)
    }
}

impl ProvideCredentials for Process {
    fn provide_credentials<'a>(&'a self) -> ProvideFuture<'a>
    where
        Self: 'a,
    {
        ProvideFuture::new(async {
            self.credentials().await.map_err(CredentialsError::provider_error) as provider::Result
        })
    }
}

/// Reads what the program writes, until it ends.
async fn output(child: &mut Child) -> Result<Vec<u8>, Failure> {
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let stdout = async {
        let bytes = first(stdout).await?.0;
        // Not waited for, because it may never stop writing.
        if u64::try_from(bytes.len()).is_ok_and(|length| length > LONGEST) { Err(Failure::TooLong) } else { Ok(bytes) }
    };
    let stderr = async {
        let (bytes, rest) = first(stderr).await?;
        if let Some(mut rest) = rest {
            copy(&mut rest, &mut sink()).await.map_err(Failure::Unread)?;
        }
        Ok(bytes)
    };
    let (stdout, stderr) = tokio::try_join!(stdout, stderr)?;
    let status = child.wait().await.map_err(Failure::Unread)?;
    match status.success() {
        true => Ok(stdout),
        false if String::from_utf8_lossy(&stderr).contains(ENDLESS) => Err(Failure::Endless),
        false => Err(Failure::Failed(status)),
    }
}

/// Reads one byte more than allowed, and returns the rest unread.
async fn first<T: AsyncRead + Unpin>(pipe: Option<T>) -> Result<(Vec<u8>, Option<T>), Failure> {
    let Some(mut pipe) = pipe else { return Ok((Vec::new(), None)) };
    let mut bytes = Vec::new();
    (&mut pipe).take(LONGEST + 1).read_to_end(&mut bytes).await.map_err(Failure::Unread)?;
    Ok((bytes, Some(pipe)))
}

fn parse(output: &[u8]) -> Result<Credentials, Failure> {
    let output: Output = serde_json::from_slice(output).map_err(|_| Failure::Malformed)?;
    let Output { version: 1, access_key_id, secret_access_key, session_token, expiration } = output else {
        return Err(Failure::Malformed);
    };
    let expires = expiration.map(|text| time_of(&text).ok_or(Failure::Expiration)).transpose()?;
    let mut credentials =
        Credentials::new(access_key_id, secret_access_key, session_token, expires, "credential_process");
    credentials
        .get_property_mut_or_default::<Vec<AwsCredentialFeature>>()
        .push(AwsCredentialFeature::CredentialsProcess);
    Ok(credentials)
}

/// Reads a time in UTC as programs write it: `…Z`, `…+00:00`, `…+0000`, `…UTC`.
fn time_of(text: &str) -> Option<SystemTime> {
    let utc = ["+0000", " UTC", "UTC"].iter().find_map(|end| text.strip_suffix(end));
    let text = utc.map_or_else(|| text.to_owned(), |time| format!("{}Z", time.trim_end()));
    OffsetDateTime::parse(&text.replacen(' ', "T", 1), &Rfc3339).ok().map(SystemTime::from)
}

#[cfg(not(windows))]
fn shell(line: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", line]);
    command
}

#[cfg(windows)]
fn shell(line: &str) -> Command {
    let mut command = Command::new("cmd.exe");
    // In quotes of their own, which is how `cmd.exe` keeps those of the line.
    command.arg("/C").raw_arg(format!("\"{line}\""));
    command
}

/// A running program. What it started ends with it, if xacct gives up.
struct Running {
    child: Child,
    #[cfg(unix)]
    group: Option<rustix::process::Pid>,
}

#[cfg(unix)]
impl Running {
    fn start(mut command: Command) -> std::io::Result<Self> {
        // On a terminal it stays in the group of xacct: it may ask for a code there, which only that group may, and Ctrl-C
        // ends both.
        let has_terminal = std::fs::File::open("/dev/tty").is_ok();
        if !has_terminal {
            command.process_group(0);
        }
        let child = command.spawn()?;
        let id = child.id().filter(|_| !has_terminal).and_then(|id| i32::try_from(id).ok());
        Ok(Self { child, group: id.and_then(rustix::process::Pid::from_raw) })
    }

    fn has_ended(&mut self) {
        self.group = None;
    }
}

#[cfg(unix)]
impl Drop for Running {
    fn drop(&mut self) {
        if let Some(group) = self.group {
            // If it fails, they have ended.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}

#[cfg(not(unix))]
impl Running {
    fn start(mut command: Command) -> std::io::Result<Self> {
        Ok(Self { child: command.spawn()? })
    }

    fn has_ended(&mut self) {}
}

#[cfg(all(test, unix))]
mod tests;
