//! Fixes of a finding: commands and statements, ready to paste, and who must apply them.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::cause::Side;
use super::facts::{Facts, LinkFacts, OperatorFacts};
use super::join::Part;
use super::statement::{Attachment, Identity, PolicyRef};
use crate::environment;
use crate::iam::arn::PrincipalRef;
use crate::iam::names::MaxSessionDuration;
use crate::iam::plan::teardown::has_own_statement;
use crate::iam::policy::PolicyDocument;
use crate::iam::state::FoundDocument;
use crate::iam::templates;
use crate::text::on_one_line;
use crate::text::shell::ShellCommand;

/// One way to fix a finding.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fix {
    /// Who must apply it.
    pub who: String,
    /// The steps, in order.
    pub steps: Vec<FixStep>,
}

/// A step of a fix.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FixStep {
    /// Run this command.
    Run(ShellCommand),
    /// Set this line in a file, replacing any line with the same key.
    Write {
        /// The path of the file.
        file: String,
        /// The section, such as `[targets.dev]`.
        section: String,
        /// The line.
        line: String,
    },
    /// Add this statement to a policy.
    Put {
        /// The policy.
        into: String,
        /// The statement.
        statement: Value,
    },
    /// Do this manually.
    Do(String),
}

/// What bootstrap repairs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Half {
    /// The grant.
    Source,
    /// The role.
    Target,
    /// Both, because neither alone is enough.
    Both,
}

/// What bootstrap changes in addition to what the file says.
#[derive(Clone, PartialEq, Eq)]
pub enum BootstrapWith {
    /// Nothing.
    Nothing,
    /// Allow session tags.
    SessionTags,
    /// Allow the test bucket.
    TestBucket,
    /// Allow sessions of this duration.
    MaxSessionDuration(String),
}

/// What verify needs in addition to the name of the link.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum VerifyWith {
    /// Nothing except a code if the link requires MFA.
    Nothing,
    /// A code, even if the file does not require MFA.
    MfaCode,
    /// A Region that xacct does not know.
    OtherRegion,
}

impl Fix {
    /// Returns a fix without steps for whoever is responsible for this side.
    pub fn by(side: Side, facts: &Facts) -> Self {
        let operator = |what: &str, account: String, operator: &OperatorFacts| {
            let profile = operator.profile.as_ref().map_or_else(String::new, |name| format!(", profile {name}"));
            format!("operator of {what} account {account}{profile}")
        };
        let who = match side {
            Side::Source => operator("source", facts.source_account(), &facts.source.operator),
            Side::Target => operator("target", facts.link.role.account.to_string(), &facts.target.operator),
            Side::Organization => "administrator of the organization".to_owned(),
            Side::IdentityCenter => "administrator of IAM Identity Center".to_owned(),
            Side::Request | Side::LocalConfiguration => "you".to_owned(),
        };
        Self { who, steps: Vec::new() }
    }

    /// Runs bootstrap, which repairs the link to match the file: both halves, if one person has both
    /// accounts, otherwise only `half`. A role or grant that xacct did not create must be adopted: bootstrap shows what it
    /// replaces, and asks.
    pub fn bootstrap(half: Half, facts: &Facts, with: BootstrapWith) -> Self {
        let half = if is_in_one_hand(facts) { Half::Both } else { half };
        let command = ShellCommand::new("xacct").arg("bootstrap");
        let has_config = !facts.link.lacks_config || is_in_one_hand(facts);
        let command = if has_config { command.arg(&facts.link.name) } else { command };
        let (who, command, is_foreign) = match half {
            Half::Both => (
                "anyone with write access to both accounts".to_owned(),
                command,
                is_foreign_role(facts) || is_foreign_grant(facts),
            ),
            Half::Source => {
                let who = Self::by(Side::Source, facts).who;
                (who, command.option("--only", "source"), is_foreign_grant(facts))
            }
            Half::Target => {
                let who = Self::by(Side::Target, facts).who;
                (who, command.option("--only", "target"), is_foreign_role(facts))
            }
        };
        let command =
            if has_config { with_user_for_trust(command, half, facts) } else { in_full(command, half, &with, facts) };
        let command = match with {
            BootstrapWith::Nothing => command,
            BootstrapWith::SessionTags => command.flag("--allow-session-tags"),
            BootstrapWith::TestBucket => command.option("--probe", "bucket"),
            BootstrapWith::MaxSessionDuration(duration) => command.option("--max-session-duration", duration),
        };
        let command = if is_foreign { command.flag("--adopt") } else { command };
        let profile = match half {
            Half::Both => None,
            Half::Source => facts.source.operator.profile.as_ref().map(|profile| ("--profile", profile)),
            Half::Target => facts.target.operator.profile.as_ref().map(|profile| ("--target-profile", profile)),
        };
        let command = match profile {
            Some((option, profile)) => command.option(option, profile),
            None => command,
        };
        Self { who, steps: vec![FixStep::Run(command.option_if("--config", config_file(facts)))] }
    }

