#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::sync::{Arc, Mutex};

use super::*;

/// A cache whose warnings are collected.
struct Kept {
    folder: tempfile::TempDir,
    cache: Cache,
    warnings: Arc<Mutex<Vec<String>>>,
}

fn kept() -> Kept {
    let folder = tempfile::tempdir().unwrap();
    let warnings = Arc::new(Mutex::new(Vec::new()));
    let said = Arc::clone(&warnings);
    let warn: Warn = Arc::new(move |text: &str| said.lock().unwrap().push(text.to_owned()));
    let now = || SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
    Kept { cache: Cache::new(folder.path().join("a/xacct"), now, warn), folder, warnings }
}

/// A session that ends so many seconds after now.
fn session(id: &str, seconds: u64) -> SessionCredentials {
    let expires = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 + seconds);
    SessionCredentials(Credentials::new(
        id,
        format!("secret of {id}"),
        Some(format!("token-of-{id}")),
        Some(expires),
        "test",
    ))
}

fn key() -> Key {
    Key::new(&["mfa", "AKIA", "serial"])
}

impl Kept {
    fn path(&self) -> PathBuf {
        self.folder.path().join("a/xacct").join(file_name(&key()))
    }

    fn loaded(&self) -> Option<String> {
        self.cache.load(&key()).map(|session| session.reveal().access_key_id.to_owned())
    }

    #[track_caller]
    fn assert_warned(&self, wanted: &str) {
        let warnings = self.warnings.lock().unwrap();
        assert!(matches!(&warnings[..], [one] if one.contains(wanted)), "{warnings:?}");
    }
}

#[test]
fn what_is_stored_is_loaded_and_is_the_owners_alone() {
    let kept = kept();
    kept.cache.store(&key(), &session("ASIA1", 3600));
    let loaded = kept.cache.load(&key()).unwrap();
    let keys = loaded.reveal();
    assert_eq!((keys.secret_access_key, keys.session_token), ("secret of ASIA1", Some("token-of-ASIA1")));
    assert_eq!(kept.path().metadata().unwrap().mode() & 0o777, 0o600);
    assert_eq!(kept.path().parent().unwrap().metadata().unwrap().mode() & 0o777, 0o700);
    assert!(kept.cache.load(&Key::new(&["mfa", "AKI", "Aserial"])).is_none());
    assert!(kept.warnings.lock().unwrap().is_empty());
    assert!(!format!("{:?} {loaded:?}", kept.cache).contains("secret of"));
}

#[test]
fn what_ends_within_five_minutes_is_not_begun_with() {
    let kept = kept();
    for (seconds, lasts) in [(299, false), (300, false), (301, true)] {
        kept.cache.store(&key(), &session("ASIA1", seconds));
        assert_eq!(kept.loaded().is_some(), lasts, "{seconds}");
    }
    assert!(kept.warnings.lock().unwrap().is_empty());
}

#[test]
fn what_is_not_well_formed_is_not_used() {
    let whole = r#"{"Version":1,"AccessKeyId":"A","SecretAccessKey":"S","SessionToken":"T","Expiration":"2030-01-01T00:00:00Z"}"#;
    let cases = [
        String::new(),
        "{".to_owned(),
        whole.replace('1', "2"),
        whole.replace("\"A\"", "\"\""),
        whole.replace("2030-01-01T00:00:00Z", "soon"),
        whole.replace("}", ",\"More\":1}"),
        whole[..60].to_owned(),
    ];
    for text in cases {
        let kept = kept();
        kept.cache.store(&key(), &session("ASIA1", 3600));
        std::fs::write(kept.path(), &text).unwrap();
        assert_eq!(kept.loaded(), None, "{text}");
        kept.assert_warned("holds none");
    }
}

#[test]
fn what_others_could_have_written_or_read_is_not_used() {
    type Spoil = fn(&Kept);
    let cases: [(Spoil, &str); 5] = [
        (|kept| chmod(&kept.path(), 0o640), "has mode 640"),
        (|kept| chmod(kept.path().parent().unwrap(), 0o755), "is open to others"),
        (
            |kept| {
                let elsewhere = kept.folder.path().join("elsewhere");
                std::fs::rename(kept.path(), &elsewhere).unwrap();
                std::os::unix::fs::symlink(elsewhere, kept.path()).unwrap();
            },
            "is a symbolic link",
        ),
        (
            |kept| {
                std::fs::remove_file(kept.path()).unwrap();
                std::fs::create_dir(kept.path()).unwrap();
            },
            "is no file",
        ),
        (
            |kept| {
                let folder = kept.path().parent().unwrap().to_owned();
                std::fs::rename(&folder, kept.folder.path().join("real")).unwrap();
                std::os::unix::fs::symlink(kept.folder.path().join("real"), folder).unwrap();
            },
            "is a symbolic link",
        ),
    ];
    for (spoil, wanted) in cases {
        let kept = kept();
        kept.cache.store(&key(), &session("ASIA1", 3600));
        spoil(&kept);
        assert_eq!(kept.loaded(), None, "{wanted}");
        kept.assert_warned(wanted);
    }
}

fn chmod(path: &std::path::Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_pipe_is_not_waited_for() {
    let kept = kept();
    kept.cache.store(&key(), &session("ASIA1", 3600));
    std::fs::remove_file(kept.path()).unwrap();
    let made = std::process::Command::new("mkfifo").arg(kept.path()).status();
    assert!(made.is_ok_and(|status| status.success()));
    assert_eq!(kept.loaded(), None);
    kept.assert_warned("is no file");
}

#[test]
fn a_folder_that_cannot_be_made_is_no_error() {
    let kept = kept();
    std::fs::write(kept.folder.path().join("a"), "a file").unwrap();
    kept.cache.store(&key(), &session("ASIA1", 3600));
    kept.assert_warned("The session is not kept");
}

#[test]
fn writers_side_by_side_leave_a_whole_session() {
    let kept = kept();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let cache = &kept.cache;
            scope.spawn(move || {
                for round in 0..50 {
                    cache.store(&key(), &session(&format!("ASIA{writer}x{round}"), 3600));
                    let loaded = cache.load(&key()).expect("one of them");
                    let keys = loaded.reveal();
                    assert_eq!(keys.secret_access_key, format!("secret of {}", keys.access_key_id));
                }
            });
        }
    });
    assert!(kept.warnings.lock().unwrap().is_empty());
    assert_eq!(kept.cache.forget().unwrap(), 1);
    assert_eq!(std::fs::read_dir(kept.path().parent().unwrap()).unwrap().count(), 0, "nothing temporary is left");
    assert_eq!(kept.loaded(), None);
}
