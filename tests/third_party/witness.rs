//! One AWS CLI for all accounts of this binary, loaded once, see `witness.py`.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::support::third_party::in_venv;
use crate::support::{Output, TestEnvironment};

/// The running server, which ends when its stdin is closed.
struct Server {
    port: u16,
    _python: Child,
}

/// Starts the server on first use. The error says what is missing.
pub fn start() -> Result<(), String> {
    port().map(|_| ())
}

/// Runs the AWS CLI with these arguments and only these environment variables.
pub fn run(environment: &TestEnvironment, arguments: &[&str]) -> Output {
    let port = port().expect("a witness that was started");
    let call = json!({
        "arguments": arguments,
        "variables": environment.variables(),
        "folder": environment.path(""),
    });
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("the witness");
    stream.write_all(format!("{call}\n").as_bytes()).expect("the witness");
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).expect("the witness");
    let outcome: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: `{line}` of {call}"));
    let text = |name: &str| outcome[name].as_str().expect("a text").to_owned();
    Output {
        command: format!("aws {}", arguments.join(" ")),
        code: outcome["code"].as_i64().and_then(|code| i32::try_from(code).ok()).unwrap_or(-1),
        stdout: text("stdout"),
        stderr: text("stderr"),
    }
}

fn port() -> Result<u16, String> {
    static SERVER: OnceLock<Result<Server, String>> = OnceLock::new();
    SERVER.get_or_init(serve).as_ref().map(|server| server.port).map_err(Clone::clone)
}

fn serve() -> Result<Server, String> {
    in_venv("aws")?;
    let mut command = Command::new(in_venv("python")?);
    command.args(["-c", include_str!("witness.py")]).env_clear().stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut python = command.spawn().expect("python");
    let mut line = String::new();
    BufReader::new(python.stdout.take().expect("stdout")).read_line(&mut line).expect("a port");
    let port = line.trim().parse().unwrap_or_else(|error| panic!("{error}: `{line}` is no port"));
    Ok(Server { port, _python: python })
}
