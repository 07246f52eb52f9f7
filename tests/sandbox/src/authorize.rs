//! Authorization: AWS's rules for combining policies. `awsim-iam-policy` evaluates each single policy
//! ("IAM User Guide, Policy evaluation logic" and "Cross-account policy evaluation logic").

use std::collections::BTreeMap;

use awsim_iam_policy::{
    AuthzRequest, BaseOperator, Decision, Effect, EvalContext, PolicyDocument, Principal, Statement, evaluate,
};
use serde_json::Value;

use crate::caller::{Caller, Kind};
use crate::context::Context;
use crate::policy::is_account_id;
use crate::world::{Account, Accounts, ManagedPolicy, Policies, Role};

/// The organization's management account.
const MANAGEMENT: &str = "999999999999";

/// The type of the policy that denied the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PolicyType {
    ServiceControl,
    ResourceControl,
    Trust,
    Identity,
    Boundary,
    Session,
}

impl PolicyType {
    /// Returns AWS's names for the policy type in messages about an implicit and an explicit deny.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            PolicyType::ServiceControl => ("service control policy", "a service control policy"),
            PolicyType::ResourceControl => ("resource control policy", "a resource control policy"),
            PolicyType::Trust => ("role trust policy", "the role trust policy"),
            PolicyType::Identity => ("identity-based policy", "an identity-based policy"),
            PolicyType::Boundary => ("permissions boundary", "a permissions boundary"),
            PolicyType::Session => ("session policy", "a sessions policy"),
        }
    }
}

/// Why a request is denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// A statement denies the request (explicit deny).
    Denied(PolicyType),
    /// No statement allows the request (implicit deny).
    NotAllowed(PolicyType),
}

impl Refusal {
    /// Returns the end of AWS's message, which names the policy type ("IAM User Guide, Troubleshoot access denied error messages").
    pub(crate) fn tail(self, action: &str) -> String {
        match self {
            Refusal::Denied(policy) => format!(" with an explicit deny in {}", policy.words().1),
            Refusal::NotAllowed(policy) => format!(" because no {} allows the {action} action", policy.words().0),
        }
    }
}

/// A request to decide: caller, action, resource, condition keys, and the state of the accounts.
pub(crate) struct Question<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) action: &'a str,
    pub(crate) resource: &'a str,
    pub(crate) context: &'a Context,
    pub(crate) accounts: &'a Accounts,
}

/// How a trust policy must name the caller for a statement to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Naming {
    /// In any way, including its account.
    Any,
    /// By user, role, session or `*`, but not by its account.
    Direct,
}

/// The decisions of the policies on the caller's side.
struct CallerSide {
    service_control: Decision,
    identity: Decision,
    boundary: Decision,
    session: Decision,
}

impl CallerSide {
    fn denial(&self) -> Option<Refusal> {
        self.layers()
            .into_iter()
            .find(|(_, decision)| *decision == Decision::ExplicitDeny)
            .map(|(policy, _)| Refusal::Denied(policy))
    }

    fn missing(&self) -> Option<Refusal> {
        self.layers()
            .into_iter()
            .find(|(_, decision)| *decision != Decision::Allow)
            .map(|(policy, _)| Refusal::NotAllowed(policy))
    }

    fn layers(&self) -> [(PolicyType, Decision); 4] {
        [
            (PolicyType::ServiceControl, self.service_control),
            (PolicyType::Identity, self.identity),
            (PolicyType::Boundary, self.boundary),
            (PolicyType::Session, self.session),
        ]
    }
}

