//! Whether policies certainly allow no more than others, whatever the request.

use std::collections::BTreeSet;

use super::pattern::Pattern;
use crate::iam::policy::{Effect, Element, PolicyDocument, Statement};

/// Returns whether each statement of `policy` that allows is certainly within one of `others` that allows: the same or
/// fewer actions and resources, and at least its conditions. Denials are not compared.
#[must_use]
pub fn allows_only_what(policy: &PolicyDocument, others: &[&PolicyDocument]) -> bool {
    let allows = |statement: &&Statement| statement.effect == Effect::Allow;
    policy.statements.iter().filter(allows).all(|statement| {
        others.iter().any(|other| {
            let is_same_language = other.version == policy.version || !has_variables(statement);
            is_same_language && other.statements.iter().filter(allows).any(|other| is_within(statement, other))
        })
    })
}

fn is_within(statement: &Statement, other: &Statement) -> bool {
    let conditions = other.condition.iter().all(|(operator, keys)| {
        let found = statement.condition.get(operator);
        keys.iter().all(|(key, values)| {
            let is_same =
                |(found, known): (&String, &BTreeSet<String>)| found.eq_ignore_ascii_case(key) && known == values;
            found.is_some_and(|found| found.iter().any(is_same))
        })
    });
    let resources = match (&statement.resource, &other.resource) {
        (Some(these), Some(those)) => is_covered(these, those, |text| Pattern::of_resource(text, None)),
        (these, those) => these == those,
    };
    let action = |text: &str| Some(Pattern::with_wildcards(&text.to_ascii_lowercase()));
    conditions && resources && is_covered(&statement.action, &other.action, action)
}

/// Returns whether an element certainly matches only what the other one matches.
fn is_covered(
    these: &Element<BTreeSet<String>>,
    those: &Element<BTreeSet<String>>,
    pattern: impl Fn(&str) -> Option<Pattern>,
) -> bool {
    match (these, those) {
        (_, Element::Is(those)) if those.contains("*") => true,
        (Element::Is(these), Element::Is(those)) => these.iter().all(|text| {
            let covers = |other: &String| {
                // The value of a variable is not known.
                let is_plain = !text.contains("${") && !other.contains("${");
                is_plain && pattern(text).zip(pattern(other)).is_some_and(|(text, other)| other.covers(&text))
            };
            those.contains(text) || those.iter().any(covers)
        }),
        // What is excepted stays excepted.
        (Element::Not(these), Element::Not(those)) => those.is_subset(these),
        _ => false,
    }
}

fn has_variables(statement: &Statement) -> bool {
    statement.to_value().to_string().contains("${")
}

#[cfg(test)]
mod tests;
