//! Reads both accounts, and checks that the credentials belong to them. Never writes.

mod operator;
mod source;
mod target;

pub(crate) use operator::{Operator, who, who_of_several, write_paragraphs};
pub(crate) use source::{
    Grantee, SourceSide, Standing, labels, other_path, refuse_entering_without_source, source_access,
    source_access_to_enter, source_as_told, source_operator, source_side, source_side_to_remove,
};
pub(crate) use target::{
    TargetSide, boundary_of, enter, enter_in_region, observe_role, operator_of, read_role_back, role_to_remove,
    role_to_revoke, target_side, target_side_to_remove, target_side_to_revoke, target_side_with,
};
