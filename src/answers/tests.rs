use super::*;

#[test]
fn every_row_can_be_reached_and_has_a_source() {
    for (index, row) in ALL.iter().enumerate() {
        let service = match row.service {
            Service::Any => "other",
            Service::Query | Service::Sts => "sts",
            Service::Iam => "iam",
            Service::S3 => "s3",
            Service::IdentityCenter => "sso-admin",
        };
        let found = look_up(service, row.code, row.says).expect("a row");
        assert!(std::ptr::eq(found, row), "row {index}, {} `{}`, is hidden by {found:?}", row.code, row.says);
        assert!(!row.source.is_empty() && row.says == row.says.to_ascii_lowercase(), "{row:?}");
    }
}

#[test]
fn an_unknown_answer_has_no_row() {
    for (service, code) in [("sts", "TeapotException"), ("s3", "NoSuchEntity"), ("iam", "TooManyBuckets"), ("s3", "")] {
        assert!(look_up(service, code, "Rate exceeded").is_none(), "{service} {code}");
    }
}

#[test]
fn one_code_can_have_several_meanings() {
    let meaning = |message: &str| look_up("sts", "SignatureDoesNotMatch", message).map(|row| row.meaning);
    for (message, expected) in [
        ("Credential should be scoped to a valid region. ", Meaning::SigningRegion),
        ("Credential should be scoped to a valid region, not 'eu-west-9'. ", Meaning::SigningRegion),
        ("Credential should be scoped to correct service: 'sts'. ", Meaning::SigningRegion),
        ("Signature expired: 20261129T101112Z is now earlier than 20261129T111112Z", Meaning::Clock),
        ("Signature not yet current: 20261129T101112Z is still later than 20261129T091112Z", Meaning::Clock),
        ("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP", Meaning::Clock),
        ("The request signature we calculated does not match the signature you provided.", Meaning::WrongSecret),
    ] {
        assert_eq!(meaning(message), Some(expected), "{message}");
    }
}
