//! Statements that deny, together for each policy: a fix replaces a document as a whole, so one fix must spare the request
//! from all of them.

use crate::diagnosis::finding::{Evidence, Finding};
use crate::diagnosis::statement::StatementRef;
use crate::diagnosis::verdict::Evaluation;

/// The statements of one policy that deny the request.
pub struct Denials<'e, 'a> {
    /// The first of them.
    pub place: &'e StatementRef<'a>,
    /// Each statement, with the first action that it denies.
    places: Vec<(&'e StatementRef<'a>, &'e str)>,
}

/// Returns the statements of these evaluations that deny and that `counts` accepts, by policy. The evaluations are of the
/// same policies, each for another action.
pub fn by_policy<'e, 'a: 'e>(
    evaluations: impl IntoIterator<Item = &'e Evaluation<'a>>,
    counts: impl Fn(&StatementRef<'a>) -> bool,
) -> Vec<Denials<'e, 'a>> {
    let mut groups: Vec<Denials<'e, 'a>> = Vec::new();
    for evaluation in evaluations {
        for place in evaluation.denies.iter().filter(|place| counts(place)) {
            match groups.iter_mut().find(|group| group.place.policy == place.policy) {
                Some(group) if group.places.iter().any(|(known, _)| known.number == place.number) => {}
                Some(group) => group.places.push((place, &evaluation.action)),
                None => groups.push(Denials { place, places: vec![(place, &evaluation.action)] }),
            }
        }
    }
    groups
}

impl<'e, 'a> Denials<'e, 'a> {
    /// Returns all statements.
    pub fn places(&self) -> Vec<&'e StatementRef<'a>> {
        self.places.iter().map(|(place, _)| *place).collect()
    }

    /// Returns the action that the first statement denies.
    pub fn action(&self) -> &'e str {
        self.places.first().map_or("", |(_, action)| action)
    }

    /// Returns whether one of the statements denies this action before all others.
    pub fn are_of(&self, action: &str) -> bool {
        self.places.iter().any(|(_, denied)| *denied == action)
    }

    /// Returns `statement 2 (No) of the inline policy deny of user alice denies sts:AssumeRole`.
    pub fn words(&self) -> String {
        let policy = self.place.policy.words();
        let mut actions: Vec<_> = self.places.iter().map(|(_, action)| *action).collect();
        actions.dedup();
        let actions = actions.join(" and ");
        match &self.places[..] {
            [(place, _)] => format!("{} of the {policy} denies {actions}", place.numbered()),
            places => {
                let numbers: Vec<_> = places.iter().map(|(place, _)| place.numbered()).collect();
                format!("{} of the {policy} deny {actions}", numbers.join(" and "))
            }
        }
    }

    /// Adds the statements to a finding.
    pub fn shown_by(&self, finding: Finding) -> Finding {
        self.places.iter().map(|(place, _)| Evidence::denial(place)).fold(finding, Finding::because)
    }
}
