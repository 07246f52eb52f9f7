//! Options of every command that prints settings for another tool.

use std::path::PathBuf;

use clap::Args;

use super::valid;
use crate::iam::arn::PrincipalRef;

/// The links whose settings to print, and the file to write to.
#[derive(Debug, Clone, Args)]
pub struct Printed {
    /// Targets, by name in xacct.toml or account ID (default: XACCT_TARGET, else all)
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// Write to this file; overwrites only files that this command generated
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Overwrite any existing file
    #[arg(long, requires = "out")]
    pub force: bool,
}

/// Whose credentials the tool uses.
#[derive(Debug, Clone, Args)]
pub struct ToolOptions {
    /// The principal of the links whose credentials the tool has, such as role/ci/terraform (default: any of them)
    #[arg(long = "as", value_name = "PRINCIPAL", value_parser = valid::<PrincipalRef>)]
    pub as_principal: Option<PrincipalRef>,
}
