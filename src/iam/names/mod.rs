//! Names and values that AWS accepts, as types that are valid by construction.
//!
//! Only a parser or an infallible constructor creates these types, so no other code needs to check them again. The
//! rules are AWS's own, anchored: xacct never sends a value that AWS would reject. In AWS's patterns `\w` means `A-Z
//! a-z 0-9 _`, and lengths count Unicode scalar values.

mod account;
mod duration;
mod region;
mod resource;
mod session;
mod tag;
mod test_bucket;
mod text;

pub use account::{AccountId, OrganizationId};
pub use duration::{MaxSessionDuration, SessionDuration, parse_duration};
pub use region::Region;
pub use resource::{Description, GroupName, IamPath, PermissionSetName, PolicyName, RoleName, UserName};
pub use session::{ExternalId, MfaCode, MfaSerial, SessionName, SourceIdentity};
pub use tag::{Tag, TagKey, TagValue};
pub use test_bucket::{BUCKET_ACTIONS, BUCKET_PREFIX, SAMPLE_SUFFIX, test_bucket_name};

#[cfg(test)]
mod tests;
