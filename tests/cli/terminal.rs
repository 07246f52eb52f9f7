//! Prompts on a real terminal, provided by `script`.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::scene::{ROLE, Scene, as_alice};
use crate::support::third_party::{skip, test_name};

/// A program on a terminal.
pub struct Terminal {
    child: Child,
    keyboard: ChildStdin,
    screen: Arc<Mutex<String>>,
}

impl Terminal {
    /// Starts xacct on a dumb terminal; `None`, counted as skipped, without `script`.
    pub fn start(test: &str, scene: &mut Scene, words: &str) -> Option<Self> {
        Self::start_on("dumb", test, scene, words)
    }

    /// Starts xacct on a terminal of this type.
    pub fn start_on(kind: &str, test: &str, scene: &mut Scene, words: &str) -> Option<Self> {
        Self::start_in(80, kind, test, scene, words)
    }

    /// Starts xacct on a terminal of this type and so many columns.
    pub fn start_in(columns: u16, kind: &str, test: &str, scene: &mut Scene, words: &str) -> Option<Self> {
        for (name, value) in [("TERM", kind), ("SHELL", "/bin/sh"), ("PATH", "/usr/local/bin:/usr/bin:/bin")] {
            scene.environment.set(name, value);
        }
        // `exec` replaces the shell, which would handle signals itself.
        let line = format!("stty cols {columns} rows 24; exec {} {words}", env!("CARGO_BIN_EXE_xacct"));
        let mut command = scene.environment.command("script");
        command.args(["--quiet", "--return", "--echo", "never", "--command", &line, "/dev/null"]);
        let started = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let Ok(mut child) = started else {
            skip(test, "`script` is not installed");
            return None;
        };
        let screen = Arc::new(Mutex::new(String::new()));
        let mut output = child.stdout.take().expect("stdout");
        let shared = Arc::clone(&screen);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut buffer) {
                shared.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..count]));
            }
        });
        let keyboard = child.stdin.take().expect("stdin");
        Some(Self { child, keyboard, screen })
    }

    /// Returns the content of the screen.
    pub fn screen(&self) -> String {
        self.screen.lock().unwrap().replace('\r', "")
    }

    /// Waits until the screen shows a text this many times, then types.
    #[track_caller]
    pub fn answer(&mut self, prompt: &str, times: usize, typed: &str) {
        let start = Instant::now();
        while self.screen().matches(prompt).count() < times {
            assert!(start.elapsed() < Duration::from_secs(20), "no `{prompt}` on:\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(10));
        }
        self.keyboard.write_all(typed.as_bytes()).expect("a keyboard");
        self.keyboard.flush().expect("a keyboard");
    }

    /// Returns the process ID of xacct.
    #[track_caller]
    pub fn program(&self) -> String {
        let children = format!("/proc/{0}/task/{0}/children", self.child.id());
        let children = std::fs::read_to_string(&children).unwrap_or_else(|error| panic!("{children}: {error}"));
        children.trim().to_owned()
    }

    /// Returns the exit code and the screen.
    pub fn ended(mut self) -> (Option<i32>, String) {
        let start = Instant::now();
        while self.child.try_wait().expect("the child").is_none() {
            if start.elapsed() > Duration::from_secs(20) {
                // Closes the terminal, which ends the program.
                self.child.kill().expect("the end");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let status = self.child.wait().expect("the end");
        // The last output may still be in transit.
        std::thread::sleep(Duration::from_millis(100));
        (status.code(), self.screen())
    }
}

const WORDS: &str = "bootstrap --target-account 222222222222 --user alice --user-profile alice --profile security-admin \
                     --external-id abc";

const PROMPT: &str = "[y/N, d = show policies]";

#[test]
fn yes_applies() {
    let mut scene = Scene::new();
    let Some(mut terminal) = Terminal::start(test_name!(), &mut scene, WORDS) else {
        return;
    };
    terminal.answer(PROMPT, 1, "y\n");
    let (code, screen) = terminal.ended();
    assert_eq!(code, Some(0), "{screen}");
    assert!(screen.contains("Apply 3 changes?"), "{screen}");
    assert!(screen.contains("Verified"), "{screen}");
    assert_eq!(scene.granted(), [ROLE]);
}

#[test]
fn marks_are_coloured_unless_no_color_is_set() {
    for (no_color, is_coloured) in [("", true), ("1", false)] {
        let mut scene = Scene::new();
        scene.environment.set("NO_COLOR", no_color);
        let Some(mut terminal) = Terminal::start_on("xterm", test_name!(), &mut scene, WORDS) else {
            return;
        };
        terminal.answer(PROMPT, 1, "y\n");
        let (_, screen) = terminal.ended();
        for mark in ["+", "ok"] {
            assert_eq!(screen.contains(&format!("\u{1b}[32m{mark}\u{1b}[0m  ")), is_coloured, "{mark}: {screen}");
        }
    }
}

#[test]
fn no_and_empty_answers_change_nothing() {
    for answer in ["n\n", "\n", "maybe\n"] {
        let mut scene = Scene::new();
        let Some(mut terminal) = Terminal::start(test_name!(), &mut scene, WORDS) else {
            return;
        };
        terminal.answer(PROMPT, 1, answer);
        let (code, screen) = terminal.ended();
        assert_eq!(code, Some(1), "{screen}");
        assert!(screen.contains("Cancelled; nothing was changed"), "{screen}");
        assert!(!screen.contains("error") && !screen.contains("hint"), "{screen}");
        assert_eq!(scene.writes(), [""; 0]);
        assert!(!scene.environment.has("xacct.toml"));
    }
}

#[test]
fn d_shows_the_policies_and_asks_again() {
    let mut scene = Scene::new();
    let Some(mut terminal) = Terminal::start(test_name!(), &mut scene, WORDS) else {
        return;
    };
    terminal.answer(PROMPT, 1, "d\n");
    terminal.answer(PROMPT, 2, "y\n");
    let (code, screen) = terminal.ended();
    assert_eq!(code, Some(0), "{screen}");
    assert!(screen.contains("\"sts:ExternalId\": \"abc\""), "{screen}");
}

#[test]
fn a_closed_terminal_changes_nothing() {
    let mut scene = Scene::new();
    let Some(mut terminal) = Terminal::start(test_name!(), &mut scene, WORDS) else {
        return;
    };
    // Ctrl-D.
    terminal.answer(PROMPT, 1, "\u{4}");
    let (code, screen) = terminal.ended();
    assert_eq!(code, Some(1), "{screen}");
    assert_eq!(scene.writes(), [""; 0]);
}

#[test]
fn ctrl_c_at_the_prompt_changes_nothing() {
    let mut scene = Scene::new();
    let Some(mut terminal) = Terminal::start(test_name!(), &mut scene, WORDS) else {
        return;
    };
    terminal.answer(PROMPT, 1, "\u{3}");
    let (code, screen) = terminal.ended();
    assert_eq!(code, Some(130), "{screen}");
    assert!(screen.contains("Cancelled; nothing was changed"), "{screen}");
    assert!(!screen.contains("error") && !screen.contains("hint"), "{screen}");
    assert_eq!(scene.writes(), [""; 0]);
}

#[test]
fn ctrl_c_after_the_prompt_is_an_interruption() {
    let mut scene = Scene::new();
    scene.sandbox.set_latency(Duration::from_millis(700));
    let Some(mut terminal) = Terminal::start(test_name!(), &mut scene, WORDS) else {
        return;
    };
    terminal.answer(PROMPT, 1, "y\n");
    scene.wait_for("CreateRole");
    terminal.answer(PROMPT, 1, "\u{3}");
    let (code, screen) = terminal.ended();
    assert_eq!(code, Some(130), "{screen}");
    assert!(screen.contains("interrupted") && !screen.contains("Cancelled"), "{screen}");
}

#[test]
fn hints_wrap_at_the_width_of_the_terminal() {
    let mut scene = Scene::new();
    as_alice(&mut scene.environment);
    scene.environment.set("COLUMNS", "60");
    let Some(terminal) = Terminal::start(test_name!(), &mut scene, "bootstrap 222222222222 --profile nope") else {
        return;
    };
    let (code, screen) = terminal.ended();
    assert_eq!(code, Some(1), "{screen}");
    assert!(screen.lines().all(|line| line.chars().count() <= 60 || line.starts_with("error")), "{screen}");
    assert!(screen.contains("\n    --profile -, --target-profile -, --user-profile -\n"), "{screen}");
}

#[test]
fn progress_fits_the_width() {
    let mut scene = Scene::linked("");
    let name = "a-target-with-a-very-long-name-".repeat(4);
    scene.environment.edit("xacct.toml", "[targets.222222222222]", &format!("[targets.{name}]"));
    scene.sandbox.set_latency(Duration::from_millis(300));
    scene.environment.set("COLUMNS", "60");
    let Some(terminal) = Terminal::start_in(60, "xterm", test_name!(), &mut scene, "verify") else {
        return;
    };
    let (code, screen) = terminal.ended();
    assert_eq!(code, Some(0), "{screen}");
    // Every drawing of the line begins with an escape sequence that clears it.
    let frames = screen.split('\u{1b}').filter(|part| part.contains("a-target-with") && part.contains("…"));
    let frames: Vec<_> =
        frames.map(|part| part.trim_start_matches(|c: char| c != 'K').trim_start_matches('K')).collect();
    assert!(!frames.is_empty(), "{screen:?}");
    assert!(frames.iter().all(|frame| frame.lines().all(|line| line.chars().count() <= 60)), "{frames:#?}");
}

#[test]
fn prompts_for_an_mfa_code() {
    let mut scene = Scene::new();
    let code = scene.sandbox.totp("alice");
    let words = format!("{WORDS} --require-mfa --yes");
    let Some(mut terminal) = Terminal::start(test_name!(), &mut scene, &words) else {
        return;
    };
    terminal.answer("MFA code for arn:aws:iam::111111111111:mfa/alice:", 1, &format!("{code}\n"));
    let (exit_code, screen) = terminal.ended();
    assert_eq!(exit_code, Some(0), "{screen}");
    assert!(screen.contains("denied without MFA"), "{screen}");
}

#[test]
fn a_malformed_code_is_inconclusive() {
    let mut scene = Scene::linked("--require-mfa --no-verify");
    let Some(mut terminal) = Terminal::start(test_name!(), &mut scene, "verify") else {
        return;
    };
    terminal.answer("MFA code for", 1, "what?\n");
    terminal.answer("that is not a code of six digits\nMFA code for", 1, "12345\n");
    terminal.answer("that is not a code of six digits\nMFA code for", 2, "what?\n");
    let (exit_code, screen) = terminal.ended();
    assert_eq!(exit_code, Some(5), "{screen}");
    assert!(screen.contains("the digits 0 to 9"), "{screen}");
    assert_eq!(scene.requests("GetSessionToken").len(), 0);
}

#[test]
fn no_code_ends_the_prompt() {
    let mut scene = Scene::linked("--require-mfa --no-verify");
    let Some(mut terminal) = Terminal::start(test_name!(), &mut scene, "verify") else {
        return;
    };
    terminal.answer("MFA code for", 1, "\n");
    let (exit_code, screen) = terminal.ended();
    assert_eq!(exit_code, Some(5), "{screen}");
    assert_eq!(screen.matches("MFA code for").count(), 1, "{screen}");
}

/// Returns a code that alice's device does not show.
fn wrong_code(scene: &Scene) -> &'static str {
    if scene.sandbox.totp("alice") == "000000" { "000001" } else { "000000" }
}

#[test]
fn a_wrong_code_can_be_corrected_twice() {
    for (duration, operation) in [("1h", "GetSessionToken"), ("4h", "AssumeRole")] {
        let mut scene = Scene::linked("--require-mfa --no-verify --max-session-duration 4h");
        let (wrong, right) = (wrong_code(&scene), scene.sandbox.totp("alice"));
        scene.sandbox.clear_requests();
        let words = format!("exec --duration {duration} -- /bin/true");
        let Some(mut terminal) = Terminal::start(test_name!(), &mut scene, &words) else {
            return;
        };
        terminal.answer("MFA code for", 1, &format!("{wrong}\n"));
        terminal.answer("AWS rejected the code; enter the next one\nMFA code for", 1, &format!("{wrong}\n"));
        terminal.answer("AWS rejected the code; enter the next one\nMFA code for", 2, &format!("{right}\n"));
        let (exit_code, screen) = terminal.ended();
        assert_eq!(exit_code, Some(0), "{screen}");
        assert_eq!(scene.requests(operation).len(), 3, "{screen}");
    }
}

#[test]
fn the_third_wrong_code_is_the_last() {
    let mut scene = Scene::linked("--require-mfa --no-verify");
    let wrong = wrong_code(&scene);
    let Some(mut terminal) = Terminal::start(test_name!(), &mut scene, "exec -- /bin/true") else {
        return;
    };
    for times in 1..=3 {
        terminal.answer("MFA code for arn:aws:iam::111111111111:mfa/alice:", times, &format!("{wrong}\n"));
    }
    let (exit_code, screen) = terminal.ended();
    assert_ne!(exit_code, Some(0), "{screen}");
    assert!(screen.contains("wait for the next code"), "{screen}");
    assert_eq!(scene.requests("GetSessionToken").len(), 3);
}
