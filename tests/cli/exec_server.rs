//! `xacct exec --server` serves credentials to its command, and to nobody else.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use xacct_sandbox::{Fault, FaultKind, Sandbox};

use crate::scene::{ACCOUNT_B, Scene, side_by_side};
use crate::support::Running;

/// A command that says what it got, and stays until a file `enough` exists.
const COMMAND: &str = "echo \"$AWS_CONTAINER_CREDENTIALS_FULL_URI\"; echo \"$AWS_CONTAINER_AUTHORIZATION_TOKEN\"; \
                       while [ ! -e enough ]; do /bin/sleep 0.05; done; exit 5";

/// A running `exec --server`.
struct Served {
    running: Running,
    address: String,
    path: String,
    token: String,
}

impl Served {
    #[track_caller]
    fn start(scene: &Scene, options: &str) -> Self {
        let mut command = scene.command(&format!("exec --server {options} -- /bin/sh -c"));
        command.arg(COMMAND);
        let running = Running::start(command);
        let (Some(uri), Some(token)) = (running.line(), running.line()) else {
            panic!("{}", running.ended());
        };
        let (address, path) = uri.strip_prefix("http://").and_then(|uri| uri.split_once('/')).expect("a path");
        Self { address: address.to_owned(), path: format!("/{path}"), token, running }
    }

    /// Sends a request, and returns the status and the body.
    fn ask(&self, line: &str, host: &str, token: &str) -> (u16, Value) {
        let request = format!("{line} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {token}\r\n\r\n");
        let answer = send(&self.address, &request);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer}"));
        assert!(head.contains("cache-control: no-store"), "{head}");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        (status, serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}")))
    }

    fn credentials(&self) -> (u16, Value) {
        self.ask(&format!("GET {}", self.path), &self.address, &self.token)
    }

    /// Returns the status of an answer, if there is one.
    fn try_credentials(&self) -> Option<u16> {
        let Self { path, address, token, .. } = self;
        let answer =
            send(address, &format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: {token}\r\n\r\n"));
        answer.split(' ').nth(1)?.parse().ok()
    }

    #[track_caller]
    fn end(self, scene: &Scene) -> crate::support::Output {
        scene.environment.write("enough", "");
        self.running.ended().exits_with(5)
    }
}

