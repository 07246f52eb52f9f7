#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::*;

#[test]
fn replaces_only_what_was_seen() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, "seen").unwrap();
    replace_unchanged(&path, b"seen", "new", Readers::All).unwrap();
    assert_eq!(read(&path, LONGEST_TEXT).unwrap(), "new");
    for other in ["else", "something longer", ""] {
        std::fs::write(&path, other).unwrap();
        let error = replace_unchanged(&path, b"new", "newer", Readers::All).unwrap_err();
        assert!(error.to_string().contains("another program has changed it"), "{error}");
        assert_eq!(read(&path, LONGEST_TEXT).unwrap(), other);
    }
    std::fs::remove_file(&path).unwrap();
    assert!(replace_unchanged(&path, b"new", "newer", Readers::All).is_err());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "no temporary file stays");
}

#[test]
fn creates_nothing_in_the_place_of_another_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    create(&path, "new", Readers::Owner).unwrap();
    assert!(create(&path, "newer", Readers::Owner).is_err());
    assert_eq!(read(&path, LONGEST_TEXT).unwrap(), "new");
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_access_a_private_folder() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    create_private_folder(&folder.path().join("a/b")).unwrap();
    create_private_folder(&folder.path().join("a/b")).unwrap();
    assert_eq!(["", "a", "a/b"].map(|below| mode(&folder.path().join(below))), [0o755, 0o700, 0o700]);
}
