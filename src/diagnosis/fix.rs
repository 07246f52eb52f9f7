//! What to do about a finding: commands and statements, ready to be pasted, and who must do it.

use serde::Serialize;
use serde_json::Value;

use super::Side;
use super::facts::{Facts, OperatorFacts};
use super::statement::{Held, Tie};
use crate::iam::policy::PolicyDocument;
use crate::iam::state::FoundDocument;
use crate::iam::templates;
use crate::text::word;

/// One way to mend something.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fix {
    /// Who must do it.
    pub who: String,
    /// What, in this order.
    pub steps: Vec<FixStep>,
}

/// A step of a fix.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FixStep {
    /// Run this command.
    Run(String),
    /// Write this line into a file, in place of any with that key.
    Write {
        /// The path of the file.
        file: String,
        /// The section, such as `[targets.dev]`.
        section: String,
        /// The line.
        line: String,
    },
    /// Put this statement into a policy.
    Put {
        /// The policy.
        into: String,
        /// The statement.
        statement: Value,
    },
    /// Do this, which no command can do.
    Do(String),
}

impl Fix {
    /// Nothing yet, by whoever answers for this side.
    pub fn by(side: Side, facts: &Facts) -> Self {
        let operator = |what: &str, account: String, operator: &OperatorFacts| {
            let profile = operator.profile.as_ref().map_or_else(String::new, |name| format!(" (profile {name})"));
            format!("the operator of {what} account {account}{profile}")
        };
        let who = match side {
            Side::Source => operator("source", super::source_account(facts), &facts.source.operator),
            Side::Target => operator("target", facts.link.role.account.to_string(), &facts.target.operator),
            Side::Organization => "an administrator of the organization".to_owned(),
            Side::Request | Side::LocalConfiguration => "you".to_owned(),
        };
        Self { who, steps: Vec::new() }
    }

    /// Converges both halves, with these options besides. What xacct did not make must be adopted: bootstrap shows what it
    /// replaces, and asks.
    pub fn bootstrap(facts: &Facts, options: &str) -> Self {
        let adopt = if is_foreign_role(facts) || is_foreign_grant(facts) { " --adopt" } else { "" };
        let options = if options.is_empty() { String::new() } else { format!(" {options}") };
        let account = &facts.link.role.account;
        let command = format!("xacct bootstrap --target-account {account}{options}{adopt}{}", config_option(facts));
        let who = "the operators of both accounts, or one who may write in both".to_owned();
        Self { who, steps: vec![FixStep::Run(command)] }
    }

    /// Adds a command.
    pub fn run(mut self, command: impl Into<String>) -> Self {
        self.steps.push(FixStep::Run(command.into()));
        self
    }

    /// Proves the link again.
    pub fn verify(self, facts: &Facts, options: &str) -> Self {
        let options = if options.is_empty() { String::new() } else { format!(" {options}") };
        let has_code = !facts.link.require_mfa || options.contains("--mfa-code");
        let code = if has_code { "" } else { " --mfa-code CODE" };
        self.run(format!("xacct verify {}{options}{code}{}", word(&facts.link.name), config_option(facts)))
    }

    /// Adds a line of the target in `xacct.toml`, with this text as the value.
    pub fn write(self, facts: &Facts, key: &str, text: &str) -> Self {
        self.write_value(facts, key, &toml_string(text))
    }

    /// The same with a value that is no text.
    pub fn write_value(self, facts: &Facts, key: &str, value: &str) -> Self {
        let name = &facts.link.name;
        let is_bare = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        let name = if is_bare { name.clone() } else { toml_string(name) };
        self.write_below(facts, format!("[targets.{name}]"), format!("{key} = {value}"))
    }

    /// Adds a line of the source in `xacct.toml`.
    pub fn write_source(self, facts: &Facts, key: &str, text: &str) -> Self {
        self.write_below(facts, "[source]".to_owned(), format!("{key} = {}", toml_string(text)))
    }

    fn write_below(mut self, facts: &Facts, section: String, line: String) -> Self {
        self.steps.push(FixStep::Write { file: facts.link.file.clone(), section, line });
        self
    }

    /// Adds what no command can do.
    pub fn step_do(mut self, words: impl Into<String>) -> Self {
        self.steps.push(FixStep::Do(words.into()));
        self
    }

    /// Replaces the document of a policy; `None` removes the policy.
    pub fn replace(self, facts: &Facts, held: &Held, document: Option<&PolicyDocument>) -> Self {
        let (kind, name) = held.holder.kind_and_name();
        let operator = if kind == "role" { &facts.target.operator } else { &facts.source.operator };
        let profile = profile_option(operator);
        let of_holder = format!("--{kind}-name {}", word(name));
        let written = document.map(|document| word(&document.minified()));
        let command = match (&held.tie, written) {
            (Tie::Trust, Some(document)) => {
                format!("aws iam update-assume-role-policy{profile} {of_holder} --policy-document {document}")
            }
            (Tie::Trust, None) => return self.step_do("write a trust policy for the role"),
            (Tie::Inline(policy), Some(document)) => format!(
                "aws iam put-{kind}-policy{profile} {of_holder} --policy-name {} --policy-document {document}",
                word(policy)
            ),
            (Tie::Inline(policy), None) => {
                format!("aws iam delete-{kind}-policy{profile} {of_holder} --policy-name {}", word(policy))
            }
            (Tie::Boundary(arn), _) if is_of_aws(arn) => {
                return self.step_do(format!("give the {kind} another permissions boundary: {arn} is AWS's own"));
            }
            (Tie::Attached(arn) | Tie::Boundary(arn), Some(document)) if !is_of_aws(arn) => format!(
                "aws iam create-policy-version{profile} --policy-arn {} --set-as-default --policy-document {document}",
                word(arn)
            ),
            (Tie::Attached(arn), _) => {
                format!("aws iam detach-{kind}-policy{profile} {of_holder} --policy-arn {}", word(arn))
            }
            (Tie::Boundary(_), _) => format!("aws iam delete-{kind}-permissions-boundary{profile} {of_holder}"),
        };
        self.run(command)
    }

    /// Adds a statement to paste.
    pub fn put(mut self, into: String, statement: Value) -> Self {
        self.steps.push(FixStep::Put { into, statement });
        self
    }
}

/// Whether the role is there, and not xacct's.
pub fn is_foreign_role(facts: &Facts) -> bool {
    facts.target.role.present().is_some_and(|role| !role.is_ours)
}

/// Whether the user has an inline policy by the name of the grant that xacct did not write.
fn is_foreign_grant(facts: &Facts) -> bool {
    let grant = facts.source.policies.inline.present().and_then(|policies| policies.get(templates::GRANT_POLICY));
    let is_ours = |found: &FoundDocument| found.policy().is_some_and(|it| it.statement(templates::LINK_SID).is_some());
    grant.and_then(|grant| grant.present()).is_some_and(|grant| !is_ours(grant))
}

fn is_of_aws(policy: &str) -> bool {
    policy.contains(":iam::aws:policy/")
}

/// ` --profile NAME`, where the operator has a profile.
pub fn profile_option(operator: &OperatorFacts) -> String {
    operator.profile.as_ref().map_or_else(String::new, |name| format!(" --profile {}", word(name)))
}

fn config_option(facts: &Facts) -> String {
    let file = &facts.link.file;
    if file == "xacct.toml" { String::new() } else { format!(" --config {}", word(file)) }
}

/// A text as TOML takes it: its escapes are those of JSON, and more.
fn toml_string(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}
