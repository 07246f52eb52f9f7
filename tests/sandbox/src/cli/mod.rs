//! The command line.

mod program;
mod serve;
mod stay;
mod story;

use std::process::ExitCode;

const ABOUT: &str = "Run xacct on AWS accounts that this program serves on your machine, offline and at no cost.";

/// What follows the name of the program, and what it does then.
const USES: [(&str, &str); 5] = [
    ("", "Show a demo: bootstrap, verify, print-provider-hcl, diagnose"),
    ("XACCT-ARGUMENTS", "Run an xacct command; keeps accounts and xacct.toml for the next one"),
    ("-- XACCT-ARGUMENTS", "The same, for arguments that the sandbox has too, such as --help"),
    ("reset", "Delete the kept accounts and xacct.toml"),
    ("serve [OPTIONS]", "Serve the accounts to xacct, aws and terraform until Ctrl-C"),
];

const DETAILS: &str = "\
Options of serve:
  --port N            Listen on this port (default: any free port)
  --latency TIME      Delay every response by at least this time, such as 50ms
  --propagation TIME  Apply changes only after this time, as AWS does, such as 10s
  --flap TIME         After that, alternate between old and new state for this time
  --unique-ids TIME   Show the unique ID of a new role in place of its ARN for this time
  --late-uses TIME    Show a use of a role only after this time, as AWS does, such as 4h
  --stale-reads       Delay IAM reads by the propagation time, too
  --clock-skew SEC    Set the server's clock ahead by this many seconds (negative: behind)
  --fault OP[:N[-M]]=KIND[@after]
                      Make calls N to M of an operation fail (default: all calls; OP `*`: any operation). With
                      `@after`, the call takes effect before it fails. Can be repeated. KIND is throttle, 500, 502,
                      503, 504, reset, hang, delay:TIME, truncate, notxml, page:STATUS, error-in-200, skew:SECONDS,
                      gone or error:STATUS:CODE[:MESSAGE]

Accounts:
  111111111111  users admin (profile security-admin), alice (profile alice, MFA device), bob (profile bob);
                root user (profile root)
  222222222222  user admin (profile dev-admin); role OrganizationAccountAccessRole, which trusts 111111111111
  333333333333  user admin (profile third-admin); role OrganizationAccountAccessRole, which trusts 111111111111
";

fn help() -> String {
    let uses = USES.map(|(arguments, does)| (program::command_with(arguments), does));
    let width = uses.iter().map(|(command, _)| command.len()).max().unwrap_or(0);
    let uses = uses.map(|(command, does)| format!("  {command:width$}  {does}\n")).concat();
    format!("{ABOUT}\n\nUsage:\n{uses}\n{DETAILS}")
}

/// Runs the command. The error is a message for the user; a failure of xacct itself is not an error here.
pub fn run(arguments: Vec<String>) -> Result<ExitCode, String> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        [] => story::tell(),
        ["-h" | "--help"] => {
            print!("{}", help());
            Ok(ExitCode::SUCCESS)
        }
        ["serve", ref options @ ..] => serve::serve(options),
        ["reset"] => stay::reset(),
        ["--", ref xacct @ ..] => stay::run(xacct),
        ref xacct => stay::run(xacct),
    }
}
