//! Parses classes of callers as people write them.

use std::collections::BTreeSet;
use std::str::FromStr;

use super::admitted::{OWN_ORGANIZATION, Who};
use crate::iam::invalid::Invalid;
use crate::iam::policy::{account_principal, is_unique_id};

const WHAT: &str = "class of callers";

impl FromStr for Who {
    type Err = Invalid;

    /// Parses a class as `Display` writes it, and the shorter forms of policies: `*`, an account ID, an ARN, `o-…`, the
    /// name of a service, the ARN of a provider.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let refuse = |rule: &str, fix: &str| Err(Invalid::new(WHAT, text, rule, fix));
        if text.trim() != text || text.is_empty() {
            let rule = if text.is_empty() { "is empty" } else { "begins or ends with whitespace" };
            return refuse(rule, "write it as xacct prints it, such as `account 111111111111`");
        }
        match text.split_once(' ') {
            Some(("account", rest)) => return of_account(rest),
            Some(("organization", id)) => return of_organization(id),
            Some(("service", rest)) => {
                return Ok(match rest.split_once(" for ") {
                    None => Self::Service(rest.to_owned()),
                    Some((service, source)) => {
                        Self::ServiceFor { service: service.to_owned(), source: source.to_owned() }
                    }
                });
            }
            Some(("nobody", _)) => return refuse("is nobody", "remove the entry: nobody is admitted"),
            _ => {}
        }
        if let Some(issuer) = text.strip_prefix("any token of ") {
            return Ok(Self::Tokens { issuer: issuer.to_owned(), subjects: BTreeSet::new() });
        }
        if let Some(rest) = text.strip_prefix("tokens of ") {
            let Some((issuer, subjects)) = rest.split_once(" for ") else {
                return refuse(
                    "does not say which tokens",
                    "write `tokens of ISSUER for SUBJECT`, or `any token of ISSUER`",
                );
            };
            let subjects = subjects.split(", ").map(str::to_owned).collect();
            return Ok(Self::Tokens { issuer: issuer.to_owned(), subjects });
        }
        if let Some(provider) = text.strip_prefix("users of ") {
            return Ok(Self::Saml { provider: provider.to_owned() });
        }
        if let Some(account) = account_principal(text) {
            return Ok(Self::Account(account));
        }
        match text {
            "*" | "everyone" => return Ok(Self::Everyone),
            id if id.starts_with("o-") => return of_organization(id),
            id if is_unique_id(id) => return refuse("is the unique ID of a principal", "use its ARN, or its account"),
            provider if provider.contains(":oidc-provider/") => {
                return Ok(Self::Tokens { issuer: provider.to_owned(), subjects: BTreeSet::new() });
            }
            provider if provider.contains(":saml-provider/") => {
                return Ok(Self::Saml { provider: provider.to_owned() });
            }
            arn if arn.starts_with("arn:") => return of_arn(arn),
            name if name.ends_with(".amazonaws.com") && !name.contains(' ') => {
                return Ok(Self::Service(name.to_owned()));
            }
            _ => {}
        }
        let fix = "use `everyone`, `account 111111111111`, the ARN of a user or role, `organization o-…`, \
                   `service NAME.amazonaws.com`, `any token of ISSUER`, `tokens of ISSUER for SUBJECT` or `users of ARN`";
        refuse("has none of the forms that xacct prints", fix)
    }
}

/// Parses `111111111111`, or `111111111111 (aws:PrincipalArn …)`.
fn of_account(text: &str) -> Result<Who, Invalid> {
    let narrowed = text.split_once(" (").and_then(|(account, rest)| Some((account, rest.strip_suffix(')')?)));
    Ok(match narrowed {
        None => Who::Account(text.parse()?),
        Some((account, narrowed)) => Who::Matching { account: account.parse()?, narrowed: narrowed.to_owned() },
    })
}

fn of_organization(id: &str) -> Result<Who, Invalid> {
    let (start, _) = id.split_once(['/', ' ']).unwrap_or((id, ""));
    let is_id = start
        .strip_prefix("o-")
        .is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_alphanumeric()));
    if is_id || id == OWN_ORGANIZATION || id.starts_with("aws:PrincipalOrgMasterAccountId ") {
        return Ok(Who::Organization { id: id.to_owned() });
    }
    let rule = "is not the ID of an organization, or a path that begins with one";
    Err(Invalid::new("organization", id, rule, "use an ID such as `o-a1b2c3d4e5`"))
}

fn of_arn(arn: &str) -> Result<Who, Invalid> {
    let fields: Vec<_> = arn.splitn(6, ':').collect();
    let kinds = ["user/", "role/", "assumed-role/", "federated-user/"];
    if let ["arn", _, "iam" | "sts", "", account, resource] = fields.as_slice()
        && kinds.iter().any(|kind| resource.starts_with(kind))
        && !arn.contains(['*', '?'])
    {
        return Ok(Who::Principal { account: account.parse()?, arn: arn.to_owned() });
    }
    let rule = "is not the ARN of one user, role or session";
    let fix = "use the exact ARN of a user or role, or the class as xacct prints it: `account 111111111111 (aws:PrincipalArn …)`";
    Err(Invalid::new("principal", arn, rule, fix))
}
