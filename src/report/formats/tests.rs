use std::collections::BTreeSet;
use std::sync::LazyLock;

use html5ever::tendril::TendrilSink;
use markup5ever_rcdom::{Handle, NodeData, RcDom};
use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag};
use serde_json::{Value, json};

use super::code::lines;
use super::*;
use crate::text::is_hidden;

/// What commands print, as recorded in the sandbox.
const DOCUMENTS: [(&str, &str); 7] = [
    ("verify", include_str!("../../../tests/cases/reports/verify.json")),
    ("check", include_str!("../../../tests/cases/reports/check.json")),
    ("diagnose", include_str!("../../../tests/cases/reports/diagnose.json")),
    ("list", include_str!("../../../tests/cases/reports/list.json")),
    ("must-refuse", include_str!("../../../tests/cases/reports/must-refuse.json")),
    ("as", include_str!("../../../tests/cases/reports/as.json")),
    ("error", include_str!("../../../tests/cases/reports/error.json")),
];

type Checked = std::result::Result<(), TestCaseError>;

const FORMATS: [ReportFormat; 4] =
    [ReportFormat::Junit, ReportFormat::Markdown, ReportFormat::Html, ReportFormat::Github];

fn recorded(name: &str) -> Value {
    let (_, text) = DOCUMENTS.into_iter().find(|(known, _)| *known == name).unwrap();
    serde_json::from_str(text).unwrap()
}

fn read(document: &Value) -> Document {
    Document::read(document.clone()).unwrap()
}

fn reported(format: ReportFormat, document: &Value) -> String {
    let places = Places { file: "a:b,c%\n.toml".to_owned(), lines: [("prod".to_owned(), 7)].into() };
    report(format, &read(document), Some(&read(document)), &places).unwrap()
}

fn sentence(document: &Value) -> String {
    View::of(&read(document)).sentence()
}

#[test]
fn says_the_result_in_one_sentence() {
    let sentences = [
        ("verify", "1 of 4 links works; 1 is too open, 1 does not work, 1 blocked by S3."),
        ("check", "1 of 4 links matches xacct.toml; 3 differ."),
        ("diagnose", "1 of 4 links has no problems; 3 have problems."),
        ("list", "1 of 4 links works; 1 is too open, 1 does not work, 1 blocked by S3."),
        ("must-refuse", "All 4 links deny this caller."),
        ("as", "0 of 4 links are allowed by evaluation; 4 not allowed by evaluation."),
        ("error", "xacct verify ended with an error: profile `nix` does not exist in the AWS config files."),
    ];
    for (name, expected) in sentences {
        assert_eq!(sentence(&recorded(name)), expected, "{name}");
    }
    assert_eq!(sentence(&json!({"schema_version": 1, "command": "verify", "targets": {}})), "There are no links.");
}

#[test]
fn a_document_without_form_is_refused() {
    let wrong = [json!({}), json!([]), json!({"schema_version": 2}), json!({"schema_version": 1, "targets": 7})];
    assert!(wrong.into_iter().all(|value| Document::read(value).is_err()));
}

/// `list` and `verify` have the same states and steps: that they come from one type is checked here.
#[test]
fn several_commands_have_the_same_cases() {
    let names = |name: &str| {
        let document = read(&recorded(name));
        let view = View::of(&document);
        let cases = view.links.iter().flat_map(|link| {
            let steps = link.cases.iter().filter(|case| case.id != "drift");
            steps.map(|case| (link.name.to_owned(), case.title.clone(), case.outcome.mark())).collect::<Vec<_>>()
        });
        cases.collect::<Vec<_>>()
    };
    assert_eq!(names("verify"), names("list"));
    assert_eq!(names("verify").len(), 27);
}

#[test]
fn changes_are_sorted_from_bad_to_good() {
    let (mut before, now) = (recorded("verify"), recorded("verify"));
    let targets = before["targets"].as_object_mut().unwrap();
    let (works, open) = (targets["dev"].clone(), targets["prod"].clone());
    targets["billing"] = works.clone();
    targets["dev"] = open;
    targets.remove("audit");
    targets.insert("former".to_owned(), works);
    targets["prod"]["diagnosis"]["findings"][0]["summary"] = json!("another cause");
    let (before, now) = (read(&before), read(&now));
    let changes = change::between(&View::of(&before), &View::of(&now));
    let kinds: Vec<_> = changes.changed.iter().map(|it| (it.name.as_str(), it.kind.word())).collect();
    assert_eq!(
        kinds,
        [("billing", "worse"), ("former", "gone"), ("audit", "new"), ("prod", "changed"), ("dev", "better")]
    );
    assert_eq!(changes.unchanged, 0);
    assert_eq!(changes.sentence(), "1 worse, 1 better, 1 changed, 1 new, 1 gone; 0 links as before.");
}

