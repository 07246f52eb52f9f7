use super::*;

#[test]
fn escapes_what_a_terminal_would_interpret() {
    assert_eq!(on_one_line("a\u{1b}[2J\u{9b}\u{7f}\u{202e}é→"), "a\\u001b[2J\\u009b\\u007f\\u202eé→");
    assert_eq!(on_one_line("one\n  two\r\n"), "one   two  ");
    assert!(matches!(on_one_line("plain"), Cow::Borrowed(_)));
}
