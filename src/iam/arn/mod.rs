//! ARNs of the things that a link is made of, and the shorter forms that a person may type for them.
//!
//! An ARN is read into its parts, each valid by its type, and written from them: no ARN is ever put together by hand.

mod caller;
mod iam;
mod typed;

pub use caller::CallerArn;
pub use iam::{PolicyArn, PolicyOwner, RoleArn, UserArn};
pub use typed::{ManagedPolicy, UserRef};

pub use super::partition::Partition;

#[cfg(test)]
mod tests;
