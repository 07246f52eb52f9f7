//! Removes from a document what no report may show: external IDs always, account IDs on request.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::Value;

use crate::diagnosis::Masks;

/// Stands for an external ID of `xacct.toml`.
const EXTERNAL_ID: &str = "EXTERNAL_ID";
/// Stands for any other external ID, such as that of a policy which somebody changed.
const OTHER_EXTERNAL_ID: &str = "OTHER_EXTERNAL_ID";
/// Stands for a pattern of external IDs in a policy.
const EXTERNAL_ID_PATTERN: &str = "EXTERNAL_ID_PATTERN";
/// Shorter external IDs may be any word: they are only replaced between quotes, or in a text about external IDs.
const TELLING: usize = 8;
/// What such a text has.
const ABOUT: [&str; 4] = ["external id", "external-id", "external_id", "externalid"];
/// What precedes an external ID that is also a name.
const LABELS: [&str; 8] = [
    "external ID changes from ",
    "external-id ",
    "external-id '",
    "external-id=",
    "external ID ",
    "external ID `",
    "external_id = \"",
    "sts:ExternalId `",
];
const QUOTES: [char; 3] = ['`', '"', '\''];
/// The beginnings of IDs that tell the account to those who can decode them: of users, roles, groups, policies, keys.
const UNIQUE_IDS: [&str; 12] =
    ["AGPA", "AIDA", "AIPA", "ANPA", "ANVA", "APKA", "AROA", "ASCA", "AKIA", "ASIA", "ABIA", "ACCA"];
/// The minimum length of such an ID.
const UNIQUE_ID: usize = 16;

/// What to hide.
#[derive(Debug, Clone, Default)]
pub struct Hiding {
    /// The external IDs of `xacct.toml`.
    pub external_ids: BTreeSet<String>,
    /// Whether to hide account IDs, too.
    pub accounts: bool,
}

impl Hiding {
    /// Hides it in these documents; an account has the same placeholder in all of them.
    pub fn hide(mut self, documents: &mut [&mut Value]) {
        let (declared, mut public) = (self.external_ids.clone(), BTreeSet::new());
        for document in documents.iter() {
            self.collect(document);
            collect_public(document, &mut public);
        }
        let ids = ExternalIds::new(&self.external_ids, declared, &public);
        for document in documents.iter_mut() {
            ids.hide(document, false);
        }
        if self.accounts {
            let mut masks = Masks::in_words();
            // First, so that account IDs within longer numbers are known.
            documents.iter().for_each(|document| learn(document, &mut masks));
            for document in documents.iter_mut() {
                masks.hide(document);
                hide_unique_ids(document);
            }
        }
    }

    /// Collects the external IDs that a document has in fields of their own, and in conditions of policies.
    fn collect(&mut self, value: &Value) {
        match value {
            Value::Object(members) => members.iter().for_each(|(key, member)| match is_external_id(key) {
                true => self.external_ids.extend(strings(member).map(str::to_owned)),
                false => self.collect(member),
            }),
            Value::Array(list) => list.iter().for_each(|item| self.collect(item)),
            _ => {}
        }
    }
}

fn is_external_id(key: &str) -> bool {
    key.eq_ignore_ascii_case("sts:ExternalId") || ["external_id", "old_external_ids"].contains(&key)
}

/// Returns a string, or those of a list.
fn strings(value: &Value) -> impl Iterator<Item = &str> {
    let list = value.as_array().into_iter().flatten().filter_map(Value::as_str);
    value.as_str().into_iter().chain(list)
}

/// Collects the names that a report shows anyway: an external ID that equals one of them is no secret.
fn collect_public(document: &Value, public: &mut BTreeSet<String>) {
    let targets = document.get("targets").and_then(Value::as_object).into_iter().flatten();
    for (name, target) in targets {
        public.insert(name.clone());
        let fields = ["account", "role_arn", "role", "principals", "user"];
        let values = fields.into_iter().filter_map(|field| target.get(field)).flat_map(strings);
        public.extend(values.map(str::to_owned));
    }
    public.extend(document.pointer("/source/account").and_then(Value::as_str).map(str::to_owned));
}

/// External IDs, found by their first bytes and their length.
struct ExternalIds {
    ids: HashSet<String>,
    /// The lengths of those that begin with these bytes, the longest first.
    lengths: HashMap<Vec<u8>, BTreeSet<Reverse<usize>>>,
    /// How many bytes these are.
    start: usize,
    /// Those of `xacct.toml`.
    declared: BTreeSet<String>,
    /// Those that are also names.
    named: HashSet<String>,
}

impl ExternalIds {
    fn new(ids: &BTreeSet<String>, declared: BTreeSet<String>, public: &BTreeSet<String>) -> Self {
        let ids: HashSet<_> = ids.iter().filter(|id| is_id(id)).cloned().collect();
        let start = ids.iter().map(String::len).min().unwrap_or_default().min(TELLING);
        let mut found = Self { ids, lengths: HashMap::new(), start, declared, named: HashSet::new() };
        for id in &found.ids {
            let start = id.as_bytes().get(..start).unwrap_or_default().to_vec();
            found.lengths.entry(start).or_default().insert(Reverse(id.len()));
        }
        let rests = public.iter().flat_map(|name| name.char_indices().filter_map(|(at, _)| name.get(at..)));
        found.named = rests.flat_map(|rest| found.beginning(rest)).map(str::to_owned).collect();
        found
    }

