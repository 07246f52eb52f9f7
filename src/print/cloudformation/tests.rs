use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::iam::arn::Partition;
use crate::iam::templates::{TrustTerms, trust, verify_bucket};

fn role() -> DesiredRole {
    let terms = TrustTerms {
        partition: Partition::Aws,
        source: "111111111111".parse().unwrap(),
        external_ids: vec!["abc".parse().unwrap()],
        require_mfa: true,
        only: ["arn:aws:iam::111111111111:user/alice".parse().unwrap()].into(),
        session_tags: true,
    };
    DesiredRole {
        arn: "arn:aws:iam::222222222222:role/team/1st_role".parse().unwrap(),
        source: terms.source.clone(),
        identity: crate::iam::identity::Identity::default(),
        description: "a: \"b\" #c".to_owned(),
        max_session: "2h".parse().unwrap(),
        boundary: Some("arn:aws:iam::aws:policy/PowerUserAccess".parse().unwrap()),
        boundary_version: None,
        tags: BTreeMap::new(),
        trust: trust(&terms),
        attachments: ["arn:aws:iam::aws:policy/ReadOnlyAccess".parse().unwrap()].into(),
        inline: [("xacct-verify".parse().unwrap(), verify_bucket(Partition::Aws))].into(),
        replaced: BTreeSet::new(),
        exclusive: false,
        accepted: Vec::new(),
        rotates_to: None,
        gives_to: None,
    }
}

#[test]
fn values_that_differ_between_accounts_are_parameters() {
    let id: ExternalId = "abc".parse().unwrap();
    let template = template(&role(), Some(&id), "me");
    let properties = &template["Resources"]["Role"]["Properties"];
    let statements = &properties["AssumeRolePolicyDocument"]["Statement"];
    for statement in statements.as_array().unwrap() {
        let principal = json!({"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${SourceAccount}:root"}});
        assert_eq!(statement["Principal"], principal);
    }
    assert_eq!(statements[0]["Condition"]["StringEquals"]["sts:ExternalId"], json!({"Ref": "ExternalId"}));
    assert_eq!(statements[0]["Condition"]["Bool"]["aws:MultiFactorAuthPresent"], "true");
    let user = json!({"Fn::Join": ["", ["arn:aws:iam::", {"Ref": "SourceAccount"}, ":user/alice"]]});
    assert_eq!(statements[0]["Condition"]["ArnEquals"]["aws:PrincipalArn"], user);
    // The trust policy no longer contains the account ID.
    assert!(!properties["AssumeRolePolicyDocument"].to_string().contains("111111111111"), "{properties}");
    assert_eq!(template["Parameters"]["ExternalId"]["Default"], "abc");
    let tags = properties["Tags"].as_array().expect("tags");
    assert!(tags.contains(&json!({"Key": "xacct:source-account", "Value": {"Ref": "SourceAccount"}})), "{tags:?}");
    assert_eq!(crate::print::cloudformation::template(&role(), None, "me")["Parameters"].get("ExternalId"), None);
}

#[test]
fn stack_names_are_valid() {
    for (role, stack) in [("xacct", "xacct"), ("a_b.c", "a-b-c"), ("1st", "xacct-1st"), ("=", "xacct--")] {
        assert_eq!(stack_name(role), stack);
    }
    let text = document(&json!({}), &role(), "role.yaml", None);
    assert!(text.lines().all(|line| line.is_empty() || line.starts_with('#') || line == "{}"), "{text}");
    let text = document(&json!({}), &role(), "my $(id) it's.yaml", None);
    assert!(text.contains(r"--template-file 'my $(id) it'\''s.yaml' \"), "{text}");
    assert!(text.contains(r"'file://my $(id) it'\''s.yaml' \"), "{text}");
}
