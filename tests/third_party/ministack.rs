//! One ministack, an AWS emulator that enforces trust policies, for all tests of this binary.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::support::third_party::in_venv;

/// The maximum time until ministack first answers.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs a program until stdin is closed, which happens when this process ends in any way, and cleans up. Ctrl-C reaches
/// the shell too and must not end it before, nor must the SIGTERM of `tests/run`.
const UNTIL_STDIN_ENDS: &str = r#"
    trap '' INT HUP
    trap : TERM
    folder=$1; shift
    "$@" </dev/null >"$folder/log" 2>&1 &
    cat >/dev/null
    kill "$!" 2>/dev/null
    wait "$!"
    rm -rf "$folder"
"#;

/// A running ministack.
pub struct Ministack {
    /// Its URL, for `AWS_ENDPOINT_URL`.
    pub url: String,
    /// The shell that runs it, and the pipe to its stdin.
    _shell: Child,
}

/// The reason why ministack is not available.
enum Trouble {
    /// Not installed: tests are skipped.
    Missing(String),
    /// Failed to start: tests fail.
    Broken(String),
}

/// Returns the ministack of this process, started on first use, or why it is not available.
pub fn shared() -> Result<&'static Ministack, String> {
    static SHARED: OnceLock<Result<Ministack, Trouble>> = OnceLock::new();
    let shared = SHARED.get_or_init(|| {
        let program = in_venv("ministack").map_err(Trouble::Missing)?;
        start(&program).map_err(Trouble::Broken)
    });
    match shared {
        Ok(ministack) => Ok(ministack),
        Err(Trouble::Missing(reason)) => Err(reason.clone()),
        Err(Trouble::Broken(reason)) => panic!("{reason}"),
    }
}

fn start(program: &Path) -> Result<Ministack, String> {
    let folder = tempfile::Builder::new()
        .prefix("xacct-ministack-")
        .tempdir()
        .expect("a temporary folder")
        // The shell removes the directory, because statics are not dropped at the end of the process.
        .keep();
    let port = free_port();
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", UNTIL_STDIN_ENDS, "ministack"])
        .args([&folder, program])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", &folder)
        .env("TMPDIR", &folder)
        .env("AUTH", "true")
        .env("BIND_HOST", "127.0.0.1")
        .env("MINISTACK_HOST", "127.0.0.1")
        .env("GATEWAY_PORT", port.to_string())
        .current_dir(&folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let ministack = Ministack { url: format!("http://127.0.0.1:{port}"), _shell: command.spawn().expect("a shell") };
    let start = Instant::now();
    while !is_healthy(port) {
        if start.elapsed() > PATIENCE {
            let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
            return Err(format!("ministack does not answer:\n{log}"));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(ministack)
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("its address").port()
}

fn is_healthy(port: u16) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"GET /_ministack/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}