#[test]
fn details_end_before_the_summary_gets_too_long_for_github() {
    let mut document = recorded("verify");
    let broken = document["targets"]["billing"].clone();
    let targets = (0..2000).map(|number| (format!("t{number}"), broken.clone())).collect();
    document["targets"] = Value::Object(targets);
    let text = reported(ReportFormat::Markdown, &document);
    assert!(text.len() < 1024 * 1024 && text.contains("are left out"), "{}", text.len());
}

#[test]
fn annotations_name_the_line_of_the_target() {
    let text = reported(ReportFormat::Github, &recorded("verify"));
    let line = text.lines().find(|line| line.contains("title=prod%3A TOO OPEN::")).unwrap();
    assert!(line.starts_with("::error file=a%3Ab%2Cc%25 .toml,line=7,title="), "{line}");
    assert!(text.lines().any(|line| line.starts_with("::error title=billing%3A")), "{text}");
}

/// Links with the same problem share what the page says about it.
#[test]
fn a_thousand_broken_links_fit_into_the_page() {
    let mut document = recorded("verify");
    let broken = document["targets"]["billing"].to_string();
    let target = |number: usize| {
        let account = format!("{:012}", 500_000_000_000 + number);
        let text = broken.replace("222222222222", &account);
        (
            format!("workload-{number}"),
            serde_json::from_str(&text.replace("billing", &format!("workload-{number}"))).unwrap(),
        )
    };
    document["targets"] = Value::Object((0..1000).map(target).collect());
    let page = reported(ReportFormat::Html, &document);
    assert!(page.len() < 3_000_000, "{} bytes", page.len());
}

/// Pieces that mean something to one of the formats.
fn hostile() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "</script><script>alert(1)</script>",
        "<!--",
        "-->",
        "]]>",
        "<![CDATA[",
        "&amp;",
        "&#60;",
        "\"'><img src=x onerror=1>",
        "\r\n::error::no",
        "\n",
        "%0A",
        "%",
        "::stop-commands::x",
        "|",
        "`",
        "```\n",
        "**b**",
        "_i_",
        "[a](http://b.c)",
        "![a](b)",
        "http://example.com",
        "www.example.com",
        "@team",
        "#1",
        "1. ",
        "- ",
        "> ",
        "<details>",
        "\u{1b}[2J",
        "\u{202e}",
        "\u{0}",
        "\u{fffe}",
        "\u{ffff}",
        "\u{2028}",
        "\u{f8ff}",
        "\u{f8fe}",
        "\\",
        "$x$",
        "~~s~~",
        "=",
        "javascript:1",
        "é",
        "日",
    ]);
    prop::collection::vec(prop_oneof![4 => pieces.prop_map(str::to_owned), 1 => any::<String>()], 1..6)
        .prop_map(|pieces| pieces.concat())
}

/// Fields whose values the schema lists.
const FIXED: [&str; 10] =
    ["schema_version", "command", "outcome", "id", "verdict", "certainty", "kind", "side", "cause", "action"];

/// Replaces every text of a document, and every name of a target, by one of these.
fn spoiled(document: &mut Value, texts: &[String]) {
    fn spoil(value: &mut Value, key: &str, next: &mut dyn FnMut() -> String) {
        match value {
            Value::String(text) if !FIXED.contains(&key) => *text = next(),
            Value::Array(list) => list.iter_mut().for_each(|item| spoil(item, key, next)),
            Value::Object(members) => members.iter_mut().for_each(|(key, member)| spoil(member, key, next)),
            _ => {}
        }
    }
    let mut all = texts.iter().cycle();
    let mut next = || all.next().unwrap().clone();
    spoil(document, "", &mut next);
    if let Some(Value::Object(targets)) = document.get_mut("targets") {
        let renamed = std::mem::take(targets).into_iter().enumerate();
        *targets = renamed.map(|(number, (_, target))| (format!("{}{number}", texts[0]), target)).collect();
    }
}

