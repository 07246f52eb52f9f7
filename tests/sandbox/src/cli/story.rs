//! The whole story, told once.

use std::process::ExitCode;

use xacct_sandbox::Sandbox;

use super::program::{Program, exit_code};

const COMMANDS: [&[&str]; 3] = [
    &[
        "bootstrap",
        "--target-account",
        "222222222222",
        "--user",
        "alice",
        "--generate-external-id",
        "--profile",
        "security-admin",
        "--target-profile",
        "dev-admin",
        "--user-profile",
        "alice",
        "--yes",
    ],
    &["verify"],
    &["print-provider-hcl"],
];

/// Bootstraps a link, verifies it, and prints the settings for Terraform, each with the real program.
pub(super) fn tell() -> Result<ExitCode, String> {
    let sandbox = Sandbox::builder().try_start().map_err(|error| format!("cannot serve on 127.0.0.1: {error}"))?;
    let program = Program::build()?;
    let directory = tempfile::tempdir().map_err(|error| format!("cannot make a folder: {error}"))?;
    eprintln!("AWS accounts 111111111111 and 222222222222 are served at {}", sandbox.url());
    for arguments in COMMANDS {
        eprintln!("\n$ xacct {}", arguments.join(" "));
        let status = program.run(&sandbox, directory.path(), arguments)?;
        if !status.success() {
            return Ok(exit_code(status));
        }
    }
    eprintln!(
        "\nUser alice of account 111111111111 can now work in account 222222222222, through a role that was made, used, and\n\
         seen to refuse who lacks its external ID. To go on by hand with xacct, aws or terraform, run\n\
         cargo run -p xacct-sandbox -- serve"
    );
    Ok(ExitCode::SUCCESS)
}
