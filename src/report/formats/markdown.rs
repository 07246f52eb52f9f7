//! A summary in Markdown, for GitHub's step summaries and GitLab's comments.

use super::cases::{Case, Outcome};
use super::change::Changes;
use super::code::{fenced, markdown};
use super::link::{Link, State};
use super::view::View;
use super::words::{Part, duration, marked, time};
use crate::report::console::count;

/// GitHub takes summaries of at most 1 MiB: details end before.
const MOST_BYTES: usize = 900 * 1024;
/// Links that are as they should be are folded if there are more.
const FEW: usize = 20;

/// Returns the summary.
pub fn report(view: &View<'_>, changes: Option<&Changes>) -> String {
    let mut blocks = vec![format!("## xacct {}", markdown(view.command)), markdown(&view.sentence())];
    blocks.extend(changes.map(since));
    let (fine, bad): (Vec<_>, Vec<_>) = view.links.iter().partition(|link| link.state == State::Works);
    if fine.len() > FEW {
        if !bad.is_empty() {
            blocks.push(table(&bad));
        }
        let summary = format!("{} {}", fine.len(), view.question.predicate(fine.len()));
        blocks.push(folded(&summary, &table(&fine)));
    } else if !view.links.is_empty() {
        blocks.push(table(&view.links.iter().collect::<Vec<_>>()));
    }
    let beside = view.cases.iter().filter(|case| !matches!(case.outcome, Outcome::Passed | Outcome::Skipped));
    blocks.extend(beside.map(|case| format!("### {}\n\n{}", markdown(&case.title), of_case(case))));
    let mut length: usize = blocks.iter().map(String::len).sum();
    let problems = view.problems();
    for (number, link) in problems.iter().enumerate() {
        let details = format!("### {}: {}\n\n{}", markdown(link.name), markdown(link.result), details(link));
        length += details.len();
        if length > MOST_BYTES {
            let left_out = count(problems.len() - number, "link");
            blocks.push(format!("The details of {left_out} are left out: see an HTML or JUnit report."));
            break;
        }
        blocks.push(details);
    }
    blocks.join("\n\n") + "\n"
}

fn since(changes: &Changes) -> String {
    let at = changes.since.as_deref().map(|at| format!(" of {}", markdown(&time(at)))).unwrap_or_default();
    let heading = format!("**Since the report{at}:** {}", markdown(&changes.sentence()));
    let lines = changes.changed.iter().map(|it| format!("\n- {}: {}", markdown(&it.name), markdown(&it.words)));
    heading + "\n" + &lines.collect::<String>()
}

fn table(links: &[&Link<'_>]) -> String {
    let row = |link: &&Link<'_>| {
        let took = link.duration_ms.map(duration).unwrap_or_default();
        let since = link.unchanged_since.map(|at| format!(" since {}", time(at))).unwrap_or_default();
        let result = format!("{}{since}", link.result);
        let cells = [link.name, &link.account, &link.principals.join(", "), link.role_name(), &result, &link.cause];
        let cells: Vec<_> = cells.into_iter().map(markdown).chain([markdown(&took)]).collect();
        format!("| {} |", cells.join(" | "))
    };
    let head = "| Target | Account | Principals | Role | Result | Cause | Time |\n|---|---|---|---|---|---|---|";
    std::iter::once(head.to_owned()).chain(links.iter().map(row)).collect::<Vec<_>>().join("\n")
}

fn folded(summary: &str, text: &str) -> String {
    format!("<details><summary>{}</summary>\n\n{text}\n\n</details>", markdown(summary))
}

/// Returns the steps of a link, and what is wrong.
fn details(link: &Link<'_>) -> String {
    let step = |case: &Case| {
        let took = case.duration_ms.map(duration).unwrap_or_default();
        let cells = [case.outcome.mark(), &case.title, &case.evidence, &took].map(markdown);
        format!("| {} |", cells.join(" | "))
    };
    let steps: Vec<_> = link.cases.iter().map(step).collect();
    let mut blocks = vec![format!("| | Step | Evidence | Time |\n|---|---|---|---|\n{}", steps.join("\n"))];
    blocks.extend(link.cases.iter().filter(|case| !case.why.is_empty()).map(|case| parts(&case.why)));
    blocks.join("\n\n")
}

fn of_case(case: &Case) -> String {
    let mut blocks = vec![format!("{}: {}", case.outcome.mark(), markdown(&case.evidence))];
    if !case.why.is_empty() {
        blocks.push(parts(&case.why));
    }
    blocks.extend(case.remarks.iter().map(|remark| format!("- {}", markdown(remark))));
    blocks.join("\n\n")
}

fn parts(parts: &[Part]) -> String {
    let part = |part: &Part| match part {
        Part::Line(0, text) => markdown(text),
        Part::Line(_, text) => format!("- {}", markdown(text)),
        Part::Code(text) => fenced(text),
        Part::Statement(lines) => fenced(&marked(lines)),
    };
    parts.iter().map(part).collect::<Vec<_>>().join("\n\n")
}
