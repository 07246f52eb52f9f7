use super::*;

fn user(name: &str) -> PrincipalArn {
    format!("arn:aws:iam::111111111111:user/{name}").parse().unwrap()
}

fn link() -> Identity {
    Identity {
        id: Some("abc".parse().unwrap()),
        is_without_external_id: false,
        external_ids: BTreeSet::from(["first".parse().unwrap()]),
        principals: BTreeSet::from([user("alice")]),
    }
}

fn tag(id: &str) -> BTreeMap<String, String> {
    [(LINK_TAG.to_owned(), id.to_owned())].into()
}

fn trust(key: &str, value: &str) -> PolicyDocument {
    let condition = match key {
        "" => String::new(),
        key => format!(r#","Condition":{{"StringEquals":{{"{key}":"{value}"}}}}"#),
    };
    let principal = r#""Principal":{"AWS":"111111111111"}"#;
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow",{principal},"Action":"sts:AssumeRole"{condition}}}]}}"#
    );
    PolicyDocument::parse(&text).unwrap()
}

#[test]
fn a_tag_decides_whatever_the_trust_policy_says() {
    for trust in [trust("sts:ExternalId", "first"), trust("sts:ExternalId", "other"), trust("", "")] {
        assert!(link().owns(&tag("abc"), Some(&trust)));
        assert!(!link().owns(&tag("other"), Some(&trust)));
        assert!(!Identity { id: None, ..link() }.owns(&tag("abc"), Some(&trust)));
    }
}

#[test]
fn without_a_tag_the_external_id_or_the_user_must_agree() {
    let none = BTreeMap::new();
    assert!(link().owns(&none, Some(&trust("sts:ExternalId", "first"))));
    assert!(link().owns(&none, Some(&trust("aws:PrincipalArn", &user("alice").to_string()))));
    assert!(!link().owns(&none, Some(&trust("sts:ExternalId", "other"))));
    assert!(!link().owns(&none, Some(&trust("aws:PrincipalArn", &user("bob").to_string()))));
    assert!(!link().owns(&none, Some(&trust("", ""))));
}

#[test]
fn that_neither_has_an_external_id_tells_of_a_link_on_record_only() {
    let without = Identity { is_without_external_id: true, external_ids: BTreeSet::new(), ..link() };
    assert!(without.owns(&BTreeMap::new(), Some(&trust("", ""))));
    assert!(!without.owns(&BTreeMap::new(), Some(&trust("sts:ExternalId", "first"))));
    assert!(!Identity { is_without_external_id: false, ..without }.owns(&BTreeMap::new(), Some(&trust("", ""))));
}

#[test]
fn each_user_has_an_id_of_its_own() {
    let id = |account: &str, user: &str| {
        new_id(&account.parse().unwrap(), &format!("user/{user}").parse().unwrap()).unwrap()
    };
    assert_eq!(id("111111111111", "alice"), id("111111111111", "alice"));
    assert_ne!(id("111111111111", "alice"), id("111111111111", "bob"));
    assert_ne!(id("111111111111", "alice"), id("333333333333", "alice"));
}
