use super::*;
use crate::answers::{self, Meaning, Passes, Row, Service};
use crate::diagnosis::{self, Cause, Facts};

#[test]
fn shows_answers_on_one_line_of_limited_length() {
    assert_eq!(shown("a\r\nb\u{1b}[2J\u{9b}é"), "a  b\\u001b[2J\\u009bé");
    let (most, more) = ("é".repeat(1000), "é".repeat(1001));
    assert_eq!(shown(&most), most);
    assert_eq!(shown(&more), format!("{most}…"));
}

/// Returns the facts of a working link, with this answer to AssumeRole or, from S3, to CreateBucket.
fn facts(answer: &AwsAnswer) -> Facts {
    let case = include_str!("../../../../tests/cases/diagnose/invalid_request.json");
    let mut case: serde_json::Value = serde_json::from_str(case).expect("JSON");
    let facts = &mut case["facts"];
    facts["request"]["external_id"] = "abc".into();
    facts["caller"]["identity"] = serde_json::json!({"unreadable": {"permission": "", "answer": "no answer"}});
    if answer.service == "s3" {
        facts["answer"] = serde_json::json!({"accepted": "arn:aws:sts::222222222222:assumed-role/xacct/alice"});
        facts["s3"] = serde_json::json!({"bucket": "b", "region": "us-east-1", "answer": answer});
    } else {
        facts["answer"] = serde_json::json!({ "refused": answer });
    }
    Facts::parse(&facts.to_string(), "facts").expect("facts")
}

fn answer(service: &'static str, code: &str, message: &str, status: u16) -> AwsAnswer {
    AwsAnswer {
        service: service.into(),
        operation: if service == "s3" { "CreateBucket" } else { "AssumeRole" }.into(),
        code: Some(code.to_owned()),
        message: Some(message.to_owned()),
        request_id: None,
        status: Some(status),
    }
}

/// What both the error line and the diagnosis must say about a cause, and what neither may say about another.
const SUBJECTS: [(Cause, &str); 18] = [
    (Cause::UnknownCredentials, "access key"),
    (Cause::ExpiredToken, "expired"),
    (Cause::WrongSecret, "secret access key does not match"),
    (Cause::ClockSkew, "clock differs"),
    (Cause::SigningRegion, "signed for"),
    (Cause::S3Session, "S3 does not accept the credentials"),
    (Cause::StsInactive, "STS is not active"),
    (Cause::AccountNotReady, "not ready"),
    (Cause::DurationOverRoleLimit, "session"),
    (Cause::DurationOverChainingLimit, "session"),
    (Cause::InvalidRequest, "correct"),
    (Cause::AwsUnavailable, "again"),
    (Cause::S3Quota, "quota"),
    (Cause::S3Region, "Region"),
    (Cause::S3Tags, "tags"),
    (Cause::S3Namespace, "namespace"),
    (Cause::MfaCodeWrong, ""),
    (Cause::MfaSerialWrong, ""),
];

/// Only these sentences may not appear about anything else.
const EXCLUSIVE: [Cause; 7] = [
    Cause::ExpiredToken,
    Cause::WrongSecret,
    Cause::ClockSkew,
    Cause::SigningRegion,
    Cause::S3Session,
    Cause::StsInactive,
    Cause::AccountNotReady,
];

fn services(row: &Row) -> &'static [&'static str] {
    match row.service {
        Service::Any => &["sts", "s3"],
        Service::Query | Service::Sts => &["sts"],
        Service::Iam => &["iam"],
        Service::S3 => &["s3"],
        Service::IdentityCenter => &["sso-admin"],
    }
}

/// Returns the cause that a diagnosis must name; `None` if the policies or the state of the accounts decide.
fn cause(meaning: Meaning) -> Option<Cause> {
    Some(match meaning {
        Meaning::Denied | Meaning::DeniedByOthers => return None,
        // Only writes of roles and policies get these, and no diagnosis is about them.
        Meaning::Absent | Meaning::Exists | Meaning::Quota | Meaning::InUse | Meaning::Fixed => return None,
        Meaning::CallerIsRoot => Cause::CallerIsRoot,
        Meaning::MfaCodeWrong => Cause::MfaCodeWrong,
        Meaning::MfaSerialWrong => Cause::MfaSerialWrong,
        Meaning::UnknownKey | Meaning::MalformedKey | Meaning::Unsigned => Cause::UnknownCredentials,
        Meaning::SessionExpired => Cause::ExpiredToken,
        Meaning::WrongSecret => Cause::WrongSecret,
        Meaning::Clock => Cause::ClockSkew,
        Meaning::SigningRegion => Cause::SigningRegion,
        Meaning::S3Session => Cause::S3Session,
        Meaning::StsInactive => Cause::StsInactive,
        Meaning::AccountNotReady => Cause::AccountNotReady,
        Meaning::DurationOverRole => Cause::DurationOverRoleLimit,
        Meaning::DurationOverChain => Cause::DurationOverChainingLimit,
        Meaning::Invalid => Cause::InvalidRequest,
        Meaning::Throttled | Meaning::Failed | Meaning::InProgress | Meaning::Unsettled => Cause::AwsUnavailable,
        Meaning::S3Quota => Cause::S3Quota,
        Meaning::S3Region => Cause::S3Region,
        Meaning::S3Tags => Cause::S3Tags,
        Meaning::S3Namespace => Cause::S3Namespace,
    })
}

