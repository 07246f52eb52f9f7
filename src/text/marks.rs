//! The comments around each profile that `xacct print profile --install` writes to the AWS config file.

/// The beginning of the comment above a profile; the target and `xacct.toml` follow.
pub const BEGIN: &str = "# BEGIN xacct profile: ";

/// The comment below a profile.
pub const END: &str = "# END xacct profile";
