//! The diagnoses of several links: a row for each, and the reports of those with problems.

use super::diagnosed::Diagnosed;
use crate::diagnosis::Attempt;
use crate::error::ExitCode;
use crate::report::several::{self, Field, Sheet};

/// Returns a row for each link, and below them the reports of those with problems.
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
    let mut blocks: Vec<_> = sheet.shared().into_iter().chain([sheet.table(width)]).collect();
    blocks.extend(several::remarks(remarks, (fine.len(), "all without problems"), width));
    for (one, same) in several::distinct(&others, |it| it.essence(), |it| &it.name) {
        let name = if one.name == one.account { String::new() } else { format!("{}: ", one.name) };
        blocks.push(format!("{name}{}", one.text(width)));
        blocks.extend(several::the_same_problem(&same, width));
    }
    blocks.push(several::result(fine.len(), diagnosed.len(), "have no problems"));
    blocks
}
