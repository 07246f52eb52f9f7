//! The pure core: names, policies, the plan. No async, clock, environment, network or printing.

pub mod arn;
pub mod evaluate;
pub mod halves;
pub mod names;
pub mod plan;
pub mod policy;
pub mod removal;
pub mod risks;
pub mod templates;
