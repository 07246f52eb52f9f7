//! Condition keys of a request ("IAM User Guide, AWS global condition context keys").

use std::collections::HashMap;

use awsim_iam_policy::ContextValue;
use time::OffsetDateTime;

use crate::caller::{Caller, Kind};
use crate::clock::iso8601;
use crate::world::Accounts;

/// Condition keys with their values.
#[derive(Debug, Clone, Default)]
pub(crate) struct Context(HashMap<String, ContextValue>);

impl Context {
    /// Returns the keys that every request has.
    pub(crate) fn of(caller: &Caller, accounts: &Accounts, now: OffsetDateTime) -> Self {
        let mut context = Context::default();
        context.set("aws:PrincipalArn", &caller.principal_arn);
        context.set("aws:PrincipalAccount", &caller.account);
        if let Some(organization) = organization(accounts, &caller.account) {
            context.set("aws:PrincipalOrgID", organization);
        }
        context.set("aws:userid", caller.user_id());
        context.set(
            "aws:PrincipalType",
            match caller.kind {
                Kind::Root => "Account",
                Kind::User => "User",
                Kind::Role => "AssumedRole",
            },
        );
        if caller.kind == Kind::User {
            context.set("aws:username", &caller.name);
        }
        for (key, value) in &caller.tags {
            context.set(&format!("aws:PrincipalTag/{key}"), value);
        }
        if let Some(session) = &caller.session {
            // The keys about MFA exist for temporary credentials only, with or without MFA.
            context.set("aws:MultiFactorAuthPresent", session.mfa.is_some().to_string());
            if let Some(at) = session.mfa {
                context.set("aws:MultiFactorAuthAge", (now - at).whole_seconds().max(0).to_string());
            }
            context.set("aws:TokenIssueTime", iso8601(session.issued));
            if let Some(identity) = &session.source_identity {
                context.set("aws:SourceIdentity", identity);
            }
        }
        context.set("aws:RequestedRegion", &caller.region);
        context.set("aws:CurrentTime", iso8601(now));
        context.set("aws:EpochTime", now.unix_timestamp().to_string());
        context.set("aws:SourceIp", "127.0.0.1");
        // The sandbox replaces endpoints that use TLS.
        context.set("aws:SecureTransport", "true");
        context.set("aws:ViaAWSService", "false");
        context
    }

    /// Sets a key.
    pub(crate) fn set(&mut self, key: &str, value: impl Into<String>) {
        self.0.insert(key.to_owned(), ContextValue::String(value.into()));
    }

    /// Sets a key with several values.
    pub(crate) fn set_list(&mut self, key: &str, values: Vec<String>) {
        self.0.insert(key.to_owned(), ContextValue::StringList(values));
    }

    /// Sets the keys for the resource's account and organization. Accounts outside an organization have no key for it.
    pub(crate) fn set_resource_account(&mut self, account: &str, accounts: &Accounts) {
        self.set("aws:ResourceAccount", account);
        if let Some(organization) = organization(accounts, account) {
            self.set("aws:ResourceOrgID", organization);
        }
    }

    /// Sets the keys of a request with tags.
    pub(crate) fn set_request_tags<'a>(&mut self, tags: impl IntoIterator<Item = (&'a String, &'a String)>) {
        let mut keys = Vec::new();
        for (key, value) in tags {
            self.set(&format!("aws:RequestTag/{key}"), value);
            keys.push(key.clone());
        }
        if !keys.is_empty() {
            self.set_list("aws:TagKeys", keys);
        }
    }

    pub(crate) fn values(&self) -> &HashMap<String, ContextValue> {
        &self.0
    }

    /// Returns the key in this context's spelling: condition keys are case-insensitive.
    pub(crate) fn spelling(&self, key: &str) -> String {
        let known = self.0.keys().find(|known| known.eq_ignore_ascii_case(key));
        known.map_or_else(|| key.to_owned(), Clone::clone)
    }

    /// Replaces `${key}` with the key's value. A variable without a value gets one that nothing matches, so that its statement
    /// does not match either. The evaluator handles `${*}`, `${?}` and `${$}`.
    pub(crate) fn substitute(&self, text: &str) -> String {
        let mut result = String::new();
        let mut rest = text;
        while let Some(start) = rest.find("${") {
            let (before, variable) = rest.split_at(start);
            result += before;
            let Some(end) = variable.find('}') else {
                rest = variable;
                break;
            };
            let (name, default) = match variable[2..end].split_once(',') {
                Some((name, default)) => (name.trim(), Some(default.trim().trim_matches('\''))),
                None => (&variable[2..end], None),
            };
            match (self.0.get(&self.spelling(name)), default) {
                _ if ["*", "?", "$"].contains(&name) => result += &variable[..=end],
                (Some(ContextValue::String(value)), _) => result += value,
                (_, Some(default)) => result += default,
                _ => result += "${no value}",
            }
            rest = &variable[end + 1..];
        }
        result + rest
    }
}

fn organization<'a>(accounts: &'a Accounts, account: &str) -> Option<&'a str> {
    accounts.get(account)?.organization.as_deref()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables() {
        let mut context = Context::default();
        context.set("aws:username", "alice");
        for (text, expected) in [
            ("arn:aws:s3:::home/${AWS:UserName}/*", "arn:aws:s3:::home/alice/*"),
            ("${aws:PrincipalTag/team, 'none'}!", "none!"),
            ("x${aws:PrincipalTag/team}", "x${no value}"),
            ("a${*}b${", "a${*}b${"),
        ] {
            assert_eq!(context.substitute(text), expected);
        }
    }
}
