//! S3's REST protocol, addressed by path or by virtual host.

mod buckets;
mod call;
mod names;
mod objects;
mod target;

use crate::error::ApiError;

pub(crate) use call::{Answer, Call};
pub(crate) use target::Target;

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
