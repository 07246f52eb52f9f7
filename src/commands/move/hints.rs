//! The name of the command, and what to run next.

use crate::operations::run::Run;
use crate::text::shell::ShellCommand;

/// The name on the command line.
pub const NAME: &str = "move";

/// Returns this command.
pub fn command(run: &Run<'_>) -> ShellCommand {
    run.file.xacct().arg(NAME)
}

/// Returns the command that prints queries.
pub fn audit(run: &Run<'_>) -> ShellCommand {
    run.file.xacct().args(["print", "audit-query"])
}
