//! IAM's query protocol, version 2010-05-08.

mod account;
mod call;
mod details;
mod entities;
mod groups;
mod managed;
mod permissions;
mod role_tags;
mod roles;
mod tags;
mod users;
mod versions;

use crate::caller::Kind;
use crate::error::ApiError;

pub(crate) use call::{Call, Outcome};
pub(crate) use tags::read as read_tags;

/// The API version, which identifies the service of requests without a signature.
pub(crate) const VERSION: &str = "2010-05-08";
/// XML namespace of all answers.
pub(crate) const NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";

/// Carries out an operation.
pub(crate) fn handle(operation: &str, mut call: Call<'_>) -> Outcome {
    // Sessions from GetSessionToken may call IAM only if they have MFA.
    if let Some(session) = &call.caller.session
        && call.caller.kind != Kind::Role
        && session.mfa.is_none()
    {
        let message = "The security token included in the request is invalid";
        return Err(ApiError::new(403, "InvalidClientTokenId", message));
    }
    let call = &mut call;
    match operation {
        "GetUser" => users::get(call),
        "CreateUser" => users::create(call),
        "DeleteUser" => users::delete(call),
        "CreateAccessKey" => users::create_access_key(call),
        "ListAccessKeys" => users::list_access_keys(call),
        "UpdateAccessKey" => users::update_access_key(call),
        "DeleteAccessKey" => users::delete_access_key(call),
        "ListMFADevices" => users::list_mfa_devices(call),
        "PutUserPermissionsBoundary" => users::put_boundary(call),
        "DeleteUserPermissionsBoundary" => users::delete_boundary(call),
        "CreateGroup" => groups::create(call),
        "GetGroup" => groups::get(call),
        "DeleteGroup" => groups::delete(call),
        "AddUserToGroup" => groups::add_user(call),
        "RemoveUserFromGroup" => groups::remove_user(call),
        "ListGroupsForUser" => groups::list_for_user(call),
        "CreateRole" => roles::create(call),
        "GetRole" => roles::get(call),
        "ListRoles" => roles::list(call),
        "UpdateRole" => roles::update(call),
        "UpdateAssumeRolePolicy" => roles::update_trust(call),
        "DeleteRole" => roles::delete(call),
        "PutRolePermissionsBoundary" => roles::put_boundary(call),
        "DeleteRolePermissionsBoundary" => roles::delete_boundary(call),
        "ListInstanceProfilesForRole" => roles::list_instance_profiles(call),
        "TagRole" => role_tags::tag_role(call),
        "UntagRole" => role_tags::untag_role(call),
        "ListRoleTags" => role_tags::list_role_tags(call),
        "CreatePolicy" => managed::create(call),
        "GetPolicy" => managed::get(call),
        "GetPolicyVersion" => versions::get(call),
        "ListPolicyVersions" => versions::list(call),
        "CreatePolicyVersion" => versions::create(call),
        "SetDefaultPolicyVersion" => versions::set_default(call),
        "DeletePolicyVersion" => versions::delete(call),
        "DeletePolicy" => managed::delete(call),
        "ListEntitiesForPolicy" => entities::list(call),
        "ListPolicies" => managed::list(call),
        "GetAccountAuthorizationDetails" => details::get(call),
        "GetAccountSummary" => account::summary(call),
        "ListAccountAliases" => account::aliases(call),
        _ => permissions::handle(operation, call).unwrap_or_else(|| {
            let message = format!("Could not find operation {operation} for version {VERSION}");
            Err(ApiError::new(400, "InvalidAction", message))
        }),
    }
}
