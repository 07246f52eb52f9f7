//! One file a command, each reading from top to bottom: resolve, observe, decide, act, report.

mod bootstrap;
mod credentials;
mod diagnose;
mod exec;
mod print;
mod sweep;
mod teardown;
mod verify;

use clap::CommandFactory;

use crate::aws::s3::test_bucket::Leftovers;
use crate::cli::{Cli, Command, OutputFormat};
use crate::config::ConfigFile;
use crate::context::Context;
use crate::error::{Ended, Error, ExitCode, Kind, Result};
use crate::operations::interrupt;
use crate::operations::run::Run;
use crate::report::{Console, json};

/// Runs the command and reports how it went.
pub fn run(cli: &Cli, context: &Context) -> Ended {
    let (name, format) = match &cli.command {
        Command::Bootstrap(args) => ("bootstrap", args.report.output),
        Command::Verify(args) => ("verify", args.report.output),
        Command::Diagnose(args) => ("diagnose", args.report.output),
        Command::Teardown(args) => ("teardown", args.report.output),
        Command::Sweep(args) => ("sweep", args.report.output),
        Command::Exec(_) => ("exec", OutputFormat::Table),
        Command::Credentials(_) => ("credentials", OutputFormat::Table),
        Command::PrintProviderHcl(_) => ("print-provider-hcl", OutputFormat::Table),
        Command::PrintBackendHcl(_) => ("print-backend-hcl", OutputFormat::Table),
        Command::PrintTerragruntHcl(_) => ("print-terragrunt-hcl", OutputFormat::Table),
        Command::PrintProfile(_) => ("print-profile", OutputFormat::Table),
        Command::PrintHcp(_) => ("print-hcp", OutputFormat::Table),
        Command::PrintPolicies(_) => ("print-policies", OutputFormat::Table),
        Command::PrintRoleHcl(_) => ("print-role-hcl", OutputFormat::Table),
        Command::PrintCloudformation(_) => ("print-cloudformation", OutputFormat::Table),
        Command::Completions(_) => ("completions", OutputFormat::Table),
        Command::Man => ("man", OutputFormat::Table),
    };
    let console = Console::new(context.terminal, format);
    let ended = dispatch(cli, context, &console).unwrap_or_else(|error| {
        let exit_code = error.kind.exit_code();
        if console.is_json() {
            console.result(&json::document(name, exit_code, json::Failure { error: (&error).into() }));
        }
        console.error(&error);
        exit_code.into()
    });
    match console.lost() {
        None => ended,
        Some(error) => {
            console.error(&error);
            error.kind.exit_code().into()
        }
    }
}

/// Reports arguments that cannot be understood as a JSON document.
pub fn report_usage_error(command: &'static str, message: &str) {
    let console = Console::new(crate::context::Terminal::default(), OutputFormat::Json);
    // Clap has written it for people already; the document holds its first line.
    let message = message.lines().next().unwrap_or_default().trim_start_matches("error: ");
    let error = Error::usage(message).hint(format!("see xacct {command} --help"));
    console.result(&json::document(command, ExitCode::Usage, json::Failure { error: (&error).into() }));
}

fn dispatch(cli: &Cli, context: &Context, console: &Console) -> Result<Ended> {
    let run = || {
        let path = context.directory.join(&cli.global.config);
        // Messages name the file as the user knows it.
        let shown = if cli.global.config.is_absolute() { &path } else { &cli.global.config };
        let file = ConfigFile { path: shown.clone(), ..ConfigFile::load(shown)? };
        Ok::<_, Error>(Run { context, console, file, leftovers: Leftovers::default() })
    };
    let exit_code = match &cli.command {
        Command::Exec(args) => return exec::exec(args, &run()?),
        Command::Credentials(args) => {
            // To forget sessions takes no xacct.toml.
            let file = || if args.forget { Ok(ConfigFile::default()) } else { Ok::<_, Error>(run()?.file) };
            credentials::credentials(args, &Run { context, console, file: file()?, leftovers: Leftovers::default() })
        }
        Command::Bootstrap(args) => {
            let run = run()?;
            interrupt::guarded(&run, bootstrap::bootstrap(args, &run))
        }
        Command::Verify(args) => {
            let run = run()?;
            interrupt::guarded(&run, verify::verify(args, &run))
        }
        Command::Teardown(args) => {
            let run = run()?;
            interrupt::guarded(&run, teardown::teardown(args, &run))
        }
        Command::Sweep(args) => {
            let run = run()?;
            interrupt::guarded(&run, sweep::sweep(args, &run))
        }
        Command::Diagnose(args) => {
            // What was saved needs no xacct.toml to be judged.
            let run = if args.facts.is_some() {
                Run { context, console, file: ConfigFile::default(), leftovers: Leftovers::default() }
            } else {
                run()?
            };
            interrupt::guarded(&run, diagnose::diagnose(args, &run))
        }
        Command::PrintProviderHcl(args) => print::provider_hcl(args, &run()?),
        Command::PrintBackendHcl(args) => print::backend_hcl(args, &run()?),
        Command::PrintTerragruntHcl(args) => print::terragrunt_hcl(args, &run()?),
        Command::PrintProfile(args) => print::profile(args, &run()?),
        Command::PrintHcp(args) => print::hcp(args, &run()?),
        Command::PrintPolicies(args) => print::policies(args, &run()?),
        Command::PrintRoleHcl(args) => print::role_hcl(args, &run()?),
        Command::PrintCloudformation(args) => print::cloudformation(args, &run()?),
        Command::Completions(args) => {
            let mut script = Vec::new();
            clap_complete::generate(args.shell, &mut Cli::command(), "xacct", &mut script);
            console.result(&String::from_utf8_lossy(&script));
            Ok(ExitCode::Done)
        }
        Command::Man => {
            let page = manual().map_err(|error| Error::new(Kind::Internal, format!("the manual page: {error}")))?;
            console.result(&page);
            Ok(ExitCode::Done)
        }
    };
    exit_code.map(Ended::from)
}

/// One page for all commands: each has a section of its own.
fn manual() -> std::io::Result<String> {
    let command = Cli::command();
    let mut page = Vec::new();
    let main = clap_mangen::Man::new(command.clone());
    main.render_title(&mut page)?;
    main.render_name_section(&mut page)?;
    main.render_synopsis_section(&mut page)?;
    main.render_description_section(&mut page)?;
    main.render_options_section(&mut page)?;
    let mut page = String::from_utf8_lossy(&page).into_owned();
    for subcommand in command.get_subcommands().filter(|command| !command.is_hide_set()) {
        let name = format!("xacct {}", subcommand.get_name());
        let part = clap_mangen::Man::new(subcommand.clone().bin_name(&name));
        let mut text = Vec::new();
        part.render_synopsis_section(&mut text)?;
        part.render_description_section(&mut text)?;
        part.render_options_section(&mut text)?;
        part.render_extra_section(&mut text)?;
        page.push_str(&format!(".SH \"{}\"\n", name.to_uppercase()));
        page.push_str(&String::from_utf8_lossy(&text).replace(".SH ", ".SS "));
    }
    let mut end = Vec::new();
    main.render_extra_section(&mut end)?;
    page.push_str(&String::from_utf8_lossy(&end));
    Ok(page)
}
