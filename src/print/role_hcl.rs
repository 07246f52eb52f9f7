//! Terraform resources for what bootstrap created, with `import` blocks (Terraform 1.5 and later).

use serde_json::json;

use super::text::{aligned, expression, quoted};
use crate::iam::arn::{PrincipalArn, RoleArn};
use crate::iam::names::{AccountId, Region};
use crate::iam::policy::PolicyDocument;
use crate::iam::state::{DesiredGrant, DesiredRole};
use crate::print::provider::aliases;

/// How Terraform gets credentials for an account.
#[derive(Debug, Clone)]
pub struct WayIn {
    /// The Region. IAM is global, but the provider requires a Region.
    pub region: Region,
    /// The operator's profile; the environment decides if absent.
    pub profile: Option<String>,
    /// The role that the provider assumes to enter the account.
    pub enter_role: Option<RoleArn>,
}

/// A role, and the credentials for its account.
#[derive(Debug, Clone)]
pub struct Target {
    /// The target's name in `xacct.toml`.
    pub name: String,
    /// The role as bootstrap would create it.
    pub role: DesiredRole,
    /// The credentials of its provider.
    pub way_in: WayIn,
}

/// A resource, and where Terraform imports it from.
struct Resource {
    kind: &'static str,
    label: String,
    /// The alias of its provider.
    alias: String,
    arguments: Vec<(&'static str, String)>,
    import_id: String,
}

/// Returns the whole file.
#[must_use]
pub fn document(grants: &[DesiredGrant], source: &WayIn, targets: &[Target]) -> String {
    let (mut blocks, resources) = parts(grants, source, targets);
    blocks.extend(resources.iter().flat_map(Resource::imported));
    format!(
        "# Imports what `xacct bootstrap` created. `terraform plan` must show imports and no changes.\n\
         # After the import, make changes here, not with `xacct bootstrap`: set managed_by = \"terraform\" for these\n\
         # targets in xacct.toml. Needs Terraform 1.5 or later.\n\n{}",
        blocks.join("\n")
    )
}

/// Returns a file that replaces [`document`], so that Terraform forgets the resources without deleting them.
#[must_use]
pub fn removed(grants: &[DesiredGrant], source: &WayIn, targets: &[Target]) -> String {
    let (mut blocks, resources) = parts(grants, source, targets);
    blocks.extend(resources.iter().map(Resource::removed));
    format!(
        "# Lets Terraform forget what it imported with `xacct print role-hcl`, without deleting it. `terraform plan` must\n\
         # show that nothing is destroyed. After `terraform apply`, delete this file, and remove managed_by from\n\
         # xacct.toml. Needs Terraform 1.7 or later.\n\n{}",
        blocks.join("\n")
    )
}

/// Returns the providers and the resources.
fn parts(grants: &[DesiredGrant], source: &WayIn, targets: &[Target]) -> (Vec<String>, Vec<Resource>) {
    let names = match targets {
        [_] => vec!["target"],
        many => many.iter().map(|target| target.name.as_str()).collect(),
    };
    let mut names = aliases(["source"].into_iter().chain(names)).into_iter();
    let own_name = names.next().unwrap_or_default();
    let account = grants.first().map(|grant| grant.principal.account());
    let mut blocks: Vec<_> = account.map(|account| provider(&own_name, account, source)).into_iter().collect();
    let mut rest = Vec::new();
    for (target, name) in targets.iter().zip(names) {
        blocks.push(provider(&name, &target.role.arn.account, &target.way_in));
        rest.extend(role(&target.role, &name));
    }
    let labels: Vec<_> = match grants {
        [_] => vec![own_name.clone()],
        several => several.iter().map(|grant| format!("{own_name}_{}", grant.principal.name())).collect(),
    };
    for (grant, label) in grants.iter().zip(aliases(labels.iter().map(String::as_str))) {
        let (kind, argument) = match grant.principal {
            PrincipalArn::User(_) => ("aws_iam_user_policy", "user"),
            PrincipalArn::Group(_) => ("aws_iam_group_policy", "group"),
            PrincipalArn::Role(_) | PrincipalArn::PermissionSet(_) => ("aws_iam_role_policy", "role"),
        };
        let (name, policy) = (grant.principal.name(), grant.policy_name.as_str());
        let arguments = [("name", quoted(policy)), (argument, quoted(name)), ("policy", encoded(&grant.document()))];
        rest.push(resource(kind, &label, &own_name, &arguments, &format!("{name}:{policy}")));
    }
    (blocks, rest)
}

fn provider(alias: &str, account: &AccountId, way_in: &WayIn) -> String {
    let mut arguments = vec![("alias", quoted(alias)), ("region", quoted(way_in.region.as_str()))];
    if let Some(profile) = &way_in.profile {
        arguments.push(("profile", quoted(profile)));
    }
    arguments.push(("allowed_account_ids", format!("[{}]", quoted(account.as_str()))));
    let mut text = String::new();
    if way_in.profile.is_none() {
        text.push_str(&format!("# Needs credentials of an operator in account {account}.\n"));
    }
    text.push_str(&format!("provider \"aws\" {{\n{}", aligned(&arguments, "  ")));
    if let Some(role) = &way_in.enter_role {
        text.push_str(&format!("\n  assume_role {{\n    role_arn = {}\n  }}\n", quoted(&role.to_string())));
    }
    text.push_str("}\n");
    text
}

fn role(role: &DesiredRole, alias: &str) -> Vec<Resource> {
    let name = role.arn.name.to_string();
    let mut arguments = vec![
        ("name", quoted(&name)),
        ("path", quoted(role.arn.path.as_str())),
        ("description", quoted(&role.description)),
        ("max_session_duration", role.max_session.as_secs().to_string()),
    ];
    if let Some(boundary) = &role.boundary {
        arguments.push(("permissions_boundary", quoted(&boundary.to_string())));
    }
    arguments.push(("assume_role_policy", encoded(&role.trust)));
    arguments.push(("tags", expression(&json!(role.all_tags()), "  ")));
    let mut resources = vec![resource("aws_iam_role", alias, alias, &arguments, &name)];

    let of_role = format!("aws_iam_role.{alias}.name");
    let attached: Vec<_> = role.attachments.iter().map(|policy| format!("{alias}_{}", policy.name)).collect();
    for (policy, label) in role.attachments.iter().zip(aliases(attached.iter().map(String::as_str))) {
        let arguments = [("role", of_role.clone()), ("policy_arn", quoted(&policy.to_string()))];
        let id = format!("{name}/{policy}");
        resources.push(resource("aws_iam_role_policy_attachment", &label, alias, &arguments, &id));
    }
    let inline: Vec<_> = role.inline.keys().map(|name| format!("{alias}_{name}")).collect();
    for ((policy, document), label) in role.inline.iter().zip(aliases(inline.iter().map(String::as_str))) {
        let arguments = [("name", quoted(policy.as_str())), ("role", of_role.clone()), ("policy", encoded(document))];
        resources.push(resource("aws_iam_role_policy", &label, alias, &arguments, &format!("{name}:{policy}")));
    }
    resources
}

fn resource(
    kind: &'static str,
    label: &str,
    alias: &str,
    arguments: &[(&'static str, String)],
    import_id: &str,
) -> Resource {
    let (label, alias, import_id) = (label.to_owned(), alias.to_owned(), import_id.to_owned());
    Resource { kind, label, alias, arguments: arguments.to_vec(), import_id }
}

impl Resource {
    fn address(&self) -> String {
        format!("{}.{}", self.kind, self.label)
    }

    /// Returns the `import` block and the resource.
    fn imported(&self) -> [String; 2] {
        let import = [("to", self.address()), ("id", quoted(&self.import_id))];
        let provider = [("provider", format!("aws.{}", self.alias))];
        [
            format!("import {{\n{}}}\n", aligned(&import, "  ")),
            format!(
                "resource {} {} {{\n{}\n{}}}\n",
                quoted(self.kind),
                quoted(&self.label),
                aligned(&provider, "  "),
                aligned(&self.arguments, "  ")
            ),
        ]
    }

    /// Returns the block that makes Terraform forget the resource.
    fn removed(&self) -> String {
        format!("removed {{\n  from = {}\n\n  lifecycle {{\n    destroy = false\n  }}\n}}\n", self.address())
    }
}

fn encoded(document: &PolicyDocument) -> String {
    format!("jsonencode({})", expression(&document.to_value(), "  "))
}

#[cfg(test)]
mod tests;
