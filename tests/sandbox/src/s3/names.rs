//! Bucket names ("Amazon S3 User Guide, General purpose bucket naming rules").

use crate::caller::is_region;
use crate::error::ApiError;
use crate::policy::is_account_id;

/// Checks the name of a new bucket in the requested namespace.
pub(super) fn check(name: &str, namespace: Option<&str>, account: &str, region: &str) -> Result<(), ApiError> {
    let invalid = |message: &str| Err(ApiError::new(400, "InvalidBucketName", message).with_detail("BucketName", name));
    if !is_valid(name) {
        return invalid("The specified bucket is not valid.");
    }
    let is_regional = ends_like_a_namespace(name);
    let regional = format!("-{account}-{region}-an");
    match namespace {
        None if is_regional => Err(ApiError::new(
            400,
            "MissingNamespaceHeader",
            "The requested bucket name is reserved for account-regional namespace buckets. Specify the \
             x-amz-bucket-namespace header.",
        )),
        None => Ok(()),
        Some("global") if is_regional => Err(ApiError::new(
            400,
            "InvalidNamespaceHeader",
            "The global namespace cannot be used with an account-regional bucket name.",
        )),
        Some("global") => Ok(()),
        Some("account-regional") if name.strip_suffix(&regional).is_some_and(|prefix| !prefix.is_empty()) => Ok(()),
        Some("account-regional") => {
            let message = format!(
                "The requested bucket is an account-regional namespace bucket, but the bucket name does not end with \
                 {regional}. Specify the targeted account and region in the bucket name."
            );
            Err(ApiError::new(400, "InvalidBucketNamespace", message).with_detail("BucketNamespace", name))
        }
        Some(_) => Err(ApiError::new(400, "InvalidNamespaceHeader", "The x-amz-bucket-namespace header is not valid.")),
    }
}

/// Returns whether a name ends like those of the account-regional namespace: `-<account ID>-<Region>-an`.
fn ends_like_a_namespace(name: &str) -> bool {
    let Some(rest) = name.strip_suffix("-an") else { return false };
    let parts: Vec<&str> = rest.rsplitn(5, '-').collect();
    let [number, place, area, account, _] = parts[..] else { return false };
    is_region(&format!("{area}-{place}-{number}")) && is_account_id(account)
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
        for wrong in [
            "ab",
            "Upper",
            "-a-b",
            "a..b",
            "192.168.0.1",
            "xn--abc",
            "abc-s3alias",
            "a-222222222222-eu-west-1-an",
            "a_b",
        ] {
            assert!(!global(wrong), "{wrong}");
        }
        let regional = |name: &str| check(name, Some("account-regional"), "222222222222", "eu-west-1").is_ok();
        assert!(regional("x-222222222222-eu-west-1-an"));
        assert!(!regional("x-111111111111-eu-west-1-an"));
        assert!(!regional("x"));
    }
}
