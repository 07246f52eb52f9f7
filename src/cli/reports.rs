//! Reports to files and to GitHub Actions, beside the one on stdout.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{ArgGroup, Args};

/// Reports in further formats.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Report", group(ArgGroup::new("redactable").multiple(true)))]
pub struct ReportFiles {
    /// Write a report: junit=FILE, markdown=FILE, html=FILE, or github for annotations (can be repeated)
    ///
    /// A report never contains secrets or external IDs. xacct replaces an existing file.
    #[arg(long, value_name = "FORMAT[=FILE]", value_parser = str::parse::<Destination>, group = "redactable")]
    pub report: Vec<Destination>,
    /// Compare with this earlier --output json document of the same command
    ///
    /// Html and markdown reports then show what changed, and since when each link has had its result. The --output json
    /// document records since when, for the next run.
    #[arg(long, value_name = "FILE")]
    pub since: Option<PathBuf>,
}

/// Whether to hide account IDs.
#[derive(Debug, Clone, Copy, Default, Args)]
#[command(next_help_heading = "Report")]
pub struct RedactOption {
    /// Replace account IDs with placeholders in reports
    #[arg(long, requires = "redactable")]
    pub redact: bool,
}

/// A format of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportFormat {
    /// JUnit XML: a test case for each step.
    Junit,
    /// A summary in GitHub's and GitLab's Markdown.
    Markdown,
    /// A page for browsers.
    Html,
    /// Annotations of a run of GitHub Actions, on stderr.
    Github,
}

impl ReportFormat {
    const ALL: [Self; 4] = [Self::Junit, Self::Markdown, Self::Html, Self::Github];

    /// Returns the name on the command line.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Junit => "junit",
            Self::Markdown => "markdown",
            Self::Html => "html",
            Self::Github => "github",
        }
    }
}

/// Where a report goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// Its format.
    pub format: ReportFormat,
    /// Its file; `None` for annotations.
    pub file: Option<PathBuf>,
}

impl FromStr for Destination {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, file) = match text.split_once('=') {
            Some((name, file)) => (name, Some(file)),
            None => (text, None),
        };
        let Some(format) = ReportFormat::ALL.into_iter().find(|format| format.id() == name) else {
            return Err("is not a format of reports\n  hint: use junit=FILE, markdown=FILE, html=FILE or github".into());
        };
        match (format, file) {
            (ReportFormat::Github, None) => Ok(Self { format, file: None }),
            (ReportFormat::Github, Some(_)) => {
                Err("has a file, but annotations go to stderr, where GitHub Actions reads them\n  hint: use github"
                    .into())
            }
            (_, None | Some("")) => Err(format!("has no file\n  hint: use {name}=FILE")),
            (_, Some(file)) => Ok(Self { format, file: Some(file.into()) }),
        }
    }
}
