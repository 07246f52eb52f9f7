//! HTML reports in Chromium: opened from the disk, filtered, sorted, opened and printed, with a keyboard, on a phone, in
//! the dark, and checked with axe. Skipped without Chromium or Node.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test may panic, and what it prints is shown when it fails"
)]

#[path = "../support/mod.rs"]
mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use support::scene::{ACCOUNT_A, ACCOUNT_B, Scene};
use support::third_party::{installed, skip, test_name};
use xacct::cli::ReportFormat;
use xacct::report::formats::{Document, Places, report, say_since_when};

/// The real links of a document: they work, are too open, denied, blocked by S3.
const REAL: &str = include_str!("../cases/reports/verify.json");

/// Documents of other commands, and of one that failed.
const OTHERS: [(&str, &str); 6] = [
    ("check", include_str!("../cases/reports/check.json")),
    ("diagnose", include_str!("../cases/reports/diagnose.json")),
    ("list", include_str!("../cases/reports/list.json")),
    ("must-refuse", include_str!("../cases/reports/must-refuse.json")),
    ("as", include_str!("../cases/reports/as.json")),
    ("error", include_str!("../cases/reports/error.json")),
];

/// Returns Chromium; `XACCT_CHROMIUM` is its path, the default is Debian's.
fn chromium() -> Result<PathBuf, String> {
    let path = std::env::var_os("XACCT_CHROMIUM").map_or_else(|| PathBuf::from("/usr/bin/chromium"), PathBuf::from);
    match path.is_file() {
        true => Ok(path),
        false => Err(format!("there is no Chromium at {}", path.display())),
    }
}

/// Returns the directory with playwright-core and axe-core.
fn driver() -> Result<PathBuf, String> {
    let files = [("package.json", include_str!("package.json")), ("drive.mjs", include_str!("drive.mjs"))];
    let arguments = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"];
    installed("browser", &files, "npm", &arguments)
}

fn page(document: &Value, since: Option<&Value>) -> String {
    let read = |value: &Value| Document::read(value.clone()).expect("a document");
    let (mut document, since) = (document.clone(), since.map(read));
    since.iter().for_each(|since| say_since_when(&mut document, since));
    report(ReportFormat::Html, &read(&document), since.as_ref(), &Places::default()).expect("a page")
}

/// Returns a document with so many links, most of which work.
fn many(links: usize) -> Value {
    let mut document: Value = serde_json::from_str(REAL).unwrap();
    let real = document["targets"].clone();
    let mut targets = serde_json::Map::new();
    for number in 0..links {
        let (name, account) = (format!("workload-{number:04}"), format!("{:012}", 600_000_000_000_usize + number));
        let kind = match number % 50 {
            7 => "prod",
            13 | 14 => "billing",
            21 => "audit",
            _ => "dev",
        };
        let text = real[kind].to_string().replace(ACCOUNT_B, &account).replace("333333333333", &account);
        // Each request has an ID of its own.
        let mut target: Value = serde_json::from_str(&text).unwrap();
        for (step, one) in target["verification"]["steps"].as_array_mut().unwrap().iter_mut().enumerate() {
            for (index, id) in
                one.get_mut("request_ids").and_then(Value::as_array_mut).into_iter().flatten().enumerate()
            {
                *id = json!(format!("{number:08x}-{step:04x}-4a52-9d1c-{index:012x}"));
            }
        }
        targets.insert(name, target);
    }
    document["targets"] = Value::Object(targets);
    document
}

/// Would run, load or change something if it were taken for markup.
const MARKUP: &str = "</script><script>window.ran=1</script><img src=x onerror=window.ran=1><b>\"'&amp;<!--";

/// Returns a document with markup in every text.
fn hostile() -> Value {
    fn spoil(value: &mut Value, key: &str) {
        const FIXED: [&str; 8] = ["schema_version", "command", "outcome", "id", "verdict", "certainty", "kind", "side"];
        match value {
            Value::String(text) if !FIXED.contains(&key) => text.push_str(MARKUP),
            Value::Array(list) => list.iter_mut().for_each(|item| spoil(item, key)),
            Value::Object(members) => members.iter_mut().for_each(|(key, member)| spoil(member, key)),
            _ => {}
        }
    }
    let mut document: Value = serde_json::from_str(REAL).unwrap();
    spoil(&mut document, "");
    let targets = document["targets"].as_object().unwrap().clone();
    let named = targets.into_iter().map(|(name, target)| (format!("{name}{MARKUP}"), target));
    document["targets"] = Value::Object(named.collect());
    document
}

/// Returns the page of a real run.
fn real() -> String {
    let scene = Scene::linked("--external-id abcdefgh");
    scene.sandbox.world(|world| world.user_mut(ACCOUNT_A, "alice").policies.inline.clear());
    scene.xacct("verify --report html=r.html").exits_with(3);
    scene.environment.read("r.html")
}

#[track_caller]
fn assert_none(found: &Value, what: &str) {
    assert_eq!(found, &json!([]), "{what}");
}

