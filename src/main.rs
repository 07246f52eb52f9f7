//! The `xacct` binary: parses the arguments, runs the command, exits.

use std::process::exit;

fn main() {
    // `exit` ends the process even if a thread still waits at a prompt.
    exit(xacct::run(std::env::args_os()).code());
}
