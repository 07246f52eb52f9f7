//! Operations that commands share. Nothing here imports a command.

pub(crate) mod accounts;
pub(crate) mod apply;
pub(crate) mod complete;
pub(crate) mod consumers;
pub(crate) mod evaluation;
pub(crate) mod explain;
pub(crate) mod grant_writer;
pub(crate) mod interrupt;
pub(crate) mod keep;
pub(crate) mod last_test;
mod level;
pub(crate) mod must_refuse;
pub(crate) mod objection;
pub(crate) mod operators;
pub(crate) mod orphans;
pub(crate) mod planning;
pub(crate) mod proving;
pub(crate) mod reports;
pub(crate) mod run;
pub(crate) mod session;
pub(crate) mod settle;
pub(crate) mod verification;
pub(crate) mod work;
