//! One call of an operation, and its response.

use std::sync::Arc;

use bytes::Bytes;
use time::OffsetDateTime;

use crate::authorize::Question;
use crate::caller::Caller;
use crate::context::Context;
use crate::error::ApiError;
use crate::request::Request;
use crate::s3::target::Target;
use crate::world::{Accounts, Bucket, World};
use crate::xml::Xml;

const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// A response from S3.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(super) fn empty(status: u16) -> Answer {
        Answer { status, ..Answer::default() }
    }

    pub(super) fn xml(root: &str, content: &Xml) -> Answer {
        Answer {
            status: 200,
            headers: vec![("content-type", "application/xml".to_owned())],
            body: Xml::document(root, NAMESPACE, content).into(),
        }
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Answer {
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
    /// The state that decisions use.
    pub(crate) honoured: Arc<Accounts>,
    pub(crate) now: OffsetDateTime,
}

impl Call<'_> {
    pub(super) fn context(&self) -> Context {
        let mut context = Context::of(self.caller, &self.honoured, self.now);
        if let Some(namespace) = self.request.header("x-amz-bucket-namespace") {
            context.set("s3:x-amz-bucket-namespace", namespace);
        }
        context
    }

    /// Authorizes an action on a bucket or object.
    pub(super) fn authorize(&self, action: &str, resource: &str, context: &Context) -> Result<(), ApiError> {
        let question = Question { caller: self.caller, action, resource, context, accounts: &self.honoured };
        question.decide().map_err(|refusal| {
            ApiError::access_denied(format!(
                "User: {} is not authorized to perform: {action} on resource: \"{resource}\"{}",
                self.caller.arn,
                question.tail_with_arn(refusal)
            ))
        })
    }

    /// Returns the bucket if it exists, is in the right Region, has the expected owner, and the caller may do this.
    pub(super) fn bucket(&self, action: &str) -> Result<&Bucket, ApiError> {
        self.bucket_with(action, &arn(&self.target.bucket))
    }

    pub(super) fn bucket_with(&self, action: &str, resource: &str) -> Result<&Bucket, ApiError> {
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
        // Without a bucket policy, S3 denies other accounts access and does not say why.
        if bucket.account != self.caller.account {
            return Err(denied(ApiError::access_denied("Access Denied")));
        }
        let mut context = self.context();
        context.set_resource_account(&bucket.account, &self.honoured);
        self.authorize(action, resource, &context).map_err(denied)?;
        Ok(bucket)
    }

    /// Checks that the request was sent to the bucket's Region. A virtual host without a Region leads there, and S3 then
    /// rejects the Region in the signature; every other endpoint redirects.
    pub(super) fn check_region(&self, bucket: &Bucket) -> Result<(), ApiError> {
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

pub(super) fn arn(bucket: &str) -> String {
    format!("arn:aws:s3:::{bucket}")
}
