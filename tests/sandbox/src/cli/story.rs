//! The demo: a link from creation to repair.

use std::process::ExitCode;

use xacct_sandbox::Sandbox;
use xacct_sandbox::world::ACCOUNT_A;

use super::program::{Program, command_with, exit_code};

/// xacct's exit code for a link that does not work.
const NOT_PROVEN: i32 = 3;

const BOOTSTRAP: &str = "bootstrap 222222222222 --name dev --user alice --generate-external-id \
                         --profile security-admin --target-profile dev-admin --user-profile alice --yes";

/// Creates a link, verifies it, prints the settings for Terraform, breaks the link, diagnoses it and repairs it, each step
/// with the real program.
pub(super) fn tell() -> Result<ExitCode, String> {
    let sandbox = Sandbox::builder().try_start().map_err(|error| format!("cannot serve on 127.0.0.1: {error}"))?;
    let program = Program::find()?;
    let directory = tempfile::tempdir().map_err(|error| format!("cannot create a directory: {error}"))?;
    eprintln!("Serving AWS accounts 111111111111 and 222222222222 at {}", sandbox.url());
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
        "\nAn administrator of account 111111111111 removes alice's grant. AWS reports only AccessDenied; diagnose finds \
         the cause."
    );
    sandbox.world(|world| world.user_mut(ACCOUNT_A, "alice").policies.inline.clear());
    let status = run("diagnose")?;
    if status.code() != Some(NOT_PROVEN) {
        return Ok(exit_code(status));
    }
    let status = run("bootstrap dev --yes")?;
    if !status.success() {
        return Ok(exit_code(status));
    }
    eprintln!(
        "\nUser alice in account 111111111111 can now work in account 222222222222. xacct created the role, tested it, and\n\
         tested that it denies requests without its external ID. To try xacct, aws or terraform yourself:\n\
         {}",
        command_with("serve")
    );
    Ok(ExitCode::SUCCESS)
}
