//! The ARNs of a link, and the shorter forms that a user may type.
//!
//! An ARN is parsed into typed, valid parts and written from them; no other code concatenates ARNs.

mod caller;
mod iam;
mod kms;
mod permission_set;
mod principal;
mod typed;

pub use caller::CallerArn;
pub use iam::{GroupArn, PolicyArn, PolicyOwner, RoleArn, RolePattern, UserArn};
pub use kms::KmsKeyArn;
pub use permission_set::{PermissionSetRoles, RESERVED_PATH, set_of_role};
pub use principal::{GroupRef, PrincipalArn, PrincipalRef, RoleRef};
pub use typed::{JOB_FUNCTIONS, ManagedPolicy, UserRef};

pub use super::partition::Partition;

#[cfg(test)]
mod tests;
