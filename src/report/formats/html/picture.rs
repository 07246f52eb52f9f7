//! The links as a picture: principals on the left, roles in target accounts on the right.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::report::formats::code::html;
use crate::report::formats::link::{Link, Question, State};
use crate::report::formats::view::View;

/// More nodes than this on a side are drawn as one.
const MOST: usize = 24;
/// The size of the picture and its nodes.
const WIDTH: usize = 920;
const LEFT: usize = 270;
const RIGHT: usize = 580;
const GAP: usize = 14;
const HEIGHT: usize = 46;
const TOP: usize = 40;

/// A node on the right: a link, or all others in one state.
struct Node<'a> {
    state: State,
    name: String,
    details: String,
    verdict: String,
    /// How many requests the role denied of those that it must deny; empty if none was sent.
    denied: String,
    principals: Vec<&'a str>,
}

/// Returns the section with the picture; empty if there are no links.
pub fn section(view: &View<'_>) -> String {
    if view.links.is_empty() {
        return String::new();
    }
    let (title, description) = match view.question {
        Question::Refusal => ("Who must not get in", "links that must deny the caller"),
        _ => ("Who can get where", "links of principals to roles in other accounts"),
    };
    format!(
        "<section id=\"picture\">\n<h2>{title}</h2>\n<div class=\"picture\" tabindex=\"0\" role=\"region\" \
         aria-label=\"Picture of the links\">{}</div>\n</section>\n",
        drawn(view, description)
    )
}

fn drawn(view: &View<'_>, description: &str) -> String {
    let nodes = nodes(view);
    let (principals, place) = principals(&nodes);
    let has_others = nodes.iter().any(|node| node.state == State::TooOpen) && view.question != Question::Refusal;
    let lefts = principals.len() + usize::from(has_others);
    let rows = nodes.len().max(lefts);
    let height = TOP + rows * (HEIGHT + GAP) + GAP;
    // The shorter side is in the middle.
    let y = |index: usize, of: usize| TOP + (rows - of) * (HEIGHT + GAP) / 2 + index * (HEIGHT + GAP) + HEIGHT / 2;
    let mut edges = String::new();
    for (index, node) in nodes.iter().enumerate() {
        let to = y(index, nodes.len());
        let mut from: Vec<_> = node.principals.iter().filter_map(|principal| place.get(principal)).copied().collect();
        from.sort_unstable();
        from.dedup();
        if node.state == State::TooOpen && has_others {
            from.push(principals.len());
        }
        for from in from {
            edge(&mut edges, node.state, y(from, lefts), to);
        }
    }
    let mut boxes = String::new();
    for (index, name) in principals.iter().enumerate() {
        left(&mut boxes, "principal", name, y(index, lefts));
    }
    if has_others {
        left(&mut boxes, "others", "others, who must be denied", y(principals.len(), lefts));
    }
    for (index, node) in nodes.iter().enumerate() {
        right(&mut boxes, node, y(index, nodes.len()));
    }
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{}\"><text class=\"small\" x=\"20\" \
         y=\"24\">principals</text><text class=\"small\" x=\"{RIGHT}\" y=\"24\">target accounts</text>{edges}{boxes}</svg>",
        html(&format!("{description}: {}", view.sentence()))
    )
}

/// Returns a node for each link; of many links, only for those that somebody should look at.
fn nodes<'a>(view: &'a View<'_>) -> Vec<Node<'a>> {
    let all = || State::ALL.into_iter().flat_map(|state| view.in_state(state));
    if view.links.len() <= MOST {
        return all().map(node).collect();
    }
    let problems: Vec<_> = view.problems();
    let (single, rest): (Vec<_>, Vec<_>) = all().partition(|link| link.state != State::Works && problems.len() < MOST);
    let mut nodes: Vec<_> = single.into_iter().map(node).collect();
    for state in State::ALL {
        let of_state: Vec<_> = rest.iter().filter(|link| link.state == state).collect();
        if of_state.is_empty() {
            continue;
        }
        let mut principals: Vec<_> = of_state.iter().flat_map(|link| link.principals.clone()).collect();
        principals.sort_unstable();
        principals.dedup();
        nodes.push(Node {
            state,
            name: crate::report::console::count(of_state.len(), "link"),
            details: "all of them are in the table".to_owned(),
            verdict: view.question.result(state).to_owned(),
            denied: String::new(),
            principals,
        });
    }
    nodes
}

