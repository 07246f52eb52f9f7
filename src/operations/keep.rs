//! Saves documents of an existing role to files beside `xacct.toml`, which then declares them: statements of its trust
//! policy that xacct would otherwise remove, and inline policies.

use std::collections::BTreeSet;
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::config::Link;
use crate::error::{Error, Kind, Result};
use crate::files::{self, Readers};
use crate::iam::arn::PrincipalArn;
use crate::iam::policy::PolicyDocument;
use crate::iam::state::{FoundDocument, ObservedRole};
use crate::iam::trust_statements;
use crate::operations::run::Run;
use crate::report::console::count;

/// A document to keep, and the file for it.
#[derive(Debug)]
pub struct Kept {
    /// The path as `xacct.toml` records it.
    pub path: PathBuf,
    document: PolicyDocument,
}

impl Kept {
    /// Returns the statements of this role that the link does not declare; `None` if there are none.
    ///
    /// # Errors
    /// As [`Kept::of_statements`]. The error names the option `--keep-statements`.
    pub fn undeclared(
        role: &ObservedRole,
        link: &Link,
        principals: &BTreeSet<PrincipalArn>,
        run: &Run<'_>,
    ) -> Result<Option<Self>> {
        let omit = "or omit --keep-statements";
        let found = match &role.trust {
            FoundDocument::Policy(document) => document,
            FoundDocument::Unparsed { problem, .. } => {
                return Err(cannot(link, problem).hint("repair the trust policy").hint(omit));
            }
        };
        let statements = trust_statements::undeclared(found, &link.trust_statements, principals);
        Self::of_statements(statements, link, run).map_err(|error| error.hint(omit))
    }

    /// Returns these statements of the trust policy of the link's role; `None` if there are none.
    ///
    /// # Errors
    /// When xacct cannot write them into a trust policy, or the file's directory cannot be read.
    pub fn of_statements(statements: PolicyDocument, link: &Link, run: &Run<'_>) -> Result<Option<Self>> {
        if statements.statements.is_empty() {
            return Ok(None);
        }
        trust_statements::check(&statements).map_err(|error| cannot(link, &error).hint(error.fix))?;
        let sid = |sid: &String| link.trust_statements.statement(sid).is_some();
        if let Some(twin) = statements.statements.iter().filter_map(|it| it.sid.as_ref()).find(|it| sid(it)) {
            return Err(cannot(link, &format!("statement `{twin}` differs from the one in trust_statement_files"))
                .hint("change the file to match the role"));
        }
        let is_usable = |path: &Path| !link.trust_statement_files.iter().any(|known| known == path);
        let path = |suffix: &str| format!("{}-trust{suffix}.json", file_name(link)).into();
        let path = free_path(&statements, run, path, is_usable);
        let path = path.map_err(|error| cannot(link, &error).hint("repair the directory"))?;
        Ok(Some(Self { path, document: statements }))
    }

    /// Returns an inline policy of the link's role. Its name is that of the file.
    ///
    /// # Errors
    /// When the file's directory cannot be read.
    pub fn of_policy(name: &str, document: PolicyDocument, link: &Link, run: &Run<'_>) -> Result<Self> {
        let path = |suffix: &str| [file_name(link) + suffix, format!("{name}.json")].iter().collect();
        let path = free_path(&document, run, path, |_| true).map_err(|error| {
            Error::new(Kind::File, format!("cannot keep policy `{name}` of role `{}`: {error}", link.role))
                .hint("repair the directory")
        })?;
        Ok(Self { path, document })
    }

    /// Declares the statements.
    pub fn add_to(&self, link: &mut Link) {
        link.trust_statement_files.push(self.path.clone());
        link.trust_statements.statements.extend(self.document.statements.iter().cloned());
    }

    /// Writes the file, unless it exists with this document. Never replaces a file.
    ///
    /// # Errors
    /// When it cannot be written, or another program created it in the meantime.
    pub fn write(&self, run: &Run<'_>) -> Result<()> {
        let path = run.file.folder(run.context).join(&self.path);
        let cannot = |error: std::io::Error| {
            Error::new(Kind::File, format!("cannot write `{}`: {error}", self.path.display()))
                .hint("make its directory writable")
        };
        let folder = files::folder_of(&path);
        // `policies`, and the one below it for policies of a target.
        let base = run.file.folder(run.context);
        for folder in folder.ancestors().take_while(|folder| *folder != base) {
            check_folder(folder).map_err(cannot)?;
        }
        if holds(&path, &self.document).map_err(cannot)? {
            return Ok(());
        }
        std::fs::create_dir_all(folder).map_err(cannot)?;
        files::create(&path, format!("{}\n", self.document), Readers::All).map_err(cannot)?;
        run.console.say(&format!("Wrote {}", self.path.display()));
        Ok(())
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = count(self.document.statements.len(), "statement");
        write!(f, "keeps {number} of the trust policy in {}", self.path.display())
    }
}

fn cannot(link: &Link, problem: &dyn fmt::Display) -> Error {
    let role = format!("role `{}` in account {}", link.role, link.account);
    Error::new(Kind::Refused, format!("cannot keep statements of the trust policy of {role}: {problem}"))
}

/// Returns the target's name as part of a file name.
fn file_name(link: &Link) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    link.name.chars().map(|c| if is_plain(c) { c } else { '-' }).collect()
}

/// Returns the first of `policies/NAME-trust.json`, `policies/NAME-trust-2.json` and so on that does not exist, or that
/// an interrupted run left with this document.
fn free_path(
    document: &PolicyDocument,
    run: &Run<'_>,
    path: impl Fn(&str) -> PathBuf,
    is_usable: impl Fn(&Path) -> bool,
) -> std::io::Result<PathBuf> {
    let folder = run.file.folder(run.context);
    let mut number = 1;
    loop {
        let suffix = if number == 1 { String::new() } else { format!("-{number}") };
        let path = Path::new("policies").join(path(&suffix));
        let at = folder.join(&path);
        for folder in files::folder_of(&at).ancestors().take_while(|above| *above != folder) {
            check_folder(folder)?;
        }
        let is_free = at.symlink_metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound);
        if is_free || (is_usable(&path) && holds(&at, document).unwrap_or(false)) {
            return Ok(path);
        }
        number += 1;
        if number > 1000 {
            return Err(std::io::Error::other("directory `policies` has too many files of this target"));
        }
    }
}

/// Refuses a symbolic link, which another user may have created to have xacct write elsewhere.
fn check_folder(folder: &Path) -> std::io::Result<()> {
    match folder.is_symlink() {
        true => Err(std::io::Error::other(
            "directory `policies` is a symbolic link, and xacct does not write through symbolic links",
        )),
        false => Ok(()),
    }
}

/// Returns whether the file has exactly this document; `false` if there is none.
fn holds(path: &Path, document: &PolicyDocument) -> std::io::Result<bool> {
    match files::read(path, files::LONGEST_TEXT) {
        Ok(text) => Ok(PolicyDocument::parse(&text).is_ok_and(|found| found.means_the_same_as(document))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
