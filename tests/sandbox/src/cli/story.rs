//! The whole story, told once.

use std::process::ExitCode;

use xacct_sandbox::Sandbox;
use xacct_sandbox::world::ACCOUNT_A;

use super::program::{Program, exit_code};

/// The exit code of a link that does not work.
const NOT_PROVEN: i32 = 3;

const BOOTSTRAP: &str = "bootstrap --target-account 222222222222 --user alice --generate-external-id \
                         --profile security-admin --target-profile dev-admin --user-profile alice --yes";

/// Makes a link, verifies it, prints the settings for Terraform, breaks the link, has it diagnosed and mended: each with
/// the real program.
pub(super) fn tell() -> Result<ExitCode, String> {
    let sandbox = Sandbox::builder().try_start().map_err(|error| format!("cannot serve on 127.0.0.1: {error}"))?;
    let program = Program::build()?;
    let directory = tempfile::tempdir().map_err(|error| format!("cannot make a folder: {error}"))?;
    eprintln!("AWS accounts 111111111111 and 222222222222 are served at {}", sandbox.url());
    let run = |command: &str| {
        eprintln!("\n$ xacct {command}");
        let arguments: Vec<_> = command.split_whitespace().collect();
        program.run(&sandbox, directory.path(), &arguments)
    };
    for command in [BOOTSTRAP, "verify", "print-provider-hcl"] {
        let status = run(command)?;
        if !status.success() {
            return Ok(exit_code(status));
        }
    }
    eprintln!(
        "\nSomebody cleans up in account 111111111111, and takes alice's grant away. AWS would only say AccessDenied."
    );
    sandbox.world(|world| world.user_mut(ACCOUNT_A, "alice").policies.inline.clear());
    let status = run("diagnose")?;
    if status.code() != Some(NOT_PROVEN) {
        return Ok(exit_code(status));
    }
    let status = run("bootstrap --target-account 222222222222 --yes")?;
    if !status.success() {
        return Ok(exit_code(status));
    }
    eprintln!(
        "\nUser alice of account 111111111111 can work in account 222222222222, through a role that was made, used, and\n\
         seen to refuse who lacks its external ID. To go on by hand with xacct, aws or terraform, run\n\
         cargo run -p xacct-sandbox -- serve"
    );
    Ok(ExitCode::SUCCESS)
}
