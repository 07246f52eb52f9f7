//! The only place that knows the AWS SDK.
//!
//! From the top down: [`connections`] opens access to an account; [`credentials`] finds what to sign with; [`iam`] reads and
//! writes roles, policies and the grant; [`s3`] creates and deletes the test bucket; [`sts`] names the caller and assumes
//! roles; [`client`] sends requests; [`keys`] holds secrets.
//! Commands that must not write IAM never reach [`iam::apply`].

pub mod client;
pub mod connections;
pub mod credentials;
pub mod iam;
pub mod keys;
pub mod s3;
pub mod sts;
