//! The only place that knows the AWS SDK.
//!
//! [`connections`] opens access to an account, with what [`credentials`] finds and over what [`client`] sets up; [`sts`] says who a
//! caller is and assumes roles; [`iam`] reads and writes roles, policies and the grant; [`s3`] creates and deletes the test bucket.
//! Commands that must not write IAM never reach [`iam::apply`].

pub mod client;
pub mod connections;
pub mod credentials;
pub mod iam;
pub mod keys;
pub mod s3;
pub mod sts;
