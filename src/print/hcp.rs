//! Variables for a workspace in HCP Terraform or Terraform Enterprise.
//!
//! Runs get the AWS provider's credentials from environment variables of the workspace: the user's access keys, or
//! the run's own OIDC tokens, which the role trusts (HashiCorp's documentation, "Dynamic credentials with the AWS
//! provider").

use super::Access;
use crate::error::{Error, Result};
use crate::iam::arn::PrincipalRef;
use crate::iam::policy::PolicyDocument;
use crate::iam::templates::HcpTerms;
use crate::text::shell::{ShellCommand, quoted};

/// Checks the names that identify a workspace, because each becomes part of a pattern in the trust policy.
///
/// # Errors
/// When a name contains a character that HCP Terraform does not allow.
pub fn workspace(host: &str, organization: &str, project: &str, workspace: &str) -> Result<HcpTerms> {
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    if host.len() > 253 || !host.contains('.') || !host.split('.').all(is_label) {
        return Err(Error::usage(format!("`{}` is not a valid hostname", host.escape_debug()))
            .hint("use the hostname in lower case and without https://, such as `app.terraform.io`"));
    }
    for (what, name, signs) in
        [("organization", organization, "-_"), ("project", project, "-_ "), ("workspace", workspace, "-_")]
    {
        let is_good = |c: char| c.is_ascii_alphanumeric() || signs.contains(c);
        if name.is_empty() || name.len() > 90 || !name.chars().all(is_good) || name.trim() != name {
            return Err(Error::usage(format!("`{}` is not a valid {what} name", name.escape_debug())).hint(
                "use the name that HCP Terraform shows: letters, digits, `-` and `_`; project names may have spaces",
            ));
        }
    }
    Ok(HcpTerms {
        host: host.to_owned(),
        organization: organization.to_owned(),
        project: project.to_owned(),
        workspace: workspace.to_owned(),
    })
}

fn heading(workspace: &HcpTerms) -> String {
    let HcpTerms { host, organization, project, workspace } = workspace;
    format!(
        "# Environment variables for workspace {workspace}, in project {project} of organization {organization}:\n\
         #   https://{host}/app/{organization}/workspaces/{workspace}/variables\n"
    )
}

fn region(access: &Access) -> String {
    access.region.as_ref().map_or_else(String::new, |region| format!("AWS_REGION={region}\n"))
}

/// Returns variables with the user's access keys. The configuration then assumes the role.
///
/// # Errors
/// When the role requires MFA, because a run cannot prompt for a code, and when no principal of the link has access keys.
pub fn with_keys(access: &Access, workspace: &HcpTerms) -> Result<String> {
    if access.needs_mfa {
        return Err(Error::usage(format!(
            "target `{}` requires MFA, and a run in HCP Terraform cannot prompt for a code",
            access.target
        ))
        .hint("use the run's own OIDC token: --auth dynamic"));
    }
    if !access.principals.is_empty() && access.principals.iter().all(PrincipalRef::acts_as_role) {
        return Err(Error::usage(format!("{} has no access keys to store in a workspace", access.owner()))
            .hint("use the run's own OIDC token: --auth dynamic"));
    }
    let user = match access.principals.as_slice() {
        [PrincipalRef::User(user)] => user.name().as_str(),
        _ => "USER",
    };
    let make_key = ShellCommand::new("aws").args(["iam", "create-access-key"]).option("--user-name", user);
    let print = ShellCommand::new("xacct").arg("print-provider-hcl").arg(&access.target);
    Ok(format!(
        "{heading}\
         # Mark both variables as sensitive. This command creates an access key, and shows its secret only once:\n\
         #   {make_key}\n\
         AWS_ACCESS_KEY_ID=\n\
         AWS_SECRET_ACCESS_KEY=\n\
         {region}\
         # The configuration must assume the role. This command prints the provider block:\n\
         #   {print}\n",
        heading = heading(workspace),
        region = region(access),
    ))
}

/// Returns variables for the run's own tokens, and the trust policy statement that they need.
#[must_use]
pub fn with_tokens(access: &Access, workspace: &HcpTerms, statement: &PolicyDocument) -> String {
    let document = statement.to_string();
    let make_provider = ShellCommand::new("aws")
        .args(["iam", "create-open-id-connect-provider"])
        .option("--url", format!("https://{}", workspace.host))
        .option("--client-id-list", "aws.workload.identity");
    let document: String = document.lines().map(|line| format!("#   {line}\n")).collect();
    format!(
        "{heading}\
         TFC_AWS_PROVIDER_AUTH=true\n\
         TFC_AWS_RUN_ROLE_ARN={role}\n\
         {region}\
         # Don't use assume_role or profiles in the configuration: runs already use the role. If a run assumes another role,\n\
         # that is role chaining, and its sessions last at most one hour.\n\
         #\n\
         # Run this once for account {account}, so that the account trusts the tokens:\n\
         #   {make_provider}\n\
         # The role must trust the workspace with this statement (--trust-statement prints only it). It does not check the\n\
         # user, the external ID or MFA: anyone who can start a run in the workspace can use the role.\n\
         {document}",
        heading = heading(workspace),
        role = quoted(&access.role.to_string()),
        region = region(access),
        account = access.role.account,
    )
}

#[cfg(test)]
mod tests;
