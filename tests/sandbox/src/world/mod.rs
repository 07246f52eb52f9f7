//! The state that the server serves: accounts, sessions, buckets.

mod account;
mod defaults;
mod history;
mod managed;
mod permission_sets;
mod plant;
mod plant_sessions;
mod principals;
mod quotas;
mod regions;
mod sessions;
mod state;

pub(crate) use account::Accounts;
pub use account::{AccessKey, Account, Bucket, Group, MfaDevice, Policies, Role, RoleUse, Tags, User};
pub use defaults::{ACCOUNT_A, ACCOUNT_B, ACCOUNT_C, ADMIN_A, ADMIN_B, ADMIN_C, ALICE, BOB, KeyPair, ROOT_A};
pub(crate) use history::{History, Propagation};
pub(crate) use managed::all_aws_managed;
pub use managed::{ManagedPolicy, PolicyVersion};
pub use permission_sets::PermissionSet;
pub use principals::Principals;
pub use quotas::Quotas;
pub use sessions::{Session, SessionOf};
pub use state::World;
