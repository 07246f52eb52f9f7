//! Queries in CloudTrail about links: who assumed the roles, and who changed the roles or the grant.
//!
//! Assumed: none of them was run against CloudTrail. The names of fields and parameters are those of its documentation.
//!
//! An AssumeRole across accounts is recorded in both (AWS CloudTrail User Guide, "Logging cross-account AssumeRole"): in the
//! source account with the ARN of the caller, in the target account only with the caller's account and unique ID. Changes
//! are in the account of the resource, and in the trails of IAM's Region.

use std::fmt::Write;

use crate::iam::arn::{Partition, RoleArn};
use crate::iam::names::{AccountId, Region, UserName};
use crate::text::shell::ShellCommand;

/// How far queries look back, in days: as far as CloudTrail's event history, which the AWS CLI reads.
const DAYS: u32 = 90;

/// Operations that open a session of a role. All have `roleArn` and `roleSessionName`.
const ASSUME: [&str; 3] = ["AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"];

/// Operations that change whom a role admits, and what its sessions may do. All have `roleName`.
const CHANGE_ROLE: [&str; 12] = [
    "AttachRolePolicy",
    "CreateRole",
    "DeleteRole",
    "DeleteRolePermissionsBoundary",
    "DeleteRolePolicy",
    "DetachRolePolicy",
    "PutRolePermissionsBoundary",
    "PutRolePolicy",
    "TagRole",
    "UntagRole",
    "UpdateAssumeRolePolicy",
    "UpdateRole",
];

/// Operations that change what a user may do. All have `userName`.
const CHANGE_USER: [&str; 10] = [
    "AddUserToGroup",
    "AttachUserPolicy",
    "CreateUser",
    "DeleteUser",
    "DeleteUserPermissionsBoundary",
    "DeleteUserPolicy",
    "DetachUserPolicy",
    "PutUserPermissionsBoundary",
    "PutUserPolicy",
    "RemoveUserFromGroup",
];

/// Where to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// CloudTrail Lake.
    Lake,
    /// Athena, over the trail's files in S3.
    Athena,
    /// CloudTrail's event history, with the AWS CLI.
    Cli,
}

/// A role, and how to ask in its account.
#[derive(Debug, Clone)]
pub struct Target {
    /// The target's name in `xacct.toml`.
    pub name: String,
    /// The role.
    pub role: RoleArn,
    /// The Region of its sessions.
    pub region: Option<Region>,
    /// The profile of the target operator.
    pub profile: Option<String>,
}

/// The user whose grant is asked about.
#[derive(Debug, Clone)]
pub struct Grant {
    /// The user.
    pub user: UserName,
    /// The user's account, if known.
    pub account: Option<AccountId>,
    /// The profile of the source operator.
    pub profile: Option<String>,
}

/// The links to ask about.
#[derive(Debug, Clone)]
pub struct Audit {
    /// The partition of the links.
    pub partition: Partition,
    /// The roles.
    pub targets: Vec<Target>,
    /// The grant; `None` if the user is unknown.
    pub grant: Option<Grant>,
}

impl Audit {
    /// Returns the queries for one engine, each below a comment that says what it asks.
    #[must_use]
    pub fn queries(&self, engine: Engine) -> String {
        match engine {
            Engine::Lake => self.sql(&LAKE),
            Engine::Athena => self.sql(&ATHENA),
            Engine::Cli => self.cli(),
        }
    }

    fn sql(&self, dialect: &Dialect) -> String {
        let mut text = format!("-- {}\n", dialect.heading);
        let arns: Vec<_> = self.targets.iter().map(|target| literal(&target.role.to_string())).collect();
        // Events of denied requests may lack the parameters; AWS's message names the role.
        let denied = arns.iter().map(|arn| format!("strpos({}, {arn}) > 0", dialect.message));
        let requested = format!("{} IN ({})", (dialect.parameter)("roleArn"), listed(arns.iter().cloned()));
        let roles = any(&std::iter::once(requested).chain(denied).collect::<Vec<_>>());
        text.push_str(&dialect.query(
            "Who assumed the roles? Denied attempts have an errorCode. xacct's tests have session name xacct-verify.",
            &["roleArn", "roleSessionName", "externalId"],
            "sts",
            &ASSUME,
            &roles,
        ));
        let one = |account: Option<&AccountId>, parameter: &str, name: &str| {
            // IAM's names do not distinguish upper and lower case, and CloudTrail shows them as they were typed.
            let name = format!("lower({}) = {}", (dialect.parameter)(parameter), literal(&name.to_ascii_lowercase()));
            match account {
                Some(account) => format!("({} = '{account}' AND {name})", dialect.account),
                None => format!("({name})"),
            }
        };
        let roles: Vec<_> = self
            .targets
            .iter()
            .map(|target| one(Some(&target.role.account), "roleName", target.role.name.as_str()))
            .collect();
        text.push_str(&dialect.query(
            "Who changed the roles?",
            &["roleName", "policyName", "policyArn"],
            "iam",
            &CHANGE_ROLE,
            &any(&roles),
        ));
        if let Some(Grant { user, account, .. }) = &self.grant {
            text.push_str(&dialect.query(
                &format!("Who changed the grant, and what else user {user} may do?"),
                &["userName", "policyName", "policyArn", "groupName"],
                "iam",
                &CHANGE_USER,
                &one(account.as_ref(), "userName", user.as_str()),
            ));
        }
        text
    }

