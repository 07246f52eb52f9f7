//! Patterns with `*`, `?` and policy variables.

use super::request::Context;

/// A parsed pattern from a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::iam) struct Pattern(Vec<Token>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    /// This character. The value of a variable is plain text, even if it is `*`.
    Text(char),
    /// `?`: any one character; `colon` says whether also a colon.
    One { colon: bool },
    /// `*`: any number of characters; `colons` says whether also colons.
    Any { colons: bool },
}

impl Pattern {
    /// Parses text in which only `*` and `?` are special.
    pub fn with_wildcards(text: &str) -> Self {
        Self(wildcards(text).collect())
    }

    /// Parses text with wildcards, and with policy variables if there is a context with their values. Returns `None` if
    /// the context lacks a variable without default: "there is no equal or like value" (IAM User Guide, "Policy
    /// variables with no value").
    pub fn with_variables(text: &str, context: Option<&Context>) -> Option<Self> {
        let Some(context) = context else { return Some(Self::with_wildcards(text)) };
        let mut tokens = Vec::new();
        let mut rest = text;
        while let Some((before, variable, after)) = variable(rest) {
            tokens.extend(wildcards(before));
            tokens.extend(value_of(variable, context)?.chars().map(Token::Text));
            rest = after;
        }
        tokens.extend(wildcards(rest));
        Some(Self(tokens))
    }

    /// Returns whether a context has a value for every policy variable in a text, so that no default is used.
    pub fn has_values(text: &str, context: &Context) -> bool {
        variables(text).all(|key| context.get(key).len() == 1)
    }

    /// Parses an ARN of a `Resource` element.
    ///
    /// Wildcards match characters within one colon-delimited segment, but: "If the `*` wildcard is the last character
    /// of a resource ARN segment, it can expand to match beyond the colon boundaries" (IAM User Guide, Resource). So
    /// `arn:*`, `arn:aws:iam::*` and `arn:aws:iam::*:role/x` match beyond their segment, and `arn:aws:iam::1*1:role/x`
    /// does not. The resource after the fifth colon is one segment, even with colons. Only that segment may have
    /// variables (IAM User Guide, "Where you can use policy variables"); elsewhere they are plain text, which no ARN
    /// contains.
    pub fn of_resource(text: &str, context: Option<&Context>) -> Option<Self> {
        let fifth_colon = text.match_indices(':').nth(4).map_or(text.len(), |(place, _)| place);
        let (segments, resource) = text.split_at_checked(fifth_colon)?;
        let mut tokens = Vec::new();
        let mut characters = segments.chars().peekable();
        while let Some(c) = characters.next() {
            let is_last = matches!(characters.peek(), None | Some(':'));
            tokens.push(match c {
                '*' => Token::Any { colons: is_last },
                '?' => Token::One { colon: false },
                c => Token::Text(c),
            });
        }
        tokens.extend(Self::with_variables(resource, context)?.0);
        Some(Self(tokens))
    }

    /// Returns the pattern as text with its wildcards as plain characters, as `StringEquals` reads it.
    pub fn as_text(&self) -> String {
        let character = |token: &Token| match token {
            Token::Text(c) => *c,
            Token::One { .. } => '?',
            Token::Any { .. } => '*',
        };
        self.0.iter().map(character).collect()
    }

    /// Returns whether the whole of `text` matches.
    pub fn matches(&self, text: &str) -> bool {
        matches(&self.0, text.chars())
    }

    /// Returns how many wildcards the pattern has.
    pub fn wildcards(&self) -> usize {
        self.0.iter().filter(|token| !matches!(token, Token::Text(_))).count()
    }

    /// Returns whether every text that `other` matches matches this pattern; `false` if that is not plain to see.
    ///
    /// If this pattern matches the text of the other one, its stars take whatever the other's wildcards take. A `?` of
    /// this pattern could take a star of the other one for one character.
    pub fn covers(&self, other: &Self) -> bool {
        let has_one = self.0.iter().any(|token| matches!(token, Token::One { .. }));
        self == other || (!has_one && self.matches(&other.as_text()))
    }

