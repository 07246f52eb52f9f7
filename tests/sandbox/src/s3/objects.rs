//! Objects, as far as tests need them.

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::call::{Answer, Call, arn};
use crate::error::ApiError;
use crate::xml::Xml;

fn object_arn(call: &Call<'_>) -> String {
    format!("{}/{}", arn(&call.target.bucket), call.target.key)
}

/// An entity tag; clients treat it as opaque.
fn entity_tag(content: &[u8]) -> String {
    let digest = Sha256::digest(content);
    let digits: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{digits}\"")
}

pub(super) fn list(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let bucket = call.bucket("s3:ListBucket")?;
    let query = call.request.query_parameters();
    let prefix = query.iter().find(|(key, _)| key == "prefix").map_or("", |(_, value)| value.as_str());
    let keys: Vec<_> = bucket.objects.iter().filter(|(key, _)| key.starts_with(prefix)).collect();
    let content = Xml::build(|xml| {
        xml.text("Name", &bucket.name);
        xml.text("Prefix", prefix);
        xml.text("KeyCount", keys.len());
        xml.text("MaxKeys", 1000);
        xml.text("IsTruncated", false);
        for (key, content) in keys {
            xml.element("Contents", |xml| {
                xml.text("Key", key);
                xml.text("LastModified", crate::clock::iso8601_millis(bucket.created));
                xml.text("ETag", entity_tag(content));
                xml.text("Size", content.len());
                xml.text("StorageClass", "STANDARD");
            });
        }
    });
    Ok(Answer::xml("ListBucketResult", &content))
}

pub(super) fn put(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    call.bucket_with("s3:PutObject", &object_arn(call))?;
    let content = crate::sigv4::unchunked_body(call.request)
        .ok_or_else(|| ApiError::new(400, "IncompleteBody", "The request body terminated unexpectedly"))?;
    let tag = entity_tag(&content);
    if let Some(bucket) = call.world.buckets.get_mut(&call.target.bucket) {
        bucket.objects.insert(call.target.key.clone(), content.to_vec());
    }
    Ok(Answer::empty(200).header("etag", tag))
}

/// Also answers HEAD, for which the server sends no body.
pub(super) fn get(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let bucket = call.bucket_with("s3:GetObject", &object_arn(call))?;
    let content = bucket.objects.get(&call.target.key).ok_or_else(|| {
        ApiError::new(404, "NoSuchKey", "The specified key does not exist.").with_detail("Key", &call.target.key)
    })?;
    Ok(Answer {
        status: 200,
        headers: vec![
            ("etag", entity_tag(content)),
            ("last-modified", crate::clock::http_date(bucket.created)),
            ("content-type", "binary/octet-stream".to_owned()),
        ],
        body: Bytes::copy_from_slice(content),
    })
}

pub(super) fn delete(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    call.bucket_with("s3:DeleteObject", &object_arn(call))?;
    if let Some(bucket) = call.world.buckets.get_mut(&call.target.bucket) {
        bucket.objects.remove(&call.target.key);
    }
    Ok(Answer::empty(204))
}