/// Sends bytes and returns everything that comes back.
fn send(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("a port");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
    // The server may close before it has read everything.
    let _ = stream.write_all(request.as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// Waits until this holds.
#[track_caller]
fn until(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(30), "not within 30 s: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn serves_the_session_to_whoever_has_the_token() {
    let scene = Scene::linked("--external-id abc");
    let served = Served::start(&scene, "");
    let (status, document) = served.credentials();
    assert_eq!(status, 200);
    let session = scene.sandbox.world(|world| {
        world.sessions().find(|session| session.key.id == document["AccessKeyId"]).cloned().expect("the session")
    });
    assert_eq!(session.account, ACCOUNT_B);
    assert_eq!(document["SecretAccessKey"], session.key.secret.as_str());
    assert_eq!(document["Token"], session.token.as_str());
    assert_eq!(document["AccountId"], ACCOUNT_B);
    assert!(document["Expiration"].as_str().is_some_and(|expiry| expiry.ends_with('Z')), "{document}");
    // An hour, although nobody asked for it.
    assert_eq!(scene.requests("AssumeRole")[0].parameter("DurationSeconds"), None);

    let (get, address, token) = (format!("GET {}", served.path), served.address.clone(), served.token.clone());
    assert_eq!(token.len(), 64);
    let wrong = format!("{}{}", if token.starts_with('0') { '1' } else { '0' }, &token[1..]);
    for (line, host, token, status, code) in [
        (get.as_str(), address.as_str(), wrong.as_str(), 401, "WrongToken"),
        (&get, &address, "", 401, "WrongToken"),
        (&get, &address, &token[..63], 401, "WrongToken"),
        (&get, &address, &format!("Bearer {token}"), 401, "WrongToken"),
        ("GET /", &address, &wrong, 401, "WrongToken"),
        ("GET /", &address, &token, 404, "NotFound"),
        ("GET /credentials/", &address, &token, 404, "NotFound"),
        (&get.replace("GET", "POST"), &address, &token, 405, "WrongMethod"),
        // A web page whose name was made to lead here.
        (&get, "evil.example:80", &token, 403, "WrongHost"),
        (&get, &address.replace("127.0.0.1", "localhost"), &token, 403, "WrongHost"),
    ] {
        let (got, document) = served.ask(line, host, token);
        assert_eq!((got, document["Code"].as_str()), (status, Some(code)), "{line} {host} {token}");
        assert!(!document.to_string().contains(&session.key.secret), "{document}");
    }
    assert_eq!(scene.requests("AssumeRole").len(), 1);

    let output = served.end(&scene);
    let output = output.says(&["Serving sessions of role xacct in 222222222222 at http://127.0.0.1:"]);
    assert!(!output.stderr.contains(&token), "{output}");
    assert!(TcpStream::connect(&address).is_err(), "the port is closed");
}

#[test]
fn clients_that_talk_too_much_or_too_little_disturb_nobody() {
    let scene = Scene::linked("");
    let served = Served::start(&scene, "");
    let idle: Vec<_> = (0..20).map(|_| TcpStream::connect(&served.address).expect("a port")).collect();
    let long =
        format!("GET {} HTTP/1.1\r\nHost: {}\r\nX: {}\r\n\r\n", served.path, served.address, "x".repeat(100_000));
    let answer = send(&served.address, &long);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    let answer = send(&served.address, "\0\u{1}\r\n\r\n");
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
    let start = Instant::now();
    assert_eq!(served.credentials().0, 200);
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    drop(idle);
    served.end(&scene);
}

#[test]
fn the_command_gets_an_address_and_no_credentials() {
    let mut scene = Scene::linked("");
    for (name, value) in [
        ("AWS_PROFILE", "bob"),
        ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x"),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/x"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "/x"),
        ("AWS_ROLE_ARN", "arn:aws:iam::222222222222:role/other"),
        ("HTTP_PROXY", "http://127.0.0.1:1"),
        ("NO_PROXY", "127.0.0.1:4,localhost"),
    ] {
        scene.environment.set(name, value);
    }
    let proxy = format!("127.0.0.1:{}", scene.sandbox.port());
    scene.environment.set("NO_PROXY", &proxy);
    let output = scene.xacct("exec --server --region eu-west-1 -- /usr/bin/env").exits_with(0);
    let value = |name: &str| {
        output.stdout.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).map(str::to_owned)
    };
    for name in [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_CREDENTIAL_EXPIRATION",
        "AWS_PROFILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_ROLE_ARN",
    ] {
        assert_eq!(value(name), None, "{name}");
    }
    assert_eq!(value("AWS_REGION").as_deref(), Some("eu-west-1"));
    assert_eq!(value("XACCT_TARGET").as_deref(), Some(ACCOUNT_B));
    assert_eq!(value("XACCT_SESSION_ROLE").as_deref(), Some("arn:aws:iam::222222222222:role/xacct"));
    assert_eq!(value("NO_PROXY"), Some(format!("{proxy},127.0.0.1")));
    assert_eq!(value("AWS_CONFIG_FILE").as_ref(), scene.environment.variables().get("AWS_CONFIG_FILE"));
    scene.sandbox.world(|world| {
        for session in world.sessions() {
            assert!(!output.stdout.contains(&session.key.secret) && !output.stdout.contains(&session.token));
        }
    });
}

