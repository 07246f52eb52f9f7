//! `xacct exec`: runs a command with a session of the role.

mod child;
mod endpoint;
mod own_role;
mod renewal;
mod server;
mod shell;

use std::ffi::{OsStr, OsString};
use std::io::Error as IoError;
use std::process::Command;

use clap::Args;

use super::command_line::{Start, Verb};
use crate::cli::SessionOptions;
use crate::config;
use crate::error::{Ended, Error, Kind, Result};
use crate::export;
use crate::iam::arn::RoleArn;
use crate::operations::run::{Run, TARGET};
use crate::operations::session::{OpenedRole, Purpose};
use crate::operations::{interrupt, session};
use crate::text::on_one_line;
use crate::text::shell::ShellCommand;
use child::Signals;
use server::Server;

/// The variable with the ARN of the role, beside that of the target: for prompts, and to notice an `exec` within an `exec`.
const ROLE: &str = "XACCT_SESSION_ROLE";

/// Run a command or a shell with a session of the role.
///
/// xacct passes the session's credentials to the command in environment variables, and removes variables that would
/// override them. The command uses stdin, stdout, stderr and signals directly, and xacct exits with its exit code.
/// Without a command, and on a terminal, xacct starts your shell.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  xacct exec -- terraform plan
  xacct exec dev --duration 4h -- aws s3 ls
  xacct exec dev
  Run a command that takes longer than a session:
    xacct exec dev --server -- terraform apply

A role cannot assume itself. Use either xacct exec or the settings of
xacct print provider-hcl, backend-hcl and terragrunt-hcl, not both.

xacct removes AWS_PROFILE, XACCT_MFA_CODE and other variables that would
override the session or hold other credentials. It sets XACCT_TARGET to the
name of the target, XACCT_CONFIG to the path of its xacct.toml, and
XACCT_SESSION_ROLE to the ARN of the role. xacct exits with the command's exit
code: 128 plus the signal number if a signal ended it, 127 if it was not found,
126 if it cannot be run.

xacct forwards signals to the command; Ctrl-C reaches the command directly. If
another program signals the whole process group, the command gets the signal
twice, and Terraform aborts at the second one: use timeout --foreground, and
send signals to xacct, not to its process group.")]
pub struct Exec {
    /// The target, by name in xacct.toml or account ID (default: XACCT_TARGET, else the only one)
    #[arg(value_name = "TARGET")]
    pub target: Option<String>,
    /// The command and its arguments, after `--` (default: your shell)
    #[arg(value_name = "COMMAND", last = true, num_args = 1..)]
    pub command: Vec<OsString>,
    /// Serve credentials on this machine until the command ends, and renew them
    ///
    /// The command gets the address of an endpoint on the loopback interface and a token, as in an ECS container, instead
    /// of credentials. The AWS SDKs, the AWS CLI and Terraform get credentials there, and get new ones before they expire.
    /// Sessions last one hour, or --duration.
    #[arg(long, conflicts_with = "cache")]
    pub server: bool,
    /// Options of the session.
    #[command(flatten)]
    pub session: SessionOptions,
}

/// Returns the arguments with `--` before the command of `exec`, if they have none: `exec dev aws s3 ls --human-readable`.
/// Everything from the second word on is the command, as for `sudo` and `env`.
///
/// This happens before clap parses them, because clap would take the options of the command for those of `exec`.
pub fn with_dashes(arguments: &[OsString], xacct: fn() -> clap::Command) -> Vec<OsString> {
    let mut current = arguments.to_vec();
    let has = |wanted: &str| arguments.iter().any(|word| word == wanted);
    if !has(Exec::NAME) || has("--") {
        return current;
    }
    let xacct = xacct();
    let Some(exec) = xacct.find_subcommand(Exec::NAME) else { return current };
    let options: Vec<_> = xacct.get_arguments().chain(exec.get_arguments()).collect();
    let takes_value = |word: &str| {
        let found = options.iter().find(|option| {
            let short = option.get_short().map(|letter| format!("-{letter}"));
            short.as_deref() == Some(word)
                || option.get_long().is_some_and(|long| word.strip_prefix("--") == Some(long))
        });
        found.is_some_and(|option| option.get_action().takes_values())
    };
    let mut words = arguments.iter().enumerate().skip(1);
    let mut found = Vec::new();
    while let Some((at, word)) = words.next() {
        match word.to_str() {
            Some(option) if option.starts_with('-') => {
                if takes_value(option) {
                    words.next();
                }
            }
            // Words before it are not its own.
            Some(name) if found.is_empty() && name != Exec::NAME => return current,
            _ => found.push(at),
        }
        // `exec`, the target, the command.
        if let [_, _, command] = *found {
            current.insert(command, "--".into());
            break;
        }
    }
    current
}

impl Verb for Exec {
    const NAME: &'static str = "exec";

    fn run(&self, start: &Start<'_>) -> Result<Ended> {
        exec(self, &start.load()?)
    }
}

