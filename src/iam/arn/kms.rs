//! The ARN of a KMS key.

use std::fmt;
use std::str::FromStr;

use super::iam::fields;
use crate::iam::invalid::Invalid;
use crate::iam::names::{AccountId, Region};
use crate::iam::partition::Partition;

/// The ARN of a KMS key (KMS Developer Guide, key identifiers). Not that of an alias: IAM ignores aliases in `Resource`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KmsKeyArn {
    /// The partition.
    pub partition: Partition,
    /// The Region of the key.
    pub region: Region,
    /// The account that owns the key.
    pub account: AccountId,
    /// The key ID: a UUID, or `mrk-` and 32 digits.
    id: String,
}

impl FromStr for KmsKeyArn {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let invalid = |rule: &str| {
            let fix = "use an ARN such as arn:aws:kms:eu-west-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab";
            Invalid::new("KMS key ARN", text, rule, fix)
        };
        let Some([partition, "kms", region, account, resource]) = fields(text) else {
            return Err(invalid("does not begin with arn:PARTITION:kms:REGION:ACCOUNT:"));
        };
        let id = match resource.split_once('/') {
            Some(("alias", _)) => return Err(invalid("names an alias, which policies cannot use: name the key")),
            Some(("key", id)) => id,
            _ => return Err(invalid("does not end with key/ID")),
        };
        if id.is_empty() || id.len() > 64 || !id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            return Err(invalid("has a key ID that is not letters, digits and `-`"));
        }
        let key = Self {
            partition: partition.parse()?,
            region: region.parse()?,
            account: account.parse()?,
            id: id.to_owned(),
        };
        if key.region.partition() == key.partition {
            Ok(key)
        } else {
            Err(invalid("names a Region of another partition"))
        }
    }
}

impl fmt::Display for KmsKeyArn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, region, account, id } = self;
        write!(formatter, "arn:{partition}:kms:{region}:{account}:key/{id}")
    }
}