    /// Returns whether it runs bootstrap.
    pub fn is_bootstrap(&self) -> bool {
        let words = ["xacct", "bootstrap"].map(str::to_owned);
        self.steps.iter().any(|step| matches!(step, FixStep::Run(command) if command.words().starts_with(&words)))
    }

    /// Adds a command.
    pub fn run(mut self, command: ShellCommand) -> Self {
        self.steps.push(FixStep::Run(command));
        self
    }

    /// Adds the steps of another fix.
    pub fn also(mut self, other: Self) -> Self {
        self.steps.extend(other.steps);
        self
    }

    /// Tests the link again.
    pub fn verify(self, facts: &Facts, with: VerifyWith) -> Self {
        let command = ShellCommand::new("xacct").arg("verify").arg(&facts.link.name);
        let command = if with == VerifyWith::OtherRegion { command.option("--region", "REGION") } else { command };
        let needs_code = with == VerifyWith::MfaCode || facts.link.require_mfa;
        let command = if needs_code { command.option("--mfa-code", "CODE") } else { command };
        self.run(command.option_if("--config", config_file(facts)))
    }

    /// Tests the link again in this Region.
    pub fn verify_in(self, facts: &Facts, region: &str) -> Self {
        self.verify(facts, VerifyWith::Nothing).with_option("--region", region)
    }

    /// Tests the link again, with the access key in the environment as the user's.
    pub fn verify_from_environment(self, facts: &Facts, with: VerifyWith) -> Self {
        self.verify(facts, with).with_option("--user-profile", environment::PROFILE)
    }

    /// Adds an option to the last command.
    fn with_option(mut self, name: &'static str, value: &str) -> Self {
        if let Some(FixStep::Run(command)) = self.steps.pop() {
            self.steps.push(FixStep::Run(command.option(name, value)));
        }
        self
    }

    /// Sets a text value of the target in `xacct.toml`.
    pub fn write(self, facts: &Facts, key: &str, text: &str) -> Self {
        self.write_value(facts, key, &toml_string(text))
    }

    /// Sets a value of the target in `xacct.toml` that is not text.
    pub fn write_value(self, facts: &Facts, key: &str, value: &str) -> Self {
        let name = &facts.link.name;
        let is_bare = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        let name = if is_bare { name.clone() } else { toml_string(name) };
        self.write_below(facts, format!("[targets.{name}]"), format!("{key} = {value}"))
    }

    /// Sets a table of texts of the target in `xacct.toml`.
    pub fn write_table(self, facts: &Facts, key: &str, texts: &BTreeMap<String, String>) -> Self {
        let pairs: Vec<_> =
            texts.iter().map(|(key, text)| format!("{} = {}", toml_string(key), toml_string(text))).collect();
        self.write_value(facts, key, &format!("{{ {} }}", pairs.join(", ")))
    }

    /// Sets a text value of the source in `xacct.toml`.
    pub fn write_source(self, facts: &Facts, key: &str, text: &str) -> Self {
        self.write_below(facts, "[source]".to_owned(), format!("{key} = {}", toml_string(text)))
    }

    fn write_below(mut self, facts: &Facts, section: String, line: String) -> Self {
        self.steps.push(FixStep::Write { file: facts.link.file.clone(), section, line });
        self
    }

    /// Adds a manual step.
    pub fn step_do(mut self, words: impl Into<String>) -> Self {
        self.steps.push(FixStep::Do(words.into()));
        self
    }