fn node<'a>(link: &'a Link<'_>) -> Node<'a> {
    let denies = link.cases.iter().filter(|case| case.id.starts_with("refused_"));
    let (mut sent, mut denied) = (0, 0);
    for case in denies {
        sent += usize::from(case.outcome != crate::report::formats::cases::Outcome::Skipped);
        denied += usize::from(case.outcome == crate::report::formats::cases::Outcome::Passed);
    }
    let denied = format!("; denied {denied} of {sent} requests that it must deny");
    Node {
        state: link.state,
        name: link.name.to_owned(),
        details: format!("{} · {}", link.account, link.role_name()),
        verdict: link.result.to_owned(),
        denied: if sent > 0 { denied } else { String::new() },
        principals: link.principals.clone(),
    }
}

/// Returns the names of the nodes on the left, and on which of them each principal is.
fn principals<'a>(nodes: &[Node<'a>]) -> (Vec<String>, BTreeMap<&'a str, usize>) {
    let mut names: Vec<&str> = Vec::new();
    let mut place = BTreeMap::new();
    for principal in nodes.iter().flat_map(|node| &node.principals) {
        let next = names.len().min(MOST);
        if let std::collections::btree_map::Entry::Vacant(entry) = place.entry(*principal) {
            entry.insert(next);
            names.push(principal);
        }
    }
    let more = names.len().saturating_sub(MOST);
    let mut shown: Vec<_> = names.iter().take(MOST).map(|name| (*name).to_owned()).collect();
    if more > 0 {
        shown.push(format!("{more} more principals"));
    }
    (shown, place)
}

fn edge(out: &mut String, state: State, from: usize, to: usize) {
    let (start, end) = (LEFT, RIGHT - 12);
    let bend = (start + end) / 2;
    let _ =
        write!(out, "<path class=\"edge {}\" d=\"M{start} {from}C{bend} {from} {bend} {to} {end} {to}\"/>", state.id());
}

fn left(out: &mut String, class: &str, name: &str, y: usize) {
    let (top, text) = (y - HEIGHT / 2, y + 5);
    let width = LEFT - 20;
    let _ = write!(
        out,
        "<g class=\"{class}\"><title>{}</title><rect class=\"box\" x=\"20\" y=\"{top}\" width=\"{width}\" \
         height=\"{HEIGHT}\" rx=\"7\"/><text class=\"name\" x=\"34\" y=\"{text}\">{}</text></g>",
        html(name),
        html(&fitted(name, 30))
    );
}

fn right(out: &mut String, node: &Node<'_>, y: usize) {
    let (top, first, second) = (y - HEIGHT / 2, y - 5, y + 14);
    let (text, width, end) = (RIGHT + 16, WIDTH - RIGHT - 20, WIDTH - 32);
    let Node { state, name, details, verdict, denied, .. } = node;
    let _ = write!(
        out,
        "<g class=\"{}\"><title>{}</title><rect class=\"box\" x=\"{RIGHT}\" y=\"{top}\" width=\"{width}\" \
         height=\"{HEIGHT}\" rx=\"7\"/><text class=\"name\" x=\"{text}\" y=\"{first}\">{}</text><text class=\"verdict\" \
         x=\"{end}\" y=\"{first}\" text-anchor=\"end\">{}</text><text class=\"small\" x=\"{text}\" y=\"{second}\">{}</text><g \
         transform=\"translate({RIGHT} {y})\"><circle class=\"badge\" r=\"10\"/>{}</g></g>",
        state.id(),
        html(&format!("{name}: {details}: {verdict}{denied}")),
        html(&fitted(name, 26)),
        html(&fitted(verdict, 26)),
        html(&fitted(details, 46)),
        glyph(*state),
    );
}

/// Returns a text that fits into a node.
fn fitted(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Returns the mark of a state, around 0 0.
pub fn glyph(state: State) -> &'static str {
    match state {
        State::Works => "<path class=\"glyph\" d=\"M-4 0.5L-1 3.5L4.5 -3.5\"/>",
        State::Blocked | State::Refused => "<path class=\"glyph\" d=\"M-3.5 -3.5L3.5 3.5M3.5 -3.5L-3.5 3.5\"/>",
        State::TooOpen => "<path class=\"glyph\" d=\"M0 -5V1M0 4.7V4.8\"/>",
        State::Differs => "<path class=\"glyph\" d=\"M-4 -2H4M-4 2H4\"/>",
        State::Unclear => "<path class=\"glyph\" d=\"M-2.5 -2.5C-2.5 -6 3 -6 3 -2.5C3 -0.5 0 -0.5 0 1.5M0 4.7V4.8\"/>",
        State::Failed => "<path class=\"glyph\" d=\"M-4 0H4\"/>",
    }
}
