//! The pure core: names, policies, the plan. No async, clock, environment, network or printing.

pub mod admission;
pub mod arn;
pub mod effective;
pub mod evaluate;
pub mod found_terms;
pub mod grant_names;
pub mod granted;
pub mod identity;
pub mod invalid;
pub mod json;
pub mod last_use;
pub mod names;
pub mod organization_grant;
pub mod orphans;
pub mod partition;
pub mod permission_set;
pub mod plan;
pub mod policy;
pub mod record;
pub mod revocation;
pub mod risks;
pub mod state;
pub mod templates;
pub mod trust_statements;
pub mod who;
