//! The role as a CloudFormation template, for one account or for a stack set.

use serde_json::{Map, Value, json};

use super::text::yaml;
use crate::iam::identity::LINK_TAG;
use crate::iam::names::ExternalId;
use crate::iam::state::DesiredRole;
use crate::text::shell::ShellCommand;

/// Returns the template as JSON. Values that differ between accounts are parameters.
#[must_use]
pub fn template(role: &DesiredRole, external_id: Option<&ExternalId>, printed_by: &str) -> Value {
    let mut parameters = Map::new();
    parameters.insert(
        "SourceAccount".to_owned(),
        json!({
            "Type": "String",
            "Description": "Account of the user who assumes the role",
            "Default": role.source.as_str(),
            "AllowedPattern": "^[0-9]{12}$",
        }),
    );
    parameters.insert(
        "RoleName".to_owned(),
        json!({
            "Type": "String",
            "Description": "The role's name",
            "Default": role.arn.name.as_str(),
            "AllowedPattern": "^[A-Za-z0-9_+=,.@-]{1,64}$",
        }),
    );
    if let Some(id) = external_id {
        parameters.insert(
            "ExternalId".to_owned(),
            json!({
                "Type": "String",
                "Description": "External ID that AssumeRole requests must include; use a different one in each account",
                "Default": id.as_str(),
                "AllowedPattern": "^[A-Za-z0-9_+=,.@:/-]{2,1224}$",
            }),
        );
    }
    let mut properties = Map::new();
    let mut set = |key: &str, value: Value| {
        properties.insert(key.to_owned(), value);
    };
    set("RoleName", json!({"Ref": "RoleName"}));
    set("Path", json!(role.arn.path.as_str()));
    set("Description", json!(role.description));
    set("MaxSessionDuration", json!(role.max_session.as_secs()));
    set("AssumeRolePolicyDocument", with_parameters(&role.trust.to_value(), role, external_id));
    if let Some(boundary) = &role.boundary {
        set("PermissionsBoundary", json!(boundary.to_string()));
    }
    if !role.attachments.is_empty() {
        set("ManagedPolicyArns", role.attachments.iter().map(ToString::to_string).collect());
    }
    let inline = role.inline.iter();
    let inline: Vec<_> = inline
        .map(|(name, document)| json!({"PolicyName": name.as_str(), "PolicyDocument": document.to_value()}))
        .collect();
    if !inline.is_empty() {
        set("Policies", inline.into());
    }
    // The template may make the role of any link.
    let tags = role.all_tags().into_iter().filter(|(key, _)| key != LINK_TAG).map(|(key, value)| {
        let is_source = key == crate::iam::state::SOURCE_TAG;
        let value = if is_source { json!({"Ref": "SourceAccount"}) } else { json!(value) };
        json!({"Key": key, "Value": value})
    });
    set("Tags", tags.collect());
    json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "A role that a user in another account can assume",
        "Metadata": {"PrintedBy": printed_by},
        "Parameters": parameters,
        "Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": properties}},
        "Outputs": {"RoleArn": {"Value": {"Fn::GetAtt": ["Role", "Arn"]}}},
    })
}

/// Returns the trust policy with parameters instead of this link's values.
fn with_parameters(value: &Value, role: &DesiredRole, external_id: Option<&ExternalId>) -> Value {
    match value {
        Value::Object(object) => {
            let changed = object.iter().map(|(key, value)| {
                let own = match (key.as_str(), value.as_str()) {
                    ("sts:ExternalId", Some(id)) if external_id.is_some_and(|known| known.as_str() == id) => {
                        Some(json!({"Ref": "ExternalId"}))
                    }
                    ("AWS", Some(principal)) if principal.ends_with(&format!("::{}:root", role.source)) => {
                        Some(json!({"Fn::Sub": "arn:${AWS::Partition}:iam::${SourceAccount}:root"}))
                    }
                    ("aws:PrincipalArn", Some(principal)) => user_of_a_parameter(principal, role),
                    _ => None,
                };
                (key.clone(), own.unwrap_or_else(|| with_parameters(value, role, external_id)))
            });
            Value::Object(changed.collect())
        }
        Value::Array(list) => list.iter().map(|item| with_parameters(item, role, external_id)).collect(),
        other => other.clone(),
    }
}