    /// Returns whether some text may match both patterns.
    pub fn overlaps(&self, other: &Self) -> bool {
        // The places in `other` that are reachable after each token of this pattern: a star takes any token, and a star
        // of the other pattern takes any token of this one.
        let (wanted, found) = (&self.0, &other.0);
        let skip = |places: &mut Vec<bool>| {
            for (place, token) in found.iter().enumerate() {
                if matches!(token, Token::Any { .. })
                    && places.get(place) == Some(&true)
                    && let Some(next) = places.get_mut(place + 1)
                {
                    *next = true;
                }
            }
        };
        let mut reached = vec![false; found.len() + 1];
        if let Some(first) = reached.first_mut() {
            *first = true;
        }
        skip(&mut reached);
        for token in wanted {
            let mut next = vec![false; found.len() + 1];
            let mut is_reached = false;
            for (place, was) in reached.iter().enumerate() {
                let here = found.get(place);
                if let Token::Any { .. } = token {
                    // The star takes nothing, or all tokens up to here.
                    is_reached |= was;
                    if let Some(next) = next.get_mut(place) {
                        *next = is_reached;
                    }
                } else if *was {
                    let (stays, steps) = match (token, here) {
                        (_, None) => (false, false),
                        (_, Some(Token::Any { .. })) => (true, false),
                        (Token::Text(a), Some(Token::Text(b))) => (false, a == b),
                        _ => (false, true),
                    };
                    for (place, is_next) in [(place, stays), (place + 1, steps)] {
                        if let Some(next) = next.get_mut(place) {
                            *next |= is_next;
                        }
                    }
                }
            }
            skip(&mut next);
            reached = next;
        }
        reached.last() == Some(&true)
    }

    /// Returns whether an ARN matches by the rules of `ArnLike`: "each of the six colon-delimited components of the ARN
    /// is checked separately" (IAM User Guide, "ARN condition operators"). A text with fewer components, such as `*`,
    /// matches no ARN.
    pub fn matches_arn(&self, arn: &str) -> bool {
        let parts: Vec<_> = self.0.splitn(6, |token| *token == Token::Text(':')).collect();
        let found: Vec<_> = arn.splitn(6, ':').collect();
        let is_arn = parts.len() == 6 && found.len() == 6;
        is_arn && parts.iter().zip(found).all(|(part, found)| matches(part, found.chars()))
    }
}

fn wildcards(text: &str) -> impl Iterator<Item = Token> {
    text.chars().map(|c| match c {
        '*' => Token::Any { colons: true },
        '?' => Token::One { colon: true },
        c => Token::Text(c),
    })
}

/// Returns the keys of the policy variables in a text: `aws:username` of `${aws:username, 'nobody'}`. `${*}` has none.
pub fn variables(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    let written = std::iter::from_fn(move || {
        let (_, variable, after) = variable(rest)?;
        rest = after;
        Some(variable)
    });
    written.filter(|variable| !is_character(variable)).map(key_of)
}

/// Splits a text at its first variable.
fn variable(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("${")?;
    let (variable, after) = rest.split_once('}')?;
    Some((before, variable, after))
}

/// Returns the value of a variable. `${*}`, `${?}` and `${$}` are these characters; `${key, 'default'}` has a default
/// after "a comma and space" (IAM User Guide, "Specifying default values").
fn value_of(variable: &str, context: &Context) -> Option<String> {
    if is_character(variable) {
        return Some(variable.to_owned());
    }
    let quoted = |text: &str| text.strip_prefix('\'')?.strip_suffix('\'').map(str::to_owned);
    // "You can't use a multivalued condition key as a variable" (IAM User Guide, policy variables).
    match context.get(key_of(variable)) {
        [one] => Some(one.clone()),
        _ => variable.split_once(", ").and_then(|(_, default)| quoted(default)),
    }
}

fn is_character(variable: &str) -> bool {
    matches!(variable, "*" | "?" | "$")
}

fn key_of(variable: &str) -> &str {
    variable.split_once(", ").map_or(variable, |(key, _)| key)
}

/// Matches in one pass over the text, tracking all reachable places of the pattern, so that the product of the lengths
/// bounds the time.
fn matches(pattern: &[Token], text: impl Iterator<Item = char>) -> bool {
    let (mut reached, mut next) = (Vec::new(), Vec::new());
    reach(0, pattern, &mut reached);
    for c in text {
        for &place in &reached {
            match pattern.get(place) {
                Some(Token::Text(wanted)) if *wanted == c => reach(place + 1, pattern, &mut next),
                Some(Token::One { colon }) if *colon || c != ':' => reach(place + 1, pattern, &mut next),
                Some(Token::Any { colons }) if *colons || c != ':' => reach(place, pattern, &mut next),
                _ => {}
            }
        }
        if next.is_empty() {
            return false;
        }
        std::mem::swap(&mut reached, &mut next);
        next.clear();
    }
    reached.last() == Some(&pattern.len())
}

/// Adds a place, and those after its stars, which may match nothing. Places come in ascending order, so a place that is
/// not above the last is already present.
fn reach(place: usize, pattern: &[Token], reached: &mut Vec<usize>) {
    if reached.last().is_some_and(|last| *last >= place) {
        return;
    }
    let stars = pattern.iter().skip(place).take_while(|token| matches!(token, Token::Any { .. })).count();
    reached.extend(place..=place + stars);
}
