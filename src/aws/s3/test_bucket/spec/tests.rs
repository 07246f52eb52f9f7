#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::*;

#[test]
fn recognizes_only_generated_names() {
    let (owner, region): (AccountId, Region) = ("222222222222".parse().unwrap(), "eu-west-1".parse().unwrap());
    for account_regional in [false, true] {
        let random = |bytes: &mut [u8]| {
            (0..).zip(bytes).for_each(|(number, byte)| *byte = number * 21);
            Ok(())
        };
        let spec = BucketSpec::new(random, &owner, &region, Vec::new(), account_regional).unwrap();
        assert!(is_test_bucket(&spec.name, &owner, &region), "{}", spec.name);
    }
    for name in [
        "xacct-verify-",
        "xacct-verify-222222222222-",
        "xacct-verify-222222222222-abc",
        "xacct-verify-222222222222-abcdefghijkmn",
        "xacct-verify-222222222222-abcdefghijk1",
        "xacct-verify-222222222222-abcdefghijkL",
        "xacct-verify-333333333333-abcdefghijkm",
        "xacct-verify-abcdefghijkm-222222222222-eu-west-2-an",
        "xacct-verify-abcdefghijkm-333333333333-eu-west-1-an",
        "my-xacct-verify-222222222222-abcdefghijkm",
        "xacct-verify-222222222222-abcdefghijkm-logs",
    ] {
        assert!(!is_test_bucket(name, &owner, &region), "{name}");
    }
}
