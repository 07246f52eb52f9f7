//! Buckets.

use std::collections::BTreeMap;

use super::call::{Answer, Call, arn};
use super::names;
use crate::caller::is_region;
use crate::clock::iso8601_millis;
use crate::error::ApiError;
use crate::world::{Bucket, Tags};
use crate::xml::{Element, Xml};

const US_EAST_1: &str = "us-east-1";

fn malformed_xml() -> ApiError {
    let message = "The XML you provided was not well-formed or did not validate against our published schema";
    ApiError::new(400, "MalformedXML", message)
}

/// Returns the XML body, if there is a body.
fn body(call: &Call<'_>) -> Result<Option<Element>, ApiError> {
    let body = crate::sigv4::unchunked_body(call.request).ok_or_else(malformed_xml)?;
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    let text = std::str::from_utf8(&body).map_err(|_| malformed_xml())?;
    Element::parse(text).map(Some).ok_or_else(malformed_xml)
}

fn tags(list: &[Element]) -> Result<Tags, ApiError> {
    let mut tags = Tags::new();
    for tag in list {
        let key = tag.child_text("Key").ok_or_else(malformed_xml)?;
        let value = tag.child_text("Value").ok_or_else(malformed_xml)?;
        if tags.insert(key.to_owned(), value.to_owned()).is_some() {
            let message = "Cannot provide multiple Tags with the same key";
            return Err(ApiError::new(400, "InvalidTag", message));
        }
    }
    if tags.len() > 50 {
        return Err(ApiError::new(400, "BadRequest", "Bucket tag count cannot be greater than 50"));
    }
    Ok(tags)
}

/// Returns the Region of a new bucket. Endpoints create buckets in their own Region; that of us-east-1 in any Region.
fn location_of_new<'a>(constraint: Option<&'a str>, endpoint: &'a str) -> Result<&'a str, ApiError> {
    let illegal = |which: &str| {
        let message = format!(
            "The {which} location constraint is incompatible for the region specific endpoint this request was sent to."
        );
        ApiError::new(400, "IllegalLocationConstraintException", message)
    };
    // `EU` is the old name of eu-west-1.
    match constraint.map(|constraint| if constraint == "EU" { "eu-west-1" } else { constraint }) {
        None if endpoint == US_EAST_1 => Ok(endpoint),
        None => Err(illegal("unspecified")),
        Some(constraint) if constraint == US_EAST_1 || !is_region(constraint) => {
            let message = "The specified location-constraint is not valid";
            Err(ApiError::new(400, "InvalidLocationConstraint", message).with_detail("LocationConstraint", constraint))
        }
        Some(constraint) if constraint == endpoint || endpoint == US_EAST_1 => Ok(constraint),
        Some(constraint) => Err(illegal(constraint)),
    }
}

pub(super) fn create(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    if call.world.is_not_signed_up(&call.caller.account) {
        let message = "Your account is not signed up for the S3 service. You must sign up before you can use S3.";
        return Err(ApiError::new(403, "NotSignedUp", message));
    }
    let name = &call.target.bucket;
    let configuration = body(call)?;
    let (constraint, tags) = match &configuration {
        None => (None, Tags::new()),
        Some(root) if root.name == "CreateBucketConfiguration" => (
            root.child_text("LocationConstraint").filter(|constraint| !constraint.is_empty()),
            tags(root.child("Tags").map_or(&[], |tags| &tags.children))?,
        ),
        Some(_) => return Err(malformed_xml()),
    };
    let region = call.caller.region.clone();
    let namespace = call.request.header("x-amz-bucket-namespace");
    names::check(name, namespace, &call.caller.account, &region)?;

    let mut context = call.context();
    context.set_request_tags(&tags);
    if let Some(constraint) = constraint {
        context.set("s3:LocationConstraint", constraint);
    }
    call.authorize("s3:CreateBucket", &arn(name), &context)?;
    if !tags.is_empty() {
        call.authorize("s3:TagResource", &arn(name), &context)?;
    }
    if call.request.header("x-amz-object-ownership").is_some() {
        call.authorize("s3:PutBucketOwnershipControls", &arn(name), &context)?;
    }
    let region_of_new = location_of_new(constraint, &region)?.to_owned();

    let location = format!("/{name}");
    if let Some(existing) = call.world.bucket(name) {
        if existing.account != call.caller.account {
            let message = "The requested bucket name is not available. The bucket namespace is shared by all users of \
                           the system. Please select a different name and try again.";
            return Err(ApiError::new(409, "BucketAlreadyExists", message).with_detail("BucketName", name));
        }
        // For compatibility, us-east-1 returns success if the owner creates a bucket again, but not with tags.
        if existing.region == US_EAST_1 && region == US_EAST_1 && tags.is_empty() {
            return Ok(Answer::empty(200).header("location", location));
        }
        let message = "Your previous request to create the named bucket succeeded and you already own it.";
        return Err(ApiError::new(409, "BucketAlreadyOwnedByYou", message).with_detail("BucketName", name));
    }
    let bucket = Bucket {
        name: name.clone(),
        account: call.caller.account.clone(),
        region: region_of_new,
        created: call.now,
        tags,
        objects: BTreeMap::new(),
    };
    call.world.buckets.insert(name.clone(), bucket);
    Ok(Answer::empty(200).header("location", location).header("x-amz-bucket-arn", arn(name)))
}

