//! AWS accounts served on this machine, for trying and testing xacct.
//!
//! A [`Sandbox`] is a small server on 127.0.0.1 that speaks the wire protocols of IAM, STS and S3 on one port, verifies
//! signatures, and decides requests as AWS does: identity policies, boundaries, session policies, control policies and
//! trust policies, within an account and across accounts. The crate `awsim-iam-policy` evaluates each single policy, never
//! xacct's own evaluator, so that one mistake cannot be on both sides.
//!
//! ```
//! use std::time::Duration;
//! use xacct_sandbox::{Fault, FaultKind, Sandbox};
//!
//! let sandbox = Sandbox::builder()
//!     .propagation(Duration::from_secs(10))
//!     .fault(Fault::new("CreateRole", FaultKind::Throttle).on_call(1))
//!     .start();
//! sandbox.world(|world| world.grant_assume_role("111111111111", "alice", "grant", "arn:aws:iam::222222222222:role/x"));
//! assert!(sandbox.url().starts_with("http://127.0.0.1:"));
//! assert!(sandbox.requests().is_empty());
//! ```
//!
//! A request passes `server` (socket) → `backend` (latency, faults, holds, record) → `caller` (who signed) → `iam`, `sts` or
//! `s3` (the operation) → `authorize` (the decision) → `world` (the state).

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "the sandbox is for tests, and may panic on states that its own code rules out"
)]

mod authorize;
mod aws_files;
mod backend;
mod caller;
mod clock;
mod context;
mod error;
mod faults;
mod holds;
mod iam;
mod lock;
mod policy;
mod random;
mod record;
mod request;
mod s3;
mod sandbox;
mod server;
mod sigv4;
mod sts;
mod totp;
pub mod world;
mod xml;

pub use aws_files::AwsFiles;
pub use error::ApiError;
pub use faults::{Fault, FaultKind, parse_duration};
pub use holds::{Hold, Stage};
pub use record::{RecordedRequest, most_at_once, steps};
pub use sandbox::{Sandbox, SandboxBuilder};
pub use sigv4::Signer;
pub use world::World;
