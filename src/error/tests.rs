use std::error::Error as _;

use super::*;

fn answer(code: Option<&str>) -> AwsAnswer {
    AwsAnswer {
        service: "iam".into(),
        operation: "GetRole".into(),
        code: code.map(str::to_owned),
        message: None,
        request_id: None,
        status: None,
    }
}

#[test]
fn recognizes_denials_by_error_code() {
    for code in ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation"] {
        assert!(answer(Some(code)).is_denial(), "{code}");
    }
    for code in [Some("NoSuchEntity"), Some("InvalidClientTokenId"), Some("RegionDisabledException"), None] {
        assert!(!answer(code).is_denial(), "{code:?}");
    }
    assert!(!Error::new(Kind::Network, "AccessDenied").is_denial());
}

#[test]
fn keeps_the_source_and_hides_its_debug_output() {
    let inner = std::io::Error::new(std::io::ErrorKind::NotFound, "no such file");
    let error = Error::new(Kind::File, "cannot read the file").caused_by(inner);
    let source = error.source().and_then(|source| source.downcast_ref::<std::io::Error>());
    assert_eq!(source.map(std::io::Error::kind), Some(std::io::ErrorKind::NotFound));
    assert!(format!("{error:?}").contains("no such file"));
    assert!(!format!("{error:?}").contains("NotFound"));
    assert!(Error::new(Kind::File, "cannot read the file").source().is_none());
}

#[test]
fn the_worst_exit_code_wins_in_any_order() {
    let order = [
        ExitCode::Done,
        ExitCode::ChangesPending,
        ExitCode::Unproven,
        ExitCode::BrokenOrOpen,
        ExitCode::Usage,
        ExitCode::Error,
    ];
    for (number, worse) in order.into_iter().enumerate() {
        for better in order.into_iter().take(number) {
            assert_eq!(ExitCode::worst([worse, better]), worse);
            assert_eq!(ExitCode::worst([better, worse, better]), worse);
        }
    }
    assert_eq!(ExitCode::worst([]), ExitCode::Done);
}

#[test]
fn separates_its_own_message_from_program_output() {
    let error =
        Error::new(Kind::Credentials, "cannot get credentials from profile `x`").said("a secret: of its".into());
    let error = error.context("the source account");
    assert_eq!(error.message, "the source account: cannot get credentials from profile `x`: a secret: of its");
    assert_eq!(error.own_message(), "the source account: cannot get credentials from profile `x`");
    assert_eq!(Error::usage("a: b").own_message(), "a: b");
}
