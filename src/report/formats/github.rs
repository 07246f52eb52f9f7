//! Annotations of a run of GitHub Actions: workflow commands, which it reads from stderr, too.

use std::collections::BTreeMap;

use super::cases::Case;
use super::code::{message, property};
use super::link::Link;
use super::view::View;
use super::words::plain;
use crate::report::console::count;

/// GitHub shows so many annotations of each level for a step.
const MOST: usize = 10;

/// Returns a line for each link that somebody should look at, and for the source account. The last line of a level stands
/// for those that GitHub would not show.
pub fn annotations(view: &View<'_>, places: &Places) -> String {
    let beside = view.cases.iter().filter(|case| case.outcome.is_problem()).map(of_case);
    let links = view.problems().into_iter().map(|link| of_link(link, places));
    let (errors, warnings): (Vec<_>, Vec<_>) = beside.chain(links).partition(|one| one.is_error);
    let lines = [("error", errors), ("warning", warnings)].into_iter().flat_map(|(level, all)| some(level, &all));
    let summary =
        format!("::notice title={}::{}", property(&format!("xacct {}", view.command)), message(&view.sentence()));
    lines.chain([summary]).collect::<Vec<_>>().join("\n")
}

/// Where targets are in `xacct.toml`: the change of a pull request is annotated there.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// The path in the repository; empty if it is unknown.
    pub file: String,
    /// The line of each target.
    pub lines: BTreeMap<String, usize>,
}

struct Annotation {
    is_error: bool,
    /// The file and the line, as properties.
    place: String,
    title: String,
    text: String,
}

fn some(level: &str, all: &[Annotation]) -> Vec<String> {
    let line =
        |one: &Annotation| format!("::{level} {}title={}::{}", one.place, property(&one.title), message(&one.text));
    if all.len() <= MOST {
        return all.iter().map(line).collect();
    }
    let left_out = all.get(MOST - 1..).unwrap_or_default();
    let titles: Vec<_> = left_out.iter().map(|one| one.title.as_str()).collect();
    let rest = Annotation {
        is_error: level == "error",
        place: String::new(),
        title: format!("and {}", count(left_out.len(), "more problem")),
        text: titles.join("\n"),
    };
    all.iter().take(MOST - 1).chain([&rest]).map(line).collect()
}

fn of_link(link: &Link<'_>, places: &Places) -> Annotation {
    let line = places.lines.get(link.name).filter(|_| !places.file.is_empty());
    let why = link.first_problem().map(|case| plain(&case.why)).filter(|why| !why.is_empty());
    Annotation {
        is_error: link.counts(),
        place: line.map_or_else(String::new, |line| format!("file={},line={line},", property(&places.file))),
        title: format!("{}: {}", link.name, link.result),
        text: why.unwrap_or_else(|| link.cause.clone()),
    }
}

fn of_case(case: &Case) -> Annotation {
    let why = if case.why.is_empty() { case.evidence.clone() } else { plain(&case.why) };
    Annotation { is_error: case.counts, place: String::new(), title: case.problem(), text: why }
}
