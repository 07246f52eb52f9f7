//! Sources of credentials: profiles, role chains, MFA, and the session cache.

pub mod config_files;
pub mod mfa;
pub(in crate::aws) mod process;
pub mod profiles;
pub(in crate::aws) mod provider;
pub(in crate::aws) mod role_chain;
pub mod session_cache;
