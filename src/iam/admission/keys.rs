//! What condition keys say of a caller.
//!
//! A condition narrows a class of callers only if its key says who calls, in a form that the caller cannot choose. Which
//! keys do, differs by the kind of caller. A key that is not in the tables says nothing of the caller, and every caller
//! is taken to be able to meet a condition on it.

use super::subject::Subject;
use crate::iam::evaluate::Known;

/// A kind of caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A principal of the source account, or of the role's own account.
    Known,
    /// A principal of another account, or of one that is not known.
    Foreign,
    /// An AWS service.
    Service,
    /// The bearer of an OIDC token: `sts:AssumeRoleWithWebIdentity`.
    Token,
    /// The bearer of a SAML assertion: `sts:AssumeRoleWithSAML`.
    Assertion,
}

/// What a key says of a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Says {
    /// Who calls. The key is in every request.
    Who,
    /// Who calls, if the key is in the request.
    WhoIfPresent,
    /// Nothing, or what the caller chooses.
    Nothing,
    /// Nothing: the key is never in the request.
    Absent,
    /// This value, always.
    Always(&'static str),
}

/// A row of the table: a key, or the start of a key that ends with `/`, in lower case, and what it says of the caller by
/// [`Kind`].
type Row = (&'static str, [Says; 5]);

use Says::{Absent, Always, Nothing, Who, WhoIfPresent as Maybe};

/// The global keys, by the IAM User Guide, "AWS global condition context keys" (properties of the principal, properties
/// of the request), and "IAM and AWS STS condition context keys" (`sts:ExternalId`).
///
/// A request with a token or an assertion is not signed, so nothing is known of a principal of AWS (AWS STS API
/// reference, AssumeRoleWithWebIdentity: "does not require the use of AWS security credentials").
const KEYS: [Row; 18] = [
    // "The ARN of the principal that made the request": of a session, that of its role. For a foreign account only with
    // its number: anybody can create a role with the same path and name.
    ("aws:principalarn", [Who, Who, Absent, Absent, Absent]),
    ("aws:principalaccount", [Who, Who, Absent, Absent, Absent]),
    // "Only if the principal is a member of an organization".
    ("aws:principalorgid", [Maybe, Maybe, Absent, Absent, Absent]),
    ("aws:principalorgpaths", [Maybe, Maybe, Absent, Absent, Absent]),
    ("aws:principalorgmasteraccountid", [Maybe, Maybe, Absent, Absent, Absent]),
    // Whoever administers a foreign account chooses the names, the tags and the sessions there ("Principal key values").
    ("aws:userid", [Maybe, Nothing, Nothing, Nothing, Nothing]),
    ("aws:username", [Maybe, Nothing, Absent, Absent, Absent]),
    ("aws:principaltype", [Maybe, Nothing, Nothing, Nothing, Nothing]),
    ("aws:principaltag/", [Maybe, Nothing, Nothing, Nothing, Nothing]),
    // "Use this key to check whether the call to your resource is being made directly by an AWS service principal."
    ("aws:principalisawsservice", [Always("false"), Always("false"), Always("true"), Nothing, Nothing]),
    // "Present in the request only when the request is made directly by an AWS service principal."
    ("aws:principalservicename", [Absent, Absent, Maybe, Absent, Absent]),
    // "Only when a call is made by an AWS service principal on behalf of a resource": cross-service confused deputy
    // prevention.
    ("aws:sourcearn", [Absent, Absent, Maybe, Absent, Absent]),
    ("aws:sourceaccount", [Absent, Absent, Maybe, Absent, Absent]),
    ("aws:sourceorgid", [Absent, Absent, Maybe, Absent, Absent]),
    ("aws:sourceorgpaths", [Absent, Absent, Maybe, Absent, Absent]),
    // AssumeRoleWithWebIdentity and AssumeRoleWithSAML have no parameter for it (AWS STS API reference).
    ("sts:externalid", [Nothing, Nothing, Nothing, Absent, Absent]),
    // "Temporary credentials": a session of a user or a role. An unsigned request has none.
    ("aws:multifactorauthpresent", [Nothing, Nothing, Nothing, Absent, Absent]),
    ("aws:multifactorauthage", [Nothing, Nothing, Nothing, Absent, Absent]),
];

/// Returns what a key in lower case says of a caller. `issuer` is the host of the issuer of a token, if it is known.
pub(super) fn says(key: &str, kind: Kind, issuer: Option<&str>) -> Says {
    let is_meant = |row: &&Row| key == row.0 || row.0.ends_with('/') && key.starts_with(row.0);
    if let Some((_, says)) = KEYS.iter().find(is_meant) {
        let [known, foreign, service, token, assertion] = *says;
        return match kind {
            Kind::Known => known,
            Kind::Foreign => foreign,
            Kind::Service => service,
            Kind::Token => token,
            Kind::Assertion => assertion,
        };
    }
    match (claim(key), kind) {
        (Some((host, claim)), Kind::Token) => match issuer {
            Some(issuer) if !issuer.eq_ignore_ascii_case(host) => Absent,
            _ if is_of_bearer(host, claim) => Maybe,
            _ => Nothing,
        },
        // The keys of a token stay in the session that it starts, which may call too ("Available keys for AWS OIDC
        // federation", session durability), and a foreign account may trust any issuer.
        (Some(_), Kind::Service | Kind::Assertion) => Absent,
        _ => Nothing,
    }
}

/// Returns the host of an issuer and the claim, if this is the key of a claim: `token.actions.githubusercontent.com:sub`.
pub(super) fn claim(key: &str) -> Option<(&str, &str)> {
    key.rsplit_once(':').filter(|(host, claim)| host.contains('.') && !claim.is_empty())
}

const GITHUB: &str = "token.actions.githubusercontent.com";

/// An issuer that many customers share: whoever has an account there gets tokens.
pub(super) struct SharedIssuer {
    /// The host, without `https://`.
    pub host: &'static str,
    /// Claims that say whose token this is beside `sub`.
    claims: &'static [&'static str],
    /// How a subject begins that names one customer: the parts that must be without wildcards, each up to its last
    /// character.
    customer: &'static [char],
}

