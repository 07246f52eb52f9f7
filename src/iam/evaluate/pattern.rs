//! Patterns with `*`, `?` and policy variables.

use super::request::Context;

/// Text of a policy, ready to be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern(Vec<Token>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    /// This character. What a variable stands for is text, even where it is `*`.
    Text(char),
    /// `?`: any one character; a colon too, or not.
    One { colon: bool },
    /// `*`: any characters, or none; colons too, or not.
    Any { colons: bool },
}

impl Pattern {
    /// Reads text in which `*` and `?` are wildcards and nothing else is special.
    pub fn with_wildcards(text: &str) -> Self {
        Self(wildcards(text).collect())
    }

    /// Reads text with wildcards, and with policy variables if there is a context to fill them from. `None` when the
    /// context lacks one that has no default: "there is no equal or like value" (IAM User Guide, "Policy variables
    /// with no value").
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

    /// Reads an ARN of a `Resource` element.
    ///
    /// Wildcards stand for characters within one of the segments that colons part, but: "If the `*` wildcard is the
    /// last character of a resource ARN segment, it can expand to match beyond the colon boundaries" (IAM User Guide,
    /// Resource). So `arn:*`, `arn:aws:iam::*` and `arn:aws:iam::*:role/x` reach into what follows, and
    /// `arn:aws:iam::1*1:role/x` does not. The resource itself, behind the fifth colon, is one segment whatever it
    /// holds. Only there are variables read (IAM User Guide, "Where you can use policy variables"); before, they are
    /// plain text, which no ARN has.
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

    /// Returns the text that the pattern stands for when its wildcards are plain characters, as `StringEquals` reads
    /// it.
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

    /// Returns whether an ARN matches as `ArnLike` reads it: "each of the six colon-delimited components of the ARN is
    /// checked separately" (IAM User Guide, "ARN condition operators"). What has fewer, such as `*`, is no ARN and
    /// matches none.
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

fn variable(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("${")?;
    let (variable, after) = rest.split_once('}')?;
    Some((before, variable, after))
}

/// `${*}`, `${?}` and `${$}` are these characters; `${key, 'default'}` has a default, behind "a comma and space" (IAM
/// User Guide, "Specifying default values").
fn value_of(variable: &str, context: &Context) -> Option<String> {
    if matches!(variable, "*" | "?" | "$") {
        return Some(variable.to_owned());
    }
    let quoted = |text: &str| text.strip_prefix('\'')?.strip_suffix('\'').map(str::to_owned);
    let (key, default) = match variable.split_once(", ") {
        Some((key, default)) => (key, quoted(default)),
        None => (variable, None),
    };
    // "You can't use a multivalued condition key as a variable" (IAM User Guide, policy variables).
    match context.get(key) {
        [one] => Some(one.clone()),
        _ => default,
    }
}

/// Goes through the text once, keeping all places of the pattern that can be reached by then. So the time is bounded by
/// the product of the lengths, whatever the pattern.
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

/// Adds a place, and those behind its stars, which may stand for nothing. Places come in ascending order, so one that
/// is not above the last is there already.
fn reach(place: usize, pattern: &[Token], reached: &mut Vec<usize>) {
    if reached.last().is_some_and(|last| *last >= place) {
        return;
    }
    let stars = pattern.iter().skip(place).take_while(|token| matches!(token, Token::Any { .. })).count();
    reached.extend(place..=place + stars);
}
