//! The program's environment: passed in at the top, so that everything below is deterministic.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::SystemTime;

/// The environment of one run.
#[derive(Debug, Clone)]
pub struct Context {
    /// The environment variables whose names and values are Unicode.
    pub environment: BTreeMap<String, String>,
    /// The working directory, for relative paths.
    pub directory: PathBuf,
    /// The terminal, if there is one.
    pub terminal: Terminal,
    /// Fills a buffer with random bytes, for external IDs and bucket names.
    pub random: fn(&mut [u8]) -> std::io::Result<()>,
    /// Returns the current time.
    pub now: fn() -> SystemTime,
}

/// What the standard streams support, and the width of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terminal {
    /// Whether xacct can prompt the user.
    pub can_ask: bool,
    /// Whether xacct can draw progress on stderr.
    pub can_animate: bool,
    /// Whether stdout is a terminal.
    pub shows_results: bool,
    /// Whether stderr is a terminal.
    pub shows_messages: bool,
    /// The width of text in columns: that of the terminal, or 80; at least 40 and at most 120.
    pub width: u16,
}

impl Default for Terminal {
    /// Returns a terminal for a run without any.
    fn default() -> Self {
        Self { can_ask: false, can_animate: false, shows_results: false, shows_messages: false, width: 80 }
    }
}

impl Context {
    /// Returns the environment of this process.
    ///
    /// # Errors
    /// When the working directory does not exist.
    pub fn of_this_process() -> std::io::Result<Self> {
        use std::io::IsTerminal;
        let environment: BTreeMap<_, _> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let columns = environment.get("COLUMNS").and_then(|columns| columns.parse().ok());
        let shows_results = std::io::stdout().is_terminal();
        let measured = comfy_table::Table::new().width().filter(|_| shows_results);
        let stderr = std::io::stderr().is_terminal();
        Ok(Self {
            terminal: Terminal {
                can_ask: std::io::stdin().is_terminal() && stderr,
                can_animate: stderr && environment.get("TERM").is_none_or(|term| term != "dumb"),
                shows_results,
                shows_messages: stderr,
                width: columns.or(measured).unwrap_or(80).clamp(40, 120),
            },
            environment,
            directory: std::env::current_dir()?,
            random: |buffer| getrandom::fill(buffer).map_err(std::io::Error::other),
            now: SystemTime::now,
        })
    }

    /// Returns a variable that is set and not empty.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Returns whether the shell may be PowerShell, which sets this variable (about_PSModulePath); Windows sets it for all
    /// shells.
    #[must_use]
    pub fn is_powershell(&self) -> bool {
        self.variable("PSModulePath").is_some()
    }

    /// Returns the cache directory.
    #[must_use]
    pub fn cache_folder(&self) -> Option<PathBuf> {
        self.folder("XDG_CACHE_HOME", ".cache")
    }

    /// Returns the directory for what outlives a run but is worth nothing elsewhere, such as the results of tests.
    #[must_use]
    pub fn state_folder(&self) -> Option<PathBuf> {
        self.folder("XDG_STATE_HOME", ".local/state")
    }

    /// Returns xacct's directory in one of the user's (XDG Base Directory Specification, which ignores relative paths).
    fn folder(&self, variable: &str, usual: &str) -> Option<PathBuf> {
        let absolute = |name: &str| self.variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let base = absolute(variable).or_else(|| Some(absolute("HOME")?.join(usual)));
        Some(base?.join("xacct"))
    }
}