/// Returns the ARN of the only user that the role trusts, with the account from the parameter. `Fn::Sub` would read
/// a path with `${` as a template, so this uses `Fn::Join`.
fn user_of_a_parameter(arn: &str, role: &DesiredRole) -> Option<Value> {
    let (before, user) = arn.split_once(&format!("::{}:", role.source))?;
    Some(json!({"Fn::Join": ["", [format!("{before}::"), {"Ref": "SourceAccount"}, format!(":{user}")]]}))
}

/// Returns the template as YAML, below comments with the commands that deploy it.
#[must_use]
pub fn document(template: &Value, role: &DesiredRole, file: &str, external_id: Option<&ExternalId>) -> String {
    let name = stack_name(role.arn.name.as_str());
    let region = role.arn.partition.default_region();
    let stack_set =
        |operation| ShellCommand::new("aws").arg("cloudformation").arg(operation).option("--stack-set-name", &name);
    let overrides = stack_set("update-stack-instances")
        .option("--regions", region)
        .on_next_line()
        .flag("--deployment-targets")
        .on_next_line()
        .arg("OrganizationalUnitIds=ou-xxxx-xxxxxxxx,Accounts=ACCOUNT,AccountFilterType=INTERSECTION")
        .on_next_line()
        .option("--parameter-overrides", "ParameterKey=ExternalId,ParameterValue=ID");
    let overrides = external_id
        .map_or_else(String::new, |_| format!("# A different external ID for one account:\n{}", commented(&overrides)));
    let deploy = ShellCommand::new("aws")
        .args(["cloudformation", "deploy"])
        .option("--stack-name", &name)
        .option("--template-file", file)
        .on_next_line()
        .option("--capabilities", "CAPABILITY_NAMED_IAM");
    let create_set = stack_set("create-stack-set")
        .option("--template-body", format!("file://{file}"))
        .on_next_line()
        .option("--capabilities", "CAPABILITY_NAMED_IAM")
        .option("--permission-model", "SERVICE_MANAGED")
        .on_next_line()
        .option("--auto-deployment", "Enabled=true,RetainStacksOnAccountRemoval=false")
        .option("--managed-execution", "Active=true");
    let create_instances = stack_set("create-stack-instances")
        .on_next_line()
        .option("--deployment-targets", "OrganizationalUnitIds=ou-xxxx-xxxxxxxx")
        .option("--regions", region)
        .on_next_line()
        .option("--operation-preferences", "MaxConcurrentPercentage=100,FailureTolerancePercentage=100");
    format!(
        "# One account:\n\
         {}\
         # All accounts in an organizational unit. Run this in the management account, or in a delegated administrator\n\
         # account with --call-as DELEGATED_ADMIN. Stack sets never deploy to the management account itself.\n\
         {}{}\
         # IAM is global, so deploy to exactly one Region. Without --operation-preferences, CloudFormation deploys to one\n\
         # account at a time and stops at the first failure. The stack fails if the account already has a role of this\n\
         # name: don't use both `xacct bootstrap` and this template for one account.\n\
         {overrides}\n{}",
        commented(&deploy),
        commented(&create_set),
        commented(&create_instances),
        yaml(template, ""),
    )
}

/// Returns a command as a comment.
fn commented(command: &ShellCommand) -> String {
    command.to_string().lines().map(|line| format!("#   {line}\n")).collect()
}

/// Returns a stack's name: letters, digits and dashes, beginning with a letter (CloudFormation API reference,
/// CreateStack).
fn stack_name(role: &str) -> String {
    let name: String = role.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    if name.starts_with(|c: char| c.is_ascii_alphabetic()) { name } else { format!("xacct-{name}") }
}

#[cfg(test)]
mod tests;