pub(super) fn head(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let bucket = call.bucket("s3:ListBucket")?;
    Ok(Answer::empty(200)
        .header("x-amz-bucket-region", &bucket.region)
        .header("x-amz-bucket-arn", arn(&bucket.name))
        .header("x-amz-access-point-alias", "false"))
}

pub(super) fn delete(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let bucket = call.bucket("s3:DeleteBucket")?;
    if !bucket.objects.is_empty() {
        let message = "The bucket you tried to delete is not empty";
        return Err(ApiError::new(409, "BucketNotEmpty", message).with_detail("BucketName", &bucket.name));
    }
    call.world.buckets.remove(&call.target.bucket);
    Ok(Answer::empty(204))
}

/// Returns a page of at most `max-buckets` buckets that begin with `prefix`, after `continuation-token`. AWS requires
/// pagination for accounts with more than 10,000 buckets; the sandbox has fewer.
pub(super) fn list(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    call.authorize("s3:ListAllMyBuckets", "arn:aws:s3:::*", &call.context())?;
    let owner = &call.caller.account;
    let query = call.request.query_parameters();
    let parameter = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let size = match parameter("max-buckets") {
        None => 10_000,
        Some(text) => text.parse().ok().filter(|size| (1..=10_000).contains(size)).ok_or_else(|| {
            ApiError::new(400, "InvalidArgument", "Argument max-buckets must be an integer between 1 and 10000.")
        })?,
    };
    let (prefix, token) = (parameter("prefix"), parameter("continuation-token"));
    let all = call.world.buckets().filter(|bucket| {
        let has_prefix = prefix.is_none_or(|prefix| bucket.name.starts_with(prefix));
        bucket.account == *owner && has_prefix && token.is_none_or(|token| bucket.name.as_str() > token)
    });
    let all: Vec<&Bucket> = all.collect();
    let page = &all[..size.min(all.len())];
    let content = Xml::build(|xml| {
        xml.element("Buckets", |xml| {
            for bucket in page {
                xml.element("Bucket", |xml| {
                    xml.text("Name", &bucket.name);
                    xml.text("CreationDate", iso8601_millis(bucket.created));
                    xml.text("BucketRegion", &bucket.region);
                });
            }
        });
        xml.element("Owner", |xml| xml.text("ID", canonical_id(owner)));
        xml.optional("Prefix", prefix);
        xml.optional("ContinuationToken", page.last().filter(|_| all.len() > size).map(|bucket| &bucket.name));
    });
    Ok(Answer::xml("ListAllMyBucketsResult", &content))
}

/// Returns the canonical user ID of an account, 64 hexadecimal digits, here derived from the account ID.
fn canonical_id(account: &str) -> String {
    format!("{account:0>64}")
}

pub(super) fn location(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let bucket = call.bucket("s3:GetBucketLocation")?;
    // A bucket in us-east-1 has an empty location.
    let region = if bucket.region == US_EAST_1 { "" } else { &bucket.region };
    Ok(Answer::xml("LocationConstraint", &Xml::build(|xml| xml.content(region))))
}

pub(super) fn get_tagging(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let bucket = call.bucket("s3:GetBucketTagging")?;
    if bucket.tags.is_empty() {
        return Err(
            ApiError::new(404, "NoSuchTagSet", "The TagSet does not exist").with_detail("BucketName", &bucket.name)
        );
    }
    let content = Xml::build(|xml| {
        xml.element("TagSet", |xml| {
            for (key, value) in &bucket.tags {
                xml.element("Tag", |xml| {
                    xml.text("Key", key);
                    xml.text("Value", value);
                });
            }
        });
    });
    Ok(Answer::xml("Tagging", &content))
}

pub(super) fn put_tagging(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    call.bucket("s3:PutBucketTagging")?;
    let root = body(call)?.filter(|root| root.name == "Tagging").ok_or_else(malformed_xml)?;
    let new = tags(&root.child("TagSet").ok_or_else(malformed_xml)?.children)?;
    if let Some(bucket) = call.world.buckets.get_mut(&call.target.bucket) {
        bucket.tags = new;
    }
    Ok(Answer::empty(204))
}

pub(super) fn delete_tagging(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    call.bucket("s3:PutBucketTagging")?;
    if let Some(bucket) = call.world.buckets.get_mut(&call.target.bucket) {
        bucket.tags.clear();
    }
    Ok(Answer::empty(204))
}
