//! Errors and hints for plans that bootstrap refuses to make.

use crate::config::Link;
use crate::error::{Error, Kind};
use crate::iam::arn::{PrincipalArn, RoleArn};
use crate::iam::grant_names::grant_part_arn;
use crate::iam::plan::bootstrap::Refusal;
use crate::iam::plan::{Change, Plan};
use crate::iam::risks::Weaker;
use crate::iam::state::DesiredGrant;
use crate::report::changes::{Mood, get_policy, sentence};
use crate::text::shell::ShellCommand;

const HIGHER_TRUST_QUOTA: &str = "or request a higher quota for \"Role trust policy length\"";

/// Returns the error for a grant that something other than xacct changed after the preview.
pub fn changed_meanwhile(grant: &DesiredGrant) -> Error {
    let (principal, name) = (&grant.principal, &grant.policy_name);
    Error::new(
        Kind::Refused,
        format!(
            "another program changed policy `{name}` of {} after the preview; xacct left it unchanged",
            principal.in_words()
        ),
    )
    .hint(format!("show the policy: {}", get_policy(principal, name)))
    .hint("run the command again to see what it would replace")
}

/// Returns the error for a plan that makes the role weaker, which `--yes` alone does not apply.
pub fn would_be_weaker(role: &RoleArn, plan: &Plan, link: &Link) -> Error {
    let message = format!("--yes does not make role `{}` in account {} weaker", role.name, role.account);
    let error = plan.weaker().fold(Error::new(Kind::Refused, message), |error, weaker| error.note(weaker.to_string()));
    let error = error.hint(format!(
        "to keep the role as it is: restore [targets.{}] in xacct.toml, and omit options and XACCT_… variables that \
         override it",
        link.name
    ));
    let error = match plan.weaker().any(|it| matches!(it, Weaker::TrustDenialDropped { .. })) {
        true => error.hint("or keep the role's Deny statements, which xacct then records: bootstrap --keep-statements"),
        false => error,
    };
    error.hint("or, if this is intended: --yes --allow-weaker")
}

/// Returns the error for a plan that makes an existing grant cover an organization, which `--yes` alone does not apply.
pub fn grant_would_be_wider(plan: &Plan) -> Error {
    let error = Error::new(Kind::Refused, "--yes does not make an existing grant cover a whole organization");
    let error = plan.weaker().fold(error, |error, weaker| error.note(weaker.to_string()));
    error
        .hint("to keep the grant as it is: restore grant, set_grant and organization in [source] of xacct.toml")
        .hint("or, if this is intended: --yes --allow-weaker")
}

/// Returns the error for a refusal to plan this link's role, with hints.
pub fn refused_role(refusal: &Refusal, link: &Link) -> Error {
    match refusal {
        Refusal::TrustPolicyTooLarge { .. } if !link.trust_statements.statements.is_empty() => {
            Error::new(Kind::Refused, refusal.to_string())
                .hint("shorten the statements in trust_statement_files")
                .hint("or use a shorter external ID")
                .hint(HIGHER_TRUST_QUOTA)
        }
        _ => refused(refusal),
    }
}

/// Returns the error for a refusal, with hints.
pub fn refused(refusal: &Refusal) -> Error {
    let error = Error::new(Kind::Refused, refusal.to_string());
    match refusal {
        Refusal::ForeignRole { role, differences } => {
            let keeps = differences.changes.iter().any(|it| matches!(it, Change::ReplaceTrustPolicy { .. }));
            let sentences = differences.changes.iter().map(|change| sentence(change, role.name.as_str(), Mood::Would));
            let error = sentences.fold(error, |error, sentence| error.note(format!("adopting it would {sentence}")));
            let error =
                error.hint("preview the changes: --adopt --dry-run --show-policies").hint("adopt the role: --adopt");
            let error = if keeps {
                error.hint("or adopt it and keep the other statements of its trust policy: --adopt --keep-statements")
            } else {
                error
            };
            error.hint("or create another role: --role-name NAME")
        }
        Refusal::OtherSource { owner, .. } => error
            .hint("create another role for this link: --role-name NAME")
            .hint(format!("or take the role from account {owner}: --adopt")),
        Refusal::OtherLink { found, wanted, .. } => error
            .note(format!("the role belongs to {found}"))
            .note(format!("xacct.toml names {wanted}"))
            .hint("create another role for this link: --role-name NAME")
            .hint("or take the role over: --adopt"),
        Refusal::OtherPath { found, .. } => match found.parse::<RoleArn>() {
            Ok(found) => error
                .hint(format!("use the existing role: --role-name {} --role-path {}", found.name, found.path))
                .hint("or create another role: --role-name NAME"),
            Err(_) => error.hint("create another role: --role-name NAME"),
        },
        Refusal::ForeignGrant { principal, name, statements }
        | Refusal::ForeignStatements { principal, name, statements } => {
            let error = statements.iter().fold(error, |error, it| error.note(format!("it has {it}")));
            error.hint(format!("show the policy: {}", get_policy(principal, name))).hint("or replace it: --adopt")
        }
        Refusal::TrustPolicyTooLarge { .. } => error.hint("use a shorter external ID").hint(HIGHER_TRUST_QUOTA),
        Refusal::RolePoliciesTooLarge { .. } => {
            error.hint("move the larger files to a managed policy and attach it: --policy-arn ARN")
        }
        Refusal::TooManyPolicies { .. } => error
            .hint("combine some of them in one managed policy, or use --policy-file")
            .hint("or request a higher quota for \"Managed policies attached to an IAM role\""),
        Refusal::GrantTooLarge { principal, .. } => {
            let list = match principal {
                PrincipalArn::User(_) => "iam:ListAttachedUserPolicies",
                PrincipalArn::Group(_) => "iam:ListAttachedGroupPolicies",
                // Of a permission set, nothing is planned.
                PrincipalArn::Role(_) | PrincipalArn::PermissionSet(_) => "iam:ListAttachedRolePolicies",
            };
            error
                .note("xacct moves what does not fit to managed policies, but cannot read those of this principal")
                .hint(format!("allow {list} and iam:ListPolicies to the operator of account {}", principal.account()))
                .hint("print the operator's policy: xacct print policies")
        }
        Refusal::TooManyRoles { principal, .. } => error
            .hint(format!(
                "request a higher quota for \"Managed policies attached to an IAM {}\" in account {}",
                principal.kind(),
                principal.account()
            ))
            .hint("or give some of the links to another principal: `principals` of a target")
            .hint("or use shorter role names and paths"),
        Refusal::ForeignPart { principal, name, statements } => {
            let error = statements.iter().fold(error, |error, it| error.note(format!("it has {it}")));
            let arn = grant_part_arn(principal, name);
            let show = ShellCommand::new("aws").args(["iam", "get-policy"]).option("--policy-arn", arn);
            error.hint(format!("show the policy: {show}")).hint("or replace it: --adopt")
        }
    }
}
