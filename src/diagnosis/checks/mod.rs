//! The checks of a diagnosis, one file per subject.

pub(in crate::diagnosis) mod answer;
pub(in crate::diagnosis) mod attribute;
pub(in crate::diagnosis) mod bucket;
pub(in crate::diagnosis) mod change;
pub(in crate::diagnosis) mod condition;
pub(in crate::diagnosis) mod converge;
pub(in crate::diagnosis) mod credentials;
pub(in crate::diagnosis) mod denials;
pub(in crate::diagnosis) mod duration;
pub(in crate::diagnosis) mod grant;
pub(in crate::diagnosis) mod meaning;
pub(in crate::diagnosis) mod mfa;
pub(in crate::diagnosis) mod named;
pub(in crate::diagnosis) mod not_assumed;
pub(in crate::diagnosis) mod other_name;
pub(in crate::diagnosis) mod others;
pub(in crate::diagnosis) mod possible;
pub(in crate::diagnosis) mod propagation;
pub(in crate::diagnosis) mod region;
pub(in crate::diagnosis) mod s3_answer;
pub(in crate::diagnosis) mod tail;
pub(in crate::diagnosis) mod too_open;
pub(in crate::diagnosis) mod trust;
pub(in crate::diagnosis) mod unavailable;
pub(in crate::diagnosis) mod unparsed;
