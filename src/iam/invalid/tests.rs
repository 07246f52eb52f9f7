use super::*;

#[test]
fn text_is_shortened_and_escaped() {
    assert_eq!(shown(&"a".repeat(80)), "a".repeat(80));
    assert_eq!(shown(&"a".repeat(81)), format!("{}…", "a".repeat(79)));
    assert_eq!(shown("it's \"\\\" \u{202e}"), "it's \"\\\" \\u{202e}");
}
