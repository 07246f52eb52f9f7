//! The diagnoses of several links: the reports of those with problems, and a row for each.

use super::diagnosed::Diagnosed;
use crate::diagnosis::Attempt;
use crate::error::ExitCode;
use crate::report::several::{self, Field, Sheet};

/// Returns the reports of the links with problems, and below them, near the prompt, a row for each link.
pub fn of_several(diagnosed: &[Diagnosed], width: u16) -> Vec<String> {
    let attempt = |it: &Diagnosed, words: &dyn Fn(&Attempt) -> String| {
        it.diagnosis.as_ref().map(|diagnosis| words(&diagnosis.attempt)).unwrap_or_default()
    };
    let sheet = Sheet::new(vec![
        Field::of("Target", diagnosed, |it| it.name.clone()),
        Field::of("Account", diagnosed, |it| it.account.clone()),
        Field::of("User", diagnosed, |it| it.user.clone()),
        Field::of("Role", diagnosed, |it| it.role_name.clone()),
        Field::of("Region", diagnosed, |it| attempt(it, &|attempt| attempt.region.clone())),
        Field::of("Credentials", diagnosed, |it| attempt(it, &|attempt| attempt.credentials.clone())),
        Field::of("Result", diagnosed, Diagnosed::result).column(),
        Field::of("Cause", diagnosed, Diagnosed::cause).column().wrapping(),
    ]);
    let (fine, others): (Vec<_>, Vec<_>) = diagnosed.iter().partition(|it| it.exit_code() == ExitCode::Done);
    let remarks = fine.iter().flat_map(|it| it.remarks().into_iter().map(|remark| (it.name.clone(), remark)));
    let mut blocks = Vec::new();
    for (one, same) in several::distinct(&others, |it| it.essence(), |it| &it.name) {
        blocks.push(several::titled(&one.name, &one.account, &one.text(width)));
        blocks.extend(several::the_same_problem(&same, width));
    }
    blocks.extend(sheet.shared(width).into_iter().chain([sheet.table(width)]));
    blocks.extend(several::remarks(remarks, (fine.len(), "all without problems"), width));
    let is_evaluated = |it: &Diagnosed| it.diagnosis.as_ref().is_some_and(|diagnosis| diagnosis.evaluated.is_some());
    let what = if diagnosed.iter().any(is_evaluated) { "are allowed by evaluation" } else { "have no problems" };
    blocks.push(several::result(fine.len(), diagnosed.len(), what));
    blocks
}
