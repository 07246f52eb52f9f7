//! Reads from AWS's message what was denied, and which policy denied it.

use super::facts::{Answer, Facts};
use crate::error::AwsAnswer;

/// The kind of policy that denied, according to AWS's message (IAM User Guide, "Troubleshoot access denied error
/// messages").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeniedBy {
    ServiceControl,
    ResourceControl,
    VpcEndpoint,
    Session,
    Trust,
    Identity,
    Boundary,
    Resource,
}

/// A denial in AWS's words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Denial<'a> {
    /// The denied action, which need not be the operation: CreateBucket with tags may be denied for `s3:TagResource`.
    pub action: Option<&'a str>,
    /// The resource.
    pub resource: Option<&'a str>,
    /// The kind of policy. Across accounts the message usually names none.
    pub by: Option<DeniedBy>,
    /// Whether a statement denies, instead of none allowing.
    pub is_explicit: bool,
    /// The ARN of the policy, which AWS appends since 2026.
    pub policy: Option<PolicyArn<'a>>,
}

/// The ARN of a policy in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PolicyArn<'a>(pub &'a str);

impl<'a> Denial<'a> {
    /// Returns what the message of an answer says; empty if the answer is no denial.
    pub fn of(answer: &'a AwsAnswer) -> Self {
        let message = answer.message.as_deref().filter(|_| answer.is_denial());
        message.map(Self::read).unwrap_or_default()
    }

    /// Returns what AWS says of the denied AssumeRole request.
    pub fn of_assume_role(facts: &'a Facts) -> Self {
        match &facts.answer {
            Answer::Refused(answer) => Self::of(answer),
            _ => Self::default(),
        }
    }

    /// Returns what S3 says of the denied call.
    pub fn of_s3(facts: &'a Facts) -> Self {
        facts.s3.as_ref().map(|s3| Self::of(&s3.answer)).unwrap_or_default()
    }

    /// Reads a message such as `User: … is not authorized to perform: sts:AssumeRole on resource: … with an explicit deny
    /// in a service control policy: arn:…`.
    fn read(message: &'a str) -> Self {
        // Of the same length, so that positions in one are positions in the other.
        let lower = message.to_ascii_lowercase();
        let after = |words: &str| lower.find(words).and_then(|at| message.get(at + words.len()..));
        let kinds = [
            // A message may name this kind after another one, so it comes first here.
            ("service control policy", DeniedBy::ServiceControl),
            ("resource control policy", DeniedBy::ResourceControl),
            ("vpc endpoint policy", DeniedBy::VpcEndpoint),
            ("role trust policy", DeniedBy::Trust),
            ("identity-based policy", DeniedBy::Identity),
            ("permissions boundary", DeniedBy::Boundary),
            ("session policy", DeniedBy::Session),
            ("sessions policy", DeniedBy::Session),
            ("resource-based policy", DeniedBy::Resource),
        ];
        let explicit = after(" with an explicit deny in ");
        let tail = explicit.or_else(|| after(" because no "));
        let words = tail.map(str::to_ascii_lowercase).unwrap_or_default();
        let action = after("not authorized to perform: ").and_then(|rest| rest.split_whitespace().next());
        let resource = after(" on resource: ").and_then(|rest| match rest.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next(),
            None => rest.split_whitespace().next(),
        });
        let policy = tail.and_then(|tail| tail.find("arn:").and_then(|at| tail.get(at..)));
        let policy = policy
            .and_then(|rest| rest.split_whitespace().next())
            .map(|arn| arn.trim_end_matches(['.', ',', ';', ')', '"', '\'']));
        Self {
            action: action.filter(|action| action.contains(':')),
            resource,
            by: kinds.iter().find(|(kind, _)| words.contains(kind)).map(|(_, kind)| *kind),
            is_explicit: explicit.is_some(),
            policy: policy.map(PolicyArn).filter(PolicyArn::is_it),
        }
    }

    /// Returns whether AWS names this policy.
    pub fn is_of(&self, arn: &str) -> bool {
        self.policy.is_some_and(|policy| policy.0 == arn)
    }
}