#[test]
fn reports_in_chromium() {
    let (chromium, driver) = match chromium().and_then(|chromium| Ok((chromium, driver()?))) {
        Ok(both) => both,
        Err(reason) => return skip(test_name!(), &reason),
    };
    let kept = std::env::var_os("XACCT_SCREENSHOTS").map(PathBuf::from);
    let temporary = tempfile::tempdir().unwrap();
    let folder = kept.as_deref().unwrap_or(temporary.path());
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    let few: Value = serde_json::from_str(REAL).unwrap();
    let mut before = few.clone();
    before["targets"]["prod"] = before["targets"]["dev"].clone();
    before["targets"]["former"] = before["targets"]["dev"].clone();
    let thousand = page(&many(1000), None);
    write("empty.html", "<!doctype html><html lang=\"en\"><title>empty</title></html>");
    write("few.html", &page(&few, Some(&before)));
    write("many.html", &thousand);
    write("hostile.html", &page(&hostile(), None));
    write("real.html", &real());
    for (name, document) in OTHERS {
        write(&format!("{name}.html"), &page(&serde_json::from_str(document).unwrap(), None));
    }
    let found = drive(&driver, &chromium, folder);
    println!("{found:#}");

    assert!(thousand.len() < 3_000_000, "{} bytes", thousand.len());
    let ready = |page: &str| found["ready"][page].as_f64().unwrap();
    let (empty, full) = (ready("empty"), ready("many"));
    println!("1,000 links: {} bytes, ready in {full:.0} ms, an empty page in {empty:.0} ms", thousand.len());
    // As a ratio, because the machine may be busy.
    assert!(full < 1000.0 || full < 15.0 * empty, "{full} ms, an empty page {empty} ms");

    for page in ["few", "many", "real"] {
        let used = &found[page];
        assert_none(&used["problems"], page);
        assert_none(&used["axe"], page);
        assert_none(&used["axe_dark"], page);
        assert_eq!((&used["pdf"], &used["closed"]), (&json!("%PDF-"), &json!(true)), "{page}");
        assert_eq!((&used["expanded"], &used["aria_sort"]), (&json!("true"), &json!("descending")), "{page}");
    }
    let few = &found["few"];
    assert_eq!(few["sentence"], "1 of 4 links works; 1 is too open, 1 does not work, 1 blocked by S3.");
    assert_eq!((&few["rows"], &few["shown"]), (&json!(4), &json!("1 of 4 shown")));
    assert_eq!((&few["filtered"], &few["of_state"]), (&json!(["prod"]), &json!(["prod"])));
    assert_eq!(few["ascending"], json!(["audit", "billing", "dev", "prod"]));
    assert_eq!(few["descending"], json!(["prod", "dev", "billing", "audit"]));
    let details = few["details"].as_str().unwrap();
    for text in
        ["alice assumes the role", "denied without external ID", "xacct bootstrap prod", "trust policy of role xacct"]
    {
        assert!(details.contains(text), "{text}: {details}");
    }
    assert!(few["marked"].to_string().contains("999999999999"), "{}", few["marked"]);
    assert!(!few["deciding"].as_array().unwrap().is_empty(), "{few}");

    assert!(found["few"]["since"].as_str().unwrap().contains("the same result since 2026-11-30 07:15:45 UTC"), "{few}");

    let many = &found["many"];
    assert_eq!((&many["rows"], &many["shown"]), (&json!(1000), &json!("20 of 1000 shown")));
    for action in ["filter_ms", "sort_ms", "open_ms"] {
        let took = many[action].as_f64().unwrap();
        assert!(took < 500.0 || took < 2.0 * full, "{action}: {took} ms");
    }
    for share in found["causes"].as_array().unwrap() {
        assert!(share.as_f64().unwrap() > 0.25, "{}", found["causes"]);
    }
    for phone in ["phone", "phone_many"] {
        assert_eq!(found[phone]["overflow"], 0, "{phone}");
        assert_none(&found[phone]["problems"], phone);
        assert_none(&found[phone]["axe"], phone);
    }
    let bare = &found["without_script"];
    assert_eq!((&bare["rows"], &bare["form"]), (&json!(1000), &json!(false)), "{bare}");
    assert!(bare["words"].as_str().unwrap().contains("JavaScript"), "{bare}");

    for (name, _) in OTHERS {
        let other = &found["others"][name];
        assert_none(&other["problems"], name);
        assert_none(&other["axe"], name);
        assert_eq!(other["details"], if name == "error" { 0 } else { 4 }, "{name}");
    }

    let hostile = &found["hostile"];
    assert_none(&hostile["problems"], "hostile");
    assert_eq!(hostile["ran"], true, "a name was taken for a script");
    let elements = hostile["elements"].to_string();
    assert!(!elements.contains("\"img\"") && !elements.contains("\"b\""), "{elements}");
    assert!(hostile["text"].as_str().unwrap().contains(MARKUP), "{}", hostile["text"]);
}

/// Lets Chromium open the pages in this folder, and returns what it found.
fn drive(driver: &Path, chromium: &Path, folder: &Path) -> Value {
    let mut node = Command::new("node");
    node.arg(driver.join("drive.mjs")).arg(folder).arg(chromium);
    let output = node.output().expect("node runs, because npm did");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}\n{err}"))
}
