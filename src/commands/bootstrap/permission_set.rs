//! What the administrator of a permission set is to do, which xacct cannot do itself.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde::Serialize;

use crate::iam::permission_set::LackingGrant;
use crate::iam::policy::PolicyDocument;
use crate::print::permission_set_hcl;
use crate::report::console::STRONG;
use crate::text::shell::ShellCommand;

/// The name of the file with the inline policy.
const FILE: &str = "inline-policy.json";

/// What a permission set lacks, in JSON.
#[derive(Debug, Serialize)]
pub struct JsonLackingGrant {
    /// The permission set, as `permission-set/NAME`.
    permission_set: String,
    account: String,
    /// The roles that it may not assume yet.
    missing: BTreeSet<String>,
    /// The inline policy that it is to have.
    inline_policy: PolicyDocument,
    /// The commands of the AWS CLI, with `INSTANCE_ARN` and `PERMISSION_SET_ARN` to fill in.
    commands: Vec<ShellCommand>,
}

impl From<&LackingGrant> for JsonLackingGrant {
    fn from(lacking: &LackingGrant) -> Self {
        Self {
            permission_set: lacking.set.reference().label(),
            account: lacking.set.account().to_string(),
            missing: lacking.missing.iter().map(ToString::to_string).collect(),
            inline_policy: lacking.document.clone(),
            commands: commands(lacking).into(),
        }
    }
}

/// Returns the commands that change the permission set and provision it again.
fn commands(lacking: &LackingGrant) -> [ShellCommand; 2] {
    let sso = |operation: &'static str| {
        ShellCommand::new("aws")
            .args(["sso-admin", operation])
            .option("--instance-arn", "INSTANCE_ARN")
            .option("--permission-set-arn", "PERMISSION_SET_ARN")
    };
    [
        sso("put-inline-policy-to-permission-set").option("--inline-policy", format!("file://{FILE}")),
        sso("provision-permission-set")
            .option("--target-type", "AWS_ACCOUNT")
            .option("--target-id", lacking.set.account()),
    ]
}

/// Returns the instructions.
#[must_use]
pub fn instructions(lacking: &LackingGrant) -> String {
    let (words, name) = (lacking.set.in_words().replace('`', ""), lacking.set.name());
    let mut text = format!("\n\n{STRONG}The grant of {words} is missing{STRONG:#}\n");
    text.push_str(
        "IAM lets nobody change the role of a permission set, so the set itself must get\n\
         the grant. Only the management account or the delegated administrator can change\n\
         it; the latter cannot if the set is also provisioned in the management account.\n",
    );
    let merged = match lacking.is_not_merged {
        true => "to merge with its own, which xacct cannot parse",
        false => "with the statements that its role shows now",
    };
    let _ = writeln!(text, "\nIts inline policy, {merged}:\n{}", lacking.document);
    let _ = writeln!(
        text,
        "\nIn the console of IAM Identity Center: Permission sets > {name} > Inline policy.\n\
         With the AWS CLI, after saving the policy as {FILE}:"
    );
    for command in commands(lacking) {
        let _ = writeln!(text, "  {command}");
    }
    let _ = writeln!(
        text,
        "With Terraform, which provisions it again, too:\n{}",
        permission_set_hcl::document(name, &lacking.document)
    );
    text
}