/// Returns whether AWS attaches this policy to users whose access key was published.
pub fn is_quarantine(arn: &str) -> bool {
    arn.contains(":iam::aws:policy/AWSCompromisedKeyQuarantine")
}

impl<'a> PolicyArn<'a> {
    fn is_it(&self) -> bool {
        let mut parts = self.0.splitn(6, ':').skip(2);
        let is_service = parts.next().is_some_and(|service| matches!(service, "iam" | "organizations"));
        is_service && parts.nth(2).is_some_and(|resource| resource.starts_with("policy/"))
    }

    /// Returns whether the policy belongs to an organization.
    pub fn is_of_organization(self) -> bool {
        self.0.split(':').nth(2) == Some("organizations")
    }

    /// Returns the account that owns the policy, which is the management account for one of an organization; `None` for
    /// AWS's own.
    pub fn account(self) -> Option<&'a str> {
        self.0
            .split(':')
            .nth(4)
            .filter(|account| account.bytes().all(|byte| byte.is_ascii_digit()) && !account.is_empty())
    }

    /// Returns the last part: the name, or the ID for a policy of an organization.
    pub fn name(self) -> &'a str {
        self.0.rsplit('/').next().unwrap_or(self.0)
    }

    /// Returns the ID of the organization.
    pub fn organization(self) -> Option<&'a str> {
        self.0.split('/').find(|part| part.starts_with("o-"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_the_action_the_resource_the_kind_and_the_policy() {
        let user = "User: arn:aws:iam::111111111111:user/alice is not authorized to perform: ";
        let scp = "arn:aws:organizations::999999999999:policy/o-a1b2c3d4e5/service_control_policy/p-a1b2c3d4";
        let message = format!(
            "{user}sts:AssumeRole on resource: arn:aws:iam::222222222222:role/xacct with an explicit deny in a service control policy: {scp}"
        );
        let denial = Denial::read(&message);
        assert_eq!(denial.action, Some("sts:AssumeRole"));
        assert_eq!(denial.resource, Some("arn:aws:iam::222222222222:role/xacct"));
        assert_eq!((denial.by, denial.is_explicit), (Some(DeniedBy::ServiceControl), true));
        let policy = denial.policy.expect("a policy");
        assert_eq!((policy.0, policy.name(), policy.account()), (scp, "p-a1b2c3d4", Some("999999999999")));
        assert_eq!(policy.organization(), Some("o-a1b2c3d4e5"));
        assert!(policy.is_of_organization() && !is_quarantine(policy.0));

        let message = format!(
            "{user}s3:TagResource on resource: \"arn:aws:s3:::a-bucket\" because no identity-based policy allows the s3:TagResource action"
        );
        let denial = Denial::read(&message);
        assert_eq!((denial.action, denial.resource), (Some("s3:TagResource"), Some("arn:aws:s3:::a-bucket")));
        assert_eq!((denial.by, denial.is_explicit, denial.policy), (Some(DeniedBy::Identity), false, None));

        // The ARN of the resource is no policy, and neither is one of another service.
        for tail in ["", " because no session policy allows it: arn:aws:s3:::policy/x"] {
            let message = format!("{user}sts:AssumeRole on resource: arn:aws:iam::222222222222:policy/xacct{tail}");
            assert_eq!(Denial::read(&message).policy, None, "{message}");
        }
        assert_eq!(Denial::read("Access Denied"), Denial::default());
    }

    #[test]
    fn the_quarantine_policy_is_recognised_in_every_version() {
        for version in ["", "V2", "V3"] {
            let message = format!(
                "x with an explicit deny in an identity-based policy: arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantine{version}"
            );
            let policy = Denial::read(&message).policy;
            assert!(policy.is_some_and(|policy| is_quarantine(policy.0)), "{message}");
        }
    }
}
