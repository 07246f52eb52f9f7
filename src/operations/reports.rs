//! Reports beside the one on stdout: checked before anything is sent to AWS, written with the result.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use crate::cli::{Destination, ReportFormat};
use crate::config::ConfigFile;
use crate::context::Context;
use crate::error::{Error, Kind, Result};
use crate::files::{self, LONGEST_COLLECTION, Readers};
use crate::iam::names::ExternalId;
use crate::report::Console;
use crate::report::formats::{self, Document, Hiding, Places};

/// What the command line says about reports.
#[derive(Debug, Clone, Default)]
pub struct Requested {
    /// Formats and files.
    pub destinations: Vec<Destination>,
    /// An earlier document of the same command.
    pub since: Option<PathBuf>,
    /// Whether the document itself is shown.
    pub json: bool,
    /// Whether to hide account IDs.
    pub redact: bool,
    /// Files that the command writes beside them.
    pub others: Vec<PathBuf>,
    /// The external ID on the command line.
    pub external_id: Option<ExternalId>,
}

/// What reports need of `xacct.toml`.
#[derive(Default)]
struct Known {
    external_ids: BTreeSet<String>,
    places: Places,
}

/// The reports of a command.
pub struct Reports {
    destinations: Vec<Destination>,
    since: Option<Value>,
    redact: bool,
    directory: PathBuf,
    /// The repository's directory, in GitHub Actions.
    repository: Option<PathBuf>,
    known: Mutex<Known>,
    lost: Mutex<Option<Error>>,
}

impl Reports {
    /// Checks that the reports can be written, and reads the earlier document.
    ///
    /// # Errors
    /// When a file cannot be written, is named twice, or is one of xacct's own, or the earlier document is none of this
    /// command.
    pub fn prepare(command: &str, requested: &Requested, config: &Path, context: &Context) -> Result<Self> {
        let directory = &context.directory;
        let files = requested.destinations.iter().filter_map(|destination| destination.file.as_deref());
        let local = config.with_extension("local.toml");
        let read = [config, &local].into_iter().chain(requested.since.as_deref());
        let own = read.chain(requested.others.iter().map(PathBuf::as_path));
        let mut taken: Vec<_> = own.map(|path| (in_full(&directory.join(path)), "is used otherwise")).collect();
        for file in files {
            let path = directory.join(file);
            let cannot = |why: &dyn std::fmt::Display| {
                let error = Error::usage(format!("cannot write a report to `{}`: {why}", file.display()));
                error.hint("use another file")
            };
            files::check_place(&path).map_err(|error| cannot(&error))?;
            let full = in_full(&path);
            if let Some((_, why)) = taken.iter().find(|(other, _)| *other == full) {
                return Err(cannot(&format!("the file {why} in this command")));
            }
            taken.push((full, "gets another report"));
            files::temporary_beside(&path, Readers::All)
                .and_then(tempfile::NamedTempFile::close)
                .map_err(|error| cannot(&error))?;
        }
        let annotations = requested.destinations.iter().filter(|it| it.format == ReportFormat::Github).count();
        if annotations > 1 {
            return Err(Error::usage("`--report github` is there twice").hint("use it once"));
        }
        let shows_changes = |it: &Destination| matches!(it.format, ReportFormat::Html | ReportFormat::Markdown);
        let since = match &requested.since {
            Some(path) if requested.json || requested.destinations.iter().any(shows_changes) => {
                Some(earlier(command, path, directory)?)
            }
            Some(_) => {
                return Err(Error::usage("--since has no effect without --output json, or an html or markdown report")
                    .hint("add --output json or --report html=FILE, or omit --since"));
            }
            None => None,
        };
        Ok(Self {
            destinations: requested.destinations.clone(),
            since,
            redact: requested.redact,
            directory: directory.clone(),
            repository: context.variable("GITHUB_WORKSPACE").map(PathBuf::from),
            known: Mutex::new(Known {
                external_ids: requested.external_id.iter().map(ToString::to_string).collect(),
                places: Places::default(),
            }),
            lost: Mutex::default(),
        })
    }

