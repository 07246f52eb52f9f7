//! Holds the reduction of trust policies to classes of callers against the evaluators.

mod caller;
mod generate;
mod property;
mod table;
