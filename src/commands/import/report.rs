//! The output of import: what each role becomes, and what `xacct.toml` cannot express.

use std::fmt::Write;

use serde::Serialize;

use super::arguments::Import;
use super::work::{Job, Work};
use crate::config::{self, Source};
use crate::error::{ExitCode, Result};
use crate::operations::accounts::{who, who_of_several};
use crate::operations::run::Run;
use crate::operations::work::{Failed, JsonConfig, JsonSource};
use crate::report::json::{self, ByName};
use crate::report::proof::error_in_short;
use crate::report::several::{self, Field, Own, Sheet};

/// Reports on one run.
pub struct Report<'a> {
    pub args: &'a Import,
    pub run: &'a Run<'a>,
    /// The source as `xacct.toml` records it.
    pub source: Source,
    /// What the user's policies name that cannot be imported, or is a target already.
    pub remarks: Vec<String>,
}

impl Report<'_> {
    /// Shows the operators, and what each role becomes.
    ///
    /// # Errors
    /// Never in practice, as [`config::preview`].
    pub fn preview(&self, work: &Work) -> Result<()> {
        let Self { args, run, .. } = self;
        let (mut text, width) = (String::new(), run.console.width());
        who(&mut text, "Source", work.source.account.as_str(), work.source.operator.as_ref());
        let operators = work.jobs.iter().map(|job| (job.link.account.as_str(), job.operator.as_ref()));
        if work.has_several() {
            who_of_several(&mut text, &work.names(), operators, width);
            let _ = writeln!(text, "\n{}", table(work, width));
        } else {
            operators.for_each(|(account, operator)| who(&mut text, "Target", account, operator));
            for job in &work.jobs {
                let _ = writeln!(text, "Link     {} may assume {}", work.source.labels_of(&job.link), job.role);
                let words = [job.link.external_id_in_words(), job.link.terms_in_words()];
                for words in words {
                    let _ = writeln!(text, "         {words}");
                }
            }
        }
        let notes = |job: &Job| {
            let own = |note: &String| Own::of(note.clone(), job.link.account.as_str());
            job.state.notes.iter().map(move |note| (job.link.name.clone(), own(note))).collect::<Vec<_>>()
        };
        let remarks = self.remarks.iter().map(|remark| several::filled(remark, "- ", "  ", width));
        let notes = match work.has_several() {
            true => several::remarks(work.jobs.iter().flat_map(notes), (work.jobs.len(), "all"), width),
            false => {
                let notes = work.jobs.iter().flat_map(|job| &job.state.notes);
                let notes: Vec<_> = notes.map(|note| several::filled(note, "- ", "  ", width)).collect();
                (!notes.is_empty()).then(|| notes.join("\n"))
            }
        };
        let remarks: Vec<_> = remarks.chain(notes).collect();
        if !remarks.is_empty() {
            let _ = writeln!(text, "\n{}", remarks.join("\n"));
        }
        if args.dry_run && !work.jobs.is_empty() {
            let _ = writeln!(text, "\nAdds to {}:\n\n{}", run.file.path.display(), self.toml(work)?.trim_end());
        }
        run.console.tell(text.trim_end_matches('\n'));
        work.tell_failed(run.console);
        Ok(())
    }

    /// Returns the sections of the new targets.
    fn toml(&self, work: &Work) -> Result<String> {
        let links: Vec<_> = work.jobs.iter().map(|job| &job.link).collect();
        config::preview(&self.run.file, &self.source, &links)
    }

    /// Shows the result. `recorded` says whether `xacct.toml` was written; `None` after a preview.
    ///
    /// # Errors
    /// As [`Report::preview`].
    pub fn finish(&self, work: &Work, exit_code: ExitCode, recorded: Option<Result<bool>>) -> Result<()> {
        let Self { args, run, .. } = self;
        let console = run.console;
        if console.is_json() {
            let toml = if work.jobs.is_empty() { String::new() } else { self.toml(work)? };
            let body = JsonImport {
                source: work.into(),
                targets: work.json_targets(|job| JsonImported {
                    files: job.state.kept.iter().map(|kept| kept.path.display().to_string()).collect(),
                    notes: job.state.notes.clone(),
                }),
                remarks: self.remarks.clone(),
                toml,
                config: JsonConfig::new(&run.file.path, recorded.as_ref()),
            };
            console.result(&json::document("import", exit_code, body));
        }
        let (path, names) = (run.file.path.display(), work.names());
        match recorded {
            None if work.jobs.is_empty() && work.failed.is_empty() => console.say("Nothing to import"),
            None if args.dry_run => console.say("Nothing was written"),
            None => {}
            Some(Err(error)) => console.error(&error),
            Some(Ok(_)) => {
                let targets = if names.len() == 1 { "target" } else { "targets" };
                let text = format!("Recorded {targets} {} in {path}; AWS was not changed", names.join(", "));
                console.say(&several::filled(&text, "", "  ", console.width()));
                let needs_adoption = work.jobs.iter().any(|job| job.state.needs_adoption);
                // Without a target, bootstrap works on all.
                let named = if run.file.targets.is_empty() { Vec::new() } else { names };
                let compare = run.file.xacct().arg("bootstrap").args(named);
                let compare = if needs_adoption { compare.flag("--adopt") } else { compare };
                console.say(&format!("Next, compare: {}", compare.flag("--dry-run")));
            }
        }
        Ok(())
    }
}

/// Returns a row for each role.
fn table(work: &Work, width: u16) -> String {
    let jobs = work.jobs.iter().map(|job| {
        let terms = format!("{} · {}", job.link.external_id_in_words(), job.link.terms_in_words());
        (&job.link, ("import", terms))
    });
    let failed = work.failed.iter().map(|Failed { link, error }| (link, ("error", error_in_short(error))));
    let rows: Vec<_> = jobs.chain(failed).collect();
    let sheet = Sheet::new(vec![
        Field::of("Target", &rows, |(link, _)| link.name.clone()),
        Field::of("Account", &rows, |(link, _)| link.account.to_string()),
        Field::of("Role", &rows, |(link, _)| link.role_below_its_path()).column(),
        Field::of("Result", &rows, |(_, (result, _))| (*result).to_owned()).column(),
        Field::of("Terms", &rows, |(_, (_, terms))| terms.clone()).column().wrapping(),
    ]);
    sheet.table(width)
}

#[derive(Serialize)]
struct JsonImport {
    source: JsonSource,
    targets: ByName,
    remarks: Vec<String>,
    toml: String,
    config: JsonConfig,
}

#[derive(Default, Serialize)]
struct JsonImported {
    files: Vec<String>,
    notes: Vec<String>,
}
