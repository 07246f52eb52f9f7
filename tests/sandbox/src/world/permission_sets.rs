//! Permission sets of IAM Identity Center: what provisioning them leaves in an account.
//!
//! The sandbox does not have the API of Identity Center. A test does what Identity Center would do.

use serde_json::{Value, json};

use super::{Role, World};
use crate::random::suffix;

/// The path of all roles of permission sets; that of Identity Center's Region may follow.
const PATH: &str = "/aws-reserved/sso.amazonaws.com/";
/// The name of the role's inline policy.
const INLINE: &str = "AwsSSOInlinePolicy";

/// A permission set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermissionSet {
    /// Name, of at most 32 characters.
    pub name: String,
    /// Identity Center's own Region, which is in the path of the roles unless it is us-east-1.
    pub region: String,
    /// The inline policy.
    pub inline: Option<Value>,
    /// ARNs of AWS managed policies.
    pub aws_managed: Vec<String>,
    /// Names of customer managed policies, with their path (`/team/xacct`) or without it, which every account with the
    /// permission set must have.
    pub customer_managed: Vec<String>,
}

impl PermissionSet {
    /// Returns a permission set without policies, of an Identity Center in this Region.
    pub fn new(name: &str, region: &str) -> Self {
        PermissionSet {
            name: name.to_owned(),
            region: region.to_owned(),
            inline: None,
            aws_managed: Vec::new(),
            customer_managed: Vec::new(),
        }
    }

    /// Sets the inline policy.
    #[must_use]
    pub fn inline(mut self, document: Value) -> Self {
        self.inline = Some(document);
        self
    }

    /// Adds a reference to a customer managed policy by its name.
    #[must_use]
    pub fn reference(mut self, policy: &str) -> Self {
        self.customer_managed.push(policy.to_owned());
        self
    }

    /// Returns the path of its roles.
    fn path(&self) -> String {
        if self.region == "us-east-1" { PATH.to_owned() } else { format!("{PATH}{}/", self.region) }
    }
}

impl Role {
    /// Returns whether only AWS may change the role: it belongs to a permission set or to a service.
    pub(crate) fn is_protected(&self) -> bool {
        self.path.starts_with("/aws-reserved/") || self.path.starts_with("/aws-service-role/")
    }

    /// Returns whether the role belongs to the permission set with this name.
    fn is_of_permission_set(&self, name: &str) -> bool {
        // The name of a permission set may contain `_`, too.
        let set = self.name.strip_prefix("AWSReservedSSO_").and_then(|rest| rest.rsplit_once('_'));
        self.path.starts_with(PATH) && set.is_some_and(|(set, _)| set == name)
    }
}

/// Permission sets.
impl World {
    /// Returns the name of the role of a permission set in an account.
    pub fn permission_set_role(&self, account: &str, permission_set: &str) -> Option<&str> {
        let mut roles = self.account(account)?.roles.values();
        roles.find(|role| role.is_of_permission_set(permission_set)).map(|role| role.name.as_str())
    }

    /// Provisions a permission set in an account, and returns the name of its role there. An existing role keeps its name
    /// and its unique ID, and takes the set's policies; a new one gets a random suffix.
    ///
    /// # Errors
    /// As Identity Center reports it, if the account lacks a customer managed policy of the set. Nothing changes then.
    pub fn provision(&mut self, account: &str, set: &PermissionSet) -> Result<String, String> {
        let mut attached = set.aws_managed.clone();
        for policy in &set.customer_managed {
            let arn = format!("arn:aws:iam::{account}:policy/{}", policy.trim_start_matches('/'));
            if !self.account_mut(account).policies.contains_key(&arn) {
                // Recorded without the middle ("terraform-provider-aws, account_assignment_test.go").
                return Err(format!("Received a 404 status error: Not supported policy {arn}"));
            }
            attached.push(arn);
        }
        let existing = self.permission_set_role(account, &set.name).map(str::to_owned);
        let name = existing.unwrap_or_else(|| format!("AWSReservedSSO_{}_{}", set.name, suffix()));
        let path = set.path();
        let roles = &mut self.account_mut(account).roles;
        let role = roles.entry(name.clone()).or_insert_with(|| Role::new(&name, &path, sign_in(account)));
        role.max_session_duration = 43_200;
        role.policies.inline = set.inline.iter().map(|document| (INLINE.to_owned(), document.clone())).collect();
        role.policies.attached = attached.into_iter().collect();
        Ok(name)
    }

    /// Deletes the role of a permission set in an account, as the end of its last assignment does. If the set is provisioned
    /// again, the new role has another suffix.
    pub fn deprovision(&mut self, account: &str, permission_set: &str) -> Option<Role> {
        let name = self.permission_set_role(account, permission_set)?.to_owned();
        self.delete_role(account, &name)
    }
}

/// Returns the trust policy of the roles: only who signs in to Identity Center gets a session.
fn sign_in(account: &str) -> Value {
    let provider = format!("arn:aws:iam::{account}:saml-provider/AWSSSO_0123456789abcdef_DO_NOT_DELETE");
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": {"Federated": provider},
            "Action": ["sts:AssumeRoleWithSAML", "sts:TagSession"],
            "Condition": {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}},
        }],
    })
}
