//! `xacct-sandbox`: xacct on AWS accounts that are served from this machine. `--help` tells what it does.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = std::env::args().skip(1).collect();
    match cli::run(arguments) {
        Ok(code) => code,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(2)
        }
    }
}
