use super::*;

const BUCKET: &str = "arn:aws:s3:::xacct-verify-222222222222-x";

fn document(statements: &str) -> Reading<FoundDocument> {
    Reading::Present(FoundDocument::parse(&format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)))
}

fn statement(effect: &str, action: &str, resource: &str, more: &str) -> String {
    format!(r#"{{"Effect":"{effect}","Action":"{action}","Resource":"{resource}"{more}}}"#)
}

fn allow(action: &str, resource: &str) -> Reading<FoundDocument> {
    document(&statement("Allow", action, resource, ""))
}

fn unread() -> Reading<FoundDocument> {
    Reading::Unreadable { permission: "iam:GetPolicyVersion".to_owned(), answer: "AccessDenied".to_owned() }
}

fn why(policies: Vec<Reading<FoundDocument>>, boundary: Option<Reading<FoundDocument>>) -> Option<String> {
    let account = "222222222222".parse().unwrap();
    EffectivePolicies { policies, boundary }.never_allowed(&account, "s3:CreateBucket", BUCKET)
}

#[test]
fn what_no_policy_allows_can_never_be_allowed() {
    let none = Some("no policy of the role allows s3:CreateBucket".to_owned());
    assert_eq!(why(vec![], None), none);
    assert_eq!(why(vec![allow("s3:Get*", "*"), allow("s3:*", "arn:aws:s3:::state/*")], None), none);
    assert_eq!(why(vec![allow("s3:Get*", "*"), allow("s3:Create*", "arn:aws:s3:::xacct-verify-*")], None), None);
}

#[test]
fn what_depends_on_the_request_may_be_allowed() {
    let condition = r#","Condition":{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}"#;
    assert_eq!(why(vec![document(&statement("Allow", "s3:*", "*", condition))], None), None);
    assert_eq!(why(vec![allow("s3:*", "arn:aws:s3:::${aws:PrincipalTag/team}")], None), None);
    let negated = condition.replace("StringEquals", "StringNotEquals");
    for more in [condition, &negated] {
        let denial = document(&statement("Deny", "s3:*", "*", more));
        assert_eq!(why(vec![allow("*", "*"), denial], None), None, "{more}");
    }
}

#[test]
fn what_could_not_be_read_may_allow_everything() {
    assert_eq!(why(vec![allow("s3:Get*", "*"), unread()], None), None);
    assert_eq!(why(vec![Reading::Present(FoundDocument::parse("not a policy"))], None), None);
    assert_eq!(why(vec![allow("*", "*")], Some(unread())), None);
    assert_eq!(why(vec![Reading::Absent], None), None);
    assert_eq!(why(vec![allow("*", "*")], Some(Reading::Absent)), None);
}

#[test]
fn a_denial_and_the_boundary_count_whatever_is_allowed() {
    let denial = document(&statement("Deny", "s3:CreateBucket", "*", ""));
    let denies = Some("a policy of the role denies s3:CreateBucket".to_owned());
    assert_eq!(why(vec![allow("*", "*"), denial.clone(), unread()], None), denies);
    let bounded = Some("the permissions boundary does not allow s3:CreateBucket".to_owned());
    for boundary in [allow("ec2:*", "*"), denial] {
        assert_eq!(why(vec![allow("*", "*")], Some(boundary)), bounded);
    }
    assert_eq!(why(vec![allow("*", "*")], Some(allow("s3:*", "*"))), None);
}
