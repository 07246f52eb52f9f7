use serde_json::json;

use super::*;

#[test]
fn accounts_are_masked_and_request_ids_are_not() {
    let mut masks = Masks::default();
    masks.of("111111111112");
    let text = "999999999998 xacct-verify-111111111112-ab (request 15393b95-c6a6-d85f-b7c6-123456789012) 1234567890123";
    let masked =
        "222222222222 xacct-verify-111111111111-ab (request 15393b95-c6a6-d85f-b7c6-123456789012) 1234567890123";
    assert_eq!(masks.hidden(text), masked);
}

#[test]
fn only_text_is_masked_however_json_spells_it() {
    // As JSON it is `\u0010` and twelve digits.
    let mut value = json!({"asked_at": 123456789012_i64, "k 123456789012": ["\u{10}123456789012"]});
    Masks::default().hide(&mut value);
    let masked = json!({"asked_at": 123456789012_i64, "k 111111111111": ["\u{10}111111111111"]});
    assert_eq!(value, masked);
}
