use super::*;

#[test]
fn shows_answers_on_one_line_of_limited_length() {
    assert_eq!(shown("a\r\nb\u{1b}[2J\u{9b}é"), "a  b\\u001b[2J\\u009bé");
    let (most, more) = ("é".repeat(1000), "é".repeat(1001));
    assert_eq!(shown(&most), most);
    assert_eq!(shown(&more), format!("{most}…"));
}