fn elements(node: &Handle, found: &mut Vec<Handle>) {
    if matches!(node.data, NodeData::Element { .. }) {
        found.push(node.clone());
    }
    node.children.borrow().iter().for_each(|child| elements(child, found));
}

fn name(node: &Handle) -> String {
    match &node.data {
        NodeData::Element { name, .. } => name.local.to_string(),
        _ => String::new(),
    }
}

fn attributes(node: &Handle) -> Vec<(String, String)> {
    match &node.data {
        NodeData::Element { attrs, .. } => {
            attrs.borrow().iter().map(|it| (it.name.local.to_string(), it.value.to_string())).collect()
        }
        _ => Vec::new(),
    }
}

fn text(node: &Handle) -> String {
    let own = match &node.data {
        NodeData::Text { contents } => contents.borrow().to_string(),
        _ => String::new(),
    };
    node.children.borrow().iter().fold(own, |all, child| all + &text(child))
}

/// Returns the elements of a page, and the tree, without which they lose their children.
fn parsed(page: &str) -> (RcDom, Vec<Handle>) {
    let dom = html5ever::parse_document(RcDom::default(), html5ever::ParseOpts::default()).one(page);
    let mut found = Vec::new();
    elements(&dom.document, &mut found);
    (dom, found)
}

/// Returns the names of elements and attributes of a page.
fn shape(page: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let (_tree, found) = parsed(page);
    let attributes = found.iter().flat_map(attributes).map(|(name, _)| name).collect();
    (found.iter().map(name).collect(), attributes)
}

/// The elements and attributes of pages without markup in names.
static KNOWN: LazyLock<(BTreeSet<String>, BTreeSet<String>)> = LazyLock::new(|| {
    let shapes = DOCUMENTS.map(|(name, _)| shape(&reported(ReportFormat::Html, &recorded(name))));
    shapes.into_iter().reduce(|(a, b), (c, d)| (&a | &c, &b | &d)).unwrap()
});

/// Asserts that a page has only elements and attributes of its own, and shows these names.
fn check_page(page: &str, names: &[&String]) -> Checked {
    let (found, found_attributes) = shape(page);
    let (elements, attributes_of_pages) = &*KNOWN;
    prop_assert!(found.is_subset(elements), "{:?}", found.difference(elements));
    let others: Vec<_> = found_attributes.difference(attributes_of_pages).collect();
    prop_assert!(others.is_empty(), "{others:?}");
    let (_tree, found) = parsed(page);
    let scripts: Vec<_> = found.iter().filter(|node| name(node) == "script").collect();
    prop_assert_eq!(scripts.len(), 2);
    let data: Value =
        serde_json::from_str(&text(scripts[0])).map_err(|error| TestCaseError::fail(error.to_string()))?;
    let rows: BTreeSet<_> = found
        .iter()
        .filter(|node| name(node) == "th" && attributes(node).iter().any(|(_, value)| value == "row"))
        .map(text)
        .collect();
    // The parser of HTML normalizes line breaks.
    let shown: BTreeSet<_> = names.iter().map(|name| lines(name)).collect();
    prop_assert_eq!(rows, shown);
    let links = data["links"].as_array().unwrap();
    prop_assert_eq!(links.len(), names.len());
    // What links share is JSON, too.
    for shared in data["shared"].as_array().unwrap() {
        let shared: Value = serde_json::from_str(shared.as_str().unwrap()).unwrap();
        prop_assert!(shared["policies"].is_array());
    }
    prop_assert!(!page.contains(|c: char| is_hidden(c) && c != '\n'));
    Ok(())
}