impl Question<'_> {
    /// Decides a request on a resource of the caller's own account that has no policy of its own.
    pub(crate) fn decide(&self) -> Result<(), Refusal> {
        let side = self.caller_side();
        let resource_control = self.resource_control(&self.caller.account);
        if resource_control == Decision::ExplicitDeny {
            return Err(Refusal::Denied(PolicyType::ResourceControl));
        }
        side.denial().or_else(|| side.missing()).map_or(Ok(()), Err)
    }

    /// Returns the end of AWS's message with the ARN of the policy that denies the request, as S3 and IAM answer since
    /// 2026. Inline policies have no ARN.
    pub(crate) fn tail_with_arn(&self, refusal: Refusal) -> String {
        let tail = refusal.tail(self.action);
        let Refusal::Denied(kind) = refusal else { return tail };
        self.denying_policy(kind).map_or(tail.clone(), |arn| format!("{tail}: {arn}"))
    }

    fn denying_policy(&self, kind: PolicyType) -> Option<String> {
        let account = self.accounts.get(&self.caller.account)?;
        let denies = |document: &Value| self.evaluate(&self.prepare(&[document])) == Decision::ExplicitDeny;
        let managed = |arn: &str| account.policy(arn).is_some_and(|policy| denies(policy.document()));
        let of_organization = |policies: &BTreeMap<String, Value>, kind: &str| {
            let (name, _) = policies.iter().find(|(_, document)| denies(document))?;
            let name = name.to_ascii_lowercase();
            Some(format!("arn:aws:organizations::{MANAGEMENT}:policy/o-sandbox1234/{kind}/p-{name}"))
        };
        let user = account.user_by_id(&self.caller.unique_id);
        let role = account.role_by_id(&self.caller.unique_id);
        match kind {
            PolicyType::ServiceControl => of_organization(&account.service_control_policies, "service_control_policy"),
            PolicyType::ResourceControl => {
                of_organization(&account.resource_control_policies, "resource_control_policy")
            }
            PolicyType::Identity => {
                let groups = user.iter().flat_map(|user| &user.groups).filter_map(|name| account.groups.get(name));
                let own = user.map(|user| &user.policies).or(role.map(|role| &role.policies));
                let holders = own.into_iter().chain(groups.map(|group| &group.policies));
                holders.flat_map(|policies| &policies.attached).find(|arn| managed(arn)).cloned()
            }
            PolicyType::Boundary => {
                user.and_then(|user| user.boundary.clone()).or_else(|| role.and_then(|role| role.boundary.clone()))
            }
            PolicyType::Session | PolicyType::Trust => None,
        }
    }

    /// Decides a request on a role, such as `sts:AssumeRole`, with the role's trust policy. Across accounts both sides must
    /// allow; within an account a trust policy that names the user or role directly is enough.
    pub(crate) fn decide_with_trust(&self, owner: &Account, role: &Role) -> Result<(), Refusal> {
        let trust = self.trust(role, Naming::Any);
        let side = self.caller_side();
        if trust == Decision::ExplicitDeny {
            return Err(Refusal::Denied(PolicyType::Trust));
        }
        if self.resource_control(&owner.id) == Decision::ExplicitDeny {
            return Err(Refusal::Denied(PolicyType::ResourceControl));
        }
        if let Some(denial) = side.denial() {
            return Err(denial);
        }
        if trust != Decision::Allow {
            return Err(Refusal::NotAllowed(PolicyType::Trust));
        }
        let directly = owner.id == self.caller.account && self.trust(role, Naming::Direct) == Decision::Allow;
        let side = match (directly, self.caller.kind) {
            (false, _) => side,
            // An implicit deny in the user's own policies does not limit a user who is named directly …
            (true, Kind::User | Kind::Root) => {
                CallerSide { identity: Decision::Allow, boundary: Decision::Allow, ..side }
            }
            // … but the boundary and session policies limit a role.
            (true, Kind::Role) => CallerSide { identity: Decision::Allow, ..side },
        };
        side.missing().map_or(Ok(()), Err)
    }

    fn caller_side(&self) -> CallerSide {
        let account = self.accounts.get(&self.caller.account);
        let service_control = account.map_or(Decision::Allow, |account| {
            let policies: Vec<&Value> = account.service_control_policies.values().collect();
            let documents = self.prepare(&policies);
            // If no policy in the list allows anything, AWS's own FullAWSAccess is attached too.
            let full_access = !documents
                .iter()
                .flat_map(|document| &document.statements)
                .any(|statement| statement.effect == Effect::Allow);
            match self.evaluate(&documents) {
                Decision::ImplicitDeny if full_access => Decision::Allow,
                decision => decision,
            }
        });
        let (identity, boundary) = match self.caller.kind {
            Kind::Root => (Decision::Allow, Decision::Allow),
            Kind::User => {
                let user = account.and_then(|account| account.user_by_id(&self.caller.unique_id));
                let mut policies = Vec::new();
                if let (Some(account), Some(user)) = (account, user) {
                    policies.extend(all_policies(account, &user.policies));
                    for group in user.groups.iter().filter_map(|name| account.groups.get(name)) {
                        policies.extend(all_policies(account, &group.policies));
                    }
                }
                let boundary = user.and_then(|user| user.boundary.as_deref());
                (self.evaluate(&self.prepare(&policies)), self.boundary(account, boundary))
            }
            Kind::Role => {
                let role = account.and_then(|account| account.role_by_id(&self.caller.unique_id));
                let mut policies = Vec::new();
                if let (Some(account), Some(role)) = (account, role) {
                    policies.extend(all_policies(account, &role.policies));
                }
                let boundary = role.and_then(|role| role.boundary.as_deref());
                (self.evaluate(&self.prepare(&policies)), self.boundary(account, boundary))
            }
        };
        let session = match self.caller.session_policies() {
            [] => Decision::Allow,
            policies => self.evaluate(&self.prepare(&policies.iter().collect::<Vec<_>>())),
        };
        CallerSide { service_control, identity, boundary, session }
    }

    /// A boundary whose policy was deleted allows nothing.
    fn boundary(&self, account: Option<&std::sync::Arc<Account>>, arn: Option<&str>) -> Decision {
        let Some(arn) = arn else { return Decision::Allow };
        let policy = account.and_then(|account| account.policy(arn));
        let documents: Vec<&Value> = policy.iter().map(|policy| policy.document()).collect();
        self.evaluate(&self.prepare(&documents))
    }

    /// Only the denials count: `RCPFullAWSAccess` cannot be detached.
    fn resource_control(&self, owner: &str) -> Decision {
        let Some(account) = self.accounts.get(owner) else {
            return Decision::Allow;
        };
        let policies: Vec<&Value> = account.resource_control_policies.values().collect();
        self.evaluate(&self.prepare(&policies))
    }

    fn trust(&self, role: &Role, naming: Naming) -> Decision {
        let mut documents = self.prepare(&[&role.trust]);
        for document in &mut documents {
            document.statements.retain(|statement| self.names_caller(statement, naming));
        }
        self.evaluate(&documents)
    }

    fn names_caller(&self, statement: &Statement, naming: Naming) -> bool {
        let named = |principal: &Principal| match principal {
            Principal::Wildcard => true,
            Principal::Aws(list) | Principal::Mixed { aws: list, .. } => {
                list.iter().any(|entry| self.is_caller(entry, naming))
            }
            Principal::Service(_) | Principal::Federated(_) | Principal::CanonicalUser(_) => false,
        };
        match (&statement.principal, &statement.not_principal) {
            (Some(principal), _) => named(principal),
            (None, Some(principal)) => !named(principal),
            (None, None) => false,
        }
    }

    fn is_caller(&self, entry: &str, naming: Naming) -> bool {
        let account = is_account_id(entry) && entry == self.caller.account
            || entry == format!("arn:aws:iam::{}:root", self.caller.account);
        entry == "*"
            || entry == self.caller.unique_id
            || entry == self.caller.arn && self.caller.kind == Kind::Role
            || account && naming == Naming::Any
    }

    fn evaluate(&self, documents: &[PolicyDocument]) -> Decision {
        let request = AuthzRequest {
            principal_arn: &self.caller.principal_arn,
            principal_account: &self.caller.account,
            action: self.action,
            resource_arn: self.resource,
            context: self.context.values(),
        };
        // Each layer is evaluated alone, as if it were the only identity policy; the caller combines the results.
        let layers = EvalContext { identity_policies: documents, ..EvalContext::default() };
        evaluate(&request, &layers)
    }

    /// Parses documents, and adjusts them where the evaluator is stricter than AWS.
    fn prepare(&self, documents: &[&Value]) -> Vec<PolicyDocument> {
        documents
            .iter()
            .filter_map(|document| awsim_iam_policy::parse_value(document).ok())
            .map(|mut document| {
                for condition in document
                    .statements
                    .iter_mut()
                    .filter_map(|statement| statement.condition.as_mut())
                    .flat_map(|block| &mut block.conditions)
                {
                    // Condition keys are case-insensitive, and ArnEquals is the same as ArnLike.
                    condition.key = self.context.spelling(&condition.key);
                    condition.operator.base = match condition.operator.base {
                        BaseOperator::ArnEquals => BaseOperator::ArnLike,
                        BaseOperator::ArnNotEquals => BaseOperator::ArnNotLike,
                        other => other,
                    };
                    for value in &mut condition.values {
                        *value = self.context.substitute(value);
                    }
                }
                for statement in &mut document.statements {
                    for resources in [&mut statement.resource, &mut statement.not_resource].into_iter().flatten() {
                        let substituted = resources.iter().map(|text| self.context.substitute(text)).collect();
                        *resources = awsim_iam_policy::ResourceList::Multiple(substituted);
                    }
                }
                document
            })
            .collect()
    }
}

fn all_policies<'a>(account: &'a Account, policies: &'a Policies) -> impl Iterator<Item = &'a Value> {
    let attached = policies.attached.iter().filter_map(|arn| account.policy(arn));
    policies.inline.values().chain(attached.map(ManagedPolicy::document))
}
