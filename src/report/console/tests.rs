use super::*;

#[test]
fn only_styles_of_xacct_reach_the_terminal() {
    let own = format!("{GOOD}a{GOOD:#} {BAD}b{BAD:#} {WARN}c{WARN:#} {STRONG}d{STRONG:#}\n\te→");
    assert_eq!(harmless(&own), own);
    assert_eq!(
        harmless("\u{1b}[2J\u{1b}]0;x\u{7}y\u{1b}[8m\r\u{9b}A"),
        r"\u001b[2J\u001b]0;x\u0007y\u001b[8m\u000d\u009bA"
    );
    assert_eq!(harmless("\u{1b}"), r"\u001b");
}

#[test]
fn only_the_mark_is_styled() {
    assert_eq!(styled_mark("  -  a  - b", BAD), format!("  {BAD}-{BAD:#}  a  - b"));
}
