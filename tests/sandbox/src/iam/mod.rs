//! IAM's query protocol, version 2010-05-08.

mod account;
mod groups;
mod managed;
mod permissions;
mod roles;
mod tags;
mod users;
mod versions;

use std::sync::Arc;

use percent_encoding::utf8_percent_encode;
use serde_json::Value;
use time::OffsetDateTime;

use crate::authorize::Question;
use crate::caller::{Caller, Kind};
use crate::context::Context;
use crate::error::ApiError;
use crate::policy;
use crate::request::{Parameters, Pattern, Validator};
use crate::sigv4::STRICT;
use crate::world::{Account, Accounts, World};
use crate::xml::Xml;

pub(crate) use tags::read as read_tags;

/// Version of the API, which selects the service when requests carry no other hint.
pub(crate) const VERSION: &str = "2010-05-08";
/// XML namespace of all answers.
pub(crate) const NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";

/// The content of an operation's result element; `None` for operations without one.
pub(crate) type Outcome = Result<Option<Xml>, ApiError>;

/// One call of an operation.
pub(crate) struct Call<'a> {
    pub(crate) parameters: &'a Parameters,
    pub(crate) caller: &'a Caller,
    pub(crate) world: &'a mut World,
    /// The state that decisions go by.
    pub(crate) honoured: Arc<Accounts>,
    /// The state that reads show.
    pub(crate) readable: Arc<Accounts>,
    pub(crate) now: OffsetDateTime,
}

/// Carries out an operation.
pub(crate) fn handle(operation: &str, mut call: Call<'_>) -> Outcome {
    // Sessions of GetSessionToken may call IAM only if they were made with MFA.
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
        "TagRole" => tags::tag_role(call),
        "UntagRole" => tags::untag_role(call),
        "ListRoleTags" => tags::list_role_tags(call),
        "CreatePolicy" => managed::create(call),
        "GetPolicy" => managed::get(call),
        "GetPolicyVersion" => versions::get(call),
        "ListPolicyVersions" => versions::list(call),
        "CreatePolicyVersion" => versions::create(call),
        "SetDefaultPolicyVersion" => versions::set_default(call),
        "DeletePolicyVersion" => versions::delete(call),
        "DeletePolicy" => managed::delete(call),
        "ListPolicies" => managed::list(call),
        "GetAccountSummary" => account::summary(call),
        "ListAccountAliases" => account::aliases(call),
        _ => permissions::handle(operation, call).unwrap_or_else(|| {
            let message = format!("Could not find operation {operation} for version {VERSION}");
            Err(ApiError::new(400, "InvalidAction", message))
        }),
    }
}

