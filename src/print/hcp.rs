//! Variables of a workspace of HCP Terraform or Terraform Enterprise.
//!
//! Runs take the AWS provider's credentials from environment variables of the workspace: keys of the user, or tokens of
//! their own that the role admits (HashiCorp's documentation, "Dynamic credentials with the AWS provider").

use super::Access;
use crate::error::{Error, Result};
use crate::iam::policy::PolicyDocument;
use crate::iam::templates::HcpTerms;
use crate::text::shell::{ShellCommand, quoted};

/// Checks where a workspace is: each part becomes part of a pattern in the trust policy.
///
/// # Errors
/// When a name has what HCP Terraform does not allow in it.
pub fn workspace(host: &str, organization: &str, project: &str, workspace: &str) -> Result<HcpTerms> {
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    if host.len() > 253 || !host.contains('.') || !host.split('.').all(is_label) {
        return Err(Error::usage(format!("`{}` is not the name of a host", host.escape_debug()))
            .hint("give it as tokens name it: without https://, in lower case, such as app.terraform.io"));
    }
    for (what, name, signs) in
        [("organization", organization, "-_"), ("project", project, "-_ "), ("workspace", workspace, "-_")]
    {
        let is_good = |c: char| c.is_ascii_alphanumeric() || signs.contains(c);
        if name.is_empty() || name.len() > 90 || !name.chars().all(is_good) || name.trim() != name {
            return Err(Error::usage(format!("`{}` cannot be the name of the {what}", name.escape_debug())).hint(
                "give the name that HCP Terraform shows: letters, digits, `-` and `_`, in projects also blanks",
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
        "# Environment variables of workspace {workspace}, in project {project} of organization {organization}:\n\
         #   https://{host}/app/{organization}/workspaces/{workspace}/variables\n"
    )
}

fn region(access: &Access) -> String {
    access.region.as_ref().map_or_else(String::new, |region| format!("AWS_REGION={region}\n"))
}

/// Keys of the user, which the workspace keeps; the configuration then assumes the role.
///
/// # Errors
/// When the role demands MFA: nobody is there to be asked.
pub fn with_keys(access: &Access, workspace: &HcpTerms) -> Result<String> {
    if access.needs_mfa {
        return Err(Error::usage(format!(
            "target `{}` demands MFA, and a run in HCP Terraform has nobody to ask",
            access.target
        ))
        .hint("let runs in with tokens of their own: --auth dynamic"));
    }
    let user = access.user.as_ref().map_or("USER", |user| user.as_str());
    let make_key = ShellCommand::new("aws").args(["iam", "create-access-key"]).option("--user-name", user);
    let print = ShellCommand::new("xacct").arg("print-provider-hcl").arg(&access.target);
    Ok(format!(
        "{heading}\
         # Mark both keys as sensitive. Their values are shown once, by\n\
         #   {make_key}\n\
         AWS_ACCESS_KEY_ID=\n\
         AWS_SECRET_ACCESS_KEY=\n\
         {region}\
         # The configuration assumes the role itself, with what this prints:\n\
         #   {print}\n",
        heading = heading(workspace),
        region = region(access),
    ))
}

/// Tokens of the run's own, for which the role must admit the workspace.
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
         # Leave assume_role and profiles out of the configuration: the run is the role already. If it must assume another\n\
         # one, that is chaining, and sessions last an hour at most.\n\
         #\n\
         # Once for account {account}, so that it knows the tokens:\n\
         #   {make_provider}\n\
         # And beside what the role's trust policy has, this statement. User, external ID and MFA have no part in it: whoever\n\
         # may start a run of the workspace has the role.\n\
         {document}",
        heading = heading(workspace),
        role = quoted(&access.role.to_string()),
        region = region(access),
        account = access.role.account,
    )
}

#[cfg(test)]
mod tests;