#[test]
fn a_default_profile_with_credentials_is_hidden_from_the_command() {
    let scene = Scene::linked("");
    scene.environment.append("aws/config", "\n[default]\nregion = eu-west-3\ncredential_process = /bin/false\n");
    scene
        .environment
        .append("aws/credentials", "\n[default]\naws_access_key_id = AKIAOTHER\naws_secret_access_key = other\n");
    let mut command = scene.command("exec --server -- /bin/sh -c");
    command
        .arg("cat \"$AWS_CONFIG_FILE\"; echo ==; cat \"$AWS_SHARED_CREDENTIALS_FILE\"; echo ==; echo $AWS_CONFIG_FILE");
    let output = crate::support::Output::of(command).exits_with(0);
    let parts: Vec<_> = output.stdout.split("==\n").collect();
    let [config, credentials, path] = parts.as_slice() else { panic!("{output}") };
    assert!(config.contains("[default]\nregion = eu-west-3\n") && config.contains("[profile alice]"), "{config}");
    assert!(!config.contains("/bin/false") && !config.contains("aws_secret_access_key"), "{config}");
    assert_eq!(*credentials, "");
    assert!(!std::path::Path::new(path.trim()).exists(), "{path} is gone");
    output.says(&["credentials that SDKs would prefer", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"]);
}

/// Any user of this computer can open them.
#[test]
fn idle_connections_keep_nobody_out() {
    let scene = Scene::linked("");
    let served = Served::start(&scene, "");
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..256 {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    let Ok(mut stream) = TcpStream::connect(&served.address) else { continue };
                    let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
                    let _ = stream.read(&mut [0]);
                }
            });
        }
        std::thread::sleep(Duration::from_secs(1));
        // botocore waits two seconds for an answer.
        let answered = (0..10).filter(|_| {
            let start = Instant::now();
            let status = served.try_credentials();
            status == Some(200) && start.elapsed() < Duration::from_secs(2)
        });
        let answered = answered.count();
        is_over.store(true, Ordering::Relaxed);
        assert!(answered >= 8, "{answered} of 10");
    });
    served.end(&scene);
}

/// The AWS CLI prefers its credentials to those of a container.
#[test]
fn a_boto_file_with_credentials_is_hidden_from_the_command() {
    let mut scene = Scene::linked("");
    let shown = |scene: &Scene| {
        let mut command = scene.command("exec --server -- /bin/sh -c");
        command.arg("echo \"$BOTO_CONFIG\"; cat \"$BOTO_CONFIG\" 2>/dev/null; :");
        crate::support::Output::of(command).exits_with(0)
    };
    // gsutil needs its own.
    scene.environment.write(".boto", "[Credentials]\ngs_access_key_id = GOOG\n");
    assert_eq!(shown(&scene).stdout, "\n");
    let file = "[Credentials]\nAWS_Access_Key_ID : AKIAOTHER\naws_secret_access_key : other\n";
    scene.environment.write(".boto", file);
    let output = shown(&scene);
    assert!(output.stdout.ends_with("/BOTO_CONFIG\n"), "{output}");
    output.says(&[".boto` has credentials that SDKs would prefer", "(BOTO_CONFIG)"]);
    scene.environment.write("other", file);
    let other = scene.environment.path("other").display().to_string();
    scene.environment.set("BOTO_CONFIG", &other);
    let output = shown(&scene);
    assert!(output.stdout.ends_with("/BOTO_CONFIG\n"), "{output}");
    scene.environment.set("BOTO_CONFIG", "/dev/null");
    assert_eq!(shown(&scene).stdout, "/dev/null\n");
    scene.environment.set("BOTO_CONFIG", "/");
    assert_eq!(shown(&scene).stdout, "/\n");
}

#[test]
fn a_file_or_a_variable_cannot_write_lines_of_its_own() {
    let mut scene = Scene::linked("");
    scene.environment.set("XACCT_SESSION_ROLE", "a\nwarning: b");
    let provider = "provider \"aws\" {\n assume_role {\n role_arn = \"arn:aws:iam::222222222222:role/xacct\"\n}\n}\n";
    scene.environment.write("a\nerror: \u{1b}[31mb.tf", provider);
    let output = scene.xacct("exec --server -- /bin/sh -c exit").exits_with(0);
    let output = output.says(&["a error: \\u001b[31mb.tf assumes role xacct", "that session of a warning: b\n"]);
    assert!(!output.stderr.contains("\nerror: ") && !output.stderr.contains("\nwarning: b"), "{output}");
}

