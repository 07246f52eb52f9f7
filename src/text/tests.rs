use super::*;

#[test]
fn escapes_what_a_terminal_would_interpret() {
    assert_eq!(on_one_line("a\u{1b}[2J\u{9b}\u{7f}\u{202e}é→"), "a\\u001b[2J\\u009b\\u007f\\u202eé→");
    // What has no width: two names with and without it would look alike.
    assert_eq!(
        on_one_line("a\u{200b}b\u{200d}\u{feff}\u{ad}\u{2060}\u{e0041}"),
        "a\\u200bb\\u200d\\ufeff\\u00ad\\u2060\\udb40\\udc41"
    );
    assert_eq!(serde_json::from_str::<String>("\"\\udb40\\udc41\"").unwrap(), "\u{e0041}");
    assert_eq!(on_one_line("one\n  two\r\n"), "one   two  ");
    assert!(matches!(on_one_line("plain"), Cow::Borrowed(_)));
}

#[test]
fn an_error_names_the_first_of_many() {
    let names: Vec<_> = (0..22).map(|number| format!("t{number}")).collect();
    assert_eq!(some_of(&names[..2]), "`t0`, `t1`");
    assert!(some_of(&names[..20]).ends_with("`t18`, `t19`"));
    assert!(some_of(&names).ends_with("`t18`, `t19` and 2 more"));
    assert_eq!(some_of(&[]), "");
}