/// The issuers that are built into AWS, and those of IAM User Guide, "Identity-provider controls for shared OIDC
/// providers", with the claims of "Available keys for AWS OIDC federation".
///
/// `aud` is the application or the identity pool at the built-in issuers, and the customer at Vercel and Pulumi. Elsewhere
/// every customer may ask for any audience. GitHub's `job_workflow_ref`, `workflow`, `ref`, `environment` and `actor` say
/// what runs and who pressed the button, not whose repository it is: anybody may call a public workflow.
const SHARED: [SharedIssuer; 20] = [
    SharedIssuer { host: "cognito-identity.amazonaws.com", claims: &["aud"], customer: &[] },
    SharedIssuer { host: "accounts.google.com", claims: &["aud", "oaud"], customer: &[] },
    SharedIssuer { host: "graph.facebook.com", claims: &["app_id", "id"], customer: &[] },
    SharedIssuer { host: "www.amazon.com", claims: &["app_id", "user_id"], customer: &[] },
    SharedIssuer {
        host: GITHUB,
        claims: &["repository", "repository_id", "repository_owner_id", "enterprise_id"],
        customer: &[':', '/'],
    },
    SharedIssuer { host: "gitlab.com", claims: &["namespace_id", "project_id", "user_id"], customer: &[':', '/'] },
    SharedIssuer { host: "app.terraform.io", claims: &[], customer: &[':', ':'] },
    SharedIssuer {
        host: "agent.buildkite.com",
        claims: &["organization_slug", "organization_id", "pipeline_id", "cluster_id"],
        customer: &[':', ':'],
    },
    SharedIssuer { host: "oidc.codefresh.io", claims: &[], customer: &[':', ':'] },
    SharedIssuer { host: "scalr.io", claims: &[], customer: &[':', ':'] },
    SharedIssuer { host: "proidc.upbound.io", claims: &[], customer: &[':', ':'] },
    SharedIssuer { host: "vstoken.actions.githubusercontent.com", claims: &[], customer: &[':', '/'] },
    SharedIssuer { host: "oidc-configuration.audit-log.githubusercontent.com", claims: &[], customer: &[] },
    SharedIssuer { host: "studio.datachain.ai/api", claims: &[], customer: &[] },
    SharedIssuer { host: "tokens.cloud.shisho.dev", claims: &[], customer: &[] },
    SharedIssuer { host: "oidc.op1.openshiftapps.com/2f785sojlpb85i7402pk3qogugim5nfb", claims: &[], customer: &[] },
    SharedIssuer { host: "oidc.op1.openshiftapps.com/2c51blsaqa9gkjt0o9rt11mle8mmropu", claims: &[], customer: &[] },
    SharedIssuer { host: "sandboxes.cloud", claims: &["aud"], customer: &[] },
    SharedIssuer { host: "oidc.vercel.com", claims: &["aud"], customer: &[':', ':'] },
    SharedIssuer { host: "api.pulumi.com/oidc", claims: &["aud"], customer: &[':', ':'] },
];

