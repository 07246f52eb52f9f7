use super::*;

#[test]
fn equal_keys_of_one_object_are_refused_with_the_place() {
    let text = "{\"schema_version\": 1,\n \"link\": {\"user\": \"a\",\n  \"user\": \"b\"}}";
    let message = Facts::parse(text, "facts.json").map_or_else(|error| error.message, |_| String::new());
    assert_eq!(message, "facts file `facts.json`: duplicate key `user` at line 3 column 8");
}

#[test]
fn errors_are_one_short_line() {
    let text = format!(r#"{{"schema_version": 1, "{}": 1}}"#, "x\\n\\u001b".repeat(10_000));
    let message = Facts::parse(&text, "facts.json").map_or_else(|error| error.message, |_| String::new());
    assert!(message.starts_with("facts file `facts.json`: unknown field `x\\n\\u{1b}x"), "{message:.500}");
    assert!(message.ends_with(" at line 1 column 90024") && message.chars().count() < 3000, "{message:.500}");
}
