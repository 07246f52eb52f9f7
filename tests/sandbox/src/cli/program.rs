//! Finds or builds the xacct that belongs to this program, and runs it in a clean environment.

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};

use xacct_sandbox::Sandbox;

/// The xacct binary of this workspace, or the one installed with this program.
pub(super) struct Program {
    binary: PathBuf,
}

/// Returns the directory of the sources if `cargo run` started this program. Cargo says so at run time, so that the
/// program contains no path of the machine that built it.
fn sources() -> Option<PathBuf> {
    let is_this = env::var_os("CARGO_PKG_NAME").is_some_and(|name| name == env!("CARGO_PKG_NAME"));
    env::var_os("CARGO_MANIFEST_DIR").filter(|_| is_this).map(PathBuf::from)
}

/// Returns the command that starts this program with these arguments, as the user started it.
pub(super) fn command_with(arguments: &str) -> String {
    let (alone, with) = match sources() {
        Some(_) => ("cargo run -p xacct-sandbox", "cargo run -p xacct-sandbox -- "),
        None => ("xacct-sandbox", "xacct-sandbox "),
    };
    if arguments.is_empty() { alone.to_owned() } else { format!("{with}{arguments}") }
}

/// Returns the directory of this program: with cargo `<target dir>/<profile>`.
fn own_directory() -> Result<PathBuf, String> {
    let own = env::current_exe().map_err(|error| format!("cannot find the path of this program: {error}"))?;
    let directory = own.parent().ok_or("the path of this program has no directory")?;
    Ok(directory.to_path_buf())
}

/// Returns the directory that keeps accounts and xacct.toml between runs: with cargo `<target dir>/sandbox`, otherwise one
/// in the user's state directory.
pub(super) fn kept_directory() -> Result<PathBuf, String> {
    if sources().is_some() {
        let own = own_directory()?;
        return Ok(own.parent().unwrap_or(&own).join("sandbox"));
    }
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME")
        .or_else(|| absolute("LOCALAPPDATA"))
        .or_else(|| Some(absolute("HOME")?.join(".local/state")));
    let state = state.ok_or("no directory for the accounts: set HOME or XDG_STATE_HOME to an absolute path")?;
    Ok(state.join("xacct").join("sandbox"))
}

impl Program {
    /// Builds xacct if `cargo run` started this program; otherwise finds the one installed beside it.
    pub(super) fn find() -> Result<Self, String> {
        let directory = own_directory()?;
        let binary = directory.join(format!("xacct{}", env::consts::EXE_SUFFIX));
        if let Some(sources) = sources() {
            build(&sources, &directory)?;
        } else if !binary.is_file() {
            return Err(format!("there is no `{}`: install xacct and xacct-sandbox together", binary.display()));
        }
        Ok(Program { binary })
    }

    /// Runs xacct on the sandbox, without the AWS settings and the home directory of this machine.
    pub(super) fn run(&self, sandbox: &Sandbox, directory: &Path, arguments: &[&str]) -> Result<ExitStatus, String> {
        let files = directory.join("aws");
        sandbox.write_aws_files(&files).map_err(|error| format!("cannot write to `{}`: {error}", files.display()))?;
        let mut command = Command::new(&self.binary);
        for (name, _) in env::vars_os() {
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

/// Builds xacct with the profile and target directory of this program.
fn build(sources: &Path, directory: &Path) -> Result<(), String> {
    let target = directory.parent().unwrap_or(directory);
    let profile = match directory.file_name().and_then(|name| name.to_str()) {
        None | Some("debug") => "dev",
        Some(name) => name,
    };
    eprintln!("Building xacct …");
    let status = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--quiet", "--workspace", "--bins", "--profile", profile, "--target-dir"])
        .arg(target)
        .current_dir(sources.join("../.."))
        .status()
        .map_err(|error| format!("cannot run cargo: {error}"))?;
    if !status.success() {
        return Err("cargo could not build xacct; see its errors above".to_owned());
    }
    Ok(())
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
