//! Statements of a trust policy that xacct does not write by itself: from the files of a link, or found on a role.

use std::collections::BTreeSet;

use super::arn::PrincipalArn;
use super::policy::{Effect, Element, PolicyDocument, Principals, Statement, VERSION, account_principal, is_unique_id};
use super::templates::is_own_sid;

/// Why xacct cannot write a statement into a trust policy, and the fix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct Unusable {
    /// The statement and its problem.
    pub problem: String,
    /// One action that fixes it.
    pub fix: &'static str,
}

/// Checks that these statements can stand in a trust policy beside xacct's own.
///
/// # Errors
/// When IAM would reject a statement, a `Sid` is used twice or is xacct's, or the version would change the meaning.
pub fn check(document: &PolicyDocument) -> Result<(), Unusable> {
    let mut sids = BTreeSet::new();
    for (index, statement) in document.statements.iter().enumerate() {
        let wrong = |problem: String, fix| Unusable { problem: format!("statement {} {problem}", index + 1), fix };
        if statement.principal.is_none() {
            return Err(wrong("has no principal".to_owned(), "add \"Principal\": whom the statement admits or denies"));
        }
        // "Using it with "Effect":"Allow" is not supported" (IAM User Guide, NotPrincipal; quoted in noobaa-core#8176).
        // Assumed: IAM answers MalformedPolicyDocument.
        if statement.effect == Effect::Allow && matches!(statement.principal, Some(Element::Not(_))) {
            let fix = "list the trusted principals in \"Principal\"; NotPrincipal works only with \"Deny\"";
            return Err(wrong("allows with NotPrincipal, which IAM rejects".to_owned(), fix));
        }
        if statement.resource.is_some() {
            let fix = "remove \"Resource\": a trust policy is about its own role";
            return Err(wrong("has a resource".to_owned(), fix));
        }
        // Assumed: IAM answers "AssumeRole policy may only specify STS AssumeRole actions", as emulators of it do.
        if let Element::Is(actions) | Element::Not(actions) = &statement.action
            && let Some(other) = actions.iter().find(|action| !action.to_ascii_lowercase().starts_with("sts:"))
        {
            let fix = "use only actions of STS, such as \"sts:AssumeRole\"";
            return Err(wrong(format!("has the action `{}`", super::invalid::shown(other)), fix));
        }
        // Assumed: IAM rejects it as S3 does in a bucket policy (analytical-platform#4932 of the Ministry of Justice).
        if let Some(id) = identifiers(statement).find(|id| is_unique_id(id)) {
            let fix = "remove the ID, or use the principal's ARN";
            return Err(wrong(format!("has the principal `{id}`, a unique ID, which IAM rejects"), fix));
        }
        let Some(sid) = &statement.sid else { continue };
        if is_own_sid(sid) {
            return Err(wrong(format!("has the Sid `{sid}`, which marks xacct's own"), "use another Sid"));
        }
        if !sids.insert(sid) {
            let sid = super::invalid::shown(sid);
            return Err(wrong(format!("has the Sid `{sid}` of another statement"), "use each Sid only once"));
        }
    }
    // xacct writes version 2012-10-17, in which `${…}` in a value is a variable; before, it is plain text.
    let values = document.statements.iter().flat_map(|it| it.condition.values()).flat_map(|keys| keys.values());
    if document.version.as_deref() != Some(VERSION) && values.flatten().any(|value| value.contains("${")) {
        let problem = "a condition contains `${`, which has another meaning in version 2012-10-17".to_owned();
        return Err(Unusable { problem, fix: "use \"Version\": \"2012-10-17\" if it is a variable" });
    }
    Ok(())
}

/// Returns the statements of a role's trust policy that are neither xacct's own nor declared, nor replaced by xacct's
/// own: a statement that admits only the source account or these principals, perhaps with external ID and MFA.
#[must_use]
pub fn undeclared(
    found: &PolicyDocument,
    declared: &PolicyDocument,
    principals: &BTreeSet<PrincipalArn>,
) -> PolicyDocument {
    let is_own = |statement: &Statement| statement.sid.as_deref().is_some_and(is_own_sid);
    let is_other = |statement: &&Statement| {
        !is_own(statement) && !declared.contains(statement) && !is_replaced(statement, principals)
    };
    let statements = found.statements.iter().filter(is_other).cloned().collect();
    PolicyDocument { version: found.version.clone(), ..PolicyDocument::of(statements) }
}

/// Returns whether xacct's own statement replaces this one.
fn is_replaced(statement: &Statement, principals: &BTreeSet<PrincipalArn>) -> bool {
    let Some(Element::Is(Principals::Listed(kinds))) = &statement.principal else { return false };
    let arns: BTreeSet<_> = principals.iter().map(ToString::to_string).collect();
    let account = principals.first().map(PrincipalArn::account);
    let is_ours = |id: &String| arns.contains(id) || account_principal(id).as_ref() == account && account.is_some();
    let of_conditions = statement.condition.values().flatten();
    let is_known = |(key, values): (&String, &BTreeSet<String>)| {
        let is = |name: &str| key.eq_ignore_ascii_case(name);
        is("sts:ExternalId")
            || is("aws:MultiFactorAuthPresent")
            || is("aws:MultiFactorAuthAge")
            || (is("aws:PrincipalArn") && values.is_subset(&arns))
    };
    statement.effect == Effect::Allow
        && kinds.iter().all(|(kind, ids)| kind == "AWS" && ids.iter().all(is_ours))
        && of_conditions.into_iter().all(is_known)
}

/// Returns the identifiers that a statement lists under `AWS`.
fn identifiers(statement: &Statement) -> impl Iterator<Item = &String> {
    let listed = match &statement.principal {
        Some(Element::Is(Principals::Listed(kinds)) | Element::Not(Principals::Listed(kinds))) => kinds.get("AWS"),
        _ => None,
    };
    listed.into_iter().flatten()
}

#[cfg(test)]
mod tests;