    fn cli(&self) -> String {
        let mut text = format!(
            "# AWS CLI: CloudTrail's event history of the last {DAYS} days, one account and Region at a time\n"
        );
        let mut ask = |question: &str, command: &ShellCommand| {
            let _ = write!(text, "\n# {question}\n{command}\n");
        };
        let iam = self.partition.default_region();
        for Target { name, role, region, profile } in &self.targets {
            let profile = profile.as_deref();
            let question = format!("Target {name}: who assumed {role}? Repeat this in each Region that sessions use.");
            // Events of denied requests may lack the parameters; AWS's message names the role.
            let parts = [format!("\"{role}\""), format!("resource: {role}")].map(|part| contains(&part));
            let region = region.as_ref().map_or(iam, Region::as_str);
            ask(&question, &lookup(profile, region, "sts", &format!("({})", parts.join(" || "))));
            ask(
                &format!("Target {name}: who changed the role?"),
                &changes(profile, iam, "roleName", role.name.as_str()),
            );
        }
        if let Some(Grant { user, profile, .. }) = &self.grant {
            let question = format!("Who changed the grant, and what else user {user} may do?");
            ask(&question, &changes(profile.as_deref(), iam, "userName", user.as_str()));
        }
        text
    }
}

/// The SQL of one engine.
struct Dialect {
    heading: &'static str,
    table: &'static str,
    /// Columns that every query shows.
    columns: &'static str,
    message: &'static str,
    time: &'static str,
    account: &'static str,
    source: &'static str,
    name: &'static str,
    /// Returns the expression for a request parameter.
    parameter: fn(&str) -> String,
}

const LAKE: Dialect = Dialect {
    heading: "CloudTrail Lake. Replace EVENT_DATA_STORE_ID.",
    table: "EVENT_DATA_STORE_ID",
    columns: "eventTime, eventName, recipientAccountId, awsRegion, userIdentity.accountId, userIdentity.arn,\n  \
              userIdentity.principalId, sourceIPAddress, userAgent, errorCode, errorMessage, requestID",
    message: "errorMessage",
    time: "eventTime",
    account: "recipientAccountId",
    source: "eventSource",
    name: "eventName",
    parameter: |name| format!("element_at(requestParameters, '{name}')"),
};

const ATHENA: Dialect = Dialect {
    heading: "Athena. Replace cloudtrail_logs by the table of your trail, as the CloudTrail console creates it.",
    table: "cloudtrail_logs",
    columns: "eventtime, eventname, recipientaccountid, awsregion, useridentity.accountid, useridentity.arn,\n  \
              useridentity.principalid, sourceipaddress, useragent, errorcode, errormessage, requestid",
    message: "errormessage",
    time: "from_iso8601_timestamp(eventtime)",
    account: "recipientaccountid",
    source: "eventsource",
    name: "eventname",
    parameter: |name| format!("json_extract_scalar(requestparameters, '$.{name}')"),
};

impl Dialect {
    fn query(
        &self,
        question: &str,
        parameters: &[&str],
        service: &str,
        operations: &[&str],
        condition: &str,
    ) -> String {
        let Self { table, columns, time, source, name, .. } = self;
        let own: String = parameters.iter().map(|name| format!(",\n  {} AS {name}", (self.parameter)(name))).collect();
        let operations = listed(operations.iter().map(|operation| literal(operation)));
        format!(
            "\n-- {question}\nSELECT {columns}{own}\nFROM {table}\nWHERE {source} = '{service}.amazonaws.com'\n  \
             AND {name} IN ({operations})\n  AND {time} > date_add('day', -{DAYS}, now())\n  AND {condition}\n\
             ORDER BY {time} DESC;\n"
        )
    }
}

/// Returns conditions of which one must hold.
fn any(conditions: &[String]) -> String {
    match conditions {
        [one] => one.clone(),
        several => format!("({})", several.join("\n    OR ")),
    }
}

/// Returns the items of a list, one a line if there are several.
fn listed(items: impl Iterator<Item = String>) -> String {
    let items: Vec<_> = items.collect();
    match items.as_slice() {
        [one] => one.clone(),
        several => format!("\n    {}", several.join(",\n    ")),
    }
}

/// Returns a literal in SQL.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Returns a raw string of JMESPath, which the AWS CLI's `--query` uses.
fn raw(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// Returns the condition of JMESPath that an event contains a text.
fn contains(text: &str) -> String {
    format!("contains(CloudTrailEvent, {})", raw(text))
}

/// Returns the command that shows the writes whose request has this parameter.
fn changes(profile: Option<&str>, region: &str, parameter: &str, name: &str) -> ShellCommand {
    let has_it = contains(&format!("\"{parameter}\":\"{name}\""));
    lookup(profile, region, "iam", &format!("ReadOnly=='false' && {has_it}"))
}

/// Returns the command that shows the events of a service that meet a condition.
fn lookup(profile: Option<&str>, region: &str, service: &str, condition: &str) -> ShellCommand {
    ShellCommand::new("aws")
        .args(["cloudtrail", "lookup-events"])
        .option_if("--profile", profile)
        .option("--region", region)
        .on_next_line()
        .option("--lookup-attributes", format!("AttributeKey=EventSource,AttributeValue={service}.amazonaws.com"))
        .on_next_line()
        .option("--query", format!("Events[?{condition}].[CloudTrailEvent]"))
        .option("--output", "text")
}

#[cfg(test)]
mod tests;
