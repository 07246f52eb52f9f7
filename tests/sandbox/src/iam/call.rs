//! One call of an operation, and code that operations share.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use percent_encoding::utf8_percent_encode;
use serde_json::Value;
use time::OffsetDateTime;

use crate::authorize::Question;
use crate::caller::Caller;
use crate::context::Context;
use crate::error::ApiError;
use crate::policy;
use crate::request::{Parameters, Pattern, Validator};
use crate::sigv4::STRICT;
use crate::world::{Account, Accounts, World};
use crate::xml::Xml;

/// The content of an operation's result element; `None` for operations without one.
pub(crate) type Outcome = Result<Option<Xml>, ApiError>;

/// One call of an operation.
pub(crate) struct Call<'a> {
    pub(crate) parameters: &'a Parameters,
    pub(crate) caller: &'a Caller,
    pub(crate) world: &'a mut World,
    /// The state that decisions use.
    pub(crate) honoured: Arc<Accounts>,
    /// The state that reads return.
    pub(crate) readable: Arc<Accounts>,
    pub(crate) now: OffsetDateTime,
    /// How long GetRole shows the unique ID of a new role in place of its ARN.
    pub(crate) unique_ids: std::time::Duration,
    /// How long IAM does not know a use of a role.
    pub(crate) late_uses: std::time::Duration,
}

impl Call<'_> {
    /// Returns the caller's account for reading.
    pub(super) fn account(&self) -> Result<&Account, ApiError> {
        let account = self.readable.get(&self.caller.account);
        account.map(Arc::as_ref).ok_or_else(internal_failure)
    }

    /// Returns the current state of the caller's account, for checks before a change.
    pub(super) fn current(&self) -> Result<&Account, ApiError> {
        self.world.account(&self.caller.account).ok_or_else(internal_failure)
    }

    /// Returns the caller's account for changes.
    pub(super) fn account_mut(&mut self) -> &mut Account {
        self.world.account_mut(&self.caller.account)
    }

    /// Returns a required name parameter.
    pub(super) fn name(&self, parameter: &str, longest: usize) -> Result<String, ApiError> {
        let mut validator = Validator::default();
        let name =
            validator.required_text(&field(parameter), self.parameters.get(parameter), 1..=longest, Pattern::NAME);
        validator.finish()?;
        Ok(name.to_owned())
    }

    /// Returns a required ARN parameter.
    pub(super) fn arn(&self, parameter: &str) -> Result<String, ApiError> {
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

    /// Returns the optional `Path` of a new resource.
    pub(super) fn path(&self) -> Result<String, ApiError> {
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

    /// Returns a required policy document, unparsed.
    pub(super) fn document(&self, parameter: &str) -> Result<String, ApiError> {
        let mut validator = Validator::default();
        let text =
            validator.required_text(&field(parameter), self.parameters.get(parameter), 1..=131_072, Pattern::DOCUMENT);
        validator.finish()?;
        Ok(text.to_owned())
    }

    /// Returns an error if only AWS may change a role. AWS's answer is recorded for the role's policies and its deletion;
    /// assumed: it is the same for all other changes.
    pub(super) fn check_modifiable(&self, role: &str) -> Result<(), ApiError> {
        let role = self.current()?.roles.get(role).filter(|role| role.is_protected());
        role.map_or(Ok(()), |role| Err(ApiError::unmodifiable(&role.name)))
    }

    pub(super) fn authorize(&self, action: &str, resource: &str) -> Result<(), ApiError> {
        self.authorize_with(action, resource, |_| {})
    }

    /// Authorizes the call. `keys` adds condition keys of this operation; this adds those of the resource's tags.
    pub(super) fn authorize_with(
        &self,
        action: &str,
        resource: &str,
        keys: impl FnOnce(&mut Context),
    ) -> Result<(), ApiError> {
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
                question.tail_with_arn(refusal)
            ))
        })
    }

    /// Returns a page of a list: `MaxItems` items after `Marker`.
    pub(super) fn list<T>(&self, element: &str, items: Vec<T>, write: impl Fn(&mut Xml, T)) -> Outcome {
        let (page, next) = self.page(items)?;
        Ok(Some(Xml::build(|xml| {
            xml.members(element, page, write);
            xml.text("IsTruncated", next.is_some());
            xml.optional("Marker", next);
        })))
    }

    /// Returns `MaxItems` items after `Marker`, and the marker of the next page, if there is one.
    pub(super) fn page<T>(&self, items: Vec<T>) -> Result<(Vec<T>, Option<String>), ApiError> {
        let mut validator = Validator::default();
        let size = validator.number("maxItems", self.parameters.get("MaxItems"), 1..=1000)?;
        validator.finish()?;
        let size = usize::try_from(size.unwrap_or(100)).unwrap_or(100);
        let start = match self.parameters.get("Marker") {
            None => 0,
            Some(marker) => marker
                .strip_prefix("after-")
                .and_then(|number| number.parse().ok())
                .filter(|start| *start <= items.len())
                .ok_or_else(|| ApiError::validation("Invalid Marker."))?,
        };
        let truncated = start + size < items.len();
        let next = truncated.then(|| format!("after-{}", start + size));
        Ok((items.into_iter().skip(start).take(size).collect(), next))
    }
}

/// Returns a policy document percent-encoded, as IAM does.
pub(super) fn encoded(document: &Value, accounts: &Accounts) -> String {
    static READS: AtomicUsize = AtomicUsize::new(0);
    let text = policy::as_read(document, accounts, READS.fetch_add(1, Ordering::Relaxed)).to_string();
    utf8_percent_encode(&text, STRICT).to_string()
}

/// Returns the name of a parameter in validation messages: `roleName` for `RoleName`.
pub(super) fn field(parameter: &str) -> String {
    let mut characters = parameter.chars();
    characters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(characters).collect()
}

pub(super) fn internal_failure() -> ApiError {
    ApiError::new(500, "ServiceFailure", "The caller's account is gone.")
}

pub(super) fn no_user(name: &str) -> ApiError {
    ApiError::no_such_entity(format!("The user with name {name} cannot be found."))
}

pub(super) fn no_role(name: &str) -> ApiError {
    ApiError::no_such_entity(format!("The role with name {name} cannot be found."))
}

pub(super) fn no_group(name: &str) -> ApiError {
    ApiError::no_such_entity(format!("The group with name {name} cannot be found."))
}

pub(super) fn not_attachable(arn: &str) -> ApiError {
    ApiError::no_such_entity(format!("Policy {arn} does not exist or is not attachable."))
}
