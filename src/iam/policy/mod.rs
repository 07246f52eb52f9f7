//! IAM policy documents: parsing, comparing by meaning, measuring and writing.
//!
//! IAM does not return a document as sent: it may swap a string and a one-element list, reorder lists, and write an
//! account principal in its long form. So xacct compares documents as normalised values, never as text.

mod compare;
mod document;
mod parse;
mod write;

pub use document::{Effect, Element, PolicyDocument, Principals, Statement, VERSION, account_principal, is_unique_id};
pub use parse::{MAX_DOCUMENT_CHARS, PolicyError};

#[cfg(test)]
mod tests;
