//! `GetAccountAuthorizationDetails`: every user, group, role and policy of an account, in pages.

use super::call::{Call, Outcome, encoded};
use super::{groups, managed, roles, users, versions};
use crate::error::ApiError;
use crate::world::{Account, Accounts, Group, ManagedPolicy, Policies, Role, User, all_aws_managed};
use crate::xml::Xml;

/// The values of `Filter`, in the order of the answer.
const FILTERS: [&str; 5] = ["User", "Group", "Role", "LocalManagedPolicy", "AWSManagedPolicy"];

/// One item of a page.
enum Detail<'a> {
    User(&'a User),
    Group(&'a Group),
    Role(&'a Role),
    Policy(&'a ManagedPolicy),
}

pub(super) fn get(call: &mut Call<'_>) -> Outcome {
    call.authorize("iam:GetAccountAuthorizationDetails", "*")?;
    let wanted = call.parameters.strings("Filter");
    if let Some(unknown) = wanted.iter().find(|filter| !FILTERS.contains(&filter.as_str())) {
        let values = FILTERS.join(", ");
        return Err(ApiError::validation(format!(
            "1 validation error detected: Value '[{unknown}]' at 'filter' failed to satisfy constraint: Member must \
             satisfy constraint: [Member must satisfy enum value set: [{values}]]"
        )));
    }
    let account = call.account()?;
    let is_wanted = |filter: &str| wanted.is_empty() || wanted.iter().any(|wanted| wanted == filter);
    let mut details = Vec::new();
    for filter in FILTERS.into_iter().filter(|filter| is_wanted(filter)) {
        match filter {
            "User" => details.extend(account.users.values().map(Detail::User)),
            "Group" => details.extend(account.groups.values().map(Detail::Group)),
            "Role" => details.extend(account.roles.values().map(Detail::Role)),
            "LocalManagedPolicy" => details.extend(account.policies.values().map(Detail::Policy)),
            // AWS's own policies only if they are attached; one that is only a boundary is not.
            _ => {
                let attached = all_aws_managed().filter(|policy| account.attachments(&policy.arn) > 0);
                details.extend(attached.map(Detail::Policy));
            }
        }
    }
    let (page, next) = call.page(details)?;
    Ok(Some(Xml::build(|xml| {
        xml.members(
            "UserDetailList",
            of(&page, |it| if let Detail::User(it) = it { Some(*it) } else { None }),
            |xml, user| {
                write_user(xml, account, user, &call.readable);
            },
        );
        let found = of(&page, |it| if let Detail::Group(it) = it { Some(*it) } else { None });
        xml.members("GroupDetailList", found, |xml, group| {
            groups::write(xml, account, group);
            write_policies(xml, "GroupPolicyList", &group.policies, &call.readable);
        });
        xml.members(
            "RoleDetailList",
            of(&page, |it| if let Detail::Role(it) = it { Some(*it) } else { None }),
            |xml, role| {
                roles::write_details(xml, call, account, role);
                xml.element("InstanceProfileList", |_| {});
                write_policies(xml, "RolePolicyList", &role.policies, &call.readable);
            },
        );
        let found = of(&page, |it| if let Detail::Policy(it) = it { Some(*it) } else { None });
        xml.members("Policies", found, |xml, policy| {
            managed::write(xml, account, policy, true);
            versions::write_all(xml, policy, &call.readable);
        });
        xml.text("IsTruncated", next.is_some());
        xml.optional("Marker", next);
    })))
}

fn of<'a, T>(page: &'a [Detail<'a>], kind: impl Fn(&'a Detail<'a>) -> Option<T>) -> Vec<T> {
    page.iter().filter_map(kind).collect()
}

fn write_user(xml: &mut Xml, account: &Account, user: &User, accounts: &Accounts) {
    users::write(xml, account, user, true);
    xml.members("GroupList", &user.groups, |xml, group| xml.content(group));
    write_policies(xml, "UserPolicyList", &user.policies, accounts);
}

fn write_policies(xml: &mut Xml, list: &str, policies: &Policies, accounts: &Accounts) {
    xml.members(list, &policies.inline, |xml, (name, document)| {
        xml.text("PolicyName", name);
        xml.text("PolicyDocument", encoded(document, accounts));
    });
    xml.members("AttachedManagedPolicies", &policies.attached, |xml, arn| {
        xml.text("PolicyName", arn.rsplit('/').next().unwrap_or(arn));
        xml.text("PolicyArn", arn);
    });
}
