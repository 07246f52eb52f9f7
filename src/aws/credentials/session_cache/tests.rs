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

/// A cache that collects its warnings.
struct Fixture {
    folder: tempfile::TempDir,
    cache: Cache,
    warnings: Arc<Mutex<Vec<String>>>,
}

fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let warnings = Arc::new(Mutex::new(Vec::new()));
    let said = Arc::clone(&warnings);
    let warn: Warn = Arc::new(move |text: &str| said.lock().unwrap().push(text.to_owned()));
    let now = || SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
    Fixture { cache: Cache::new(folder.path().join("a/xacct"), now, warn), folder, warnings }
}

/// Returns a session that expires in this many seconds.
fn session(id: &str, seconds: u64) -> SessionCredentials {
    let expires = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 + seconds);
    SessionCredentials(Credentials::new(
        id,
        format!("secret of {id}"),
        Some(format!("token of {id}")),
        Some(expires),
        "test",
    ))
}

fn key() -> Key {
    Key::new(&["mfa", "AKIA", "serial"])
}

impl Fixture {
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
fn stores_sessions_for_their_owner_only() {
    let fixture = fixture();
    fixture.cache.store(&key(), &session("ASIA1", 3600));
    let loaded = fixture.cache.load(&key()).unwrap();
    let keys = loaded.reveal();
    assert_eq!((keys.secret_access_key, keys.session_token), ("secret of ASIA1", Some("token of ASIA1")));
    assert_eq!(fixture.path().metadata().unwrap().mode() & 0o777, 0o600);
    assert_eq!(fixture.path().parent().unwrap().metadata().unwrap().mode() & 0o777, 0o700);
    assert!(fixture.cache.load(&Key::new(&["mfa", "AKI", "Aserial"])).is_none());
    assert!(fixture.warnings.lock().unwrap().is_empty());
    assert!(!format!("{:?} {loaded:?}", fixture.cache).contains("secret of"));
}

#[test]
fn ignores_sessions_that_expire_within_five_minutes() {
    let fixture = fixture();
    for (seconds, lasts) in [(299, false), (300, false), (301, true)] {
        fixture.cache.store(&key(), &session("ASIA1", seconds));
        assert_eq!(fixture.loaded().is_some(), lasts, "{seconds}");
    }
    assert!(fixture.warnings.lock().unwrap().is_empty());
}

#[test]
fn ignores_malformed_files() {
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
        let fixture = fixture();
        fixture.cache.store(&key(), &session("ASIA1", 3600));
        std::fs::write(fixture.path(), &text).unwrap();
        assert_eq!(fixture.loaded(), None, "{text}");
        fixture.assert_warned("is not a valid session file");
    }
}

#[test]
fn ignores_files_that_other_users_can_access() {
    type Spoil = fn(&Fixture);
    let cases: [(Spoil, &str); 5] = [
        (|fixture| chmod(&fixture.path(), 0o640), "has mode 640"),
        (|fixture| chmod(fixture.path().parent().unwrap(), 0o755), "other users can access"),
        (
            |fixture| {
                let elsewhere = fixture.folder.path().join("elsewhere");
                std::fs::rename(fixture.path(), &elsewhere).unwrap();
                std::os::unix::fs::symlink(elsewhere, fixture.path()).unwrap();
            },
            "is a symbolic link",
        ),
        (
            |fixture| {
                std::fs::remove_file(fixture.path()).unwrap();
                std::fs::create_dir(fixture.path()).unwrap();
            },
            "is not a regular file",
        ),
        (
            |fixture| {
                let folder = fixture.path().parent().unwrap().to_owned();
                std::fs::rename(&folder, fixture.folder.path().join("real")).unwrap();
                std::os::unix::fs::symlink(fixture.folder.path().join("real"), folder).unwrap();
            },
            "is a symbolic link",
        ),
    ];
    for (spoil, wanted) in cases {
        let fixture = fixture();
        fixture.cache.store(&key(), &session("ASIA1", 3600));
        spoil(&fixture);
        assert_eq!(fixture.loaded(), None, "{wanted}");
        fixture.assert_warned(wanted);
    }
}

fn chmod(path: &std::path::Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn does_not_block_on_a_pipe() {
    let fixture = fixture();
    fixture.cache.store(&key(), &session("ASIA1", 3600));
    std::fs::remove_file(fixture.path()).unwrap();
    let made = std::process::Command::new("mkfifo").arg(fixture.path()).status();
    assert!(made.is_ok_and(|status| status.success()));
    assert_eq!(fixture.loaded(), None);
    fixture.assert_warned("is not a regular file");
}

#[test]
fn warns_if_the_directory_cannot_be_created() {
    let fixture = fixture();
    std::fs::write(fixture.folder.path().join("a"), "a file").unwrap();
    fixture.cache.store(&key(), &session("ASIA1", 3600));
    fixture.assert_warned("Cannot cache the session");
}

#[test]
fn concurrent_writers_leave_a_complete_session() {
    let fixture = fixture();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let cache = &fixture.cache;
            scope.spawn(move || {
                for round in 0..50 {
                    cache.store(&key(), &session(&format!("ASIA{writer}x{round}"), 3600));
                    let loaded = cache.load(&key()).expect("a session is cached");
                    let keys = loaded.reveal();
                    assert_eq!(keys.secret_access_key, format!("secret of {}", keys.access_key_id));
                }
            });
        }
    });
    assert!(fixture.warnings.lock().unwrap().is_empty());
    assert_eq!(fixture.cache.forget().unwrap(), 1);
    assert_eq!(std::fs::read_dir(fixture.path().parent().unwrap()).unwrap().count(), 0, "no temporary file remains");
    assert_eq!(fixture.loaded(), None);
}
