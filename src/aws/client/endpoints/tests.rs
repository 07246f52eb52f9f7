use super::*;

#[test]
fn removes_passwords() {
    for (url, shown) in [
        ("https://me:secret@host:1/a@b", "https://host:1/a@b"),
        ("https://host/?a@b", "https://host/"),
        ("https://me:secret@host/x?token=1#2", "https://host/x"),
        ("http://127.0.0.1:4603", "http://127.0.0.1:4603"),
    ] {
        assert_eq!(without_password(url), shown);
    }
}
