use super::*;

#[test]
fn errors_are_one_short_line() {
    let text = format!(r#"{{"schema_version": 1, "{}": 1}}"#, "x\\n\\u001b".repeat(10_000));
    let message = Facts::parse(&text, "facts.json").map_or_else(|error| error.message, |_| String::new());
    assert!(message.starts_with("facts file `facts.json`: unknown field `x\\n\\u{1b}x"), "{message:.500}");
    assert!(message.ends_with(" at line 1 column 90024") && message.chars().count() < 3000, "{message:.500}");
}
