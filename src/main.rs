//! Parse, run, exit.

use std::process::exit;

fn main() {
    // The exit is explicit: a prompt that nobody answers must not keep the process alive.
    exit(xacct::run(std::env::args_os()).code());
}
