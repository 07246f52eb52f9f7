//! The user's shell, for `exec` without a command.

use std::ffi::OsString;

use crate::context::Context;

/// Returns the user's shell: `SHELL` or `sh`, and on Windows `COMSPEC` or PowerShell.
pub fn program(context: &Context) -> OsString {
    let (variable, usual) = if cfg!(windows) { ("COMSPEC", "powershell") } else { ("SHELL", "sh") };
    context.variable(variable).unwrap_or(usual).into()
}
