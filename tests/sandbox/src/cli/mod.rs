//! The command line.

mod program;
mod serve;
mod stay;
mod story;

use std::process::ExitCode;

const HELP: &str = "\
Run xacct on AWS accounts that are served from this machine. Nothing leaves it, and nothing costs money.

Usage:
  cargo run -p xacct-sandbox                        Tell the whole story once: bootstrap, verify, print-provider-hcl
  cargo run -p xacct-sandbox -- XACCT-ARGUMENTS     Run that xacct command; accounts and xacct.toml are kept for the next
  cargo run -p xacct-sandbox -- -- XACCT-ARGUMENTS  The same, for arguments that would mean something here, like --help
  cargo run -p xacct-sandbox -- reset               Forget what was kept
  cargo run -p xacct-sandbox -- serve [OPTIONS]     Keep the accounts up for xacct, aws and terraform, until Ctrl-C

Options of serve:
  --port N            Listen on this port (default: any that is free)
  --latency TIME      Let every answer take at least this long, e.g. 50ms
  --propagation TIME  Honour changes only after this long, as AWS does, e.g. 10s
  --flap TIME         Let old and new state take turns for this long after that
  --stale-reads       Let reads of IAM, too, lag behind by the propagation time
  --clock-skew SEC    Let the server's clock be ahead by this many seconds (negative: behind)
  --fault OP[:N[-M]]=KIND[@after]
                      Let calls N to M of an operation fail (default: all; OP `*`: any operation), after it was
                      carried out with `@after` (can be repeated). KIND is throttle, 500, 502, 503, 504, reset, hang,
                      delay:TIME, truncate, notxml, page:STATUS, error-in-200, skew:SECONDS, gone or
                      error:STATUS:CODE[:MESSAGE]

The accounts:
  111111111111  users admin (profile security-admin), alice (alice; MFA device), bob (bob); root (root)
  222222222222  user admin (dev-admin), role OrganizationAccountAccessRole, trusting 111111111111
  333333333333  user admin (third-admin), role OrganizationAccountAccessRole, trusting 111111111111
";

/// Does what the arguments say. The error is a message for the user; what xacct exits with is no error here.
pub fn run(arguments: Vec<String>) -> Result<ExitCode, String> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        [] => story::tell(),
        ["-h" | "--help"] => {
            print!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        ["serve", ref options @ ..] => serve::serve(options),
        ["reset"] => stay::reset(),
        ["--", ref xacct @ ..] => stay::run(xacct),
        ref xacct => stay::run(xacct),
    }
}
