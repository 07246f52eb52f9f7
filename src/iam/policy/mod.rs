//! IAM policy documents: read, compared by meaning, measured and written.
//!
//! IAM never returns a document as it was sent: it may swap a string and a one-element list, reorder lists, and write
//! an account principal in its long form. So documents are compared as normalised values, never as text.

mod compare;
mod document;
mod parse;
mod write;

pub use document::{Effect, Element, PolicyDocument, Principals, Statement, VERSION, account_principal, is_unique_id};
pub use parse::{MAX_DOCUMENT_CHARS, PolicyError};

#[cfg(test)]
mod tests;
