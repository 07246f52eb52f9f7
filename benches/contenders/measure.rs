//! Measures programs: time, CPU time, memory.

use std::ffi::OsString;
use std::io;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use wait4::Wait4;

use crate::result::Result;
use crate::statistics::Sample;
use crate::support::Output;

/// The first argument of this program when it measures another.
pub const MEASURE: &str = "measure";

/// The resources used by a program and its child processes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Usage {
    /// The time from start to end.
    pub wall: Duration,
    /// The CPU time, user and system.
    pub cpu: Duration,
    /// The maximum resident memory of a single process, in bytes.
    pub memory: u64,
}

impl Usage {
    /// Adds the resources of a program that ran after this one.
    pub fn then(self, next: Self) -> Self {
        Self { wall: self.wall + next.wall, cpu: self.cpu + next.cpu, memory: self.memory.max(next.memory) }
    }
}

/// The measurements of several rounds, in order.
pub struct Usages(Vec<Usage>);

impl Usages {
    /// Returns the milliseconds from start to end.
    pub fn wall(&self) -> Sample {
        self.sample(|usage| milliseconds(usage.wall))
    }

    /// Returns the milliseconds of CPU time.
    pub fn cpu(&self) -> Sample {
        self.sample(|usage| milliseconds(usage.cpu))
    }

    /// Returns the peak memory in MiB.
    pub fn memory(&self) -> Sample {
        self.sample(|usage| mebibytes(usage.memory))
    }

    fn sample(&self, number: impl Fn(&Usage) -> f64) -> Sample {
        Sample::of(self.0.iter().map(number))
    }
}

impl FromIterator<Usage> for Usages {
    fn from_iter<I: IntoIterator<Item = Usage>>(usages: I) -> Self {
        Self(usages.into_iter().collect())
    }
}

/// Converts to a number.
pub fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// Converts to a number.
#[expect(clippy::cast_precision_loss, reason = "no memory is that large")]
pub fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// Runs a command that must end with this code, and measures it.
///
/// A separate process measures it: the kernel counts the memory of the parent process as the program's, and this
/// process is large, because it contains servers.
pub fn measured(command: &Command, code: u8) -> Result<Usage> {
    let file = tempfile::NamedTempFile::new()?;
    let mut measuring = Command::new(std::env::current_exe()?);
    measuring.arg(MEASURE).arg(file.path()).arg(command.get_program()).args(command.get_args()).env_clear();
    measuring.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    measuring.current_dir(command.get_current_dir().ok_or("a command without a working directory")?);
    let output = Output::of(measuring);
    if output.code != i32::from(code) {
        let program = command.get_program().display();
        let Output { code, stdout, stderr, .. } = output;
        return Err(format!("{program} ends with {code}\n{stdout}\n{stderr}").into());
    }
    let numbers = std::fs::read_to_string(file.path())?;
    let numbers: Vec<u64> = numbers.split_whitespace().map(str::parse).collect::<std::result::Result<_, _>>()?;
    let &[wall, cpu, memory] = numbers.as_slice() else { return Err("not three numbers".into()) };
    Ok(Usage { wall: Duration::from_nanos(wall), cpu: Duration::from_nanos(cpu), memory })
}

/// The main function of the measuring process. Arguments: the file for the results, the program, its arguments.
pub fn measure(mut arguments: impl Iterator<Item = OsString>) -> Result<ExitCode> {
    let missing = || io::Error::from(io::ErrorKind::InvalidInput);
    let file = arguments.next().ok_or_else(missing)?;
    let mut command = Command::new(arguments.next().ok_or_else(missing)?);
    command.args(arguments);
    let start = Instant::now();
    let used = command.spawn()?.wait4()?;
    let wall = start.elapsed();
    let cpu = used.rusage.utime + used.rusage.stime;
    std::fs::write(file, format!("{} {} {}", wall.as_nanos(), cpu.as_nanos(), used.rusage.maxrss))?;
    let code = used.status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
