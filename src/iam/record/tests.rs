use super::*;

fn arn(number: usize) -> PolicyArn {
    format!("arn:aws:iam::222222222222:policy/p{number}").parse().unwrap()
}

fn document(action: &str) -> PolicyDocument {
    let statement = format!(r#"{{"Effect":"Allow","Action":"{action}","Resource":"*"}}"#);
    PolicyDocument::parse(&format!(r#"{{"Version":"2012-10-17","Statement":{statement}}}"#)).unwrap()
}

fn inline(names: &[&str]) -> BTreeMap<PolicyName, PolicyDocument> {
    names.iter().map(|name| (name.parse().unwrap(), document("s3:*"))).collect()
}

fn read(value: String) -> Record {
    Record::of_tags(&[(POLICIES_TAG.to_owned(), value)].into())
}

#[test]
fn a_record_knows_what_it_was_made_of_and_nothing_else() {
    let record = read(Record::value(&[arn(1), arn(2)].into(), &inline(&["xacct-deploy"])));
    assert!(record.has_attached(&arn(1).to_string()) && record.has_attached(&arn(2).to_string()));
    assert!(!record.has_attached(&arn(3).to_string()));
    let name = "xacct-deploy".parse().unwrap();
    assert!(record.has_inline(&name, &document("s3:*")));
    assert!(!record.has_inline(&name, &document("ec2:*")));
    assert!(!record.has_inline(&"xacct-other".parse().unwrap(), &document("s3:*")));
}

#[test]
fn the_policy_for_the_test_bucket_needs_no_record() {
    assert_eq!(Record::value(&BTreeSet::new(), &inline(&[VERIFY_POLICY])), "");
}

/// IAM User Guide, "Tags for AWS Identity and Access Management resources": 256 characters.
#[test]
fn all_managed_policies_fit_into_one_tag() {
    let names: Vec<_> = (0..40).map(|number| format!("xacct-{number}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let attachments: BTreeSet<_> = (0..20).map(arn).collect();
    let value = Record::value(&attachments, &inline(&names));
    assert!(value.len() <= 256, "{}", value.len());
    assert!(value.chars().all(|c| c.is_ascii_alphanumeric() || c == ' '), "{value}");
    let record = read(value);
    assert!(attachments.iter().all(|arn| record.has_attached(&arn.to_string())));
}

#[test]
fn a_tag_that_others_wrote_names_no_policy() {
    for value in ["", "   ", "*", "ffff"] {
        let record = read(value.to_owned());
        assert!(!record.has_attached(&arn(1).to_string()), "{value}");
    }
}