/// Runs `xacct exec`.
fn exec(args: &Exec, run: &Run<'_>) -> Result<Ended> {
    let shell;
    let (program, arguments) = match args.command.split_first() {
        Some((program, arguments)) => (program, arguments),
        None => {
            check_shell(args, run)?;
            shell = shell::program(run.context);
            (&shell, &[] as &[OsString])
        }
    };
    if let (Some(role), false) = (run.context.variable(ROLE), args.command.is_empty()) {
        run.console.warn(&format!(
            "This is inside another `xacct exec`; the command does not get that session of {}",
            on_one_line(role)
        ));
    }
    // From here on, a signal either ends xacct before the command runs, or is passed on to the command; none is lost.
    let signals = Signals::watch()?;
    let purpose = if args.server { Purpose::Serve } else { Purpose::HandOver };
    let opening = session::of_role(args.target.as_deref(), &args.session, purpose, run);
    let opened = interrupt::guarded(run, opening).map_err(|error| match &args.target {
        Some(word) if run.file.text.is_some() && !config::is_on_record(&run.file, word) => {
            let words = std::iter::once(OsStr::new(word)).chain(args.command.iter().map(OsString::as_os_str));
            let whole = run.file.xacct().arg("exec").command(words.map(OsStr::to_string_lossy));
            error.hint(format!("or, if it is the command: {whole}"))
        }
        _ => error,
    })?;
    let mut command = Command::new(program);
    command.args(arguments);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(export::is_stale)) {
        command.env_remove(name);
    }
    command.env(TARGET, &opened.target).env(ROLE, opened.role.to_string());
    // The name is that of a target in this file, wherever the command goes.
    command.env("XACCT_CONFIG", run.context.directory.join(&run.file.path));
    warn_of_own_role(&opened.role, &command, run);

    let ended = match args.server {
        true => {
            let server = Server::open(opened, &args.session, run)?;
            server.set(&mut command);
            server.announce();
            announce_shell(args, program, run);
            server.during(|| child::run(command, signals, None, run.context.now, &|| {}))?
        }
        false => hand_over(&opened, command, signals, args, run),
    };
    let ended = ended.map_err(|error| Error::new(Kind::Internal, format!("cannot wait for the command: {error}")))?;
    if let child::How::NotStarted(error) = &ended.how {
        let shown = program.to_string_lossy();
        run.console.error(&Error::new(Kind::File, format!("cannot run `{shown}`: {error}")));
    }
    Ok(Ended::Command(ended.code()))
}

/// Warns of a file of the command that assumes the role of its own session.
fn warn_of_own_role(role: &RoleArn, command: &Command, run: &Run<'_>) {
    let words: Vec<_> = [command.get_program()].into_iter().chain(command.get_args()).map(OsStr::to_owned).collect();
    if let Some(file) = own_role::file_that_assumes(role, &words, &run.context.directory) {
        let file = on_one_line(&file);
        run.console.warn(&format!(
            "{file} assumes role {} of {}, but the command already has a session of that role, and a role cannot assume \
             itself: run the command without xacct exec, or remove the role from {file}",
            role.name, role.account
        ));
    }
}

/// Runs the command with the credentials of one session.
fn hand_over(
    opened: &OpenedRole,
    mut command: Command,
    signals: Signals,
    args: &Exec,
    run: &Run<'_>,
) -> std::result::Result<child::Ended, IoError> {
    let opened = &opened.opened;
    let keys = opened.credentials.reveal();
    command.envs(export::variables(&keys, opened.region.as_ref()));
    let expiry = export::expiration(&keys).unwrap_or_else(|| "an unknown time".to_owned());
    run.console.say(&format!("Using a session of {} that expires at {expiry}", opened.whose));
    announce_shell(args, command.get_program(), run);
    let outlived = || {
        run.console.warn(&format!(
            "The session of {} expired at {expiry}, but the command is still running: AWS now denies its requests",
            opened.whose
        ));
    };
    let ended = child::run(command, signals, keys.expires, run.context.now, &outlived)?;
    if ended.outlived {
        run.console.warn(&format!("The command ran longer than its session, which expired at {expiry}"));
    }
    Ok(ended)
}

/// Refuses to start a shell for nobody, or a shell in which the prompt of another one would be wrong.
fn check_shell(args: &Exec, run: &Run<'_>) -> Result<()> {
    let target = args.target.as_deref().unwrap_or("TARGET");
    let with_command = ShellCommand::new("xacct").args(["exec", target]);
    if !run.context.terminal.can_ask {
        return Err(Error::usage("no command given, and a shell needs a terminal")
            .hint(format!("put the command after `--`: {with_command} -- COMMAND")));
    }
    match run.context.variable(ROLE) {
        Some(role) => Err(Error::usage(format!("this shell has a session of {role} already"))
            .hint("leave it first: exit")
            .hint(format!("or run only a command: {with_command} -- COMMAND"))),
        None => Ok(()),
    }
}

/// Reports that a shell starts, because its prompt may not.
fn announce_shell(args: &Exec, shell: &OsStr, run: &Run<'_>) {
    if args.command.is_empty() {
        let shell = shell.to_string_lossy();
        run.console.say(&format!("Starting {}; leave it with `exit`", on_one_line(&shell)));
    }
}
