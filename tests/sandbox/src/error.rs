//! Errors with AWS's codes and messages, in the format of each protocol.

use crate::xml::Xml;

/// An error response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// HTTP status.
    pub status: u16,
    /// AWS's error code, e.g. `NoSuchEntity`.
    pub code: String,
    /// AWS's message.
    pub message: String,
    /// Additional elements of an S3 error, such as `Region`.
    pub(crate) details: Vec<(&'static str, String)>,
    /// Additional headers, such as `x-amz-bucket-region`.
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl ApiError {
    /// Returns an error with this status, code and message.
    pub fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        ApiError { status, code: code.into(), message: message.into(), details: Vec::new(), headers: Vec::new() }
    }

    pub(crate) fn access_denied(message: impl Into<String>) -> Self {
        Self::new(403, "AccessDenied", message)
    }

    pub(crate) fn no_such_entity(message: impl Into<String>) -> Self {
        Self::new(404, "NoSuchEntity", message)
    }

    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::new(400, "ValidationError", message)
    }

    pub(crate) fn malformed_policy(message: impl Into<String>) -> Self {
        Self::new(400, "MalformedPolicyDocument", message)
    }

    pub(crate) fn limit_exceeded(message: impl Into<String>) -> Self {
        Self::new(409, "LimitExceeded", message)
    }

    pub(crate) fn already_exists(message: impl Into<String>) -> Self {
        Self::new(409, "EntityAlreadyExists", message)
    }

    pub(crate) fn unmodifiable(role: &str) -> Self {
        let message = format!(
            "Cannot perform the operation on the protected role '{role}' - this role is only modifiable by AWS"
        );
        Self::new(400, "UnmodifiableEntity", message)
    }

    pub(crate) fn delete_conflict(message: impl Into<String>) -> Self {
        Self::new(409, "DeleteConflict", message)
    }

    pub(crate) fn with_detail(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.details.push((name, value.into()));
        self
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Returns the error document of the query protocol (IAM, STS).
    pub(crate) fn query_document(&self, namespace: &str, request_id: &str) -> String {
        let content = Xml::build(|xml| {
            xml.element("Error", |xml| {
                let at_fault = if self.status < 500 { "Sender" } else { "Receiver" };
                xml.text("Type", at_fault);
                xml.text("Code", &self.code);
                xml.text("Message", &self.message);
            });
            xml.text("RequestId", request_id);
        });
        Xml::document("ErrorResponse", namespace, &content)
    }

    /// Returns the error document of S3.
    pub(crate) fn s3_document(&self, request_id: &str) -> String {
        let content = Xml::build(|xml| {
            xml.text("Code", &self.code);
            xml.text("Message", &self.message);
            for (name, value) in &self.details {
                xml.text(name, value);
            }
            xml.text("RequestId", request_id);
            xml.text("HostId", "sandbox");
        });
        Xml::plain_document("Error", &content)
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}): {}", self.code, self.status, self.message)
    }
}

impl std::error::Error for ApiError {}
