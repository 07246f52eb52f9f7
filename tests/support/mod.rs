//! Shared by integration tests: an isolated environment, sandbox accounts, a proxy, TLS, and optional third-party
//! programs.

#![allow(dead_code, unused_imports, unused_macros, reason = "each test binary uses its own part")]

mod environment;
pub mod growth;
pub mod policies;
mod proxy;
#[cfg(unix)]
mod running;
pub mod scene;
pub mod schema;
#[cfg(unix)]
mod signals;
pub mod third_party;
mod tls;

pub use environment::{Output, TestEnvironment};
pub use proxy::Proxy;
#[cfg(unix)]
pub use running::Running;
pub use tls::{Authority, Tls};
