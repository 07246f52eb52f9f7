//! Everything that uses the AWS SDK, and the only place that does.
//!
//! From the top down: [`connections`] opens access to an account; [`credentials`] finds credentials; [`iam`] reads and
//! writes roles, policies and the grant; [`s3`] creates and deletes the test bucket; [`sts`] identifies the caller and
//! assumes roles; [`client`] sends requests; [`keys`] holds secrets.
//! Only commands that may write to IAM reach [`iam::apply`].

pub mod client;
pub mod connections;
pub mod credentials;
pub mod iam;
pub mod keys;
pub mod s3;
pub mod sts;
