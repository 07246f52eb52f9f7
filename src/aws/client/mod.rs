//! Sends requests: HTTP, endpoints, retries, the rate limit of STS, and errors.

pub mod access;
pub(in crate::aws) mod bounds;
pub(in crate::aws) mod clock;
pub(in crate::aws) mod endpoints;
pub(in crate::aws) mod error;
pub(in crate::aws) mod fate;
pub(in crate::aws) mod http;
pub mod notify;
pub(in crate::aws) mod rate_limit;
pub mod request_ids;
pub(in crate::aws) mod retry;
pub(in crate::aws) mod trace;
