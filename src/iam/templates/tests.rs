use serde_json::json;

use super::*;
use crate::iam::arn::{GroupArn, PermissionSetRoles, PolicyArn, PolicyOwner, RolePattern, UserArn};
use crate::iam::names::IamPath;
use crate::iam::policy::{Effect, Element};
use crate::iam::state::{DEFAULT_TRUST_POLICY_QUOTA, DEFAULT_USER_POLICIES_QUOTA};

/// A path that AWS accepts and that tries to end the JSON string or to be filled in.
const HOSTILE_PATH: &str = r#"/"},{"Effect":"Allow","AWS":"*"}\/${SourceAccount}/${aws:username}/%24/"#;

fn terms(bits: u8) -> TrustTerms {
    let is_set = |bit: u8| bits & (1 << bit) != 0;
    TrustTerms {
        partition: Partition::Aws,
        source: "111111111111".parse().unwrap(),
        external_ids: is_set(0).then(|| "q7Hc:Zk".parse().unwrap()).into_iter().collect(),
        require_mfa: is_set(1),
        only: is_set(2).then(|| "arn:aws:iam::111111111111:user/alice".parse().unwrap()).into_iter().collect(),
        session_tags: is_set(3),
    }
}

fn role(name: &str) -> RoleArn {
    format!("arn:aws:iam::222222222222:role/{name}").parse().unwrap()
}

/// Returns roles in this many accounts, with names of this length.
fn roles(count: usize, name_length: usize) -> BTreeSet<RoleArn> {
    let name = "r".repeat(name_length);
    (0..count).map(|number| format!("arn:aws:iam::{number:012}:role/{name}").parse().unwrap()).collect()
}

/// Returns every document of the templates for this partition.
fn all_documents(partition: Partition) -> Vec<PolicyDocument> {
    let source: AccountId = "111111111111".parse().unwrap();
    let user = UserArn::new(partition, source.clone(), IamPath::root(), "alice".parse().unwrap());
    let user = PrincipalArn::User(user);
    let group = GroupArn::new(partition, source.clone(), IamPath::root(), "deployers".parse().unwrap());
    let group = PrincipalArn::Group(group);
    let deployer = PrincipalArn::Role(RoleArn::new(partition, source, IamPath::root(), "ci".parse().unwrap()));
    let role = RoleArn { partition, ..role("team/xacct") };
    let both = BTreeSet::from([role.clone()]);
    let mut documents: Vec<_> = (0..16)
        .map(|bits| {
            let terms = terms(bits);
            let only = terms.only.iter().map(|_| user.clone()).collect();
            trust(&TrustTerms { partition, only, ..terms })
        })
        .collect();
    documents.extend([grant(&both, &both), verify_bucket(partition), operator_source(&user), operator_target(&role)]);
    let name = "Deployer".parse().unwrap();
    let set = PrincipalArn::PermissionSet(PermissionSetRoles { partition, account: user.account().clone(), name });
    documents.extend([operator_source(&deployer), operator_source(&group), operator_source(&set)]);
    documents.push(operator_source_set_policy(&set));
    let patterns = [RolePattern::from(&role)].into();
    documents.push(grant_in_organization(&"o-a1b2c3d4e5".parse().unwrap(), &patterns, &patterns));
    documents.push(trust(&TrustTerms { partition, only: [set].into(), ..terms(15) }));
    documents.push(reader(user.account(), &[user.clone(), deployer, group].into(), &both));
    documents
}

