//! What the administrator of a permission set is to do, which xacct cannot do itself.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde::Serialize;

use crate::iam::grant_names::{GRANT_PATH, grant_part_arn};
use crate::iam::permission_set::{Addition, LackingGrant};
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
    #[serde(skip_serializing_if = "Option::is_none")]
    inline_policy: Option<PolicyDocument>,
    /// The managed policy in the account to which it is to refer.
    #[serde(skip_serializing_if = "Option::is_none")]
    managed_policy_arn: Option<String>,
    /// The commands of the AWS CLI, with `INSTANCE_ARN` and `PERMISSION_SET_ARN` to fill in.
    commands: Vec<ShellCommand>,
}

impl From<&LackingGrant> for JsonLackingGrant {
    fn from(lacking: &LackingGrant) -> Self {
        let (inline_policy, managed_policy_arn) = match &lacking.addition {
            Addition::Inline { document, .. } => (Some(document.clone()), None),
            Addition::Reference(name) => (None, Some(grant_part_arn(&lacking.set, name))),
        };
        Self {
            permission_set: lacking.set.reference().label(),
            account: lacking.set.account().to_string(),
            missing: lacking.missing.iter().map(ToString::to_string).collect(),
            inline_policy,
            managed_policy_arn,
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
    let change = match &lacking.addition {
        Addition::Inline { .. } => {
            sso("put-inline-policy-to-permission-set").option("--inline-policy", format!("file://{FILE}"))
        }
        Addition::Reference(name) => sso("attach-customer-managed-policy-reference-to-permission-set")
            .option("--customer-managed-policy-reference", format!("Name={name},Path={GRANT_PATH}")),
    };
    let provision = sso("provision-permission-set").option("--target-type", "AWS_ACCOUNT");
    [change, provision.option("--target-id", lacking.set.account())]
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
    let (tab, hcl) = match &lacking.addition {
        Addition::Inline { document, is_not_merged } => {
            let merged = match is_not_merged {
                true => "to merge with its own, which xacct cannot parse",
                false => "with the statements that its role shows now",
            };
            let _ = writeln!(text, "\nIts inline policy, {merged}:\n{document}");
            if lacking.desired.organization.is_some() {
                text.push_str("It covers all targets of that name in the organization: new ones do not change it.\n");
            }
            ("Inline policy", permission_set_hcl::document(name, document))
        }
        Addition::Reference(policy) => {
            let account = lacking.set.account();
            let _ = writeln!(
                text,
                "\nOnce, a reference to this customer managed policy, with path {GRANT_PATH}:\n  {policy}\n\
                 xacct writes it in account {account}; later targets change only the policy.\n\
                 Every account to which the set is assigned needs a policy of this name and path,\n\
                 or provisioning fails there, also at the next terraform apply. Use it only for a\n\
                 set that is assigned to account {account} alone."
            );
            ("Customer managed policies", permission_set_hcl::reference(name, policy, GRANT_PATH))
        }
    };
    let saved = match &lacking.addition {
        Addition::Inline { .. } => format!("With the AWS CLI, after saving the policy as {FILE}:"),
        Addition::Reference(_) => "With the AWS CLI:".to_owned(),
    };
    let _ = writeln!(text, "\nIn the console of IAM Identity Center: Permission sets > {name} > {tab}.\n{saved}");
    for command in commands(lacking) {
        let _ = writeln!(text, "  {command}");
    }
    let _ = writeln!(text, "With Terraform, which provisions it again, too:\n{hcl}");
    text
}
