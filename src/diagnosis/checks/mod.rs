//! What is looked for, a file a subject.

pub(in crate::diagnosis) mod answer;
pub(in crate::diagnosis) mod bucket;
pub(in crate::diagnosis) mod credentials;
pub(in crate::diagnosis) mod grant;
pub(in crate::diagnosis) mod trust;
