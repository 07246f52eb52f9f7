//! An isolated environment for programs: none of the machine's own settings reach them.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A temporary directory, both home and working directory, and the variables that programs get.
///
/// The directory is removed on drop.
pub struct TestEnvironment {
    folder: TempDir,
    variables: BTreeMap<String, String>,
}

impl TestEnvironment {
    /// Creates an empty directory, with no variables except `HOME` and one that disables instance metadata.
    pub fn new() -> Self {
        #[cfg(unix)]
        super::signals::let_children_be_signalled();
        let folder = tempfile::Builder::new().prefix("xacct-test-").tempdir().expect("a temporary directory");
        let home = folder.path().display().to_string();
        let mut environment = Self { folder, variables: BTreeMap::new() };
        environment.set("HOME", &home);
        environment.set("AWS_EC2_METADATA_DISABLED", "true");
        environment
    }

    /// Sets a variable for all programs started from now on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    /// Removes a variable.
    pub fn unset(&mut self, name: &str) {
        self.variables.remove(name);
    }

    /// Returns the variables that programs get.
    pub fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    /// Returns the path of a file in this environment.
    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// Writes a file and creates its parent directories.
    pub fn write(&self, file: &str, text: &str) {
        self.put(file, text, OpenOptions::new().write(true).truncate(true));
    }

    /// Appends to a file in one write, so that it can be done concurrently.
    pub fn append(&self, file: &str, text: &str) {
        self.put(file, text, OpenOptions::new().append(true));
    }

    fn put(&self, file: &str, text: &str, options: &mut OpenOptions) {
        let path = self.path(file);
        let written = path
            .parent()
            .map_or(Ok(()), std::fs::create_dir_all)
            .and_then(|()| options.create(true).open(&path))
            .and_then(|mut file| file.write_all(text.as_bytes()));
        written.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    /// Reads a file.
    pub fn read(&self, file: &str) -> String {
        let path = self.path(file);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Whether the file exists.
    pub fn has(&self, file: &str) -> bool {
        self.path(file).exists()
    }

    /// Replaces a text that must occur exactly once in a file.
    pub fn edit(&self, file: &str, from: &str, to: &str) {
        let text = self.read(file);
        assert_eq!(text.matches(from).count(), 1, "`{from}` in {file}:\n{text}");
        self.write(file, &text.replace(from, to));
    }

    /// Returns a command with only this environment and without a terminal.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(&self.variables).current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    /// Runs xacct with these arguments.
    pub fn xacct<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Output {
        let mut command = self.command(env!("CARGO_BIN_EXE_xacct"));
        command.args(arguments);
        Output::of(command)
    }

    /// Runs xacct with these arguments and `--output json`, and asserts this exit code.
    pub fn xacct_json(&self, arguments: &[&str], exit_code: i32) -> Value {
        let arguments = [arguments, &["--output", "json"]].concat();
        let json = self.xacct(&arguments).exits_with(exit_code).json();
        assert_eq!(json["exit_code"], exit_code, "the document contains the exit code");
        json
    }
}

/// The output and exit code of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The program and its arguments.
    pub command: String,
    /// The exit code; -1 if a signal killed it.
    pub code: i32,
    /// The whole stdout.
    pub stdout: String,
    /// The whole stderr.
    pub stderr: String,
}

impl Output {
    /// Runs a command to completion.
    pub fn of(mut command: Command) -> Self {
        let shown = format!("{command:?}");
        let output = command.output().unwrap_or_else(|error| panic!("{shown}: {error}"));
        let text = |bytes| String::from_utf8(bytes).unwrap_or_else(|error| panic!("{shown}: {error}"));
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
            command: shown,
        }
    }

    /// Asserts an exit code, and shows the whole output if it differs.
    #[track_caller]
    pub fn exits_with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "the exit code\n{self}");
        self
    }

    /// Parses stdout as one JSON document.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("stdout is not JSON: {error}\n{self}"))
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { command, code, stdout, stderr } = self;
        write!(f, "$ {command}\nexit code {code}\n--- stdout\n{stdout}\n--- stderr\n{stderr}")
    }
}
