//! Names and values that AWS accepts: parsed once, valid ever after.
//!
//! Each type is made by its parser alone, or by a constructor that cannot go wrong, so whoever holds one need not check
//! it again. The rules are AWS's own, anchored: what AWS would refuse never gets as far as a request.
//! In AWS's patterns `\w` means `A-Z a-z 0-9 _`, and lengths count Unicode scalar values.

mod account;
mod duration;
mod region;
mod resource;
mod session;
mod tag;
mod text;

pub use account::AccountId;
pub use duration::{MaxSessionDuration, SessionDuration, parse_duration};
pub use region::Region;
pub use resource::{IamPath, PolicyName, RoleName, UserName};
pub use session::{ExternalId, MfaCode, MfaSerial, SessionName, SourceIdentity};
pub use tag::{Tag, TagKey, TagValue};

#[cfg(test)]
mod tests;
