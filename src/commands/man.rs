//! `xacct man`: the manual page.

use clap::Args;

use super::command_line::{Start, Verb, definition};
use crate::error::{Ended, Error, ExitCode, Kind, Result};

/// Print the manual page in roff format.
#[derive(Debug, Args)]
pub struct Man {}

impl Verb for Man {
    const NAME: &'static str = "man";

    fn run(&self, start: &Start<'_>) -> Result<Ended> {
        let page = manual(&definition(start.groups))
            .map_err(|error| Error::new(Kind::Internal, format!("cannot write the manual page: {error}")))?;
        start.console.result(&page);
        Ok(ExitCode::Done.into())
    }
}

/// Renders one page for all commands, with a section for each.
fn manual(xacct: &clap::Command) -> std::io::Result<String> {
    let mut page = Vec::new();
    let main = clap_mangen::Man::new(xacct.clone());
    main.render_title(&mut page)?;
    main.render_name_section(&mut page)?;
    main.render_synopsis_section(&mut page)?;
    main.render_description_section(&mut page)?;
    main.render_options_section(&mut page)?;
    let mut page = String::from_utf8_lossy(&page).into_owned();
    append_commands(&mut page, xacct, "xacct")?;
    let mut end = Vec::new();
    main.render_extra_section(&mut end)?;
    page.push_str(&String::from_utf8_lossy(&end));
    Ok(page)
}

/// Appends the subcommands of a command, recursively.
fn append_commands(page: &mut String, command: &clap::Command, name: &str) -> std::io::Result<()> {
    for command in command.get_subcommands().filter(|command| !command.is_hide_set()) {
        let name = format!("{name} {}", command.get_name());
        let part = clap_mangen::Man::new(command.clone().bin_name(&name));
        let mut text = Vec::new();
        part.render_synopsis_section(&mut text)?;
        part.render_description_section(&mut text)?;
        part.render_options_section(&mut text)?;
        part.render_extra_section(&mut text)?;
        page.push_str(&format!(".SH \"{}\"\n", name.to_uppercase()));
        page.push_str(&String::from_utf8_lossy(&text).replace(".SH ", ".SS "));
        append_commands(page, command, &name)?;
    }
    Ok(())
}