fn check_markdown(text: &str, links: usize) -> Checked {
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS | Options::ENABLE_MATH;
    let (mut rows, mut cells) = (0, 0);
    for event in Parser::new_ext(text, options) {
        match event {
            Event::Html(html) | Event::InlineHtml(html) => prop_assert!(false, "{html}"),
            Event::Start(
                tag @ (Tag::Link { .. } | Tag::Image { .. } | Tag::Emphasis | Tag::Strikethrough | Tag::BlockQuote(_)),
            ) => {
                prop_assert!(false, "{tag:?}");
            }
            Event::InlineMath(math) | Event::DisplayMath(math) => prop_assert!(false, "{math}"),
            Event::Start(Tag::TableRow) => rows += 1,
            Event::Start(Tag::TableCell) => cells += 1,
            _ => {}
        }
    }
    prop_assert!(rows >= links, "{rows}");
    prop_assert!(cells >= 7 * links, "{cells}");
    prop_assert!(!text.contains(|c: char| is_hidden(c) && c != '\n'));
    Ok(())
}

fn check_annotations(text: &str) -> Checked {
    let is_command =
        |line: &str| ["::error title=", "::warning title=", "::notice title="].iter().any(|it| line.starts_with(it));
    // GitHub ends lines at carriage returns, too.
    for line in text.split(['\n', '\r']) {
        prop_assert!(is_command(line), "{line}");
        let properties = line.split("::").nth(1).unwrap().split_once(' ').unwrap().1;
        let names: Vec<_> = properties.split(',').map(|one| one.split('=').next().unwrap()).collect();
        prop_assert!(names == ["title"] || names == ["file", "line", "title"], "{properties}");
        prop_assert!(!properties.contains(':'), "{properties}");
    }
    prop_assert!(!text.contains(|c: char| is_hidden(c) && c != '\n'));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_name_is_taken_for_markup(texts in prop::collection::vec(hostile(), 1..5)) {
        for (command, _) in DOCUMENTS {
            let mut document = recorded(command);
            spoiled(&mut document, &texts);
            let names: Vec<_> = document["targets"].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
            let names: Vec<_> = names.iter().collect();

            let xml = reported(ReportFormat::Junit, &document);
            let parsed = roxmltree::Document::parse(&xml).map_err(|error| TestCaseError::fail(format!("{error}: {xml}")))?;
            let elements: BTreeSet<_> = parsed.descendants().map(|node| node.tag_name().name().to_owned()).collect();
            let own = ["", "testsuites", "testsuite", "testcase", "failure", "error", "skipped", "properties", "property", "system-out"];
            prop_assert!(elements.iter().all(|name| own.contains(&name.as_str())), "{elements:?}");
            let suites = parsed.descendants().filter(|node| node.has_tag_name("testsuite"));
            prop_assert!(suites.count() >= names.len());

            check_page(&reported(ReportFormat::Html, &document), &names)?;
            check_markdown(&reported(ReportFormat::Markdown, &document), names.len())?;
            check_annotations(&reported(ReportFormat::Github, &document))?;
        }
    }

    /// Whatever the IDs are, and wherever they are.
    #[test]
    fn hidden_ids_are_nowhere(
        id in "[a-zA-Z0-9+=,.@:/_-]{2,40}",
        other in "[a-zA-Z0-9+=,.@:/_-]{8,40}",
        source in "[0-9]{12}",
        account in "[0-9]{12}",
        digits in "[0-9]{0,3}",
    ) {
        let mut document = recorded("verify");
        let role = format!("arn:aws:iam::{account}:role/ci-{account}{digits}");
        let target = &mut document["targets"]["billing"];
        target["account"] = json!(account);
        target["role_arn"] = json!(role);
        target["error"] = json!({"kind": "aws", "message": format!("role {role} of {source}: {source}{digits} AROA{}", "Q".repeat(17)),
            "notes": [format!("to repair it: xacct bootstrap --external-id {id} --yes"), format!("{account} {}", id)],
            "hints": [format!("it is `{other}` now; signin at {account}.signin.aws.amazon.com")]});
        target["diagnosis"]["policies"][0]["document"] = json!({"Condition": {"StringLike": {"STS:externalid": [other]}}});
        let hiding = Hiding { external_ids: [id.clone()].into(), accounts: true };
        hiding.hide(&mut [&mut document]);
        for format in FORMATS {
            let text = reported(format, &document);
            prop_assert!(!text.contains(&account) && !text.contains(&source), "{account} {source}: {text}");
            prop_assert!(!text.contains("AROAQ"), "{text}");
            prop_assert!(!text.contains(&format!("--external-id {id} ")) && !text.contains(&other), "{id} {other}: {text}");
        }
    }
}

