//! The search for secrets, in every encoding and in every place.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use data_encoding::{BASE32_NOPAD, BASE64, BASE64URL_NOPAD, HEXLOWER};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use xacct_sandbox::world::{ACCOUNT_A, ADMIN_A, ADMIN_B, ADMIN_C, ALICE, BOB, ROOT_A};

use crate::scene::Scene;
use crate::support::Output;

/// The owner of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// Long-term secrets of a user: keys, seeds, codes. Nothing may show them.
    User,
    /// Secrets of a session, which may be passed on and cached.
    Session,
}

/// The secrets to search for.
pub struct Secrets(Vec<(Of, String)>);

impl Secrets {
    /// Collects all secrets of the sandbox.
    pub fn of(scene: &Scene, codes: &[&str]) -> Self {
        let mut secrets = Self(Vec::new());
        for key in [ADMIN_A, ADMIN_B, ADMIN_C, ALICE, BOB, ROOT_A] {
            secrets.add(Of::User, key.secret);
        }
        secrets.0.extend(codes.iter().map(|&code| (Of::User, code.to_owned())));
        scene.sandbox.world(|world| {
            for session in world.sessions() {
                secrets.add(Of::Session, &session.key.secret);
                secrets.add(Of::Session, &session.token);
                // A part of a token is secret too.
                secrets.0.push((Of::Session, session.token[20..60].to_owned()));
            }
            let devices = world.user(ACCOUNT_A, "alice").map(|alice| &alice.mfa_devices);
            for device in devices.into_iter().flatten() {
                secrets.add(Of::User, &String::from_utf8_lossy(&device.seed));
                secrets.0.push((Of::User, BASE32_NOPAD.encode(&device.seed)));
            }
        });
        secrets
    }

    /// Adds a secret in every encoding: plain, URL-encoded, JSON with escaped slashes, base64, hexadecimal.
    pub fn add(&mut self, of: Of, secret: &str) {
        let bytes = secret.as_bytes();
        let forms = [
            secret.to_owned(),
            utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
            secret.replace('/', r"\/"),
            BASE64.encode(bytes),
            BASE64URL_NOPAD.encode(bytes),
            HEXLOWER.encode(bytes),
        ];
        self.0.extend(forms.map(|form| (of, form)));
    }

    /// Returns the first secret found in a text.
    pub fn found(&self, text: &str, wanted: &[Of]) -> Option<&str> {
        let found = self.0.iter().find(|(of, form)| wanted.contains(of) && has(text, form));
        found.map(|(_, form)| form.as_str())
    }

    /// Asserts that a text contains no secret.
    #[track_caller]
    pub fn assert_none(&self, text: &str, place: &str) {
        let found = self.found(text, &[Of::User, Of::Session]);
        assert_eq!(found, None, "a secret is in {place}:\n{text}");
    }

    /// Asserts that a text contains no secret of a user.
    #[track_caller]
    pub fn assert_none_of_a_user(&self, text: &str, place: &str) {
        assert_eq!(self.found(text, &[Of::User]), None, "a secret of a user is in {place}:\n{text}");
    }

    /// Asserts that the outputs contain no secrets, except the stdout of commands that print credentials; nor do files,
    /// except the AWS files written by the test and cached sessions.
    #[track_caller]
    pub fn assert_none_anywhere(&self, scene: &Scene, outputs: &[Output]) {
        for output in outputs {
            self.assert_none(&output.stderr, &format!("stderr of {}", output.command));
            if asks_for_credentials(&output.command) {
                self.assert_none_of_a_user(&output.stdout, &format!("stdout of {}", output.command));
            } else {
                self.assert_none(&output.stdout, &format!("stdout of {}", output.command));
            }
        }
        let folder = scene.environment.path("");
        for file in files_below(&folder) {
            let place = file.strip_prefix(&folder).expect("a file in the directory").display().to_string();
            let text = String::from_utf8_lossy(&std::fs::read(&file).expect("a file")).into_owned();
            if place.starts_with(".cache/xacct/") {
                self.assert_none_of_a_user(&text, &place);
                assert_eq!(file.metadata().expect("a file").mode() & 0o777, 0o600, "{place}");
            } else if !place.starts_with("aws/") {
                self.assert_none(&text, &place);
                self.assert_none(&place, "a file's name");
            }
        }
    }
}

fn asks_for_credentials(command: &str) -> bool {
    command.contains("\"credentials\"")
}

/// Whether a text contains a secret. Codes are so short that other numbers may contain them.
fn has(text: &str, secret: &str) -> bool {
    let is_code = secret.len() == 6;
    let is_part = |text: &str, at: usize| {
        let around = [text[..at].chars().next_back(), text[at + secret.len()..].chars().next()];
        around.into_iter().flatten().any(|c| c.is_ascii_alphanumeric())
    };
    text.match_indices(secret).any(|(at, _)| !is_code || !is_part(text, at))
}

/// Returns all files below a directory.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a directory") {
        let path = entry.expect("an entry").path();
        let found = path.symlink_metadata().expect("an entry");
        if found.is_dir() {
            files.extend(files_below(&path));
        } else if found.is_file() {
            files.push(path);
        }
    }
    files
}

#[test]
fn the_search_finds_secrets() {
    let scene = Scene::linked("");
    let secrets = Secrets::of(&scene, &["123456"]);
    let token = scene.sandbox.world(|world| world.sessions().next().expect("a session").token.clone());
    let both = [Of::User, Of::Session];
    for text in [
        format!("a {} b", ALICE.secret),
        format!("\"{}\"", ALICE.secret.replace('/', "\\/")),
        BASE64.encode(ALICE.secret.as_bytes()),
        utf8_percent_encode(ALICE.secret, NON_ALPHANUMERIC).to_string(),
        "code=123456,".to_owned(),
        token.clone(),
        token[10..70].to_owned(),
        "sandbox-seed-of-alice".to_owned(),
    ] {
        assert!(secrets.found(&text, &both).is_some(), "{text}");
    }
    for text in ["account 0123456789", ALICE.id, "sandbox"] {
        assert_eq!(secrets.found(text, &both), None, "{text}");
    }
    assert_eq!(secrets.found(&token, &[Of::User]), None);
}
