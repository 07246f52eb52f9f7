//! A document as reports show it: links, the source account, and one sentence about all.

use super::cases::{self, Case};
use super::document::{Change, Document, Problem};
use super::link::{Link, Question, State};

/// What a report shows.
pub struct View<'a> {
    pub command: &'a str,
    pub exit_code: u8,
    pub question: Question,
    /// The source account, if the document names it.
    pub source: Option<&'a str>,
    /// What is to change in the source account.
    pub changes: &'a [Change],
    /// What was checked beside the links.
    pub cases: Vec<Case>,
    pub links: Vec<Link<'a>>,
    /// The error that ended the command.
    pub error: Option<&'a Problem>,
}

impl<'a> View<'a> {
    /// Returns what reports show of a document.
    pub fn of(document: &'a Document) -> Self {
        let question = Question::of(document);
        let links = document.targets.iter().map(|(name, target)| Link::of(name, target, question, document));
        let failed = document.error.iter().map(|error| cases::of_error("error", "the command completes", error));
        Self {
            command: &document.command,
            exit_code: document.exit_code,
            question,
            source: document.source.account.as_deref(),
            changes: &document.source.changes,
            cases: failed.chain(cases::of_source(document)).collect(),
            links: links.collect(),
            error: document.error.as_ref(),
        }
    }

    /// Returns when the first test started.
    pub fn started_at(&self) -> Option<&str> {
        self.links.iter().filter_map(|link| link.started_at).min()
    }

    /// Returns the links in this state.
    pub fn in_state(&self, state: State) -> impl Iterator<Item = &Link<'a>> {
        self.links.iter().filter(move |link| link.state == state)
    }

    /// Returns the links that somebody should look at, the worst first.
    pub fn problems(&self) -> Vec<&Link<'a>> {
        let bad = State::ALL.into_iter().filter(|state| *state != State::Works);
        bad.flat_map(|state| self.in_state(state)).collect()
    }

    /// Returns the result in one sentence.
    pub fn sentence(&self) -> String {
        if let Some(error) = self.error {
            return format!("xacct {} ended with an error: {}.", self.command, error.message.trim_end_matches('.'));
        }
        let (all, good) = (self.links.len(), self.in_state(State::Works).count());
        let links = if all == 1 { "link" } else { "links" };
        let mut sentence = match (all, good) {
            (0, _) => "There are no links".to_owned(),
            (1, 1) => format!("The only link {}", self.question.predicate(1)),
            (_, good) if good == all => format!("All {all} links {}", self.question.predicate(all)),
            (_, good) => format!("{good} of {all} {links} {}", self.question.predicate(good)),
        };
        let others = State::ALL.into_iter().filter(|state| *state != State::Works);
        let others = others.filter_map(|state| {
            let number = self.in_state(state).count();
            (number > 0).then(|| format!("{number} {}", noun(self.question, state, number)))
        });
        let others: Vec<_> = others.collect();
        if !others.is_empty() {
            sentence.push_str(&format!("; {}", others.join(", ")));
        }
        let beside: Vec<_> = self.cases.iter().filter(|it| it.outcome.is_problem()).map(Case::problem).collect();
        if !beside.is_empty() {
            sentence.push_str(&format!("; {}", beside.join(", ")));
        }
        sentence + "."
    }
}

fn noun(question: Question, state: State, number: usize) -> &'static str {
    match (question, state, number) {
        (_, State::Differs, 1) => "differs",
        (_, State::Differs, _) => "differ",
        (_, State::Failed, 1) => "ended with an error",
        (_, State::Failed, _) => "ended with errors",
        (_, State::Blocked, _) => "blocked by S3",
        (Question::Refusal, State::TooOpen, 1) => "lets this caller in",
        (Question::Refusal, State::TooOpen, _) => "let this caller in",
        (Question::Evaluation, State::Unclear, _) => "not proven",
        (Question::Evaluation, State::Refused, _) => "not allowed by evaluation",
        (Question::Diagnosis, State::Refused, 1) => "has problems",
        (Question::Diagnosis, State::Refused, _) => "have problems",
        (_, State::Refused, 1) => "does not work",
        (_, State::Refused, _) => "do not work",
        (_, State::TooOpen, 1) => "is too open",
        (_, State::TooOpen, _) => "are too open",
        (_, State::Unclear, _) => "inconclusive",
        (_, State::Works, _) => "as they should be",
    }
}
