use serde_json::json;

use super::*;

const ROLE: &str = "arn:aws:iam::222222222222:role/xacct";
const OTHER: &str = "arn:aws:iam::333333333333:role/xacct";

fn desired(roles: &[&str]) -> DesiredGrant {
    let roles: BTreeSet<RoleArn> = roles.iter().map(|role| role.parse().unwrap()).collect();
    DesiredGrant {
        principal: PrincipalArn::PermissionSet(crate::iam::arn::PermissionSetRoles {
            partition: crate::iam::arn::Partition::Aws,
            account: "111111111111".parse().unwrap(),
            name: "Deployer".parse().unwrap(),
        }),
        policy_name: "xacct".parse().unwrap(),
        declared: roles.clone(),
        own: roles.clone(),
        roles,
        with_session_tags: BTreeSet::new(),
        is_referenced: false,
        organization: None,
    }
}

fn role(suffix: char, inline: Option<serde_json::Value>) -> ObservedSetRole {
    let path = "aws-reserved/sso.amazonaws.com/eu-west-1";
    let arn =
        format!("arn:aws:iam::111111111111:role/{path}/AWSReservedSSO_Deployer_{}", suffix.to_string().repeat(16));
    let inline = inline
        .map(|statements| FoundDocument::parse(&json!({"Version": "2012-10-17", "Statement": statements}).to_string()));
    ObservedSetRole { arn: arn.parse().unwrap(), inline, policies: BTreeSet::new(), attached: Vec::new() }
}

fn set(roles: impl IntoIterator<Item = ObservedSetRole>) -> ObservedPermissionSet {
    ObservedPermissionSet { roles: roles.into_iter().collect() }
}

fn assume(resource: &str) -> serde_json::Value {
    json!([{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": resource}])
}

fn document(lacking: &LackingGrant) -> PolicyDocument {
    match &lacking.addition {
        Addition::Inline { document, .. } => document.clone(),
        Addition::Reference(name) => panic!("{name}"),
    }
}

#[test]
fn a_set_without_the_grant_is_to_keep_its_own_statements() {
    let own = json!([
        {"Sid": "Own", "Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"},
        {"Sid": "XacctAssumeRole", "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": OTHER},
    ]);
    let lacking = lacking_grant(&desired(&[ROLE]), &set([role('a', Some(own))])).unwrap();
    assert_eq!(lacking.missing, BTreeSet::from([ROLE.parse().unwrap()]));
    let statements = &document(&lacking).to_value()["Statement"];
    assert_eq!(statements[0]["Sid"], "Own");
    assert_eq!(statements[1]["Resource"], json!([ROLE, OTHER]));
    assert_eq!(statements.as_array().unwrap().len(), 2);
    // What was put there is the whole grant.
    assert_eq!(lacking_grant(&desired(&[ROLE]), &set([role('a', Some(statements.clone()))])), None);
}

#[test]
fn any_policy_that_allows_the_role_is_a_grant() {
    for resource in [ROLE, "*", "arn:aws:iam::*:role/xacct"] {
        assert_eq!(lacking_grant(&desired(&[ROLE]), &set([role('a', Some(assume(resource)))])), None, "{resource}");
    }
    let administrator =
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    let with_attached =
        ObservedSetRole { attached: vec![FoundDocument::parse(&administrator.to_string())], ..role('a', None) };
    assert_eq!(lacking_grant(&desired(&[ROLE]), &set([with_attached])), None);
    let of_organization = json!([{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam::*:role/xacct",
        "Condition": {"StringEquals": {"aws:ResourceOrgID": "o-a1b2c3d4e5"}}}]);
    assert_eq!(lacking_grant(&desired(&[ROLE]), &set([role('a', Some(of_organization))])), None);
}

#[test]
fn a_condition_that_xacct_cannot_judge_is_no_grant() {
    let conditional = json!([{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": ROLE,
        "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}]);
    assert!(lacking_grant(&desired(&[ROLE]), &set([role('a', Some(conditional))])).is_some());
}

#[test]
fn all_roles_of_a_set_need_the_grant() {
    let both = set([role('a', Some(assume(ROLE))), role('b', None)]);
    assert!(lacking_grant(&desired(&[ROLE]), &both).is_some());
}

#[test]
fn a_pattern_is_one_statement_that_new_targets_do_not_change() {
    let wide = |roles: &[&str]| DesiredGrant { organization: Some("o-a1b2c3d4e5".parse().unwrap()), ..desired(roles) };
    // A list does not cover the organization.
    let listed = json!([
        {"Sid": "Own", "Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"},
        {"Sid": "XacctAssumeRole", "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": [ROLE, OTHER]},
    ]);
    let lacking = lacking_grant(&wide(&[ROLE, OTHER]), &set([role('a', Some(listed))])).unwrap();
    let statements = document(&lacking).to_value()["Statement"].clone();
    assert_eq!(statements.as_array().unwrap().len(), 2);
    assert_eq!(statements[1]["Resource"], "arn:aws:iam::*:role/xacct");
    assert_eq!(statements[1]["Condition"], json!({"StringEquals": {"aws:ResourceOrgID": "o-a1b2c3d4e5"}}));
    let provisioned = set([role('a', Some(statements))]);
    for roles in [&[ROLE][..], &[ROLE, OTHER], &["arn:aws:iam::444444444444:role/xacct"]] {
        assert_eq!(lacking_grant(&wide(roles), &provisioned), None, "{roles:?}");
    }
    let other = DesiredGrant { organization: Some("o-zzzzzzzzzz".parse().unwrap()), ..desired(&[ROLE]) };
    assert!(lacking_grant(&other, &provisioned).is_some());
}

#[test]
fn a_set_that_is_to_refer_to_a_policy_lacks_only_the_reference() {
    let desired = DesiredGrant { is_referenced: true, ..desired(&[ROLE]) };
    // Its inline policy may be that of another setting.
    let role = role('a', Some(assume(ROLE)));
    let lacking = lacking_grant(&desired, &set([role.clone()])).unwrap();
    assert_eq!(lacking.addition, Addition::Reference("xacct-permission-set-Deployer-1".to_owned()));
    let arn = "arn:aws:iam::111111111111:policy/xacct/xacct-permission-set-Deployer-1".to_owned();
    let referring = ObservedSetRole { policies: [arn].into(), ..role.clone() };
    assert_eq!(lacking_grant(&desired, &set([referring.clone()])), None);
    assert!(lacking_grant(&desired, &set([referring, role])).is_some());
}
