//! The bucket, object and operation of a request.

use crate::request::{Request, decode};

/// The target of a request, from host, path and query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) operation: &'static str,
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(super) virtual_host: bool,
}

impl Target {
    /// Parses the target of a request. An operation that the sandbox does not support is `Unknown`.
    pub(crate) fn of(request: &Request) -> Target {
        let path = request.path.trim_start_matches('/');
        let in_host = request.header("host").and_then(bucket_in_host);
        let (bucket, key) = match in_host {
            Some(bucket) => (bucket.to_owned(), decode(path)),
            None => {
                let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
                (decode(bucket), decode(key))
            }
        };
        let query = request.query_parameters();
        let has = |name: &str| query.iter().any(|(key, _)| key == name);
        // Parameters that do not select another operation.
        let plain = query.iter().all(|(key, _)| {
            ["x-id", "prefix", "delimiter", "max-keys", "encoding-type", "start-after", "fetch-owner", "marker"]
                .contains(&key.as_str())
        });
        let operation = match (request.method.as_str(), bucket.is_empty(), key.is_empty()) {
            ("GET", true, _) => "ListBuckets",
            ("PUT", false, true) if has("tagging") => "PutBucketTagging",
            ("GET", false, true) if has("tagging") => "GetBucketTagging",
            ("DELETE", false, true) if has("tagging") => "DeleteBucketTagging",
            ("GET", false, true) if has("location") => "GetBucketLocation",
            ("GET", false, true) if has("list-type") || plain => "ListObjectsV2",
            ("PUT", false, true) if plain => "CreateBucket",
            ("HEAD", false, true) => "HeadBucket",
            ("DELETE", false, true) if plain => "DeleteBucket",
            ("PUT", false, false) if plain => "PutObject",
            ("GET", false, false) if plain => "GetObject",
            ("HEAD", false, false) => "HeadObject",
            ("DELETE", false, false) if plain => "DeleteObject",
            _ => "Unknown",
        };
        Target { operation, bucket, key, virtual_host: in_host.is_some() }
    }
}

/// Returns the bucket in a virtual host: `<bucket>.localhost`, `<bucket>.s3.<region>.amazonaws.com`, … An IP address has none.
fn bucket_in_host(host: &str) -> Option<&str> {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    if name.parse::<std::net::IpAddr>().is_ok() {
        return None;
    }
    [".s3.", ".s3-", ".localhost"]
        .into_iter()
        .find_map(|mark| name.find(mark))
        .map(|end| &name[..end])
        .filter(|bucket| !bucket.is_empty() && *bucket != "s3")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_in_hosts() {
        for (host, bucket) in [
            ("127.0.0.1:8080", None),
            ("localhost:8080", None),
            ("b.localhost:8080", Some("b")),
            ("b.s3.eu-west-1.amazonaws.com", Some("b")),
            ("a.b.s3.localhost", Some("a.b")),
            ("s3.eu-west-1.amazonaws.com", None),
        ] {
            assert_eq!(bucket_in_host(host), bucket, "{host}");
        }
    }
}
