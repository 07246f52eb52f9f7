//! Hints for a role that a command refuses to change.

use crate::config::Link;
use crate::error::Error;
use crate::iam::arn::RoleArn;
use crate::iam::names::RoleName;
use crate::iam::plan::teardown::Objection;
use crate::text::shell::ShellCommand;

/// Adds the hints for an objection. `instead` is what the command can do about a role that is not the link's.
pub fn with_hints(error: Error, objection: &Objection, link: &Link, instead: Option<String>) -> Error {
    let name = &link.name;
    let of_role = |operation: &str, role: &RoleName| {
        ShellCommand::new("aws").arg("iam").arg(operation).option("--role-name", role)
    };
    match objection {
        Objection::Foreign(_) | Objection::NoSource(_) | Objection::OtherLink { .. } => {
            let adopt = ShellCommand::new("xacct").arg("bootstrap").arg(name).flag("--adopt");
            or(error, instead, format!("adopt the role first: {adopt}"))
        }
        Objection::OtherSource { owner, .. } => {
            or(error, instead, format!("use the xacct.toml of account {owner}: --config FILE"))
        }
        Objection::OtherArn { found, .. } => match found.parse::<RoleArn>() {
            Ok(found) if found.account == link.account => {
                error.hint(format!("if this is the right role, set role_path = \"{}\" in [targets.{name}]", found.path))
            }
            _ => error.hint("use credentials of the account in xacct.toml: --target-profile NAME"),
        },
        Objection::InstanceProfiles { role, profiles } => profiles.iter().fold(error, |error, profile| {
            let remove = ShellCommand::new("aws")
                .args(["iam", "remove-role-from-instance-profile"])
                .option("--instance-profile-name", profile)
                .option("--role-name", &role.name);
            error.hint(format!("remove it from the instance profile: {remove}"))
        }),
        Objection::Extended { role, attachments, inline, boundary } => {
            let role = &role.name;
            let detach = attachments.iter().map(|arn| {
                format!("detach the policy: {}", of_role("detach-role-policy", role).option("--policy-arn", arn))
            });
            let delete = inline.iter().map(|name| {
                format!("delete the policy: {}", of_role("delete-role-policy", role).option("--policy-name", name))
            });
            let boundary =
                boundary.iter().map(|_| format!("remove the boundary: {}", of_role("delete-role-permissions-boundary", role)));
            let hints = detach.chain(delete).chain(boundary);
            hints.fold(error, Error::hint).hint("or remove everything together with the role: --even-if-extended")
        }
        Objection::UsedLately(_) => error
            .hint("find out who used it: CloudTrail in the target account records the session names; tests by xacct on other machines also use the role")
            .hint("remove it anyway: --even-if-used"),
    }
}

/// Adds a hint, and another one before it if there is one.
fn or(error: Error, first: Option<String>, hint: String) -> Error {
    match first {
        Some(first) => error.hint(first).hint(format!("or {hint}")),
        None => error.hint(hint),
    }
}
