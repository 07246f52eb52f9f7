//! Inline and attached policies. The operations for users, groups and roles differ only in names and quotas.

use super::call::{Call, Outcome, encoded, no_group, no_role, no_user, not_attachable};
use super::{groups, roles, users};
use crate::error::ApiError;
use crate::policy::{self, Use};
use crate::world::{Account, Policies, Quotas};
use crate::xml::Xml;

/// A kind of principal with policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holder {
    User,
    Group,
    Role,
}

impl Holder {
    /// Returns `User`, as in `UserName` and `PutUserPolicy`.
    fn word(self) -> &'static str {
        match self {
            Holder::User => "User",
            Holder::Group => "Group",
            Holder::Role => "Role",
        }
    }

    fn policies(self, account: &Account, name: &str) -> Option<Policies> {
        match self {
            Holder::User => account.users.get(name).map(|user| user.policies.clone()),
            Holder::Group => account.groups.get(name).map(|group| group.policies.clone()),
            Holder::Role => account.roles.get(name).map(|role| role.policies.clone()),
        }
    }

    fn policies_mut<'a>(self, account: &'a mut Account, name: &str) -> Option<&'a mut Policies> {
        match self {
            Holder::User => account.users.get_mut(name).map(|user| &mut user.policies),
            Holder::Group => account.groups.get_mut(name).map(|group| &mut group.policies),
            Holder::Role => account.roles.get_mut(name).map(|role| &mut role.policies),
        }
    }

    fn resource(self, account: &Account, name: &str) -> String {
        match self {
            Holder::User => users::resource(account, name),
            Holder::Role => roles::resource(account, name),
            Holder::Group => groups::resource(account, name),
        }
    }

    /// Returns the maximum total size of its inline policies.
    fn policy_size(self, quotas: &Quotas) -> usize {
        match self {
            Holder::User => quotas.user_policy_size,
            Holder::Group => quotas.group_policy_size,
            Holder::Role => quotas.role_policy_size,
        }
    }

    /// Returns the maximum number of its managed policies.
    fn attached_policies(self, quotas: &Quotas) -> usize {
        match self {
            Holder::User => quotas.attached_per_user,
            Holder::Group => quotas.attached_per_group,
            Holder::Role => quotas.attached_per_role,
        }
    }

    fn missing(self, name: &str) -> ApiError {
        match self {
            Holder::User => no_user(name),
            Holder::Role => no_role(name),
            Holder::Group => no_group(name),
        }
    }

    fn missing_policy(self, policy: &str) -> ApiError {
        let holder = self.word().to_ascii_lowercase();
        ApiError::no_such_entity(format!("The {holder} policy with name {policy} cannot be found."))
    }
}

/// Carries out an operation such as `PutUserPolicy`; `None` if there is no such operation.
pub(super) fn handle(operation: &str, call: &mut Call<'_>) -> Option<Outcome> {
    [Holder::User, Holder::Role, Holder::Group].into_iter().find_map(|holder| {
        let word = holder.word();
        let (before, after) = operation.split_once(word)?;
        Some(match (before, after) {
            ("List", "Policies") => list(call, holder),
            ("Get", "Policy") => get(call, holder),
            ("ListAttached", "Policies") => list_attached(call, holder),
            ("Put", "Policy") => put(call, holder),
            ("Delete", "Policy") => delete(call, holder),
            ("Attach", "Policy") => attach(call, holder),
            ("Detach", "Policy") => detach(call, holder),
            _ => return None,
        })
    })
}

/// Authorizes the call, and returns the principal's name.
fn authorized(call: &Call<'_>, holder: Holder, action: &str, policy_arn: Option<&str>) -> Result<String, ApiError> {
    let longest = if holder == Holder::Role { 64 } else { 128 };
    let name = call.name(&format!("{}Name", holder.word()), longest)?;
    let resource = holder.resource(call.current()?, &name);
    call.authorize_with(&format!("iam:{action}"), &resource, |context| {
        if let Some(arn) = policy_arn {
            context.set("iam:PolicyARN", arn);
        }
    })?;
    Ok(name)
}

/// Authorizes a change, and returns the principal's name.
fn changeable(call: &Call<'_>, holder: Holder, action: &str, policy_arn: Option<&str>) -> Result<String, ApiError> {
    let name = authorized(call, holder, action, policy_arn)?;
    if holder == Holder::Role {
        call.check_modifiable(&name)?;
    }
    Ok(name)
}

