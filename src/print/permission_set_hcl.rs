//! The Terraform resource for the inline policy of a permission set.

use super::text::{aligned, expression, quoted};
use crate::iam::policy::PolicyDocument;

/// Returns the resource, and the data sources that find the permission set by its name.
#[must_use]
pub fn document(name: &str, policy: &PolicyDocument) -> String {
    let label: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
    let label = if label.starts_with(|c: char| c.is_ascii_digit()) { format!("_{label}") } else { label };
    let found = [("instance_arn", "data.aws_ssoadmin_instances.all.arns[0]".to_owned()), ("name", quoted(name))];
    let arguments = [
        ("instance_arn", format!("data.aws_ssoadmin_permission_set.{label}.instance_arn")),
        ("permission_set_arn", format!("data.aws_ssoadmin_permission_set.{label}.arn")),
        ("inline_policy", format!("jsonencode({})", expression(&policy.to_value(), "  "))),
    ];
    format!(
        "data \"aws_ssoadmin_instances\" \"all\" {{}}\n\n\
         data \"aws_ssoadmin_permission_set\" \"{label}\" {{\n{}}}\n\n\
         resource \"aws_ssoadmin_permission_set_inline_policy\" \"{label}\" {{\n{}}}",
        aligned(&found, "  "),
        aligned(&arguments, "  ")
    )
}
