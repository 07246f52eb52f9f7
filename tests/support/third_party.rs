//! Third-party programs that tests need and that may be missing.
//!
//! A test that lacks one reports its name and is counted as skipped: it writes a line to the file in `XACCT_SKIPPED`,
//! which `tests/run` prints at the end. It never passes silently.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Output, TestEnvironment};

/// Returns the name of the calling test.
macro_rules! test_name {
    () => {{
        fn here() {}
        let path = std::any::type_name_of_val(&here).trim_end_matches("::here");
        path.split_once("::").map_or(path, |(_crate, name)| name)
    }};
}
pub(crate) use test_name;

/// Reports that a test is skipped, and why.
pub fn skip(test: &str, reason: &str) {
    let line = format!("{test}: {reason}\n");
    // Not `eprint!`, whose output the test runner hides for tests that pass.
    let _ = write!(std::io::stderr(), "skipped {line}");
    if let Some(file) = std::env::var_os("XACCT_SKIPPED") {
        let mut file =
            OpenOptions::new().create(true).append(true).open(file).expect("the file that XACCT_SKIPPED names");
        // One write, so that lines of concurrent tests do not mix.
        file.write_all(line.as_bytes()).expect("a line about a skipped test");
    }
}

/// Returns the path of a program in the Python venv, or why it is missing. `XACCT_VENV` is the path of the venv; the
/// default is the one created by `tests/run`.
pub fn in_venv(program: &str) -> Result<PathBuf, String> {
    let venv = std::env::var_os("XACCT_VENV").map_or_else(
        || {
            let target = Path::new(env!("CARGO_BIN_EXE_xacct")).ancestors().nth(2).expect("the target folder");
            target.join("third-party/venv")
        },
        PathBuf::from,
    );
    let path = venv.join("bin").join(program);
    match path.is_file() {
        true => Ok(path),
        false => Err(format!("{} is missing; tests/run installs it", path.display())),
    }
}

/// Returns the directory with pinned packages of a language, which its own tool installs once below the target directory.
pub fn installed(name: &str, files: &[(&str, &str)], tool: &str, arguments: &[&str]) -> Result<PathBuf, String> {
    let target = Path::new(env!("CARGO_BIN_EXE_xacct")).ancestors().nth(2).expect("the target directory");
    let folder = target.join("third-party").join(name);
    let said = |error: std::io::Error| format!("{}: {error}", folder.display());
    fs::create_dir_all(&folder).map_err(said)?;
    // Another run may be installing it too.
    let lock = fs::File::create(folder.join("lock")).map_err(said)?;
    lock.lock().map_err(said)?;
    let wanted: String = files.iter().map(|(_, text)| *text).collect();
    if fs::read_to_string(folder.join("installed")).is_ok_and(|text| text == wanted) {
        return Ok(folder);
    }
    for (file, text) in files {
        fs::write(folder.join(file), text).map_err(said)?;
    }
    let output = Command::new(tool).args(arguments).current_dir(&folder).output();
    let output = output.map_err(|error| format!("{tool} cannot be run: {error}"))?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        let start: Vec<_> = errors.split_whitespace().take(30).collect();
        return Err(format!("{tool} does not install its packages here: {}", start.join(" ")));
    }
    // Written last: a directory without this file is incomplete.
    fs::write(folder.join("installed"), wanted).map_err(said)?;
    Ok(folder)
}

/// Prepares an environment like [`init_terraform`]; `None`, with the test skipped, if that fails.
pub fn terraform(test: &str, environment: &mut TestEnvironment) -> Option<()> {
    match init_terraform(environment) {
        Ok(()) => Some(()),
        Err(reason) => {
            skip(test, &reason);
            None
        }
    }
}

/// Returns `PATH` and the machine's settings for Terraform providers.
pub fn terraform_variables() -> Vec<(String, String)> {
    let names = ["PATH", "TF_CLI_CONFIG_FILE", "TF_PLUGIN_CACHE_DIR", "CHECKPOINT_DISABLE"];
    names.into_iter().filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?))).collect()
}

/// Prepares an environment for Terraform with [`terraform_variables`], and initializes the configuration in its
/// directory. The error says why Terraform or a provider is missing.
pub fn init_terraform(environment: &mut TestEnvironment) -> Result<(), String> {
    for (name, value) in terraform_variables() {
        environment.set(&name, &value);
    }
    if let Err(error) = environment.command("terraform").arg("version").output() {
        return Err(format!("terraform cannot be run: {error}"));
    }
    let mut init = environment.command("terraform");
    init.args(["init", "-no-color", "-input=false"]);
    let init = Output::of(init);
    if init.code != 0 {
        let error = init.stderr.split_once("Error: ").map_or(&*init.stderr, |(_, error)| error);
        let reason = error.split_whitespace().take(30).collect::<Vec<_>>().join(" ");
        return Err(format!("terraform init does not work here: {reason}"));
    }
    Ok(())
}
