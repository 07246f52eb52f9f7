//! What a program takes: time, processor time, memory.

use std::ffi::OsString;
use std::io;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use wait4::Wait4;

use crate::result::Result;
use crate::statistics::Sample;
use crate::support::Output;

/// The first argument of this program when it is to measure another.
pub const MEASURE: &str = "measure";

/// What a program took, with all programs that it started.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Usage {
    /// From its start to its end.
    pub wall: Duration,
    /// In user mode and in the kernel.
    pub cpu: Duration,
    /// The most resident memory of any one process, in bytes.
    pub memory: u64,
}

impl Usage {
    /// One program after the other.
    pub fn then(self, next: Self) -> Self {
        Self { wall: self.wall + next.wall, cpu: self.cpu + next.cpu, memory: self.memory.max(next.memory) }
    }
}

/// What a program took several times, in the order of the rounds.
pub struct Usages(Vec<Usage>);

impl Usages {
    /// Milliseconds from start to end.
    pub fn wall(&self) -> Sample {
        self.sample(|usage| milliseconds(usage.wall))
    }

    /// Milliseconds of processor time.
    pub fn cpu(&self) -> Sample {
        self.sample(|usage| milliseconds(usage.cpu))
    }

    /// MiB of memory at its peak.
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

/// As a number.
pub fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// As a number.
#[expect(clippy::cast_precision_loss, reason = "no memory is that large")]
pub fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// Runs a command that must succeed, and measures it.
///
/// A process of its own does so: the kernel counts the memory of whoever starts a program as the program's, and this
/// one, with servers in it, is large.
pub fn measured(command: &Command) -> Result<Usage> {
    let file = tempfile::NamedTempFile::new()?;
    let mut measuring = Command::new(std::env::current_exe()?);
    measuring.arg(MEASURE).arg(file.path()).arg(command.get_program()).args(command.get_args()).env_clear();
    measuring.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    measuring.current_dir(command.get_current_dir().ok_or("a command without a folder")?);
    let output = Output::of(measuring);
    if output.code != 0 {
        let program = command.get_program().display();
        let Output { code, stdout, stderr, .. } = output;
        return Err(format!("{program} ends with {code}\n{stdout}\n{stderr}").into());
    }
    let numbers = std::fs::read_to_string(file.path())?;
    let numbers: Vec<u64> = numbers.split_whitespace().map(str::parse).collect::<std::result::Result<_, _>>()?;
    let &[wall, cpu, memory] = numbers.as_slice() else { return Err("not three numbers".into()) };
    Ok(Usage { wall: Duration::from_nanos(wall), cpu: Duration::from_nanos(cpu), memory })
}

/// The measuring process: the file for the numbers, the program, its arguments.
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
