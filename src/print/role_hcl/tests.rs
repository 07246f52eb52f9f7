use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::iam::policy::PolicyDocument;

fn text_of(expression: &::hcl::Expression) -> Value {
    let value = ::hcl::eval::Evaluate::evaluate(expression, &::hcl::eval::Context::new()).unwrap();
    serde_json::to_value(value).unwrap()
}

fn target(description: &str, path: &str, tag: &str, resource: &str) -> Target {
    let document = serde_json::json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "s3:*", "Resource": resource,
        "Condition": {"StringLike": {"aws:PrincipalTag/team": resource}},
    }]});
    let document = PolicyDocument::from_value(&document).unwrap();
    Target {
        name: "dev".to_owned(),
        role: DesiredRole {
            arn: format!("arn:aws:iam::222222222222:role{path}xacct").parse().unwrap(),
            source: "111111111111".parse().unwrap(),
            identity: crate::iam::identity::Identity::default(),
            description: description.to_owned(),
            max_session: "1h".parse().unwrap(),
            boundary: None,
            boundary_version: None,
            tags: BTreeMap::from([("team".parse().unwrap(), tag.parse().unwrap())]),
            trust: document.clone(),
            attachments: ["arn:aws:iam::aws:policy/a", "arn:aws:iam::222222222222:policy/x/a"]
                .map(|arn| arn.parse().unwrap())
                .into(),
            inline: BTreeMap::from([("xacct-own".parse().unwrap(), document)]),
            replaced: BTreeSet::new(),
            exclusive: false,
            accepted: Vec::new(),
            rotates_to: None,
            gives_to: None,
        },
        way_in: WayIn { region: "eu-west-1".parse().unwrap(), profile: Some(description.to_owned()), enter_role: None },
    }
}

proptest! {
    #[test]
    fn an_independent_parser_reads_what_was_meant(
        description in prop_oneof!["[$%{}\"\\\\~#;\n]{0,12}", any::<String>()],
        path in r#"(/[$%{}"\\~]{1,10})?/"#,
        tag in "[a-z :/=+@.-]{0,10}",
        resource in prop_oneof!["[$%{}\"\\\\~#;\n]{1,12}", "[ -~]{1,200}"],
    ) {
        let target = target(&description, &path, &tag, &resource);
        let grant = DesiredGrant {
            principal: "arn:aws:iam::111111111111:user/alice".parse().unwrap(),
            policy_name: "xacct".parse().unwrap(),
            roles: [target.role.arn.clone()].into(),
            declared: [].into(),
            with_session_tags: [].into(),
            own: [].into(),
            is_referenced: false,
            organization: None,
        };
        let text = document(&[grant], &target.way_in, std::slice::from_ref(&target));
        let body = ::hcl::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let resources: Vec<_> = body.blocks().filter(|block| block.identifier() == "resource").collect();
        prop_assert_eq!(resources.len(), 5);
        prop_assert_eq!(body.blocks().filter(|block| block.identifier() == "import").count(), 5);
        let labels: std::collections::BTreeSet<_> =
            resources.iter().map(|block| block.labels().iter().map(hcl::BlockLabel::as_str).collect::<Vec<_>>()).collect();
        prop_assert_eq!(labels.len(), 5, "{}", text);
        let of = |kind: &str, key: &str| {
            let block = resources.iter().find(|block| block.labels().first().unwrap().as_str() == kind).unwrap();
            block.body().attributes().find(|attribute| attribute.key() == key).unwrap().expr().clone()
        };
        prop_assert_eq!(text_of(&of("aws_iam_role", "description")), Value::from(description));
        prop_assert_eq!(text_of(&of("aws_iam_role", "path")), Value::from(path));
        prop_assert_eq!(text_of(&of("aws_iam_role", "tags")), json!(target.role.all_tags()));
        for (kind, key) in [("aws_iam_role", "assume_role_policy"), ("aws_iam_role_policy", "policy")] {
            let ::hcl::Expression::FuncCall(call) = of(kind, key) else { panic!("{text}") };
            prop_assert_eq!(call.name.name.as_str(), "jsonencode");
            prop_assert_eq!(text_of(call.args.first().unwrap()), target.role.trust.to_value());
        }
    }
}
