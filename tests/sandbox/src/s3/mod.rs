//! S3's REST protocol, addressed by path or by virtual host.

mod buckets;
mod names;
mod objects;

use std::sync::Arc;

use bytes::Bytes;
use time::OffsetDateTime;

use crate::authorize::Question;
use crate::caller::Caller;
use crate::context::Context;
use crate::error::ApiError;
use crate::request::{Request, decode};
use crate::world::{Accounts, Bucket, World};
use crate::xml::Xml;

const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// What a request is about, read from host, path and query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) operation: &'static str,
    pub(crate) bucket: String,
    pub(crate) key: String,
    virtual_host: bool,
}

impl Target {
    /// Reads the target of a request. An operation that the sandbox does not have is `Unknown`.
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

/// The bucket in a virtual host: `<bucket>.localhost`, `<bucket>.s3.<region>.amazonaws.com`, … An address has none.
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

/// An answer of S3.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
}

impl Answer {
    fn empty(status: u16) -> Answer {
        Answer { status, ..Answer::default() }
    }

    fn xml(root: &str, content: &Xml) -> Answer {
        Answer {
            status: 200,
            headers: vec![("content-type", "application/xml".to_owned())],
            body: Xml::document(root, NAMESPACE, content).into(),
        }
    }

    fn header(mut self, name: &'static str, value: impl Into<String>) -> Answer {
        self.headers.push((name, value.into()));
        self
    }
}

/// One call of an operation.
pub(crate) struct Call<'a> {
    pub(crate) request: &'a Request,
    pub(crate) target: &'a Target,
    pub(crate) caller: &'a Caller,
    pub(crate) world: &'a mut World,
    /// The state that decisions go by.
    pub(crate) honoured: Arc<Accounts>,
    pub(crate) now: OffsetDateTime,
}

/// Carries out an operation.
pub(crate) fn handle(mut call: Call<'_>) -> Result<Answer, ApiError> {
    let call = &mut call;
    match call.target.operation {
        "ListBuckets" => buckets::list(call),
        "CreateBucket" => buckets::create(call),
        "HeadBucket" => buckets::head(call),
        "DeleteBucket" => buckets::delete(call),
        "GetBucketLocation" => buckets::location(call),
        "GetBucketTagging" => buckets::get_tagging(call),
        "PutBucketTagging" => buckets::put_tagging(call),
        "DeleteBucketTagging" => buckets::delete_tagging(call),
        "ListObjectsV2" => objects::list(call),
        "PutObject" => objects::put(call),
        "GetObject" | "HeadObject" => objects::get(call),
        "DeleteObject" => objects::delete(call),
        _ => {
            let message = "A header or query you provided implies functionality that is not implemented.";
            Err(ApiError::new(501, "NotImplemented", message))
        }
    }
}

impl Call<'_> {
    fn context(&self) -> Context {
        let mut context = Context::of(self.caller, &self.honoured, self.now);
        if let Some(namespace) = self.request.header("x-amz-bucket-namespace") {
            context.set("s3:x-amz-bucket-namespace", namespace);
        }
        context
    }

    /// Asks the caller's policies about an action on a bucket or object.
    fn authorize(&self, action: &str, resource: &str, context: &Context) -> Result<(), ApiError> {
        let question = Question { caller: self.caller, action, resource, context, accounts: &self.honoured };
        question.decide().map_err(|refusal| {
            ApiError::access_denied(format!(
                "User: {} is not authorized to perform: {action} on resource: \"{resource}\"{}",
                self.caller.arn,
                refusal.tail(action)
            ))
        })
    }

    /// The bucket, if it is there, is in the right region, belongs to whom the client expects, and the caller may do this.
    fn bucket(&self, action: &str) -> Result<&Bucket, ApiError> {
        self.bucket_with(action, &arn(&self.target.bucket))
    }

    fn bucket_with(&self, action: &str, resource: &str) -> Result<&Bucket, ApiError> {
        let name = &self.target.bucket;
        let Some(bucket) = self.world.bucket(name) else {
            return Err(ApiError::new(404, "NoSuchBucket", "The specified bucket does not exist")
                .with_detail("BucketName", name));
        };
        self.check_region(bucket)?;
        let denied = |error: ApiError| error.with_header("x-amz-bucket-region", &bucket.region);
        if let Some(expected) = self.request.header("x-amz-expected-bucket-owner")
            && expected != bucket.account
        {
            return Err(denied(ApiError::access_denied("Access Denied")));
        }
        // Without a bucket policy nobody gets in from another account, and S3 does not tell strangers why.
        if bucket.account != self.caller.account {
            return Err(denied(ApiError::access_denied("Access Denied")));
        }
        let mut context = self.context();
        context.set_resource_account(&bucket.account, &self.honoured);
        self.authorize(action, resource, &context).map_err(denied)?;
        Ok(bucket)
    }

    /// Requests go to the bucket's own region. A virtual host without a region leads there, where the signature's region is
    /// then found wrong; every other endpoint redirects.
    fn check_region(&self, bucket: &Bucket) -> Result<(), ApiError> {
        let (asked, right) = (&self.caller.region, &bucket.region);
        if asked == right {
            return Ok(());
        }
        let error = if self.target.virtual_host {
            let message =
                format!("The authorization header is malformed; the region '{asked}' is wrong; expecting '{right}'");
            ApiError::new(400, "AuthorizationHeaderMalformed", message).with_detail("Region", right)
        } else {
            let message = "The bucket you are attempting to access must be addressed using the specified endpoint. \
                           Please send all future requests to this endpoint.";
            ApiError::new(301, "PermanentRedirect", message)
                .with_detail("Endpoint", format!("{}.s3.{right}.amazonaws.com", bucket.name))
                .with_detail("Bucket", &bucket.name)
        };
        Err(error.with_header("x-amz-bucket-region", right))
    }
}

fn arn(bucket: &str) -> String {
    format!("arn:aws:s3:::{bucket}")
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