/// Returns all strings in `value` except object keys.
fn strings(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(list) => list.iter().flat_map(strings).collect(),
        Value::Object(object) => object.values().flat_map(strings).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn every_document_has_exactly_the_conditions_that_the_terms_ask_for() {
    for bits in 0..16 {
        let terms = terms(bits);
        let principal = json!({"AWS": "arn:aws:iam::111111111111:root"});
        let mut condition = serde_json::Map::new();
        if !terms.external_ids.is_empty() {
            condition.insert("StringEquals".into(), json!({"sts:ExternalId": "q7Hc:Zk"}));
        }
        if terms.require_mfa {
            condition.insert("Bool".into(), json!({"aws:MultiFactorAuthPresent": "true"}));
        }
        if !terms.only.is_empty() {
            let user = "arn:aws:iam::111111111111:user/alice";
            condition.insert("ArnEquals".into(), json!({"aws:PrincipalArn": user}));
        }
        let mut link = json!({
            "Sid": "XacctAssumeRole", "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole",
        });
        if !condition.is_empty() {
            link["Condition"] = condition.into();
        }
        let tags = json!({
            "Sid": "XacctSessionTags", "Effect": "Allow", "Principal": principal,
            "Action": ["sts:SetSourceIdentity", "sts:TagSession"],
        });
        let statements = if terms.session_tags { json!([link, tags]) } else { json!([link]) };
        let expected = json!({"Version": "2012-10-17", "Statement": statements});
        assert_eq!(trust(&terms).to_value(), expected, "{terms:?}");
    }
}

#[test]
fn no_trust_policy_accepts_a_missing_mfa_key() {
    for bits in 0..16 {
        assert!(!trust(&terms(bits)).minified().contains("IfExists"));
    }
}

#[test]
fn every_arn_has_the_partition_and_no_placeholder_remains() {
    for partition in Partition::ALL {
        for document in all_documents(partition) {
            let value = document.to_value();
            assert!(!document.minified().contains("${"), "{document}");
            assert_eq!(PolicyDocument::parse(&document.minified()).as_ref(), Ok(&document));
            let arns = strings(&value).into_iter().filter(|text| text.starts_with("arn:"));
            for arn in arns {
                assert_eq!(arn.split(':').nth(1), Some(partition.as_str()), "{arn}");
            }
        }
    }
}

#[test]
fn hostile_values_stay_inside_their_string() {
    let user: PrincipalArn = format!("arn:aws:iam::111111111111:user{HOSTILE_PATH}alice").parse().unwrap();
    let role: RoleArn = format!("arn:aws:iam::222222222222:role{HOSTILE_PATH}xacct").parse().unwrap();
    let one = BTreeSet::from([role.clone()]);
    let restricted = trust(&TrustTerms { only: [user.clone()].into(), ..terms(0) });
    let cases = [
        (restricted, "/Statement/0/Condition/ArnEquals/aws:PrincipalArn", user.to_string()),
        (grant(&one, &one), "/Statement/0/Resource", role.to_string()),
        (grant(&one, &one), "/Statement/1/Resource", role.to_string()),
        (operator_source(&user), "/Statement/0/Resource", user.to_string()),
    ];
    for (document, place, expected) in cases {
        let read: Value = serde_json::from_str(&document.minified()).unwrap();
        assert_eq!(read.pointer(place), Some(&Value::from(expected)), "{document}");
        let count = read["Statement"].as_array().unwrap().len();
        assert_eq!(count, document.statements.len());
        assert!(count <= 8, "{document}");
    }
    let read: Value = serde_json::from_str(&operator_target(&role).minified()).unwrap();
    let both = json!([role.to_string(), role.without_path().to_string()]);
    assert_eq!(read["Statement"][0]["Resource"], both);
}

#[test]
fn a_grant_names_all_roles_once_and_session_tags_only_where_allowed() {
    let all = BTreeSet::from([role("a"), role("b"), role("c")]);
    let document = grant(&all, &BTreeSet::from([role("b")]));
    let expected = json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "XacctAssumeRole", "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": [
            "arn:aws:iam::222222222222:role/a", "arn:aws:iam::222222222222:role/b", "arn:aws:iam::222222222222:role/c",
        ]},
        {"Sid": "XacctSessionTags", "Effect": "Allow", "Action": ["sts:SetSourceIdentity", "sts:TagSession"],
         "Resource": "arn:aws:iam::222222222222:role/b"},
    ]});
    assert_eq!(document.to_value(), expected);
    assert_eq!(grant(&all, &BTreeSet::new()).statements.len(), 1);
}