    /// Returns those with which a text begins, the longest first: of several, it is meant.
    fn beginning<'a>(&'a self, text: &'a str) -> impl Iterator<Item = &'a str> {
        let start = text.as_bytes().get(..self.start);
        let lengths = start.and_then(|start| self.lengths.get(start)).into_iter().flatten();
        lengths.filter_map(|Reverse(length)| self.ids.get(text.get(..*length)?).map(String::as_str))
    }

    /// Hides them in a value; `is_one` says that every string of it is one.
    fn hide(&self, value: &mut Value, is_one: bool) {
        match value {
            Value::String(text) if is_one && is_id(text) => *text = self.placeholder(text).to_owned(),
            Value::String(text) => {
                if let Some(hidden) = self.hidden(text) {
                    *text = hidden;
                }
            }
            Value::Array(list) => list.iter_mut().for_each(|item| self.hide(item, is_one)),
            Value::Object(members) => {
                members.iter_mut().for_each(|(key, member)| self.hide(member, is_external_id(key)));
            }
            _ => {}
        }
    }

    fn placeholder(&self, id: &str) -> &'static str {
        match self.declared.contains(id) {
            true => EXTERNAL_ID,
            // That it is a pattern may be the problem.
            false if id.contains(['*', '?']) => EXTERNAL_ID_PATTERN,
            false => OTHER_EXTERNAL_ID,
        }
    }

    /// Returns the text without them; `None` if it has none.
    fn hidden(&self, text: &str) -> Option<String> {
        if self.ids.is_empty() {
            return None;
        }
        let words = text.to_ascii_lowercase();
        let is_about = ABOUT.iter().any(|about| words.contains(about));
        let (mut out, mut at, mut copied) = (String::new(), 0, 0);
        while at < text.len() {
            match self.at(text, at, is_about) {
                Some(id) => {
                    out.push_str(text.get(copied..at).unwrap_or_default());
                    out.push_str(self.placeholder(id));
                    at += id.len();
                    copied = at;
                }
                None => at += 1,
            }
        }
        (copied > 0).then(|| out + text.get(copied..).unwrap_or_default())
    }

    /// Returns the external ID that begins here, if it is one in a text that is about external IDs, or is not.
    fn at<'a>(&'a self, text: &'a str, at: usize, is_about: bool) -> Option<&'a str> {
        let rest = text.get(at..)?;
        let before = text.get(..at)?;
        let is_it = |id: &&str| {
            let after = rest.get(id.len()..).unwrap_or_default();
            let is_word = !before.ends_with(char::is_alphanumeric) && !after.starts_with(char::is_alphanumeric);
            let is_labelled = LABELS.iter().any(|label| before.ends_with(label));
            let is_quoted = before.ends_with(QUOTES) && after.starts_with(QUOTES);
            match (self.named.contains(*id), id.len() >= TELLING) {
                (true, _) => is_word && is_labelled,
                (false, true) => true,
                (false, false) => is_word && (is_about || is_quoted),
            }
        };
        self.beginning(rest).find(is_it)
    }
}

/// Returns whether this can be an external ID: without a letter or a digit it is the pattern of any.
fn is_id(text: &str) -> bool {
    text.contains(char::is_alphanumeric)
}

/// Learns every account ID that is a number of its own.
fn learn(value: &Value, masks: &mut Masks) {
    match value {
        Value::Array(list) => list.iter().for_each(|item| learn(item, masks)),
        Value::Object(members) => {
            for (key, member) in members {
                // A copy, because learning is hiding without a result.
                masks.hide(&mut Value::String(key.clone()));
                learn(member, masks);
            }
        }
        Value::String(_) => masks.hide(&mut value.clone()),
        _ => {}
    }
}

fn hide_unique_ids(value: &mut Value) {
    match value {
        Value::String(text) => *text = without_unique_ids(text),
        Value::Array(list) => list.iter_mut().for_each(hide_unique_ids),
        Value::Object(members) => members.values_mut().for_each(hide_unique_ids),
        _ => {}
    }
}

/// Returns the text with only the kind of each unique ID: `AROA…`.
fn without_unique_ids(text: &str) -> String {
    let mut out = String::new();
    let is_part = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
    let mut rest = text;
    while let Some(start) = rest.find(is_part) {
        let (before, from) = rest.split_at(start);
        let (word, after) = from.split_at(from.find(|c| !is_part(c)).unwrap_or(from.len()));
        let kind = UNIQUE_IDS.into_iter().find(|kind| word.starts_with(kind) && word.len() >= UNIQUE_ID);
        out.push_str(before);
        match kind {
            Some(kind) => {
                out.push_str(kind);
                out.push('…');
            }
            None => out.push_str(word),
        }
        rest = after;
    }
    out + rest
}
