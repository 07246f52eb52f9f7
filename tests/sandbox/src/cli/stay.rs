//! Runs single xacct commands on accounts that keep their state between commands.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::ExitCode;

use xacct_sandbox::{Sandbox, World};

use super::program::{Program, exit_code, kept_directory};

/// Runs an xacct command on the kept world, and saves the changed world.
pub(super) fn run(arguments: &[&str]) -> Result<ExitCode, String> {
    let directory = kept_directory()?;
    fs::create_dir_all(&directory).map_err(|error| format!("cannot create `{}`: {error}", directory.display()))?;
    let file = directory.join("world.json");
    let sandbox = Sandbox::builder()
        .world(load(&file)?)
        .try_start()
        .map_err(|error| format!("cannot serve on 127.0.0.1: {error}"))?;
    let status = Program::find()?.run(&sandbox, &directory, arguments)?;
    save(&file, &sandbox.world(|world| world.clone()))?;
    Ok(exit_code(status))
}

/// Deletes the kept world and its `xacct.toml`.
pub(super) fn reset() -> Result<ExitCode, String> {
    let directory = kept_directory()?;
    match fs::remove_dir_all(&directory) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(format!("cannot remove `{}`: {error}", directory.display()))
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}

fn load(file: &Path) -> Result<World, String> {
    match fs::read(file) {
        Ok(json) => serde_json::from_slice(&json)
            .map_err(|error| format!("cannot read `{}`: {error}; `reset` deletes it", file.display())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(World::default()),
        Err(error) => Err(format!("cannot read `{}`: {error}", file.display())),
    }
}

/// Writes another file and renames it, so that an interruption leaves the old one intact.
fn save(file: &Path, world: &World) -> Result<(), String> {
    let json = serde_json::to_vec_pretty(world).map_err(|error| error.to_string())?;
    let new = file.with_extension("new");
    fs::write(&new, json)
        .and_then(|()| fs::rename(&new, file))
        .map_err(|error| format!("cannot write `{}`: {error}", file.display()))
}