impl Call<'_> {
    /// The caller's account, to be read.
    fn account(&self) -> Result<&Account, ApiError> {
        let account = self.readable.get(&self.caller.account);
        account.map(Arc::as_ref).ok_or_else(internal_failure)
    }

    /// The caller's account as it is, for checks before a change.
    fn current(&self) -> Result<&Account, ApiError> {
        self.world.account(&self.caller.account).ok_or_else(internal_failure)
    }

    /// The caller's account, to be changed.
    fn account_mut(&mut self) -> &mut Account {
        self.world.account_mut(&self.caller.account)
    }

    /// A required name parameter.
    fn name(&self, parameter: &str, longest: usize) -> Result<String, ApiError> {
        let mut validator = Validator::default();
        let name =
            validator.required_text(&field(parameter), self.parameters.get(parameter), 1..=longest, Pattern::NAME);
        validator.finish()?;
        Ok(name.to_owned())
    }

    /// A required ARN parameter.
    fn arn(&self, parameter: &str) -> Result<String, ApiError> {
        let mut validator = Validator::default();
        let arn = self.parameters.get(parameter);
        let arn = validator.required_text(&field(parameter), arn, 20..=2048, Pattern::ANY);
        validator.finish()?;
        if arn.starts_with("arn:") && arn.splitn(6, ':').count() == 6 {
            Ok(arn.to_owned())
        } else {
            Err(ApiError::new(400, "InvalidInput", format!("ARN {arn} is not valid.")))
        }
    }

    /// The optional `Path` of something new.
    fn path(&self) -> Result<String, ApiError> {
        let path = self.parameters.get("Path").unwrap_or("/");
        let mut validator = Validator::default();
        validator.text("path", Some(path), 1..=512, Pattern::PATH);
        if !(path.starts_with('/') && path.ends_with('/')) {
            validator.broken(format!(
                "Value '{path}' at 'path' failed to satisfy constraint: Member must satisfy regular expression pattern: {}",
                Pattern::PATH.regex
            ));
        }
        validator.finish()?;
        Ok(path.to_owned())
    }

    /// A required policy document, not yet parsed.
    fn document(&self, parameter: &str) -> Result<String, ApiError> {
        let mut validator = Validator::default();
        let text =
            validator.required_text(&field(parameter), self.parameters.get(parameter), 1..=131_072, Pattern::DOCUMENT);
        validator.finish()?;
        Ok(text.to_owned())
    }

    fn authorize(&self, action: &str, resource: &str) -> Result<(), ApiError> {
        self.authorize_with(action, resource, |_| {})
    }

    /// Asks the caller's policies. `keys` adds condition keys of this operation; those of the resource's tags are added here.
    fn authorize_with(&self, action: &str, resource: &str, keys: impl FnOnce(&mut Context)) -> Result<(), ApiError> {
        let mut context = Context::of(self.caller, &self.honoured, self.now);
        context.set_resource_account(&self.caller.account, &self.honoured);
        if let Some(account) = self.honoured.get(&self.caller.account) {
            let role = account.roles.values().find(|role| account.role_arn(role) == resource);
            let user = account.users.values().find(|user| account.user_arn(user) == resource);
            let role = role.map(|role| (&role.tags, &role.boundary));
            if let Some((tags, boundary)) = role.or(user.map(|user| (&user.tags, &user.boundary))) {
                for (key, value) in tags {
                    context.set(&format!("aws:ResourceTag/{key}"), value);
                    context.set(&format!("iam:ResourceTag/{key}"), value);
                }
                if let Some(boundary) = boundary {
                    context.set("iam:PermissionsBoundary", boundary);
                }
            }
        }
        keys(&mut context);
        let question = Question { caller: self.caller, action, resource, context: &context, accounts: &self.honoured };
        question.decide().map_err(|refusal| {
            ApiError::access_denied(format!(
                "User: {} is not authorized to perform: {action} on resource: {}{}",
                self.caller.arn,
                resource,
                refusal.tail(action)
            ))
        })
    }

    /// Answers with a page of a list: `MaxItems` items after `Marker`.
    fn list<T>(&self, element: &str, items: Vec<T>, write: impl Fn(&mut Xml, T)) -> Outcome {
        let mut validator = Validator::default();
        let size = validator.number("maxItems", self.parameters.get("MaxItems"), 1..=1000)?;
        validator.finish()?;
        let size = usize::try_from(size.unwrap_or(100)).unwrap_or(100);
        let start = match self.parameters.get("Marker") {
            None => 0,
            Some(marker) => marker
                .strip_prefix("after-")
                .and_then(|number| number.parse().ok())
                .filter(|start| *start < items.len())
                .ok_or_else(|| ApiError::validation("Invalid Marker."))?,
        };
        let truncated = start + size < items.len();
        Ok(Some(Xml::build(|xml| {
            xml.members(element, items.into_iter().skip(start).take(size), write);
            xml.text("IsTruncated", truncated);
            if truncated {
                xml.text("Marker", format!("after-{}", start + size));
            }
        })))
    }
}

/// A policy document as IAM returns it: percent-encoded.
fn encoded(document: &Value, accounts: &Accounts) -> String {
    let text = policy::as_read(document, accounts).to_string();
    utf8_percent_encode(&text, STRICT).to_string()
}

/// The name of a parameter in validation messages: `roleName` for `RoleName`.
fn field(parameter: &str) -> String {
    let mut characters = parameter.chars();
    characters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(characters).collect()
}

fn internal_failure() -> ApiError {
    ApiError::new(500, "ServiceFailure", "The caller's account is gone.")
}

fn no_user(name: &str) -> ApiError {
    ApiError::no_such_entity(format!("The user with name {name} cannot be found."))
}

fn no_role(name: &str) -> ApiError {
    ApiError::no_such_entity(format!("The role with name {name} cannot be found."))
}

fn no_group(name: &str) -> ApiError {
    ApiError::no_such_entity(format!("The group with name {name} cannot be found."))
}

fn not_attachable(arn: &str) -> ApiError {
    ApiError::no_such_entity(format!("Policy {arn} does not exist or is not attachable."))
}
