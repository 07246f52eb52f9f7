//! Builds the real xacct if necessary, and runs it in a clean environment.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};

use xacct_sandbox::Sandbox;

/// The xacct binary of this workspace.
pub(super) struct Program {
    binary: PathBuf,
}

/// Returns the directory of this program: `<target dir>/<profile>`.
fn profile_directory() -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(|error| format!("cannot find the path of this program: {error}"))?;
    let directory = own.parent().ok_or("the path of this program has no directory")?;
    Ok(directory.to_path_buf())
}

/// Returns the directory that keeps accounts and xacct.toml between runs.
pub(super) fn kept_directory() -> Result<PathBuf, String> {
    let profile = profile_directory()?;
    Ok(profile.parent().unwrap_or(&profile).join("sandbox"))
}

impl Program {
    /// Builds xacct with the profile and target directory of this program.
    pub(super) fn build() -> Result<Self, String> {
        let directory = profile_directory()?;
        let target = directory.parent().unwrap_or(&directory);
        let profile = match directory.file_name().and_then(|name| name.to_str()) {
            None | Some("debug") => "dev",
            Some(name) => name,
        };
        eprintln!("Building xacct …");
        let status = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--workspace", "--bins", "--profile", profile, "--target-dir"])
            .arg(target)
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
            .status()
            .map_err(|error| format!("cannot run cargo: {error}"))?;
        if !status.success() {
            return Err("cargo could not build xacct; see its errors above".to_owned());
        }
        let binary = directory.join(format!("xacct{}", std::env::consts::EXE_SUFFIX));
        Ok(Program { binary })
    }

    /// Runs xacct on the sandbox, without the AWS settings and the home directory of this machine.
    pub(super) fn run(&self, sandbox: &Sandbox, directory: &Path, arguments: &[&str]) -> Result<ExitStatus, String> {
        let files = directory.join("aws");
        sandbox.write_aws_files(&files).map_err(|error| format!("cannot write to `{}`: {error}", files.display()))?;
        let mut command = Command::new(&self.binary);
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy().to_ascii_uppercase();
            if ["AWS_", "XACCT_"].iter().any(|prefix| text.starts_with(prefix)) {
                command.env_remove(&name);
            }
        }
        command
            .args(arguments)
            .current_dir(directory)
            .envs(sandbox.environment(&files))
            .env("HOME", directory)
            // The sandbox must not be reached through a proxy.
            .env("NO_PROXY", "127.0.0.1")
            .env("no_proxy", "127.0.0.1");
        wait_for(command).map_err(|error| format!("cannot run `{}`: {error}", self.binary.display()))
    }
}

/// Waits for a child. This program ignores Ctrl-C, because the child may still need the sandbox for its cleanup.
fn wait_for(command: Command) -> io::Result<ExitStatus> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut child = tokio::process::Command::from(command).spawn()?;
        loop {
            tokio::select! {
                status = child.wait() => return status,
                interrupted = tokio::signal::ctrl_c() => interrupted?,
            }
        }
    })
}

/// Returns the exit code of a child; 1 if a signal killed it.
pub(super) fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    ExitCode::from(code.unwrap_or(1))
}
