//! Settings as text for the tools that use a link: one file a consumer. Pure.

pub mod hcl;
