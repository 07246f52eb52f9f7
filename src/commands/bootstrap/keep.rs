//! Saves statements of a role's current trust policy that bootstrap would otherwise remove.

use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::config::Link;
use crate::error::{Error, Kind, Result};
use crate::files::{self, Readers};
use crate::iam::arn::UserArn;
use crate::iam::policy::PolicyDocument;
use crate::iam::state::{FoundDocument, ObservedRole};
use crate::iam::trust_statements;
use crate::operations::run::Run;
use crate::report::console::count;

/// Statements to keep, and the file for them.
pub struct Kept {
    /// The path as `xacct.toml` records it.
    path: PathBuf,
    statements: PolicyDocument,
}

impl Kept {
    /// Returns the statements of this role that the link does not declare; `None` if there are none.
    ///
    /// # Errors
    /// When xacct cannot write them into a trust policy, or the file's directory cannot be read.
    pub fn of(role: &ObservedRole, link: &Link, user: &UserArn, run: &Run<'_>) -> Result<Option<Self>> {
        let cannot = |problem: &dyn fmt::Display| {
            let role = format!("role `{}` in account {}", link.role, link.account);
            Error::new(Kind::Refused, format!("cannot keep statements of the trust policy of {role}: {problem}"))
        };
        let found = match &role.trust {
            FoundDocument::Policy(document) => document,
            FoundDocument::Unparsed { problem, .. } => {
                return Err(cannot(problem).hint("repair the trust policy, or omit --keep-statements"));
            }
        };
        let statements = trust_statements::undeclared(found, &link.trust_statements, user);
        if statements.statements.is_empty() {
            return Ok(None);
        }
        trust_statements::check(&statements)
            .map_err(|error| cannot(&error).hint(error.fix).hint("or omit --keep-statements"))?;
        let sid = |sid: &String| link.trust_statements.statement(sid).is_some();
        if let Some(twin) = statements.statements.iter().filter_map(|it| it.sid.as_ref()).find(|it| sid(it)) {
            return Err(cannot(&format!("statement `{twin}` differs from the one in trust_statement_files"))
                .hint("change the file to match the role, or omit --keep-statements"));
        }
        let path = free_path(link, &statements, run).map_err(|error| cannot(&error).hint("repair the directory"))?;
        Ok(Some(Self { path, statements }))
    }

    /// Declares the statements.
    pub fn add_to(&self, link: &mut Link) {
        link.trust_statement_files.push(self.path.clone());
        link.trust_statements.statements.extend(self.statements.statements.iter().cloned());
    }

    /// Writes the file, unless it exists with these statements. Never replaces a file.
    ///
    /// # Errors
    /// When it cannot be written, or another program created it in the meantime.
    pub fn write(&self, run: &Run<'_>) -> Result<()> {
        let path = run.file.folder(run.context).join(&self.path);
        let cannot = |error: std::io::Error| {
            Error::new(Kind::File, format!("cannot write `{}`: {error}", self.path.display()))
                .hint("make its directory writable, or omit --keep-statements")
        };
        check_folder(files::folder_of(&path)).map_err(cannot)?;
        if holds(&path, &self.statements).map_err(cannot)? {
            return Ok(());
        }
        match std::fs::create_dir(files::folder_of(&path)) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(cannot(error)),
            _ => {}
        }
        files::create(&path, format!("{}\n", self.statements), Readers::All).map_err(cannot)?;
        run.console.say(&format!("Wrote {}", self.path.display()));
        Ok(())
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = count(self.statements.statements.len(), "statement");
        write!(f, "keeps {number} of the trust policy in {}", self.path.display())
    }
}

/// Returns the first of `policies/NAME-trust.json`, `policies/NAME-trust-2.json` and so on that does not exist, or that
/// an interrupted run left with these statements.
fn free_path(link: &Link, statements: &PolicyDocument, run: &Run<'_>) -> std::io::Result<PathBuf> {
    let folder = run.file.folder(run.context);
    check_folder(&folder.join("policies"))?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let name: String = link.name.chars().map(|c| if is_plain(c) { c } else { '-' }).collect();
    let mut number = 1;
    loop {
        let suffix = if number == 1 { String::new() } else { format!("-{number}") };
        let path = Path::new("policies").join(format!("{name}-trust{suffix}.json"));
        let at = folder.join(&path);
        let is_free = at.symlink_metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound);
        if is_free || (!link.trust_statement_files.contains(&path) && holds(&at, statements).unwrap_or(false)) {
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

/// Returns whether the file has exactly these statements; `false` if there is none.
fn holds(path: &Path, statements: &PolicyDocument) -> std::io::Result<bool> {
    match files::read(path, files::LONGEST_TEXT) {
        Ok(text) => Ok(PolicyDocument::parse(&text).is_ok_and(|found| found.means_the_same_as(statements))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
