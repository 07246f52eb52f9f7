//! Callers, and whether a class of callers includes one.

use std::collections::BTreeMap;

use xacct::iam::admission::Who;
use xacct::iam::evaluate::{Caller, Context, Principal, Request};

use crate::ROLE;

pub const SOURCE: &str = "111111111111";
pub const OWN: &str = "222222222222";
pub const GITHUB: &str = "arn:aws:iam::222222222222:oidc-provider/token.actions.githubusercontent.com";
pub const COGNITO: &str = "cognito-identity.amazonaws.com";
pub const SAML: &str = "arn:aws:iam::222222222222:saml-provider/okta";

/// A caller with the keys of its request.
#[derive(Debug, Clone)]
pub struct Tried {
    pub caller: Caller,
    pub keys: BTreeMap<String, Vec<String>>,
}

impl Tried {
    /// Returns a principal of AWS: a user, or a session with the ARN of its role.
    pub fn aws(arns: &[String]) -> Self {
        let account = arns[0].split(':').nth(4).unwrap();
        let caller =
            Principal { account: account.parse().unwrap(), arns: arns.iter().cloned().collect(), unique_id: None };
        let mut tried = Self { caller: caller.into(), keys: BTreeMap::new() };
        // The ARN of a session is that of its role (IAM User Guide, aws:PrincipalArn).
        tried.set("aws:PrincipalArn", arns.last().unwrap());
        tried.set("aws:PrincipalAccount", account);
        tried.set("aws:PrincipalIsAWSService", "false");
        tried
    }

    pub fn service(name: &str) -> Self {
        let mut tried = Self { caller: Caller::Service(name.to_owned()), keys: BTreeMap::new() };
        tried.set("aws:PrincipalIsAWSService", "true");
        tried.set("aws:PrincipalServiceName", name);
        tried
    }

    pub fn federated(provider: &str) -> Self {
        Self { caller: Caller::Federated(provider.to_owned()), keys: BTreeMap::new() }
    }

    pub fn set(&mut self, key: &str, value: &str) {
        self.keys.insert(key.to_owned(), vec![value.to_owned()]);
    }

    fn get(&self, key: &str) -> &[String] {
        let is_meant = |(known, _): &(&String, &Vec<String>)| known.eq_ignore_ascii_case(key);
        self.keys.iter().find(is_meant).map(|(_, values)| values.as_slice()).unwrap_or_default()
    }

    pub fn action(&self) -> &'static str {
        match &self.caller {
            Caller::Federated(provider) if provider == SAML => "sts:AssumeRoleWithSAML",
            Caller::Federated(_) => "sts:AssumeRoleWithWebIdentity",
            Caller::Aws(_) | Caller::Service(_) => "sts:AssumeRole",
        }
    }

    pub fn request(&self) -> Request {
        let mut context = Context::default();
        for (key, values) in &self.keys {
            context.set(key, values);
        }
        let (action, resource) = (self.action().to_owned(), ROLE.to_owned());
        Request { principal: self.caller.clone(), action, resource, context }
    }

    /// Returns the kind, for counting.
    pub fn kind(&self) -> &'static str {
        match &self.caller {
            Caller::Service(_) => "service",
            Caller::Federated(provider) if provider == SAML => "assertion",
            Caller::Federated(_) => "token",
            Caller::Aws(principal) => match principal.account.as_str() {
                SOURCE => "source account",
                OWN => "own account",
                _ if self.keys.contains_key("aws:PrincipalOrgID") => "organization",
                _ => "foreign account",
            },
        }
    }

    /// Returns whether a class includes this caller, by what the class says.
    pub fn is_in(&self, who: &Who) -> bool {
        let account = self.caller.as_aws().map(|principal| &principal.account);
        match (who, &self.caller) {
            (Who::Everyone, _) => true,
            (Who::Principal { arn, .. }, Caller::Aws(principal)) => principal.arns.contains(arn),
            (Who::Matching { account: own, narrowed }, Caller::Aws(_)) => account == Some(own) && self.has(narrowed),
            (Who::Account(own), Caller::Aws(_)) => account == Some(own),
            (Who::Organization { id }, Caller::Aws(_)) => match id.split_once('/') {
                None => self.get("aws:PrincipalOrgID").contains(id),
                Some(_) => self.get("aws:PrincipalOrgPaths").iter().any(|path| matches(id, path)),
            },
            (Who::Service(name), Caller::Service(own)) => name == "*" || name == own,
            (Who::ServiceFor { service, source }, Caller::Service(own)) => {
                (service == "*" || service == own) && self.has(source)
            }
            (Who::Tokens { issuer, subjects }, Caller::Federated(provider)) if provider != SAML => {
                let host = provider.split_once(":oidc-provider/").map_or(provider.as_str(), |(_, host)| host);
                let is_of = |subject: &String| {
                    subject.split(" with ").all(|part| {
                        let (claim, value) = part.split_once(' ').unwrap_or(("sub", part));
                        self.get(&format!("{host}:{claim}")).iter().any(|found| matches(value, found))
                    })
                };
                ["*", host, provider].contains(&issuer.as_str()) && (subjects.is_empty() || subjects.iter().any(is_of))
            }
            (Who::Saml { provider }, Caller::Federated(own)) => own == SAML && (provider == "*" || provider == own),
            _ => false,
        }
    }

    /// Returns whether the caller has what a class says: `KEY VALUE, KEY VALUE`.
    fn has(&self, narrowed: &str) -> bool {
        narrowed.split(", ").all(|part| {
            let (key, value) = part.split_once(' ').unwrap();
            // A boolean is read in whatever case.
            self.get(key).iter().any(|found| matches(value, found) || found.eq_ignore_ascii_case(value))
        })
    }
}

/// Returns whether a text matches a pattern; slow and easy to verify.
pub fn matches(pattern: &str, text: &str) -> bool {
    let mut characters = pattern.chars();
    match characters.next() {
        None => text.is_empty(),
        Some('*') => text
            .char_indices()
            .map(|(at, _)| at)
            .chain([text.len()])
            .any(|at| matches(characters.as_str(), &text[at..])),
        Some(c) => text
            .chars()
            .next()
            .is_some_and(|found| (c == '?' || c == found) && matches(characters.as_str(), &text[found.len_utf8()..])),
    }
}
