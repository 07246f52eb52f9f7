//! What to do about a plan that cannot be made.

use std::fmt::Display;

use crate::error::{Error, Kind};
use crate::iam::arn::RoleArn;
use crate::iam::names::UserName;
use crate::iam::plan::bootstrap::Refusal;
use crate::iam::state::DesiredGrant;
use crate::iam::templates;
use crate::report::changes::{Mood, sentence};
use crate::text::shell::ShellCommand;

/// The grant is not what was shown any more, and not by other runs of xacct alone.
pub fn changed_meanwhile(grant: &DesiredGrant) -> Error {
    let (user, name) = (&grant.user.name, &grant.policy_name);
    Error::new(
        Kind::Refused,
        format!("policy `{name}` of user `{user}` was changed meanwhile, and not by xacct; it was left as it is"),
    )
    .hint(format!("look at it: {}", get_user_policy(user, name)))
    .hint("run the same command again: it shows what it would replace")
}

fn get_user_policy(user: &UserName, policy: &impl Display) -> ShellCommand {
    ShellCommand::new("aws")
        .args(["iam", "get-user-policy"])
        .option("--user-name", user)
        .option("--policy-name", policy)
}

/// A refusal with what to do about it.
pub fn refused(refusal: &Refusal) -> Error {
    let error = Error::new(Kind::Refused, refusal.to_string());
    match refusal {
        Refusal::ForeignRole { role, differences } => {
            let sentences = differences.changes.iter().map(|change| sentence(change, role.name.as_str(), Mood::Would));
            let error = sentences.fold(error, |error, sentence| error.note(format!("adopting it would {sentence}")));
            error
                .hint("look at it first: --adopt --dry-run --show-policies")
                .hint("take it over: --adopt")
                .hint("or make another role: --role-name NAME")
        }
        Refusal::OtherSource { owner, .. } => error
            .hint("make another role for this link: --role-name NAME")
            .hint(format!("or take the role away from account {owner}: --adopt")),
        Refusal::OtherLink { found, wanted, .. } => error
            .note(format!("the role is that of {found}"))
            .note(format!("this is {wanted}"))
            .hint("make another role for this link: --role-name NAME")
            .hint("or take the role over: --adopt"),
        Refusal::OtherPath { found, .. } => match found.parse::<RoleArn>() {
            Ok(found) => error
                .hint(format!("use it as it is: --role-name {} --role-path {}", found.name, found.path))
                .hint("or make another role: --role-name NAME"),
            Err(_) => error.hint("make another role: --role-name NAME"),
        },
        Refusal::ForeignGrant { user, name, statements } | Refusal::ForeignStatements { user, name, statements } => {
            let error = statements.iter().fold(error, |error, it| error.note(format!("it has {it}")));
            error.hint(format!("look at it: {}", get_user_policy(&user.name, name))).hint("replace it: --adopt")
        }
        Refusal::TrustPolicyTooLarge { .. } => {
            error.hint("use a shorter external ID, or have the quota \"Role trust policy length\" raised")
        }
        Refusal::RolePoliciesTooLarge { .. } => {
            error.hint("make a managed policy of the larger files and attach it with --policy-arn")
        }
        Refusal::GrantTooLarge { user, document, .. } => error
            .hint("put the grant into a managed policy of the source account, which may have 6,144 characters:")
            .hint(
                ShellCommand::new("aws")
                    .args(["iam", "create-policy"])
                    .option("--policy-name", templates::GRANT_POLICY)
                    .option("--policy-document", document.minified())
                    .to_string(),
            )
            .hint(
                ShellCommand::new("aws")
                    .args(["iam", "attach-user-policy"])
                    .option("--user-name", &user.name)
                    .option(
                        "--policy-arn",
                        format!("arn:{}:iam::{}:policy/{}", user.partition, user.account, templates::GRANT_POLICY),
                    )
                    .to_string(),
            )
            .hint("then make the other half: xacct bootstrap --only target --target-account ID"),
    }
}
