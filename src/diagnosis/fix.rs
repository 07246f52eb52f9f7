//! What to do about a finding: commands and statements, ready to be pasted, and who must do it.

use serde::Serialize;
use serde_json::Value;

use super::cause::Side;
use super::facts::{Facts, OperatorFacts};
use super::statement::{Attachment, Identity, PolicyRef};
use crate::iam::policy::PolicyDocument;
use crate::iam::state::FoundDocument;
use crate::iam::templates;
use crate::text::on_one_line;
use crate::text::shell::ShellCommand;

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
    Run(ShellCommand),
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

/// What bootstrap is to change besides what the file says.
#[derive(Clone, PartialEq, Eq)]
pub enum BootstrapWith {
    /// Nothing.
    Nothing,
    /// Sessions may have tags.
    SessionTags,
    /// Sessions may last this long.
    MaxSessionDuration(String),
}

/// What verify needs besides the name of the link.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum VerifyWith {
    /// Nothing but a code where the link requires MFA.
    Nothing,
    /// A code, whatever the file says.
    MfaCode,
    /// A region that is not known here.
    OtherRegion,
}

impl Fix {
    /// Nothing yet, by whoever answers for this side.
    pub fn by(side: Side, facts: &Facts) -> Self {
        let operator = |what: &str, account: String, operator: &OperatorFacts| {
            let profile = operator.profile.as_ref().map_or_else(String::new, |name| format!(" (profile {name})"));
            format!("the operator of {what} account {account}{profile}")
        };
        let who = match side {
            Side::Source => operator("source", facts.source_account(), &facts.source.operator),
            Side::Target => operator("target", facts.link.role.account.to_string(), &facts.target.operator),
            Side::Organization => "an administrator of the organization".to_owned(),
            Side::Request | Side::LocalConfiguration => "you".to_owned(),
        };
        Self { who, steps: Vec::new() }
    }

    /// Runs bootstrap, which brings both halves to what the file says. What xacct did not make must be adopted: bootstrap
    /// shows what it replaces, and asks.
    pub fn bootstrap(facts: &Facts, with: BootstrapWith) -> Self {
        let command = ShellCommand::new("xacct").arg("bootstrap").option("--target-account", &facts.link.role.account);
        let command = match with {
            BootstrapWith::Nothing => command,
            BootstrapWith::SessionTags => command.flag("--allow-session-tags"),
            BootstrapWith::MaxSessionDuration(duration) => command.option("--max-session-duration", duration),
        };
        let is_foreign = is_foreign_role(facts) || is_foreign_grant(facts);
        let command = if is_foreign { command.flag("--adopt") } else { command };
        let who = "the operators of both accounts, or one who may write in both".to_owned();
        Self { who, steps: vec![FixStep::Run(command.option_if("--config", config_file(facts)))] }
    }

    /// Adds a command.
    pub fn run(mut self, command: ShellCommand) -> Self {
        self.steps.push(FixStep::Run(command));
        self
    }

    /// Proves the link again.
    pub fn verify(self, facts: &Facts, with: VerifyWith) -> Self {
        let command = ShellCommand::new("xacct").arg("verify").arg(&facts.link.name);
        let command = if with == VerifyWith::OtherRegion { command.option("--region", "REGION") } else { command };
        let needs_code = with == VerifyWith::MfaCode || facts.link.require_mfa;
        let command = if needs_code { command.option("--mfa-code", "CODE") } else { command };
        self.run(command.option_if("--config", config_file(facts)))
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
    pub fn replace(self, facts: &Facts, policy: &PolicyRef, document: Option<&PolicyDocument>) -> Self {
        let (kind, name) = policy.identity.kind_and_name();
        let document = document.map(|document| on_one_line(&document.minified()).into_owned());
        let operator = match policy.identity {
            Identity::Role(_) => &facts.target.operator,
            Identity::User(_) | Identity::Group(_) => &facts.source.operator,
        };
        let iam = |operation: &str| aws(operator, "iam", operation);
        let of_identity = |operation: &str| {
            let name_option = match policy.identity {
                Identity::User(_) => "--user-name",
                Identity::Group(_) => "--group-name",
                Identity::Role(_) => "--role-name",
            };
            iam(operation).option(name_option, name)
        };
        let command = match (&policy.attachment, document) {
            (Attachment::Trust, Some(document)) => {
                of_identity("update-assume-role-policy").option("--policy-document", document)
            }
            (Attachment::Trust, None) => return self.step_do("write a trust policy for the role"),
            (Attachment::Inline(policy), Some(document)) => of_identity(&format!("put-{kind}-policy"))
                .option("--policy-name", policy)
                .option("--policy-document", document),
            (Attachment::Inline(policy), None) => {
                of_identity(&format!("delete-{kind}-policy")).option("--policy-name", policy)
            }
            (Attachment::Boundary(arn), _) if is_of_aws(arn) => {
                return self.step_do(format!("give the {kind} another permissions boundary: {arn} is AWS's own"));
            }
            (Attachment::Attached(arn) | Attachment::Boundary(arn), Some(document)) if !is_of_aws(arn) => {
                iam("create-policy-version")
                    .option("--policy-arn", arn)
                    .flag("--set-as-default")
                    .option("--policy-document", document)
            }
            (Attachment::Attached(arn), _) => of_identity(&format!("detach-{kind}-policy")).option("--policy-arn", arn),
            (Attachment::Boundary(_), _) => of_identity(&format!("delete-{kind}-permissions-boundary")),
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

/// Whether a managed policy is AWS's own.
pub fn is_of_aws(policy: &str) -> bool {
    policy.contains(":iam::aws:policy/")
}

/// A command of the AWS CLI, with the credentials of this operator.
pub fn aws(operator: &OperatorFacts, service: &str, operation: &str) -> ShellCommand {
    ShellCommand::new("aws").arg(service).arg(operation).option_if("--profile", operator.profile.as_ref())
}

/// The path of `xacct.toml`, where it is not the one that is read anyway.
fn config_file(facts: &Facts) -> Option<&str> {
    Some(facts.link.file.as_str()).filter(|file| *file != "xacct.toml")
}

/// A text as TOML takes it: its escapes are those of JSON, and more.
fn toml_string(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}
