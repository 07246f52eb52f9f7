//! Patterns with `*`, `?` and policy variables.

use super::Context;

/// Text of a policy, ready to be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern(Vec<Token>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    /// This character. What a variable stands for is text, even where it is `*`.
    Text(char),
    /// `?`: any one character.
    One,
    /// `*`: any characters, or none.
    Any,
}

impl Pattern {
    /// Reads text in which `*` and `?` are wildcards and nothing else is special.
    pub fn literal_with_wildcards(text: &str) -> Self {
        Self(text.chars().map(wildcard).collect())
    }

    /// Reads text with wildcards, and with policy variables if there is a context to fill them from. `None` when the
    /// context lacks one that has no default.
    pub fn parse(text: &str, context: Option<&Context>) -> Option<Self> {
        let Some(context) = context else { return Some(Self::literal_with_wildcards(text)) };
        let mut tokens = Vec::new();
        let mut rest = text;
        while let Some((before, variable, after)) = variable(rest) {
            tokens.extend(before.chars().map(wildcard));
            tokens.extend(value_of(variable, context)?.chars().map(Token::Text));
            rest = after;
        }
        tokens.extend(rest.chars().map(wildcard));
        Some(Self(tokens))
    }

    /// The text that the pattern stands for when its wildcards are plain characters, as `StringEquals` reads it.
    pub fn as_text(&self) -> String {
        let character = |token: &Token| match token {
            Token::Text(c) => *c,
            Token::One => '?',
            Token::Any => '*',
        };
        self.0.iter().map(character).collect()
    }

    /// Whether the whole of `text` matches.
    pub fn matches(&self, text: &str) -> bool {
        matches(&self.0, &text.chars().collect::<Vec<_>>())
    }

    /// Whether an ARN matches: each of the first five parts by itself, so that a wildcard in one does not reach into
    /// the next (IAM User Guide, "ARN condition operators"). What does not look like an ARN, such as `*`, is compared
    /// whole.
    pub fn matches_arn(&self, arn: &str) -> bool {
        let characters: Vec<_> = arn.chars().collect();
        let parts = split(&self.0, |token| *token == Token::Text(':'));
        let found = split(&characters, |c| *c == ':');
        match (parts, found) {
            (Some(parts), Some(found)) => parts.iter().zip(found).all(|(part, found)| matches(part, found)),
            _ => matches(&self.0, &characters),
        }
    }
}

fn wildcard(c: char) -> Token {
    match c {
        '*' => Token::Any,
        '?' => Token::One,
        c => Token::Text(c),
    }
}

/// The six parts of an ARN; the last may have colons of its own.
fn split<T>(text: &[T], is_colon: impl Fn(&T) -> bool) -> Option<[&[T]; 6]> {
    let parts: Vec<_> = text.splitn(6, is_colon).collect();
    parts.try_into().ok()
}

fn variable(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("${")?;
    let (variable, after) = rest.split_once('}')?;
    Some((before, variable, after))
}

/// `${*}`, `${?}` and `${$}` are these characters; `${key, 'default'}` has a default (IAM User Guide, policy variables).
fn value_of(variable: &str, context: &Context) -> Option<String> {
    if matches!(variable, "*" | "?" | "$") {
        return Some(variable.to_owned());
    }
    let (key, default) = match variable.split_once(',') {
        Some((key, default)) => {
            (key.trim(), default.trim().strip_prefix('\'').and_then(|text| text.strip_suffix('\'')))
        }
        None => (variable, None),
    };
    // A variable with several values has no single text to stand for.
    match context.get(key) {
        [one] => Some(one.clone()),
        _ => default.map(str::to_owned),
    }
}

/// Goes back only to the last `*`, so the time is bounded by the product of the lengths, whatever the pattern.
fn matches(pattern: &[Token], text: &[char]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(c) = text.get(t) {
        match pattern.get(p) {
            Some(Token::Any) => {
                star = Some((p + 1, t));
                p += 1;
            }
            Some(Token::One) => (p, t) = (p + 1, t + 1),
            Some(Token::Text(wanted)) if wanted == c => (p, t) = (p + 1, t + 1),
            _ => match star {
                Some((after, matched)) => {
                    star = Some((after, matched + 1));
                    (p, t) = (after, matched + 1);
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|token| *token == Token::Any)
}