    /// Returns whether there is any.
    pub fn are_any(&self) -> bool {
        !self.destinations.is_empty()
    }

    /// Takes from `xacct.toml` what reports need: the external IDs, which they must not show, and where its targets are.
    pub fn know(&self, file: &ConfigFile) {
        if !self.are_any() {
            return;
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let ids = file.targets.iter().flat_map(|(_, record)| record.external_id.iter().chain(&record.old_external_ids));
        known.external_ids.extend(ids.map(ToString::to_string));
        if !self.redact {
            known.places = self.places(file);
        }
    }

    /// Returns where the targets are: in a file of the repository, or in the one that a relative path names.
    fn places(&self, file: &ConfigFile) -> Places {
        let path = self.directory.join(&file.path);
        let inside = self.repository.as_ref().and_then(|repository| path.strip_prefix(repository).ok());
        let path = inside.or(Some(file.path.as_path()).filter(|path| path.is_relative()));
        Places {
            file: path.map(|path| path.display().to_string().replace('\\', "/")).unwrap_or_default(),
            lines: file.lines_of_targets(),
        }
    }

    /// Records in a document since when each link has had its result, if there is an earlier document.
    pub fn say_since_when(&self, document: &mut Value) {
        if let Some(before) = self.since.clone().and_then(|value| Document::read(value).ok()) {
            formats::say_since_when(document, &before);
        }
    }

    /// Writes the reports on this document.
    pub fn write(&self, mut document: Value, console: &Console) {
        if !self.are_any() {
            return;
        }
        let mut since = self.since.clone();
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let hiding = Hiding { external_ids: known.external_ids.clone(), accounts: self.redact };
        hiding.hide(&mut [&mut document].into_iter().chain(&mut since).collect::<Vec<_>>());
        let read = |value| {
            Document::read(value).map_err(|why| Error::new(Kind::Internal, format!("cannot report the result: {why}")))
        };
        let documents = read(document).and_then(|document| Ok((document, since.map(read).transpose()?)));
        let results = documents.map(|(document, since)| {
            let write = |destination| self.write_one(destination, (&document, since.as_ref(), &known.places), console);
            self.destinations.iter().try_for_each(write)
        });
        if let Err(error) = results.flatten() {
            *self.lost.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        }
    }

    fn write_one(
        &self,
        destination: &Destination,
        (document, since, places): (&Document, Option<&Document>, &Places),
        console: &Console,
    ) -> Result<()> {
        let text = formats::report(destination.format, document, since, places)?;
        let Some(file) = &destination.file else {
            console.annotate(&text);
            return Ok(());
        };
        files::replace(&self.directory.join(file), text, Readers::All).map_err(|error| {
            Error::new(Kind::File, format!("cannot write a report to `{}`: {error}", file.display()))
        })?;
        console.say(&format!("Wrote {}", file.display()));
        Ok(())
    }

    /// Takes the error of a report that could not be written, if there is one.
    pub fn lost(&self) -> Option<Error> {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Returns a path by which the same file is known, even if it does not exist yet.
fn in_full(path: &Path) -> PathBuf {
    let folder = files::folder_of(path);
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    path.file_name().map_or_else(|| folder.clone(), |name| folder.join(name))
}

/// Reads a document that this command printed earlier.
fn earlier(command: &str, path: &Path, directory: &Path) -> Result<Value> {
    let wrong = |why: &dyn std::fmt::Display| {
        let error = Error::usage(format!("`{}` is not an earlier result of `xacct {command}`: {why}", path.display()));
        error.hint(format!("use what `xacct {command} --output json` printed"))
    };
    let text = files::read(&directory.join(path), LONGEST_COLLECTION).map_err(|error| wrong(&error))?;
    let value: Value = serde_json::from_str(&text).map_err(|error| wrong(&error))?;
    let document = Document::read(value.clone()).map_err(|why| wrong(&why))?;
    match (document.command == command, document.error) {
        (true, None) => Ok(value),
        (true, Some(_)) => Err(wrong(&"that run ended with an error")),
        (false, _) => Err(wrong(&format!("it is one of `xacct {}`", document.command))),
    }
}