#[test]
fn as_many_roles_fit_into_a_grant_as_the_documentation_says() {
    let fitting = |name_length| {
        let size = |count| grant(&roles(count, name_length), &BTreeSet::new()).size();
        (1..).take_while(|count| size(*count) <= DEFAULT_USER_POLICIES_QUOTA).last().unwrap()
    };
    assert_eq!([5, 21, 64].map(fitting), [49, 35, 19]);
}

#[test]
fn the_largest_trust_policy_fits_the_default_quota_unless_the_external_id_is_huge() {
    let size = |length: usize| {
        let id = "x".repeat(length).parse().unwrap();
        trust(&TrustTerms { external_ids: vec![id], ..terms(15) }).size()
    };
    assert!(size(1224) <= DEFAULT_TRUST_POLICY_QUOTA, "{}", size(1224));
    assert_eq!(size(1224) - size(32), 1224 - 32);
}

#[test]
fn the_test_bucket_policy_allows_four_actions_on_its_own_buckets() {
    let expected = json!({"Version": "2012-10-17", "Statement": [{
        "Sid": "XacctVerify", "Effect": "Allow",
        "Action": ["s3:CreateBucket", "s3:DeleteBucket", "s3:ListBucket", "s3:TagResource"],
        "Resource": "arn:aws-cn:s3:::xacct-verify-*",
    }]});
    assert_eq!(verify_bucket(Partition::AwsCn).to_value(), expected);
}

#[test]
fn operators_may_change_only_the_given_user_or_role() {
    let user: PrincipalArn = "arn:aws:iam::111111111111:user/team/alice".parse().unwrap();
    let deployer: PrincipalArn = "arn:aws:iam::111111111111:role/ci/terraform".parse().unwrap();
    let role = role("team/xacct");
    let of_source = [user.to_string(), "arn:aws:iam::111111111111:policy/xacct/xacct-user-alice-*".to_owned()];
    let of_target = [role.to_string(), role.without_path().to_string()];
    let of_deployer =
        [deployer.to_string(), "arn:aws:iam::111111111111:policy/xacct/xacct-role-terraform-*".to_owned()];
    let group: PrincipalArn = "arn:aws:iam::111111111111:group/team/deployers".parse().unwrap();
    let of_group = [group.to_string(), "arn:aws:iam::111111111111:policy/xacct/xacct-group-deployers-*".to_owned()];
    let cases = [
        (operator_source(&user), &of_source[..]),
        (operator_source(&deployer), &of_deployer[..]),
        (operator_source(&group), &of_group[..]),
        (operator_target(&role), &of_target[..]),
    ];
    for (document, named) in cases {
        for statement in &document.statements {
            let (Element::Is(actions), Some(Element::Is(resources))) = (&statement.action, &statement.resource) else {
                panic!("{statement:?}")
            };
            let reads_only =
                actions.iter().all(|action| action.starts_with("iam:Get") || action.starts_with("iam:List"));
            let exact = resources.iter().all(|resource| named.contains(resource));
            let sweeps = statement.sid.as_deref().is_some_and(|sid| sid.starts_with("XacctSweep"));
            assert!(reads_only || exact || sweeps, "{statement:?}");
            if sweeps {
                let deletes = actions.iter().any(|action| action.contains("Delete"));
                assert!(!deletes || resources.iter().all(|name| name == "arn:aws:s3:::xacct-verify-*"));
            }
            let service = if sweeps { "s3:" } else { "iam:" };
            assert!(actions.iter().all(|action| action.starts_with(service) && !action.contains('*')));
            assert!(!actions.contains("iam:PassRole"));
        }
    }
}

#[test]
fn a_target_operator_may_read_any_managed_policy_to_attach() {
    let document = operator_target(&role("xacct"));
    let policies = document.statement("XacctPolicies").unwrap();
    let aws = PolicyArn::new(Partition::Aws, PolicyOwner::Aws, IamPath::root(), "PowerUserAccess".parse().unwrap());
    let Some(Element::Is(resources)) = &policies.resource else { panic!("{policies:?}") };
    let (start, end) = resources.first().unwrap().split_once("*:policy/*").unwrap();
    assert!(aws.to_string().starts_with(start) && end.is_empty(), "{resources:?}");
}