/// SDKs run what a config file says, and it may contain a password.
#[test]
fn nobody_else_can_read_or_write_the_config_files_of_the_command() {
    let scene = Scene::linked("");
    scene.environment.append("aws/config", "\n[default]\ncredential_process = /bin/false\n");
    scene.environment.append("aws/credentials", "\n[default]\naws_access_key_id = AKIAOTHER\n");
    for umask in ["000", "022", "077"] {
        let mut command = scene.environment.command("/bin/sh");
        command.arg("-c").arg(format!("umask {umask}; exec \"$@\"")).arg("sh");
        let served = scene.command("exec --server -- /bin/sh -c");
        command.arg(served.get_program()).args(served.get_args());
        command.arg("ls -ld \"${AWS_CONFIG_FILE%/*}\" \"$AWS_CONFIG_FILE\" \"$AWS_SHARED_CREDENTIALS_FILE\"; umask");
        let output = crate::support::Output::of(command).exits_with(0);
        let modes: Vec<_> = output.stdout.lines().map(|line| line.get(..10).unwrap_or(line)).collect();
        assert_eq!(modes, ["drwx------", "-rw-------", "-rw-------", &format!("0{umask}")], "{umask}: {output}");
    }
}

#[test]
fn renews_the_session_before_it_expires() {
    let scene = Scene::linked("--no-verify");
    scene.sandbox.add_fault(Fault::new("AssumeRole", FaultKind::Brief(Duration::from_secs(20))).on_call(1));
    let served = Served::start(&scene, "");
    let (status, first) = served.credentials();
    assert_eq!(status, 200);
    until("another session", || scene.requests("AssumeRole").len() == 2);
    until("the other session is served", || served.credentials().1["AccessKeyId"] != first["AccessKeyId"]);
    let renewed = served.credentials().1;
    assert!(renewed["Expiration"].as_str() > first["Expiration"].as_str(), "{renewed}");
    let output = served.end(&scene);
    assert!(!output.stderr.contains("error"), "{output}");
    // What is worth a warning is so once.
    assert_eq!(output.stderr.matches("Using custom endpoint").count(), 1, "{output}");
    assert_eq!(scene.requests("AssumeRole").len(), 2);
}

/// The clock of this computer is two hours ahead or behind.
#[test]
fn a_wrong_clock_neither_ends_a_session_nor_prolongs_it() {
    side_by_side(&[-7200, 7200], |skew| {
        let scene = Scene::of(Sandbox::builder().clock_skew(*skew));
        scene.link("--no-verify");
        scene.sandbox.clear_requests();
        let served = Served::start(&scene, "");
        let (status, document) = served.credentials();
        assert_eq!(status, 200, "{skew}: {document}");
        // SDKs compare it with this clock.
        let expires =
            OffsetDateTime::parse(document["Expiration"].as_str().unwrap_or_default(), &Rfc3339).expect("a time");
        let left = (expires - OffsetDateTime::now_utc()).whole_seconds();
        assert!((3500..=3600).contains(&left), "{skew}: {left}");
        std::thread::sleep(Duration::from_secs(3));
        assert_eq!(served.credentials().1["AccessKeyId"], document["AccessKeyId"]);
        // The second is that of the corrected signature.
        assert!(scene.requests("AssumeRole").len() <= 2, "{:?}", scene.requests("AssumeRole").len());
        let output = served.end(&scene);
        let wanted = if *skew < 0 { "120 minutes ahead of AWS's" } else { "120 minutes behind AWS's" };
        assert_eq!(output.stderr.matches(wanted).count(), 1, "{output}");

        let brief = Fault::new("AssumeRole", FaultKind::Brief(Duration::from_secs(4)));
        scene.sandbox.add_fault(brief);
        std::fs::remove_file(scene.environment.path("enough")).expect("a file");
        let served = Served::start(&scene, "");
        assert_eq!(served.credentials().0, 200);
        let denied = FaultKind::Error { status: 403, code: "AccessDenied".to_owned(), message: "not today".to_owned() };
        scene.sandbox.clear_faults();
        scene.sandbox.add_fault(Fault::new("AssumeRole", denied));
        until("the session expired", || served.credentials().0 == 503);
        served.end(&scene);
    });
}

