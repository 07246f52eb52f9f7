//! What is to be changed: a plan is shown or applied, the same value either way.

pub mod bootstrap;
pub mod teardown;