#[test]
fn one_operator_policy_covers_several_roles_of_an_account() {
    let both: BTreeSet<_> = ["a", "team/b"].map(role).into();
    let document = operator_target_of(&both);
    assert_eq!(document.statements.len(), operator_target(&role("a")).statements.len());
    let Some(Element::Is(named)) = &document.statement("XacctRole").unwrap().resource else { panic!("{document}") };
    assert_eq!(named.len(), 3, "{named:?}");
    assert_eq!(operator_target_of(&[role("a")].into()), operator_target(&role("a")));
}

#[test]
fn a_reader_only_reads() {
    let user: PrincipalArn = "arn:aws:iam::111111111111:user/alice".parse().unwrap();
    let document = reader(user.account(), &[user.clone()].into(), &[role("a"), role("b")].into());
    for statement in &document.statements {
        let Element::Is(actions) = &statement.action else { panic!("{statement:?}") };
        let reads = |action: &String| action.starts_with("iam:Get") || action.starts_with("iam:List");
        assert!(actions.iter().all(reads) && statement.effect == Effect::Allow, "{statement:?}");
    }
}

#[test]
fn a_reader_of_other_principals_has_no_statement_about_nobody() {
    let sids = |principal: &str| {
        let principal: PrincipalArn = principal.parse().unwrap();
        let document = reader(principal.account(), &[principal.clone()].into(), &[role("a")].into());
        document.statements.into_iter().filter_map(|statement| statement.sid).collect::<BTreeSet<_>>()
    };
    let of_role = sids("arn:aws:iam::111111111111:role/ci/terraform");
    assert!(!of_role.contains("XacctReadUser") && !of_role.contains("XacctReadMembers"), "{of_role:?}");
    let of_group = sids("arn:aws:iam::111111111111:group/deployers");
    assert!(of_group.contains("XacctReadUser") && of_group.contains("XacctReadMembers"), "{of_group:?}");
}

#[test]
fn the_state_policy_names_only_what_is_used() {
    let of = |workspaces, lock| {
        let place =
            State { partition: Partition::Aws, bucket: "b".into(), key: "k/s".into(), workspaces, kms_key: None, lock };
        let document = state(&place);
        let mut named: Vec<_> = Vec::new();
        for statement in &document.statements {
            let (Element::Is(actions), Some(Element::Is(resources))) = (&statement.action, &statement.resource) else {
                panic!("{statement:?}")
            };
            assert!(actions.iter().all(|action| !action.contains('*')));
            let deletes = if actions.iter().any(|action| action.contains("Delete")) { "-" } else { "" };
            named.extend(resources.iter().map(|resource| format!("{deletes}{resource}")));
        }
        named
    };
    let key = "arn:aws:kms:eu-west-1:222222222222:key/1234abcd";
    let encrypted = State {
        partition: Partition::Aws,
        bucket: "b".into(),
        key: "k/s".into(),
        workspaces: false,
        kms_key: Some(key.parse().unwrap()),
        lock: StateLock::None,
    };
    assert!(state(&encrypted).minified().contains(key));
    let bucket = ["arn:aws:s3:::b", "arn:aws:s3:::b/k/s"];
    assert_eq!(of(false, StateLock::None), bucket);
    assert_eq!(of(false, StateLock::File), [&bucket[..], &["-arn:aws:s3:::b/k/s.tflock"]].concat());
    let workspaces = ["-arn:aws:s3:::b/k/s.tflock", "-arn:aws:s3:::b/env:/*/k/s", "-arn:aws:s3:::b/env:/*/k/s.tflock"];
    assert_eq!(of(true, StateLock::File), [&bucket[..], &workspaces].concat());
    let table = StateLock::Table {
        name: "t".to_owned(),
        account: "222222222222".parse().unwrap(),
        region: "eu-west-1".parse().unwrap(),
    };
    let expected = ["-arn:aws:s3:::b/env:/*/k/s", "-arn:aws:dynamodb:eu-west-1:222222222222:table/t"];
    assert_eq!(of(true, table), [&bucket[..], &expected].concat());
}
