//! The only place that knows the AWS SDK.
//!
//! [`read`](mod@read) reads, [`observe`] puts together what bootstrap goes by, [`apply`] writes IAM, [`session`] assumes roles, [`probe`] makes and deletes the test bucket. Commands that must
//! not write IAM never reach `apply`.

mod answer;
pub mod apply;
pub mod clients;
pub mod observe;
pub mod probe;
pub mod read;
pub mod session;
