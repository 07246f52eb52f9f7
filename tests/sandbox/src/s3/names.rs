//! Bucket names ("Amazon S3 User Guide, General purpose bucket naming rules").

use crate::error::ApiError;

/// Checks the name of a new bucket in the requested namespace.
pub(super) fn check(name: &str, namespace: Option<&str>, account: &str, region: &str) -> Result<(), ApiError> {
    let invalid = |message: &str| Err(ApiError::new(400, "InvalidBucketName", message).with_detail("BucketName", name));
    if !is_valid(name) {
        return invalid("The specified bucket is not valid.");
    }
    let regional = name.ends_with("-an");
    match namespace {
        None | Some("global") if regional => {
            invalid("The suffix -an is reserved for buckets in the account-regional namespace.")
        }
        None | Some("global") => Ok(()),
        Some("account-regional") => {
            let prefix = name.strip_suffix(&format!("-{account}-{region}-an"));
            if prefix.is_some_and(|prefix| !prefix.is_empty()) {
                Ok(())
            } else {
                invalid("The bucket name does not end in the account ID, the region and -an.")
            }
        }
        Some(_) => Err(ApiError::new(400, "InvalidArgument", "Invalid bucket namespace.")),
    }
}

fn is_valid(name: &str) -> bool {
    let alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = name.as_bytes();
    (3..=63).contains(&bytes.len())
        && bytes.iter().all(|byte| alphanumeric(*byte) || b".-".contains(byte))
        && bytes.first().is_some_and(|byte| alphanumeric(*byte))
        && bytes.last().is_some_and(|byte| alphanumeric(*byte))
        && !name.contains("..")
        && name.parse::<std::net::Ipv4Addr>().is_err()
        && !["xn--", "sthree-", "amzn-s3-demo-"].iter().any(|prefix| name.starts_with(prefix))
        && !["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"].iter().any(|suffix| name.ends_with(suffix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules() {
        let global = |name: &str| check(name, None, "222222222222", "eu-west-1").is_ok();
        assert!(global("xacct-verify-1"));
        for wrong in ["ab", "Upper", "-a-b", "a..b", "192.168.0.1", "xn--abc", "abc-s3alias", "x-an", "a_b"] {
            assert!(!global(wrong), "{wrong}");
        }
        let regional = |name: &str| check(name, Some("account-regional"), "222222222222", "eu-west-1").is_ok();
        assert!(regional("x-222222222222-eu-west-1-an"));
        assert!(!regional("x-111111111111-eu-west-1-an"));
        assert!(!regional("x"));
    }
}
