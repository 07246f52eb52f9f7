//! The names of test buckets, and the actions that they need.

use super::{AccountId, Region};

/// The name prefix of all test buckets; `policies/verify-bucket.json` allows only such names.
pub const BUCKET_PREFIX: &str = "xacct-verify-";

/// A suffix as [`test_bucket_name`] takes it, for a name to evaluate policies with.
pub const SAMPLE_SUFFIX: &str = "abcdefghijkm";

/// The actions of the test bucket, in their order. CreateBucket sends a tag, so it needs two of them.
pub const BUCKET_ACTIONS: [&str; 3] = ["s3:CreateBucket", "s3:TagResource", "s3:DeleteBucket"];

/// Returns the name of the test bucket with this random suffix. The name ends with account and Region in the
/// account-regional namespace.
#[must_use]
pub fn test_bucket_name(suffix: &str, owner: &AccountId, region: &Region, account_regional: bool) -> String {
    if account_regional {
        // S3 requires this ending (S3 User Guide, general purpose bucket naming rules).
        format!("{BUCKET_PREFIX}{suffix}-{owner}-{region}-an")
    } else {
        format!("{BUCKET_PREFIX}{owner}-{suffix}")
    }
}
