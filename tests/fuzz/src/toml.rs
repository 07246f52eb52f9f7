//! Mutates `xacct.toml` line by line.

use std::path::Path;

use fastrand::Rng;
use xacct::config::ConfigFile;

use crate::text::{self, changed};

/// Mutates `xacct.toml`.
pub fn mutate(data: &mut [u8], size: usize, most: usize, seed: u32) -> usize {
    let read = |text: &str| ConfigFile::parse(Path::new("xacct.toml"), text.to_owned()).is_ok();
    let change = |text: &str, random: &mut Rng| Some(mutated(text, random));
    let valid = |random: &mut Rng| (*random.choice(VALID).unwrap_or(&"")).to_owned();
    text::mutate(data, size, most, seed, change, valid, read)
}

fn mutated(text: &str, random: &mut Rng) -> String {
    let mut lines: Vec<_> = text.split_inclusive('\n').map(str::to_owned).collect();
    for _ in 0..random.u8(1..4) {
        let place = random.usize(..=lines.len());
        let line = random.choice(LINES).copied().unwrap_or_default();
        match (random.u8(..8), lines.get_mut(place)) {
            (0..3, _) | (_, None) => lines.insert(place, format!("{line}\n")),
            (3, Some(found)) => *found = format!("{line}\n"),
            (4, Some(_)) => drop(lines.remove(place)),
            (5, Some(found)) => {
                let copy = found.clone();
                lines.insert(random.usize(..=lines.len()), copy);
            }
            (6, Some(found)) => *found = changed(found, random),
            // The value alone: the key stays known.
            (_, Some(found)) => match found.split_once('=') {
                Some((key, value)) => *found = format!("{key}={}", changed(value, random)),
                None => *found = found.replace('\n', "\r\n"),
            },
        }
    }
    lines.concat()
}

/// Valid files.
const VALID: &[&str] = &[
    include_str!("../corpus/config/everything"),
    include_str!("../corpus/config/inline"),
    include_str!("../corpus/config/windows"),
    include_str!("../corpus/config/commented"),
    include_str!("../corpus/config/dotted"),
];

/// Settings, headings and comments in several spellings.
const LINES: &[&str] = &[
    "",
    "# a comment",
    "  # é \u{1f600}",
    "[source]",
    "account = \"111111111111\"",
    "account = '222222222222' # its number",
    "user = \"alice\"",
    "profile = \"security admin\"",
    "user_profile = \"\"\"alice\"\"\"",
    "[targets]",
    "[targets.dev]",
    "[targets.\"prod 1\"]",
    "[ targets . 'a' ]",
    "[targets.dev.tags]",
    "[targets.dev.bucket_tags]",
    "targets.c.account = \"333333333333\"",
    "c = { account = \"333333333333\", role = \"other\" }",
    "source = { account = \"111111111111\", user = \"bob\" }",
    "role = \"deployer\"",
    "role_path = \"/team/\"",
    "external_id = \"q7Hc:Zk\"",
    "require_mfa = true",
    "restrict_to_user = false",
    "allow_session_tags = true",
    "policy_arns = [\"PowerUserAccess\"]",
    "policy_arns = [\n  \"PowerUserAccess\", # why\n  \"ReadOnlyAccess\",\n]",
    "policy_files = [\"policies/a.json\"]",
    "permissions_boundary = \"arn:aws:iam::222222222222:policy/boundary\"",
    "max_session_duration = \"2h\"",
    "tags = { team = \"platform\", \"cost center\" = \"\" }",
    "tags.team = \"a\"",
    "region = \"eu-west-1\"",
    "probe = \"identity\"",
    "bucket_tags = { owner = \"me\" }",
    "bucket_namespace = \"account-regional\"",
    "enter_role = \"OrganizationAccountAccessRole\"",
];
