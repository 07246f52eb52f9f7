//! The only place that knows the AWS SDK.
//!
//! [`read`](mod@read) reads, [`observe`] puts together what bootstrap goes by, [`apply`] writes IAM, [`session`] assumes roles, [`mfa`] passes
//! multi-factor authentication, [`cache`] keeps sessions between runs, [`probe`] makes and deletes the test bucket, [`sweep`] those that were left; `pace` sees to it that STS is not asked too often. Commands that must
//! not write IAM never reach `apply`.

pub mod access;
mod answer;
pub mod apply;
pub mod cache;
mod config_files;
pub mod connections;
mod endpoints;
pub mod mfa;
mod network;
pub mod observe;
mod pace;
pub mod probe;
mod profiles;
mod provider;
pub mod read;
mod retry;
pub mod session;
pub mod sweep;
