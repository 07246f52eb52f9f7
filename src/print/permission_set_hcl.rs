//! The Terraform resources for the grant of a permission set.

use super::text::{aligned, expression, quoted};
use crate::iam::policy::PolicyDocument;

/// Returns the resource, and the data sources that find the permission set by its name.
#[must_use]
pub fn document(name: &str, policy: &PolicyDocument) -> String {
    let policy = ("inline_policy", format!("jsonencode({})", expression(&policy.to_value(), "  ")));
    resource(name, "aws_ssoadmin_permission_set_inline_policy", aligned(&[of_set(name), vec![policy]].concat(), "  "))
}

/// Returns the resource that refers to a customer managed policy, and the data sources for the permission set.
#[must_use]
pub fn reference(name: &str, policy: &str, path: &str) -> String {
    let reference = aligned(&[("name", quoted(policy)), ("path", quoted(path))], "    ");
    let arguments =
        format!("{}\n  customer_managed_policy_reference {{\n{reference}  }}\n", aligned(&of_set(name), "  "));
    resource(name, "aws_ssoadmin_customer_managed_policy_attachment", arguments)
}

/// Returns the arguments that name the permission set.
fn of_set(name: &str) -> Vec<(&'static str, String)> {
    let label = label(name);
    vec![
        ("instance_arn", format!("data.aws_ssoadmin_permission_set.{label}.instance_arn")),
        ("permission_set_arn", format!("data.aws_ssoadmin_permission_set.{label}.arn")),
    ]
}

fn label(name: &str) -> String {
    let label: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
    if label.starts_with(|c: char| c.is_ascii_digit()) { format!("_{label}") } else { label }
}

fn resource(name: &str, kind: &str, arguments: String) -> String {
    let label = label(name);
    let found = [("instance_arn", "data.aws_ssoadmin_instances.all.arns[0]".to_owned()), ("name", quoted(name))];
    format!(
        "data \"aws_ssoadmin_instances\" \"all\" {{}}\n\n\
         data \"aws_ssoadmin_permission_set\" \"{label}\" {{\n{}}}\n\n\
         resource \"{kind}\" \"{label}\" {{\n{arguments}}}",
        aligned(&found, "  "),
    )
}
