//! Startup: the time of offline commands.

use crate::contender::XACCT;
use crate::measure::{measured, milliseconds};
use crate::result::Result;
use crate::statistics::Sample;
use crate::support::TestEnvironment;

/// The times, in milliseconds.
pub struct Startup {
    /// `true`, for comparison.
    pub nothing: Sample,
    /// The commands, by name.
    pub commands: Vec<(&'static str, Sample)>,
}

/// Runs each command once in every round.
pub fn run(rounds: usize) -> Result<Startup> {
    let environment = TestEnvironment::new();
    let target = "[targets.dev]\naccount = '222222222222'\nexternal_id = 'abc'\nregion = 'eu-west-1'\n";
    environment.write("xacct.toml", &format!("[source]\naccount = '111111111111'\nuser = 'alice'\n{target}"));
    let names = ["true", "--help", "print-provider-hcl"];
    let mut times = names.map(|_| Vec::new());
    for _ in 0..rounds {
        for (name, times) in names.iter().zip(&mut times) {
            let mut command = environment.command(if *name == "true" { "true" } else { XACCT });
            if *name != "true" {
                command.arg(name);
            }
            times.push(milliseconds(measured(&command, 0)?.wall));
        }
    }
    let [nothing, help, print] = times.map(Sample::of);
    Ok(Startup { nothing, commands: vec![(names[1], help), (names[2], print)] })
}
