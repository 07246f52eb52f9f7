//! A page for browsers: one file that needs nothing else. Its policy lets nothing run or load but what is in it.

mod data;
mod picture;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};

use super::change::{Changes, Kind};
use super::code::html;
use super::link::{Link, State};
use super::view::View;
use super::words::{duration, time};
use data::Data;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Returns the page.
pub fn report(view: &View<'_>, changes: Option<&Changes>) -> String {
    let sentence = html(&view.sentence());
    let command = html(&format!("xacct {}", view.command));
    let data = Data::of(view);
    let tested = view.started_at().map(|at| format!(" · tested {}", html(&time(at)))).unwrap_or_default();
    let changes = changes.map(since).unwrap_or_default();
    let links = if view.links.is_empty() { String::new() } else { links(view) };
    let policy = format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'",
        digest(STYLE),
        digest(SCRIPT)
    );
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta \
         http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" \
         content=\"no-referrer\">\n<title>{command}: {sentence}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<header>\n\
         <p class=\"muted\">{command}{tested} · exit code {}</p>\n<h1>{sentence}</h1>\n</header>\n<main>\n{changes}{}{links}{}\
         </main>\n<footer><p>Written by xacct {}. It contains no credentials and no external IDs.</p></footer>\n\
         <script type=\"application/json\" id=\"data\">{}</script>\n<script>{SCRIPT}</script>\n</body>\n</html>\n",
        view.exit_code,
        picture::section(view),
        beside(view, &data),
        env!("CARGO_PKG_VERSION"),
        data.embedded(),
    )
}

/// Returns the digest by which a Content Security Policy allows a text.
fn digest(text: &str) -> String {
    format!("sha256-{}", BASE64_STANDARD.encode(Sha256::digest(text)))
}

/// Returns the mark of a state, as an image beside its word.
fn mark(state: State) -> String {
    format!("<svg viewBox=\"-8 -8 16 16\" aria-hidden=\"true\">{}</svg>", picture::glyph(state))
}

/// Returns what changed since an earlier report.
fn since(changes: &Changes) -> String {
    let at = changes.since.as_deref().map(|at| format!(" of {}", html(&time(at)))).unwrap_or_default();
    let class = |kind| match kind {
        Kind::Worse => "open",
        Kind::Better => "works",
        Kind::Other | Kind::Added | Kind::Removed => "unclear",
    };
    let line = |it: &super::change::Changed| {
        let (class, word) = (class(it.kind), it.kind.word());
        format!("<li><span class=\"state {class}\">{word}</span> {}: {}</li>\n", html(&it.name), html(&it.words))
    };
    let lines: String = changes.changed.iter().map(line).collect();
    let list = if lines.is_empty() { lines } else { format!("<ul>\n{lines}</ul>\n") };
    let sentence = html(&crate::report::console::capitalised(&changes.sentence()));
    format!("<section id=\"changes\">\n<h2>Since the report{at}</h2>\n<p>{sentence}</p>\n{list}</section>\n")
}

/// Returns the table of links, the worst first.
fn links(view: &View<'_>) -> String {
    let in_state = |state| view.links.iter().enumerate().filter(move |(_, link)| link.state == state);
    let states = State::ALL.into_iter().filter(|state| view.in_state(*state).next().is_some());
    let options: String = states
        .map(|state| format!("<option value=\"{}\">{}</option>", state.id(), html(view.question.result(state))))
        .collect();
    let all = State::ALL.into_iter().enumerate().flat_map(|(order, state)| in_state(state).map(move |it| (order, it)));
    let rows: String = all.map(|(order, (number, link))| row(link, number, order)).collect();
    format!(
        "<section id=\"links\">\n<h2>Links</h2>\n<form hidden>\n<label>Filter<input id=\"search\" type=\"search\" \
         autocomplete=\"off\"></label>\n<label>Result<select id=\"state\"><option value=\"\">all</option>{options}</select>\
         </label>\n<p id=\"shown\" role=\"status\" class=\"muted\"></p>\n</form>\n<noscript><p>Without JavaScript, the table \
         is complete, but has no filter and no details.</p></noscript>\n<table id=\"table\">\n<colgroup>\
         <col class=\"target\"><col class=\"result\"><col><col class=\"account wide\"><col class=\"who wide\">\
         <col class=\"who wide widest\"><col class=\"tested wide widest\"><col class=\"time wide widest\"></colgroup>\n<thead><tr>\
         <th scope=\"col\">Target</th><th scope=\"col\">Result</th><th scope=\"col\">Cause</th>\
         <th scope=\"col\" class=\"wide\">Account</th><th scope=\"col\" class=\"wide\">Principals</th>\
         <th scope=\"col\" class=\"wide widest\">Role</th><th scope=\"col\" class=\"wide widest\">Tested</th>\
         <th scope=\"col\" class=\"wide widest\">Time</th></tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n</section>\n"
    )
}

/// Returns the row of the link with this number, whose state has this place in the order.
fn row(link: &Link<'_>, number: usize, order: usize) -> String {
    let took = link.duration_ms.map(duration).unwrap_or_default();
    let tested = link.started_at.map(time).unwrap_or_default();
    let since = link.unchanged_since.map(|at| format!(" <small>since {}</small>", html(&time(at)))).unwrap_or_default();
    format!(
        "<tr class=\"row {0}\" data-link=\"{number}\" data-state=\"{0}\"><th scope=\"row\"><span>{1}</span></th><td \
         data-key=\"{order}\"><span class=\"state\">{2}</span>{since}</td><td>{3}</td><td class=\"number wide\">{4}</td><td \
         class=\"wide\">{5}</td><td class=\"wide widest\">{6}</td><td class=\"wide widest\">{7}</td><td class=\"wide widest number\" \
         data-key=\"{8}\">{took}</td></tr>\n",
        link.state.id(),
        html(link.name),
        html(link.result),
        html(&link.cause),
        html(&link.account),
        html(&link.principals.join(", ")),
        html(link.role_name()),
        html(&tested),
        link.duration_ms.unwrap_or_default(),
    )
}

/// Returns what was checked beside the links.
fn beside(view: &View<'_>, data: &Data) -> String {
    if view.cases.is_empty() {
        return String::new();
    }
    let source = view.source.map(|account| format!(" {}", html(account))).unwrap_or_default();
    let case = |(number, case): (usize, &super::cases::Case)| {
        let state = match case.outcome {
            super::cases::Outcome::Passed => State::Works,
            super::cases::Outcome::Warned => State::Differs,
            super::cases::Outcome::Failed => State::Refused,
            super::cases::Outcome::Unclear | super::cases::Outcome::Skipped => State::Unclear,
        };
        let remarks: String =
            case.remarks.iter().map(|it| format!("<p class=\"sub muted\">{}</p>", html(it))).collect();
        let parts = if data.has_parts(number) {
            format!("<div class=\"detail sub\" data-parts=\"{number}\"></div>")
        } else {
            String::new()
        };
        format!(
            "<p class=\"{}\"><span class=\"state\">{}{}</span> {}: {}</p>{remarks}{parts}\n",
            state.id(),
            mark(state),
            html(case.outcome.mark()),
            html(&case.title),
            html(&case.evidence)
        )
    };
    let cases: String = view.cases.iter().enumerate().map(case).collect();
    let heading = if view.error.is_some() { "What happened".to_owned() } else { format!("Source account{source}") };
    format!("<section id=\"beside\">\n<h2>{heading}</h2>\n{cases}</section>\n")
}