#[test]
fn for_every_row_the_error_line_and_the_diagnosis_agree() {
    let mut compared = 0;
    for (row, service) in answers::ALL.iter().flat_map(|row| services(row).iter().map(move |service| (row, *service))) {
        let answer = answer(service, row.code, &format!("Words {}.", row.says), 400);
        let error = of_answer(answer.clone());
        let diagnosis = diagnosis::diagnose(&facts(&answer));
        let found = diagnosis.cause();
        let place = format!("{service} {} `{}`: {error:?}\n{:#?}", row.code, row.says, diagnosis.findings);
        assert_eq!(error.is_denial(), row.meaning.is_denial(), "{place}");
        assert_eq!(error.passes(), row.passes, "{place}");
        if let Some(cause) = row.cause {
            assert_eq!(found, Some(cause), "{place}");
            continue;
        }
        let Some(cause) = cause(row.meaning) else {
            // Denials are left to the policies; the rest is not about links.
            let is_left = row.meaning.is_denial() || found == Some(Cause::UnknownAnswer) || service == "iam";
            assert!(is_left, "{place}");
            continue;
        };
        if cause == Cause::CallerIsRoot || service == "iam" {
            continue;
        }
        compared += 1;
        assert_eq!(found, Some(cause), "{place}");
        let said = |text: &str| text.to_lowercase();
        let line = said(&[vec![error.message.clone()], error.hints.clone(), error.notes.clone()].concat().join(" "));
        let finding = serde_json::to_value(&diagnosis.findings[0]).expect("JSON");
        let finding = said(&format!("{} {}", finding["summary"], finding["fixes"]));
        let finding = if cause == Cause::AwsUnavailable { finding.replace("wait a moment", "again") } else { finding };
        for (subject, words) in SUBJECTS {
            let words = said(words);
            if subject == cause {
                assert!(line.contains(&words) && finding.contains(&words), "`{words}`: {place}");
            } else if EXCLUSIVE.contains(&subject) {
                assert!(!line.contains(&words) && !finding.contains(&words), "`{words}`: {place}");
            }
        }
        let is_credentials =
            matches!(cause, Cause::UnknownCredentials | Cause::ExpiredToken | Cause::WrongSecret | Cause::ClockSkew);
        assert_eq!(error.kind == Kind::Credentials, is_credentials, "{place}");
    }
    assert!(compared > 60, "only {compared} rows");
}

#[test]
fn an_unknown_answer_is_shown_as_it_is_and_never_passes() {
    for (service, asked) in
        [("sts", "sts:AssumeRole on arn:aws:iam::222222222222:role/xacct"), ("s3", "s3:CreateBucket on bucket b")]
    {
        let answer = answer(service, "TeapotException", "I am a teapot", 418);
        let error = of_answer(answer.clone());
        assert_eq!(error.passes(), Passes::Never);
        assert!(error.message.contains("TeapotException, which is not known to xacct"), "{error}");
        let diagnosis = diagnosis::diagnose(&facts(&answer));
        let finding = &diagnosis.findings[0];
        assert_eq!(finding.cause, Cause::UnknownAnswer);
        assert_ne!(finding.certainty, diagnosis::Certainty::Certain);
        assert!(finding.summary.contains("TeapotException") && finding.summary.contains(asked), "{finding:?}");
        let shown = serde_json::to_string(finding).expect("JSON");
        assert!(shown.contains("I am a teapot") && !shown.contains("wait"), "{shown}");
    }
    let failed = diagnosis::diagnose(&facts(&answer("sts", "OddFailure", "no", 500)));
    assert_eq!(failed.cause(), Some(Cause::AwsUnavailable));
    assert_ne!(failed.findings[0].certainty, diagnosis::Certainty::Certain);
}

#[test]
fn only_an_account_that_is_not_signed_up_is_certainly_new() {
    for (code, certainty, says_suspended) in
        [("NotSignedUp", diagnosis::Certainty::Certain, false), ("OptInRequired", diagnosis::Certainty::Likely, true)]
    {
        let diagnosis = diagnosis::diagnose(&facts(&answer("s3", code, "No.", 403)));
        let finding = &diagnosis.findings[0];
        assert_eq!((finding.cause, finding.certainty), (Cause::AccountNotReady, certainty), "{code}");
        let shown = serde_json::to_string(finding).expect("JSON");
        assert_eq!(shown.contains("suspended or unpaid"), says_suspended, "{shown}");
    }
}