    /// Replaces the document of a policy, or removes the policy if `document` is `None`.
    pub fn replace(self, facts: &Facts, policy: &PolicyRef, document: Option<&PolicyDocument>) -> Self {
        let (kind, name) = policy.identity.kind_and_name();
        let is_of_caller = name == facts.link.principal.name() && policy.attachment != Attachment::Trust;
        if let (PrincipalRef::PermissionSet(set), true) = (facts.link.of_link(), is_of_caller) {
            return self.step_do(format!("change it in permission set {set}, and provision the set again"));
        }
        let document = document.map(|document| on_one_line(&document.minified()).into_owned());
        let operator = match policy.identity {
            Identity::Role(_) if !is_of_caller => &facts.target.operator,
            Identity::Role(_) => &facts.source.operator,
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
                return self.step_do(format!(
                    "set another permissions boundary on the {kind}: {arn} is an AWS managed policy"
                ));
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

/// Returns whether one run read both accounts as their operators.
fn is_in_one_hand(facts: &Facts) -> bool {
    let is_operator = |part| facts.was_read_by_operator(part);
    // A user who can read IAM is an operator, too.
    let is_user = facts.source.user.present().is_some();
    let source = is_operator(Part::Source) || is_user && facts.source.operator.identity.present().is_some();
    !facts.joined && source && is_operator(Part::Target)
}

/// Names the user by ARN if the role trusts only that user: without the source account, bootstrap cannot find it.
fn with_user_for_trust(command: ShellCommand, half: Half, facts: &Facts) -> ShellCommand {
    let is_needed = half == Half::Target && facts.link.restrict_to_user;
    match facts.user_arn().filter(|_| is_needed) {
        Some(arn) => command.option(option_of(facts), arn),
        None => command,
    }
}

/// Returns the option that names the principal.
fn option_of(facts: &Facts) -> &'static str {
    if facts.link.of_link().user().is_some() { "--user" } else { "--principal" }
}

/// Adds what `xacct.toml` would say about the link. Without a file, bootstrap leaves other policies and boundaries in place.
fn in_full(command: ShellCommand, half: Half, with: &BootstrapWith, facts: &Facts) -> ShellCommand {
    let LinkFacts { role, external_id, source_account, require_mfa, restrict_to_user, has_policies, .. } = &facts.link;
    let command = command
        .option("--target-account", &role.account)
        .option("--role-name", &role.name)
        .option_if("--role-path", Some(&role.path).filter(|path| !path.is_root()));
    let arn = facts.user_arn().filter(|_| half != Half::Source && facts.link.through.is_none());
    let command = match arn {
        Some(arn) => command.option(option_of(facts), arn),
        None => command
            .option_if("--source-account", source_account.as_ref().filter(|_| half == Half::Target))
            .option(option_of(facts), facts.link.of_link().label()),
    };
    let command = command.option_if("--external-id", external_id.as_ref());
    let command = if *require_mfa { command.flag("--require-mfa") } else { command };
    if half == Half::Source {
        return command;
    }
    let command = if *restrict_to_user { command.flag("--restrict-to-user") } else { command };
    let attached = facts.target.policies.attached.present().filter(|_| *has_policies);
    let command = attached.into_iter().flatten().fold(command, |command, (arn, _)| command.option("--policy-arn", arn));
    let longest = facts.target.role.present().map(|role| role.max_session_seconds).filter(|seconds| *seconds != 3600);
    let longest = longest.filter(|_| !matches!(with, BootstrapWith::MaxSessionDuration(_)));
    command.option_if("--max-session-duration", longest.and_then(|seconds| MaxSessionDuration::from_secs(seconds).ok()))
}

/// Returns whether the role exists and xacct did not create it.
pub fn is_foreign_role(facts: &Facts) -> bool {
    facts.target.role.present().is_some_and(|role| !role.is_ours)
}

/// Returns whether the user has an inline policy with the grant's name that xacct did not write.
fn is_foreign_grant(facts: &Facts) -> bool {
    let grant = facts.source.policies.inline.present().and_then(|policies| policies.get(templates::GRANT_POLICY));
    let is_ours = |found: &FoundDocument| found.policy().is_some_and(has_own_statement);
    grant.and_then(|grant| grant.present()).is_some_and(|grant| !is_ours(grant))
}

/// Returns whether this is an AWS managed policy.
pub fn is_of_aws(policy: &str) -> bool {
    policy.contains(":iam::aws:policy/")
}

/// Returns a command of the AWS CLI that uses this operator's profile.
pub fn aws(operator: &OperatorFacts, service: &str, operation: &str) -> ShellCommand {
    ShellCommand::new("aws").arg(service).arg(operation).option_if("--profile", operator.profile.as_ref())
}

/// Returns the path of `xacct.toml`, unless it is the default.
pub fn config_file(facts: &Facts) -> Option<&str> {
    Some(facts.link.file.as_str()).filter(|file| *file != "xacct.toml")
}

/// Returns a TOML string. TOML accepts all escapes of JSON.
pub fn toml_string(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}
