//! The time of reports grows at most linearly with the number of links.

use serde_json::{Value, json};
use xacct::cli::ReportFormat;
use xacct::report::formats::{Document, Hiding, Places, report, say_since_when};

use crate::support::growth::{assert_linear, fastest};

/// Returns a document with so many links, each with an account and an external ID of its own.
fn many(links: usize) -> Value {
    let mut document: Value = serde_json::from_str(include_str!("../cases/reports/verify.json")).unwrap();
    let kinds: Vec<_> = document["targets"].as_object().unwrap().values().map(Value::to_string).collect();
    let targets = (0..links).map(|number| {
        let account = format!("{:012}", 600_000_000_000_usize + number);
        let text = kinds[number % kinds.len()].replace("222222222222", &account);
        let mut target: Value = serde_json::from_str(&text).unwrap();
        target["external_id"] = json!(format!("customer-{number:06}"));
        target["notes"] = json!([format!("the request had external ID customer-{number:06}")]);
        (format!("target-{number}"), target)
    });
    document["targets"] = Value::Object(targets.collect());
    document
}

fn read(document: &Value) -> Document {
    Document::read(document.clone()).unwrap()
}

#[test]
fn time_of_reports_is_linear_in_links() {
    for format in [ReportFormat::Junit, ReportFormat::Markdown, ReportFormat::Html, ReportFormat::Github] {
        assert_linear(format.id(), 50, |links| {
            let document = read(&many(links));
            fastest(3, || drop(report(format, &document, Some(&document), &Places::default()).unwrap()))
        });
    }
    assert_linear("since", 50, |links| {
        let document = many(links);
        fastest(3, || say_since_when(&mut document.clone(), &read(&document)))
    });
}

#[test]
fn time_of_hiding_is_linear_in_external_ids() {
    // Only what is to be hidden, so that its growth shows.
    let short = |links| {
        let mut document = many(links);
        for target in document["targets"].as_object_mut().unwrap().values_mut() {
            let fields = target.as_object_mut().unwrap();
            fields.retain(|key, _| ["account", "external_id", "notes"].contains(&key.as_str()));
        }
        document
    };
    for accounts in [false, true] {
        assert_linear("hiding", 500, |links| {
            let (hiding, document) = (Hiding { accounts, ..Hiding::default() }, short(links));
            fastest(3, || hiding.clone().hide(&mut [&mut document.clone()]))
        });
    }
}
