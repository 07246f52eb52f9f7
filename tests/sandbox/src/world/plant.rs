//! Inspects and changes the state directly, for tests. No permissions apply, and missing accounts, users and roles are
//! created, so that a test can set up what it needs in one line.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{Account, Bucket, Group, ManagedPolicy, MfaDevice, Policies, Role, Session, Tags, User, World};
use crate::policy;
use crate::random::unique_id;

impl User {
    pub(crate) fn new(name: &str, path: &str) -> Self {
        User {
            name: name.to_owned(),
            path: path.to_owned(),
            id: unique_id("AIDA"),
            created: OffsetDateTime::now_utc(),
            keys: Vec::new(),
            inactive_keys: BTreeSet::new(),
            policies: Policies::default(),
            groups: BTreeSet::new(),
            boundary: None,
            tags: Tags::new(),
            mfa_devices: Vec::new(),
        }
    }
}

impl Group {
    pub(crate) fn new(name: &str, path: &str) -> Self {
        Group { name: name.to_owned(), path: path.to_owned(), id: unique_id("AGPA"), policies: Policies::default() }
    }
}

impl Role {
    pub(crate) fn new(name: &str, path: &str, trust: Value) -> Self {
        Role {
            name: name.to_owned(),
            path: path.to_owned(),
            id: unique_id("AROA"),
            created: OffsetDateTime::now_utc(),
            description: None,
            max_session_duration: 3600,
            boundary: None,
            tags: Tags::new(),
            trust,
            policies: Policies::default(),
            uses: Vec::new(),
            instance_profiles: BTreeSet::new(),
        }
    }
}

/// Reading.
impl World {
    /// Returns an account.
    pub fn account(&self, id: &str) -> Option<&Account> {
        self.accounts.get(id).map(Arc::as_ref)
    }

    /// Returns the IDs of all accounts.
    pub fn account_ids(&self) -> impl Iterator<Item = &str> {
        self.accounts.keys().map(String::as_str)
    }

    /// Returns a user of an account.
    pub fn user(&self, account: &str, name: &str) -> Option<&User> {
        self.account(account)?.users.get(name)
    }

    /// Returns a role of an account.
    pub fn role(&self, account: &str, name: &str) -> Option<&Role> {
        self.account(account)?.roles.get(name)
    }

    /// Returns a role's trust policy as `GetRole` does.
    pub fn trust_policy(&self, account: &str, role: &str) -> Option<Value> {
        let role = self.role(account, role)?;
        Some(policy::as_read(&role.trust, &self.accounts, 0))
    }

    /// Returns an inline policy of a user.
    pub fn user_policy(&self, account: &str, user: &str, policy: &str) -> Option<&Value> {
        self.user(account, user)?.policies.inline.get(policy)
    }

    /// Returns an inline policy of a role.
    pub fn role_policy(&self, account: &str, role: &str, policy: &str) -> Option<&Value> {
        self.role(account, role)?.policies.inline.get(policy)
    }

    /// Returns a group of an account.
    pub fn group(&self, account: &str, name: &str) -> Option<&Group> {
        self.account(account)?.groups.get(name)
    }

    /// Returns an inline policy of a group.
    pub fn group_policy(&self, account: &str, group: &str, policy: &str) -> Option<&Value> {
        self.group(account, group)?.policies.inline.get(policy)
    }

    /// Returns a bucket.
    pub fn bucket(&self, name: &str) -> Option<&Bucket> {
        self.buckets.get(name)
    }

    /// Returns all buckets.
    pub fn buckets(&self) -> impl Iterator<Item = &Bucket> {
        self.buckets.values()
    }

    /// Returns all temporary credentials ever issued, including expired ones.
    pub fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.sessions.values()
    }
}

/// Accounts and users.
impl World {
    /// Adds an account to an organization.
    pub fn set_organization(&mut self, account: &str, organization: &str) {
        self.account_mut(account).organization = Some(organization.to_owned());
    }

    /// Returns an account, and creates it if it is missing.
    pub fn account_mut(&mut self, id: &str) -> &mut Account {
        let account = Arc::make_mut(&mut self.accounts)
            .entry(id.to_owned())
            .or_insert_with(|| Arc::new(Account { id: id.to_owned(), ..Account::default() }));
        Arc::make_mut(account)
    }

