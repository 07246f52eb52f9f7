#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use super::*;

#[test]
fn every_row_has_a_source_and_rows_of_one_argument_follow_each_other() {
    for (index, row) in ROWS.iter().enumerate() {
        assert!(!row.source.is_empty());
        assert!(row.until.is_none_or(|until| row.since < until), "{} {}", row.tool, row.argument);
        let next = ROWS[index + 1..].iter().find(|other| other.tool == row.tool && other.argument == row.argument);
        assert!(next.is_none_or(|next| row.until.is_some_and(|until| until < next.since)), "{}", row.argument);
    }
}

/// At both edges of every row: the first version with the argument, and the first without.
#[test]
fn a_version_has_an_argument_from_the_first_to_the_last() {
    for Row { tool, argument, since, until, .. } in ROWS {
        assert!(Versions::only(*tool, *since).have(*argument), "{tool} {argument}");
        if let Some(before) = before(*since) {
            assert!(!Versions::only(*tool, before).have(*argument), "{tool} {argument}");
            assert!(!Versions::between(*tool, before, None).unwrap().have(*argument), "{tool} {argument}");
        }
        let kept = Versions::between(*tool, *since, None).unwrap();
        assert_eq!(kept.have(*argument), until.is_none(), "{tool} {argument}");
        if let Some(until) = until {
            assert!(!Versions::only(*tool, *until).have(*argument), "{tool} {argument}");
            assert!(Versions::between(*tool, *since, Some(*until)).unwrap().have(*argument), "{tool} {argument}");
        }
    }
}

fn before(number: Number) -> Option<Number> {
    match number {
        (0, 0, 0) => None,
        (major, 0, 0) => Some((major - 1, 999, 0)),
        (major, minor, 0) => Some((major, minor - 1, 999)),
        (major, minor, patch) => Some((major, minor, patch - 1)),
    }
}

#[test]
fn an_error_names_the_version_that_brought_the_argument() {
    assert!(Versions::only(Terragrunt, (0, 54, 5)).require(A::RemoteStateRole, "").is_err());
    let error = |tool, number, argument| {
        let error = Versions::only(tool, number).require(argument, "").unwrap_err();
        (error.message, error.hints.join("; "))
    };
    let expected = "the AWS provider lacks `source_identity` before 4.29";
    assert_eq!(
        error(AwsProvider, (4, 28, 0), A::SourceIdentity),
        (expected.to_owned(), "use 4.29 or later".to_owned())
    );
    let expected = "the AWS provider 5.0 and later lack `duration_seconds`";
    assert_eq!(
        error(AwsProvider, (5, 1, 0), A::DurationSeconds),
        (expected.to_owned(), "use versions before 5.0".to_owned())
    );
    assert_eq!(error(OpenTofu, (1, 9, 0), A::SourceIdentity).0, "OpenTofu has no `source_identity`");
    assert!(Versions::only(Terragrunt, (0, 53, 6)).require(A::RemoteStateRole, "").is_ok());
    assert_eq!(Versions::between(Terraform, (1, 6, 0), Some((1, 6, 0))), None);
}