#[test]
fn a_failed_renewal_is_said_once_and_answered_until_it_works_again() {
    let scene = Scene::linked("--no-verify");
    scene.sandbox.add_fault(Fault::new("AssumeRole", FaultKind::Brief(Duration::from_secs(4))).on_call(1));
    let denied = FaultKind::Error { status: 403, code: "AccessDenied".to_owned(), message: "not today".to_owned() };
    scene.sandbox.add_fault(Fault::new("AssumeRole", denied).on_calls(2..=99));
    let served = Served::start(&scene, "");
    assert_eq!(served.credentials().0, 200);
    until("the session expired", || served.credentials().0 == 503);
    let (_, document) = served.credentials();
    assert_eq!(document["Code"], "SessionExpired");
    assert!(document["Message"].as_str().is_some_and(|why| why.contains("sts:AssumeRole was denied")), "{document}");
    scene.sandbox.clear_faults();
    until("it works again", || served.credentials().0 == 200);
    let output = served.end(&scene);
    let output =
        output.says(&["cannot renew the session of role xacct", "not today", "xacct diagnose", "Renewed the session"]);
    assert_eq!(output.stderr.matches("cannot renew").count(), 1, "{output}");
}

#[test]
fn renewals_use_the_cached_mfa_session_and_prompt_for_nothing() {
    let scene = Scene::linked("--require-mfa --external-id abc --max-session-duration 12h --no-verify");
    for (words, wanted) in [
        ("--no-cache", "needs the session cache"),
        ("--duration 2h", "needs a new MFA code"),
        ("--duration 15m", "at least 30m, not 15m"),
        ("--cache", "cannot be used with"),
    ] {
        scene.xacct(&format!("exec --server {words} -- /bin/true")).exits_with(2).says(&[wanted]);
    }
    scene.sandbox.clear_requests();
    scene.sandbox.add_fault(Fault::new("AssumeRole", FaultKind::Brief(Duration::from_secs(4))).on_calls(1..=2));
    let served = Served::start(&scene, &format!("--mfa-code {}", scene.sandbox.totp("alice")));
    until("a renewal", || served.credentials().0 == 200 && scene.requests("AssumeRole").len() == 2);
    assert_eq!(scene.requests("GetSessionToken").len(), 1);
    // Without the cached session, nobody is there to enter a code.
    scene.xacct("credentials --forget").exits_with(0);
    until("the session expired", || served.credentials().0 == 503);
    let (_, document) = served.credentials();
    assert!(document["Message"].as_str().is_some_and(|why| why.contains("MFA session has ended")), "{document}");
    scene.sandbox.clear_faults();
    scene.sandbox.advance(Duration::from_secs(30));
    scene.xacct(&format!("exec --duration 1h --mfa-code {} -- /bin/true", scene.sandbox.totp("alice"))).exits_with(0);
    until("it works again", || served.credentials().0 == 200);
    let output = served.end(&scene);
    output.says(&["in another terminal", "xacct exec 222222222222 --duration 1h -- true"]);
}

#[test]
fn signals_and_exit_codes_are_those_of_the_command() {
    let scene = Scene::linked("");
    let mut served = Served::start(&scene, "");
    served.running.signal(Signal::TERM);
    served.running.ended().exits_with(143);
    assert!(TcpStream::connect(&served.address).is_err());
    scene.xacct("exec --server -- /no/such/command").exits_with(127);
}