    /// Adds a user without keys or policies. Replaces an existing user with that name.
    pub fn add_user(&mut self, account: &str, name: &str) -> &mut User {
        self.account_mut(account).users.remove(name);
        self.user_mut(account, name)
    }

    /// Returns a user, and creates it if it is missing.
    pub fn user_mut(&mut self, account: &str, name: &str) -> &mut User {
        self.account_mut(account).users.entry(name.to_owned()).or_insert_with(|| User::new(name, "/"))
    }

    /// Deletes a user with its policies, keys and devices. Trust policies that named the user then show its unique ID.
    pub fn delete_user(&mut self, account: &str, name: &str) -> Option<User> {
        self.account_mut(account).users.remove(name)
    }

    /// Deletes a user, and creates it again with the same name, path, keys, devices and policies, but a new unique ID.
    pub fn recreate_user(&mut self, account: &str, name: &str) -> &mut User {
        if let Some(old) = self.delete_user(account, name) {
            let id = unique_id("AIDA");
            let users = &mut self.account_mut(account).users;
            users.insert(name.to_owned(), User { id, ..old });
        }
        self.user_mut(account, name)
    }

    /// Sets an inline policy of a user.
    pub fn put_user_policy(&mut self, account: &str, user: &str, name: &str, document: Value) {
        let policies = &mut self.user_mut(account, user).policies;
        policies.inline.insert(name.to_owned(), document);
    }

    /// Grants a user `sts:AssumeRole` on a role ARN, with an inline policy with that name.
    pub fn grant_assume_role(&mut self, account: &str, user: &str, name: &str, role_arn: &str) {
        let statement = json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role_arn});
        let document = json!({"Version": "2012-10-17", "Statement": [statement]});
        self.put_user_policy(account, user, name, document);
    }

    /// Attaches a managed policy to a user.
    pub fn attach_user_policy(&mut self, account: &str, user: &str, arn: &str) {
        let policies = &mut self.user_mut(account, user).policies;
        policies.attached.insert(arn.to_owned());
    }

    /// Sets or removes the permissions boundary of a user.
    pub fn set_user_boundary(&mut self, account: &str, user: &str, arn: Option<&str>) {
        self.user_mut(account, user).boundary = arn.map(str::to_owned);
    }

    /// Adds a virtual MFA device with the user's name, and returns its serial number.
    pub fn add_mfa_device(&mut self, account: &str, user: &str, seed: Vec<u8>) -> String {
        let serial = format!("arn:aws:iam::{account}:mfa/{user}");
        self.user_mut(account, user).mfa_devices.push(MfaDevice {
            serial: serial.clone(),
            seed,
            enabled: OffsetDateTime::now_utc(),
        });
        serial
    }

    /// Returns a group with the user as a member, and creates it if it is missing.
    pub fn add_to_group(&mut self, account: &str, user: &str, group: &str) -> &mut Group {
        self.user_mut(account, user).groups.insert(group.to_owned());
        self.account_mut(account).groups.entry(group.to_owned()).or_insert_with(|| Group::new(group, "/"))
    }
}

/// Roles and policies.
impl World {
    /// Adds a role with a trust policy. Replaces an existing role with that name. Stores principals as IAM does; one that
    /// does not exist stays unchanged and matches no caller.
    pub fn add_role(&mut self, account: &str, name: &str, trust: Value) -> &mut Role {
        let trust = policy::as_stored(&trust, &self.accounts);
        let roles = &mut self.account_mut(account).roles;
        roles.remove(name);
        roles.entry(name.to_owned()).or_insert_with(|| Role::new(name, "/", trust))
    }

    /// Returns a role, if it exists.
    pub fn role_mut(&mut self, account: &str, name: &str) -> Option<&mut Role> {
        self.account_mut(account).roles.get_mut(name)
    }

    /// Deletes a role with its policies, which ends its sessions.
    pub fn delete_role(&mut self, account: &str, name: &str) -> Option<Role> {
        self.account_mut(account).roles.remove(name)
    }

