//! The default world.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::json;

use super::{AccessKey, World};

/// The source account.
pub const ACCOUNT_A: &str = "111111111111";
/// The target account.
pub const ACCOUNT_B: &str = "222222222222";
/// Another target account.
pub const ACCOUNT_C: &str = "333333333333";

/// A fixed access key of the default world. It works only in a sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyPair {
    /// Access key ID.
    pub id: &'static str,
    /// Secret access key.
    pub secret: &'static str,
}

impl From<KeyPair> for AccessKey {
    fn from(pair: KeyPair) -> Self {
        AccessKey { id: pair.id.to_owned(), secret: pair.secret.to_owned() }
    }
}

/// User `admin` in account A.
pub const ADMIN_A: KeyPair = KeyPair { id: "AKIASANDBOXADMINAAAA", secret: "sandbox/secret/of/user/admin/account/A/0" };
/// User `alice` in account A: no policies, an MFA device.
pub const ALICE: KeyPair = KeyPair { id: "AKIASANDBOXALICEAAAA", secret: "sandbox/secret/of/user/alice/account/A/0" };
/// User `bob` in account A: no policies.
pub const BOB: KeyPair = KeyPair { id: "AKIASANDBOXBOBBAAAAA", secret: "sandbox/secret/of/user/bobby/account/A/0" };
/// The root user of account A.
pub const ROOT_A: KeyPair = KeyPair { id: "AKIASANDBOXROOTAAAAA", secret: "sandbox/secret/of/root/user/account/A/00" };
/// User `admin` in account B.
pub const ADMIN_B: KeyPair = KeyPair { id: "AKIASANDBOXADMINBBBB", secret: "sandbox/secret/of/user/admin/account/B/0" };
/// User `admin` in account C.
pub const ADMIN_C: KeyPair = KeyPair { id: "AKIASANDBOXADMINCCCC", secret: "sandbox/secret/of/user/admin/account/C/0" };

const ADMINISTRATOR: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

impl Default for World {
    /// Returns account A with users `admin`, `alice` (MFA) and `bob`; accounts B and C with a user `admin` and the role
    /// `OrganizationAccountAccessRole`, which trusts A.
    fn default() -> Self {
        let mut world = World::empty();
        for (name, key) in [("admin", ADMIN_A), ("alice", ALICE), ("bob", BOB)] {
            world.add_user(ACCOUNT_A, name).keys.push(key.into());
        }
        world.attach_user_policy(ACCOUNT_A, "admin", ADMINISTRATOR);
        world.add_mfa_device(ACCOUNT_A, "alice", b"sandbox-seed-of-alice".to_vec());
        world.account_mut(ACCOUNT_A).root_keys.push(ROOT_A.into());
        for (account, key) in [(ACCOUNT_B, ADMIN_B), (ACCOUNT_C, ADMIN_C)] {
            world.add_user(account, "admin").keys.push(key.into());
            world.attach_user_policy(account, "admin", ADMINISTRATOR);
            let trust = json!({
                "Version": "2012-10-17",
                "Statement": [{
                    "Effect": "Allow",
                    "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT_A}:root")},
                    "Action": "sts:AssumeRole",
                }],
            });
            world.add_role(account, "OrganizationAccountAccessRole", trust);
            world.attach_role_policy(account, "OrganizationAccountAccessRole", ADMINISTRATOR);
        }
        world
    }
}

impl World {
    /// Returns a world without accounts.
    pub fn empty() -> Self {
        World {
            accounts: Arc::default(),
            sessions: BTreeMap::new(),
            buckets: BTreeMap::new(),
            used_codes: BTreeSet::new(),
            sts_disabled: BTreeSet::new(),
            regions_disabled: BTreeSet::new(),
            not_signed_up: BTreeSet::new(),
            is_global_endpoint: false,
        }
    }
}
