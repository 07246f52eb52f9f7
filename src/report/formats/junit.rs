//! JUnit XML: a suite for each link, a test case for each step.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::cases::{Case, Outcome};
use super::code::xml;
use super::link::Link;
use super::view::View;
use super::words::plain;
use crate::error::{Error, Kind, Result};

/// Returns the report.
///
/// # Errors
/// When it cannot be written as XML, which is a bug in xacct.
pub fn report(view: &View<'_>) -> Result<String> {
    let mut report = Report::new(format!("xacct {}", view.command));
    if !view.cases.is_empty() {
        let name = view.source.map_or_else(|| format!("xacct {}", view.command), |account| format!("source {account}"));
        report.add_test_suite(suite(&name, &view.cases));
    }
    report.add_test_suites(view.links.iter().map(of_link));
    report.to_string().map_err(|error| Error::new(Kind::Internal, format!("cannot write the JUnit report: {error}")))
}

fn of_link(link: &Link<'_>) -> TestSuite {
    let mut suite = suite(link.name, &link.cases);
    if let Some(at) = link.started_at {
        suite.extra.insert("timestamp".into(), xml(at).into());
    }
    suite.time = link.duration_ms.map(Duration::from_millis);
    let properties = [("account", &*link.account), ("role", &*link.role), ("result", link.result)];
    let principals = link.principals.iter().map(|principal| ("principal", *principal));
    suite.add_properties(properties.into_iter().chain(principals).map(|(name, value)| (name.to_owned(), xml(value))));
    suite
}

fn suite(name: &str, cases: &[Case]) -> TestSuite {
    let mut suite = TestSuite::new(xml(name));
    suite.add_test_cases(cases.iter().map(|case| test_case(case, name)));
    suite
}

fn test_case(case: &Case, suite: &str) -> TestCase {
    let mut status = match case.outcome {
        Outcome::Passed | Outcome::Warned => TestCaseStatus::success(),
        Outcome::Failed if case.counts => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Outcome::Unclear if case.counts => TestCaseStatus::non_success(NonSuccessKind::Error),
        _ => TestCaseStatus::skipped(),
    };
    if !matches!(case.outcome, Outcome::Passed | Outcome::Warned) {
        let message = if case.evidence.is_empty() { &case.title } else { &case.evidence };
        status.set_message(xml(message)).set_type(case.id.clone());
        if !case.why.is_empty() {
            status.set_description(xml(&plain(&case.why)));
        }
    }
    let mut test = TestCase::new(xml(&case.title), status);
    test.set_classname(xml(suite));
    test.time = case.duration_ms.map(Duration::from_millis);
    let evidence = Some(&case.evidence).filter(|it| !it.is_empty() && test_is_fine(case));
    let requests = case.request_ids.iter().map(|id| format!("request {id}"));
    let out: Vec<_> = evidence.into_iter().chain(&case.remarks).cloned().chain(requests).collect();
    if !out.is_empty() {
        test.set_system_out(xml(&out.join("\n")));
    }
    test
}

/// Returns whether the message of the status does not have the evidence.
fn test_is_fine(case: &Case) -> bool {
    matches!(case.outcome, Outcome::Passed | Outcome::Warned)
}