    /// Deletes a role, and creates it again with the same path, settings and policies, but a new unique ID. Trust policies
    /// that named the role then show the old ID.
    pub fn recreate_role(&mut self, account: &str, name: &str) -> &mut Role {
        let id = unique_id("AROA");
        self.change_role(account, name, |role| role.id = id);
        self.role_mut(account, name).expect("the role")
    }

    /// Sets the trust policy of a role.
    pub fn set_trust_policy(&mut self, account: &str, role: &str, trust: &Value) {
        let trust = policy::as_stored(trust, &self.accounts);
        self.change_role(account, role, |role| role.trust = trust);
    }

    /// Sets an inline policy of a role.
    pub fn put_role_policy(&mut self, account: &str, role: &str, name: &str, document: Value) {
        self.change_role(account, role, |role| {
            role.policies.inline.insert(name.to_owned(), document);
        });
    }

    /// Attaches a managed policy to a role.
    pub fn attach_role_policy(&mut self, account: &str, role: &str, arn: &str) {
        self.change_role(account, role, |role| {
            role.policies.attached.insert(arn.to_owned());
        });
    }

    /// Sets or removes the permissions boundary of a role.
    pub fn set_role_boundary(&mut self, account: &str, role: &str, arn: Option<&str>) {
        self.change_role(account, role, |role| role.boundary = arn.map(str::to_owned));
    }

    pub(super) fn change_role(&mut self, account: &str, name: &str, change: impl FnOnce(&mut Role)) {
        let nobody = json!({"Version": "2012-10-17", "Statement": []});
        let roles = &mut self.account_mut(account).roles;
        change(roles.entry(name.to_owned()).or_insert_with(|| Role::new(name, "/", nobody)));
    }

    /// Adds a customer managed policy with one version, `v1`, and returns its ARN.
    pub fn add_policy(&mut self, account: &str, name: &str, document: Value) -> String {
        let arn = format!("arn:aws:iam::{account}:policy/{name}");
        let policy = ManagedPolicy::new(&arn, OffsetDateTime::now_utc(), document);
        let policies = &mut self.account_mut(account).policies;
        policies.insert(arn.clone(), policy);
        arn
    }

    /// Gives a customer managed policy a new default version, and returns its number.
    pub fn change_policy(&mut self, account: &str, arn: &str, document: Value) -> u32 {
        let policy = self.account_mut(account).policies.get_mut(arn).expect("the policy");
        policy.default_version = policy.add_version(OffsetDateTime::now_utc(), document);
        policy.default_version
    }

    /// Makes an older version of a customer managed policy the default one again.
    pub fn restore_policy(&mut self, account: &str, arn: &str, version: u32) {
        let policy = self.account_mut(account).policies.get_mut(arn).expect("the policy");
        assert!(policy.versions.contains_key(&version), "v{version} of {arn}");
        policy.default_version = version;
    }

    /// Sets a service control policy on an account. If none of its policies allows anything, `FullAWSAccess` stays attached.
    pub fn set_service_control_policy(&mut self, account: &str, name: &str, document: Value) {
        let policies = &mut self.account_mut(account).service_control_policies;
        policies.insert(name.to_owned(), document);
    }

    /// Sets a resource control policy on an account.
    pub fn set_resource_control_policy(&mut self, account: &str, name: &str, document: Value) {
        let policies = &mut self.account_mut(account).resource_control_policies;
        policies.insert(name.to_owned(), document);
    }
}

/// Buckets and sessions.
impl World {
    /// Adds an empty bucket.
    pub fn add_bucket(&mut self, account: &str, name: &str, region: &str) -> &mut Bucket {
        self.buckets
            .entry(name.to_owned())
            .insert_entry(Bucket {
                name: name.to_owned(),
                account: account.to_owned(),
                region: region.to_owned(),
                created: OffsetDateTime::now_utc(),
                tags: Tags::new(),
                objects: BTreeMap::new(),
            })
            .into_mut()
    }

    /// Removes a bucket with its objects.
    pub fn remove_bucket(&mut self, name: &str) -> Option<Bucket> {
        self.buckets.remove(name)
    }

    /// Expires all sessions at once.
    pub fn expire_sessions(&mut self) {
        for session in self.sessions.values_mut() {
            session.expire();
        }
    }
}