fn readable(call: &Call<'_>, holder: Holder, name: &str) -> Result<Policies, ApiError> {
    let policies = holder.policies(call.account()?, name);
    policies.ok_or_else(|| holder.missing(name))
}

fn list(call: &mut Call<'_>, holder: Holder) -> Outcome {
    let name = authorized(call, holder, &format!("List{}Policies", holder.word()), None)?;
    let policies = readable(call, holder, &name)?;
    call.list("PolicyNames", policies.inline.keys().collect(), |xml, name| xml.content(name))
}

fn get(call: &mut Call<'_>, holder: Holder) -> Outcome {
    let policy = call.name("PolicyName", 128)?;
    let name = authorized(call, holder, &format!("Get{}Policy", holder.word()), None)?;
    let policies = readable(call, holder, &name)?;
    let document = policies.inline.get(&policy);
    let document = document.ok_or_else(|| holder.missing_policy(&policy))?;
    Ok(Some(Xml::build(|xml| {
        xml.text(&format!("{}Name", holder.word()), &name);
        xml.text("PolicyName", &policy);
        xml.text("PolicyDocument", encoded(document, &call.readable));
    })))
}

fn list_attached(call: &mut Call<'_>, holder: Holder) -> Outcome {
    let name = authorized(call, holder, &format!("ListAttached{}Policies", holder.word()), None)?;
    let policies = readable(call, holder, &name)?;
    call.list("AttachedPolicies", policies.attached.iter().collect(), |xml, arn| {
        xml.text("PolicyName", arn.rsplit('/').next().unwrap_or(arn));
        xml.text("PolicyArn", arn);
    })
}

fn put(call: &mut Call<'_>, holder: Holder) -> Outcome {
    let policy = call.name("PolicyName", 128)?;
    let text = call.document("PolicyDocument")?;
    let name = changeable(call, holder, &format!("Put{}Policy", holder.word()), None)?;
    let document = policy::parse(&text, Use::Identity)?;
    let account = call.current()?;
    let quota = holder.policy_size(&account.quotas);
    let policies = holder.policies(account, &name).ok_or_else(|| holder.missing(&name))?;
    let others: usize = policies
        .inline
        .iter()
        .filter(|(other, _)| **other != policy)
        .map(|(_, document)| policy::size(&document.to_string()))
        .sum();
    if others + policy::size(&text) > quota {
        let holder = holder.word().to_ascii_lowercase();
        let message = format!("Maximum policy size of {quota} bytes exceeded for {holder} {name}");
        return Err(ApiError::limit_exceeded(message));
    }
    if let Some(policies) = holder.policies_mut(call.account_mut(), &name) {
        policies.inline.insert(policy, document);
    }
    Ok(None)
}

fn delete(call: &mut Call<'_>, holder: Holder) -> Outcome {
    let policy = call.name("PolicyName", 128)?;
    let name = changeable(call, holder, &format!("Delete{}Policy", holder.word()), None)?;
    let policies = holder.policies_mut(call.account_mut(), &name);
    let policies = policies.ok_or_else(|| holder.missing(&name))?;
    let removed = policies.inline.remove(&policy);
    removed.map(|_| None).ok_or_else(|| holder.missing_policy(&policy))
}

fn attach(call: &mut Call<'_>, holder: Holder) -> Outcome {
    let arn = call.arn("PolicyArn")?;
    let name = changeable(call, holder, &format!("Attach{}Policy", holder.word()), Some(&arn))?;
    let account = call.current()?;
    let policies = holder.policies(account, &name).ok_or_else(|| holder.missing(&name))?;
    if account.policy(&arn).is_none() {
        return Err(not_attachable(&arn));
    }
    let quota = holder.attached_policies(&account.quotas);
    if !policies.attached.contains(&arn) && policies.attached.len() >= quota {
        let message = format!("Cannot exceed quota for PoliciesPer{}: {quota}", holder.word());
        return Err(ApiError::limit_exceeded(message));
    }
    if let Some(policies) = holder.policies_mut(call.account_mut(), &name) {
        policies.attached.insert(arn);
    }
    Ok(None)
}

fn detach(call: &mut Call<'_>, holder: Holder) -> Outcome {
    let arn = call.arn("PolicyArn")?;
    let name = changeable(call, holder, &format!("Detach{}Policy", holder.word()), Some(&arn))?;
    let policies = holder.policies_mut(call.account_mut(), &name);
    let policies = policies.ok_or_else(|| holder.missing(&name))?;
    if policies.attached.remove(&arn) {
        Ok(None)
    } else {
        Err(ApiError::no_such_entity(format!("Policy {arn} was not found.")))
    }
}