/// Returns the host of the issuer of an OIDC provider: `arn:aws:iam::ACCOUNT:oidc-provider/HOST`, or a host built into
/// AWS.
pub(super) fn issuer_of(provider: &str) -> &str {
    provider.split_once(":oidc-provider/").map_or(provider, |(_, host)| host)
}

/// Returns the shared issuer with this host.
pub(super) fn shared_issuer(host: &str) -> Option<&'static SharedIssuer> {
    SHARED.iter().find(|shared| shared.host.eq_ignore_ascii_case(host))
}

/// Returns whether this is the key, in lower case, of a claim that says whose token it is.
#[must_use]
pub fn says_whose_token(key: &str) -> bool {
    claim(key).is_some_and(|(host, claim)| is_of_bearer(host, claim))
}

/// Returns whether a claim says whose token it is. Of an issuer that is not shared, only `sub` is known to.
fn is_of_bearer(host: &str, claim: &str) -> bool {
    claim == "sub" || shared_issuer(host).is_some_and(|shared| shared.claims.contains(&claim))
}

impl SharedIssuer {
    /// Returns whether the value of a claim, or the pattern, names one customer. `repo:octo*` covers `repo:octo/app:…` and
    /// the repositories of every GitHub owner named `octo-something`.
    pub fn names_customer(&self, claim: &str, value: &str, is_pattern: bool) -> bool {
        let fixed = if is_pattern { value.split(['*', '?']).next().unwrap_or_default() } else { value };
        if claim == "sub" && self.host == GITHUB {
            return names_owner(fixed, fixed == value);
        }
        if fixed == value {
            return true;
        }
        let needed: &[char] = match claim {
            "sub" => self.customer,
            "repository" => &['/'],
            _ => return false,
        };
        let mut rest = fixed;
        !needed.is_empty()
            && needed.iter().all(|end| match rest.split_once(*end) {
                Some((part, after)) if !part.is_empty() => {
                    rest = after;
                    true
                }
                _ => false,
            })
    }
}

/// Returns whether the fixed start of a subject of GitHub names the owner of the repository. Whoever administers an
/// organization chooses which claims the subject has: `CLAIM:VALUE`, joined by colons, those in values escaped (GitHub
/// documentation, "Customizing the token claims"). So everybody can have `environment:production`.
fn names_owner(fixed: &str, is_whole: bool) -> bool {
    let parts: Vec<_> = fixed.split(':').collect();
    let last = parts.len().saturating_sub(1);
    let mut claims = parts.iter().enumerate().step_by(2).zip(parts.iter().enumerate().skip(1).step_by(2));
    claims.any(|((_, claim), (place, value))| match *claim {
        "repo" | "repository" => value.split_once('/').is_some_and(|(owner, _)| !owner.is_empty()),
        "repository_owner" | "repository_owner_id" | "repository_id" | "enterprise" | "enterprise_id" => {
            !value.is_empty() && (is_whole || place < last)
        }
        _ => false,
    })
}

/// Returns what is known of a key of the role or of the clock, which is the same for all callers.
pub(super) fn of_role(key: &str, subject: &Subject<'_>) -> Option<Known> {
    let undecided = |what: &str| Known::Undecided(format!("{key} depends on {what}"));
    let clock = |is_epoch| match subject.now {
        None => undecided("the time"),
        Some(now) => Known::Clock { now, is_epoch },
    };
    Some(match key {
        "aws:resourceaccount" => Known::Is(subject.role.account.to_string()),
        "aws:resourceorgid" | "aws:resourceorgpaths" => undecided("the organization of the role's account"),
        "aws:currenttime" => clock(false),
        "aws:epochtime" => clock(true),
        _ => {
            let tag = key.strip_prefix("aws:resourcetag/").or_else(|| key.strip_prefix("iam:resourcetag/"))?;
            match subject.tags {
                None => undecided("the tags of the role"),
                Some(tags) => match tags.iter().find(|(name, _)| name.eq_ignore_ascii_case(tag)) {
                    Some((_, value)) => Known::Is(value.clone()),
                    None => Known::Absent,
                },
            }
        }
    })
}