/// An external ID that equals a name hides no name, only where it is one.
#[test]
fn names_that_are_external_ids_stay() {
    let mut document = recorded("verify");
    document["targets"]["prod"]["error"] =
        json!({"message": "run xacct verify prod --external-id prod", "kind": "aws"});
    Hiding { external_ids: ["prod".to_owned()].into(), accounts: false }.hide(&mut [&mut document]);
    assert_eq!(document["targets"]["prod"]["error"]["message"], "run xacct verify prod --external-id EXTERNAL_ID");
}

/// A pattern of any external ID is none: otherwise `*` would be hidden in every policy.
#[test]
fn patterns_and_words_that_are_external_ids_stay_elsewhere() {
    let mut document = json!({
        "policies": {"Condition": {"StringLike": {"sts:ExternalId": "*"}}, "Principal": "*"},
        "message": "it requires external ID `ours`, not `ours`",
        "warning": "weaker: the external ID changes from theirs to ours",
        "other": "not ours",
        "pattern": {"STS:ExternalId": ["a*", "theirs"]},
    });
    Hiding { external_ids: ["ours".to_owned()].into(), accounts: false }.hide(&mut [&mut document]);
    assert_eq!(document["policies"]["Condition"]["StringLike"]["sts:ExternalId"], "*");
    assert_eq!(document["policies"]["Principal"], "*");
    assert_eq!(document["message"], "it requires external ID `EXTERNAL_ID`, not `EXTERNAL_ID`");
    assert_eq!(document["warning"], "weaker: the external ID changes from OTHER_EXTERNAL_ID to EXTERNAL_ID");
    assert_eq!(document["other"], "not ours");
    assert_eq!(document["pattern"]["STS:ExternalId"], json!(["EXTERNAL_ID_PATTERN", "OTHER_EXTERNAL_ID"]));
}

/// Both documents get the same placeholders: otherwise every link would have changed.
#[test]
fn placeholders_are_equal_in_both_documents() {
    let (mut before, mut now) = (recorded("verify"), recorded("verify"));
    now["targets"].as_object_mut().unwrap().remove("audit");
    Hiding { external_ids: BTreeSet::new(), accounts: true }.hide(&mut [&mut now, &mut before]);
    let (before, now) = (read(&before), read(&now));
    let changes = change::between(&View::of(&before), &View::of(&now));
    assert_eq!(changes.sentence(), "1 gone; 3 links as before.");
}

#[test]
fn another_role_is_not_the_same_link() {
    let before = recorded("verify");
    let since = |mut now: Value| {
        change::say_since_when(&mut now, &read(&before));
        now["targets"]["dev"]["verification"]["unchanged_since"].clone()
    };
    let dev = &before["targets"]["dev"];
    assert_eq!(since(before.clone()), dev["verification"]["started_at"]);
    for (field, other) in [("role_arn", json!("arn:aws:iam::222222222222:role/other")), ("principals", json!(["bob"]))]
    {
        let mut now = before.clone();
        now["targets"]["dev"][field] = other;
        assert_eq!(since(now), Value::Null, "{field}");
    }
}

/// Chromium computes these digests itself; a browser test shows that it agrees.
#[test]
fn the_policy_of_the_page_names_its_script_and_style() {
    let page = reported(ReportFormat::Html, &recorded("verify"));
    let (_tree, found) = parsed(&page);
    let policy =
        found.iter().flat_map(attributes).find(|(name, value)| name == "content" && value.contains("script-src"));
    let (_, policy) = policy.unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
    let loads = ["src", "href", "srcset", "action"];
    let external = found.iter().flat_map(attributes).find(|(name, _)| loads.contains(&name.as_str()));
    assert_eq!(external, None);
}

/// A link can work, and yet have problems.
#[test]
fn another_diagnosis_is_not_the_same_result() {
    let before = recorded("diagnose");
    let mut now = before.clone();
    now["targets"]["dev"]["diagnosis"] = before["targets"]["prod"]["diagnosis"].clone();
    change::say_since_when(&mut now, &read(&before));
    assert_eq!(now["targets"]["dev"]["verification"]["unchanged_since"], Value::Null);
    assert_eq!(
        now["targets"]["prod"]["verification"]["unchanged_since"],
        before["targets"]["prod"]["verification"]["started_at"]
    );
}
