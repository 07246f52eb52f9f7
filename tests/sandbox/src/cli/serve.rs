//! Serves the accounts until Ctrl-C.

use std::process::ExitCode;

use xacct_sandbox::{Sandbox, SandboxBuilder, parse_duration};

/// Serves the accounts. Prints the variables to export on stdout, and hints on stderr.
pub(super) fn serve(options: &[&str]) -> Result<ExitCode, String> {
    let sandbox = configure(options)?.try_start().map_err(|error| format!("cannot serve on 127.0.0.1: {error}"))?;
    let directory = tempfile::tempdir().map_err(|error| format!("cannot create a directory: {error}"))?;
    sandbox
        .write_aws_files(directory.path())
        .map_err(|error| format!("cannot write to `{}`: {error}", directory.path().display()))?;
    for (name, value) in sandbox.environment(directory.path()) {
        println!("export {name}={}", quoted(&value));
    }
    eprintln!(
        "Paste these lines into another shell, then try:\n\
         \u{20}  aws --profile alice sts get-caller-identity\n\
         \u{20}  xacct bootstrap 222222222222 --name dev --user alice --generate-external-id \\\n\
         \u{20}    --profile security-admin --target-profile dev-admin --user-profile alice\n\
         Profiles: security-admin, alice, bob, root (111111111111), dev-admin (222222222222), third-admin (333333333333).\n\
         Press Ctrl-C to stop."
    );
    wait_for_end()?;
    Ok(ExitCode::SUCCESS)
}

fn configure(options: &[&str]) -> Result<SandboxBuilder, String> {
    let mut builder = Sandbox::builder();
    let mut options = options.iter();
    while let Some(option) = options.next() {
        // Accepts `--port 80` and `--port=80`. The value of `--fault` contains another `=`.
        let (name, attached) = match option.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (*option, None),
        };
        let mut value = || attached.or_else(|| options.next().copied()).ok_or(format!("{name} needs a value"));
        builder = match name {
            "--port" => builder.port(number(value()?)?),
            "--latency" => builder.latency(parse_duration(value()?)?),
            "--propagation" => builder.propagation(parse_duration(value()?)?),
            "--flap" => builder.flap(parse_duration(value()?)?),
            "--unique-ids" => builder.unique_ids(parse_duration(value()?)?),
            "--late-uses" => builder.late_uses(parse_duration(value()?)?),
            "--stale-reads" => builder.stale_reads(true),
            "--clock-skew" => builder.clock_skew(number(value()?)?),
            "--fault" => builder.fault(value()?.parse()?),
            _ => return Err(format!("serve has no option `{option}`; see --help")),
        };
    }
    Ok(builder)
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("`{text}` is not a valid number"))
}

/// Quotes a value for sh if necessary.
fn quoted(value: &str) -> String {
    if value.chars().all(|c| c.is_ascii_alphanumeric() || "/:._-".contains(c)) {
        value.to_owned()
    } else {
        format!("'{}'", value.replace('\'', "'\\''"))
    }
}

fn wait_for_end() -> Result<(), String> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    runtime.block_on(async {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let mut terminated = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
            tokio::select! {
                end = tokio::signal::ctrl_c() => end.map_err(|error| error.to_string()),
                _ = terminated.recv() => Ok(()),
            }
        }
        #[cfg(not(unix))]
        tokio::signal::ctrl_c().await.map_err(|error| error.to_string())
    })
}
