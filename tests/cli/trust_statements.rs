//! Further statements of a role's trust policy: declared in files, printed, and kept from an existing role.

use serde_json::{Value, json};

use crate::scene::{ACCOUNT_B, BOOTSTRAP, Scene};

const HCP: &str = "print hcp --organization acme --workspace network";

/// Returns a statement that admits an account.
fn admitting(sid: &str, account: &str) -> Value {
    json!({
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"AWS": format!("arn:aws:iam::{account}:root")},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": "of-the-vendor"}},
    })
}

/// Returns a statement that denies sessions of another name than that of the user.
fn denying() -> Value {
    json!({
        "Sid": "OwnNameOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sts:AssumeRole",
        "Condition": {"StringNotEquals": {"sts:RoleSessionName": ["alice", "deploy"]}},
    })
}

fn document(statements: &[Value]) -> String {
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

/// Returns the `Sid`s in the trust policy of role `xacct`.
fn sids(scene: &Scene) -> Vec<String> {
    let trust = scene.trust_policy();
    let statements = trust["Statement"].as_array().cloned().unwrap_or_default();
    statements.iter().map(|statement| statement["Sid"].as_str().unwrap_or("none").to_owned()).collect()
}

/// Adds statements to the trust policy of role `xacct`, as somebody else would.
fn add(scene: &Scene, statements: &[Value]) {
    let mut trust = scene.trust_policy();
    trust["Statement"].as_array_mut().expect("statements").extend_from_slice(statements);
    scene.sandbox.world(|world| world.set_trust_policy(ACCOUNT_B, "xacct", &trust));
}

#[test]
fn declared_statements_are_created_recorded_and_repaired() {
    let scene = Scene::new();
    scene.environment.write("policies/vendor.json", &document(&[admitting("Vendor", "333333333333"), denying()]));
    scene.link("--external-id abc --trust-statement-file policies/vendor.json");
    assert_eq!(sids(&scene), ["XacctAssumeRole", "Vendor", "OwnNameOnly"]);
    let file = scene.environment.read("xacct.toml");
    assert!(file.contains("trust_statement_files = [\"policies/vendor.json\"]"), "{file}");
    scene.xacct("bootstrap --check").exits_with(0);
    scene.xacct("verify").exits_with(0);

    let own = scene.trust_policy()["Statement"][0].clone();
    let only_own = json!({"Version": "2012-10-17", "Statement": [own]});
    scene.sandbox.world(|world| world.set_trust_policy(ACCOUNT_B, "xacct", &only_own));
    scene.xacct("bootstrap --check --show-policies").exits_with(4).says(&["OwnNameOnly", "Vendor"]);
    scene.xacct("bootstrap --yes --allow-weaker").exits_with(0);
    assert_eq!(sids(&scene), ["XacctAssumeRole", "Vendor", "OwnNameOnly"]);

    // A change of the file is a change of the role.
    scene.environment.write("policies/vendor.json", &document(&[denying()]));
    scene.xacct("bootstrap --yes").exits_with(0);
    assert_eq!(sids(&scene), ["XacctAssumeRole", "OwnNameOnly"]);
}

#[test]
fn declared_statements_are_warned_about_and_count_towards_the_quota() {
    let scene = Scene::new();
    let open = json!({"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"});
    scene.environment.write("open.json", &document(&[open]));
    let preview = scene.xacct(&format!("{BOOTSTRAP} --dry-run --external-id abc --trust-statement-file open.json"));
    preview.exits_with(0).says(&["everyone"]);
    let mut long = admitting("Vendor", "333333333333");
    long["Condition"]["StringEquals"]["sts:ExternalId"] = json!("x".repeat(1200));
    let mut longer = long.clone();
    longer["Sid"] = json!("Other");
    scene.environment.write("long.json", &document(&[long, longer]));
    let refused = scene.xacct(&format!("{BOOTSTRAP} --trust-statement-file long.json")).exits_with(1);
    let first = "  hint: shorten the statements in trust_statement_files\n  hint: or use a shorter external ID";
    refused.says(&["the trust policy of role `xacct` would have", first]);
    assert!(scene.iam_writes().is_empty());
}

#[test]
fn the_statement_of_a_workspace_stays() {
    let scene = Scene::linked("--external-id abc");
    let hint = scene.xacct(HCP).exits_with(0);
    let command = |name: &str| {
        let line = hint.stderr.lines().find(|line| line.trim_start().starts_with(name));
        line.unwrap_or_else(|| panic!("no {name}\n{hint}")).trim().trim_start_matches("xacct ").to_owned()
    };
    scene.xacct(&command("xacct print hcp")).exits_with(0).says(&["Wrote hcp.json"]);
    scene.xacct(&format!("{} --yes --allow-weaker", command("xacct bootstrap"))).exits_with(0);
    assert_eq!(sids(&scene), ["XacctAssumeRole", "XacctHcp"]);

    scene.xacct("bootstrap --check").exits_with(0);
    let declared = scene.xacct(HCP).exits_with(0);
    assert!(!declared.stderr.contains("xacct bootstrap"), "nothing is left to do\n{declared}");
    let whole = scene.xacct(&format!("{HCP} --trust-policy")).exits_with(0);
    assert_eq!(serde_json::from_str::<Value>(&whole.stdout).expect("JSON"), scene.trust_policy());
    for words in ["print cloudformation --format json", "print role-hcl"] {
        scene.xacct(words).exits_with(0).says(&["XacctHcp"]);
    }
}

#[test]
fn invalid_files_are_refused_before_any_request() {
    let scene = Scene::new();
    let with = |key: &str, value: Value| {
        let mut statement = admitting("Vendor", "333333333333");
        statement[key] = value;
        document(&[statement])
    };
    for (text, rule) in [
        ("{".to_owned(), "is not JSON"),
        (with("Resource", json!("*")), "statement 1 has a resource"),
        (with("Action", json!("s3:GetObject")), "statement 1 has the action `s3:GetObject`"),
        (with("Sid", json!("XacctAssumeRole")), "marks xacct's own"),
        (with("Principals", json!("*")), "Principals"),
        (document(&[json!({"Effect": "Deny", "Action": "sts:AssumeRole"})]), "statement 1 has no principal"),
        (
            document(&[denying(), denying()]),
            "statement 2, Sid: is `OwnNameOnly`, but another statement has the same Sid",
        ),
    ] {
        scene.environment.write("bad.json", &text);
        let output = scene.xacct(&format!("{BOOTSTRAP} --trust-statement-file bad.json")).exits_with(2);
        output.says(&["trust statement file `bad.json`", rule]);
    }
    scene.environment.write("one.json", &document(&[denying()]));
    scene.environment.write("two.json", &document(&[denying()]));
    let twice = format!("{BOOTSTRAP} --trust-statement-file one.json --trust-statement-file two.json");
    scene.xacct(&twice).exits_with(2).says(&["has the Sid `OwnNameOnly` of another statement"]);
    let missing = scene.xacct(&format!("{BOOTSTRAP} --trust-statement-file none.json")).exits_with(1);
    missing.says(&["cannot read trust statement file `none.json`"]);
    assert!(scene.sandbox.requests().is_empty());
}

#[test]
fn adopting_a_role_keeps_its_statements() {
    let scene = Scene::linked("--external-id abc");
    let own = json!({
        "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111111111111:root"}, "Action": "sts:AssumeRole",
    });
    let by_hand = json!({"Version": "2012-10-17", "Statement": [own, admitting("Vendor", "333333333333"), denying()]});
    scene.sandbox.world(|world| {
        world.set_trust_policy(ACCOUNT_B, "xacct", &by_hand);
        world.role_mut(ACCOUNT_B, "xacct").expect("the role").tags.clear();
    });
    scene.xacct("bootstrap --check").exits_with(4);
    scene.xacct("bootstrap --dry-run").exits_with(1).says(&["--adopt --keep-statements"]);

    let words = "bootstrap --adopt --keep-statements";
    let file = "policies/222222222222-trust.json";
    let keeps = format!("keeps 2 statements of the trust policy in {file}");
    scene.xacct(&format!("{words} --dry-run")).exits_with(0).says(&[&keeps]);
    let preview = scene.xacct_json(&format!("{words} --dry-run"), 0);
    assert_eq!(preview["targets"][ACCOUNT_B]["notes"], json!([keeps]));
    assert!(!scene.environment.has(file), "a preview writes nothing");

    scene.environment.write(file, "{}");
    let file = "policies/222222222222-trust-2.json";
    scene.xacct(&format!("{words} --yes")).exits_with(0).says(&[&format!("Wrote {file}")]);
    assert_eq!(scene.environment.read("policies/222222222222-trust.json"), "{}", "never replaced");
    assert_eq!(sids(&scene), ["XacctAssumeRole", "Vendor", "OwnNameOnly"], "xacct's own replaces the first");
    let recorded = scene.environment.read("xacct.toml");
    assert!(recorded.contains(&format!("trust_statement_files = [\"{file}\"]")), "{recorded}");
    scene.xacct("bootstrap --check").exits_with(0);

    // Again: another statement goes to another file, and nothing is lost.
    let mut later = admitting("Later", "333333333333");
    add(&scene, std::slice::from_ref(&later));
    scene.xacct("bootstrap --keep-statements --yes").exits_with(0).says(&["Wrote policies/222222222222-trust-3.json"]);
    assert_eq!(sids(&scene), ["XacctAssumeRole", "Vendor", "OwnNameOnly", "Later"]);
    scene.xacct("bootstrap --keep-statements --check").exits_with(0);

    // A declared statement that somebody changed is not kept twice.
    let mut trust = scene.trust_policy();
    later["Condition"] = json!({});
    trust["Statement"][3] = later;
    scene.sandbox.world(|world| world.set_trust_policy(ACCOUNT_B, "xacct", &trust));
    let differs = scene.xacct("bootstrap --keep-statements --yes").exits_with(1);
    differs.says(&["statement `Later` differs from the one in trust_statement_files"]);
    let source = scene.xacct("bootstrap --keep-statements --only source --yes").exits_with(2);
    source.says(&["--only source does not read"]);
}

/// The vendor's external ID is not the link's.
#[test]
fn a_lost_file_does_not_weaken_a_role_with_further_statements() {
    let scene = Scene::linked("--external-id abc");
    add(&scene, &[admitting("Vendor", "333333333333")]);
    std::fs::remove_file(scene.environment.path("xacct.toml")).unwrap();
    scene.bootstrap("--keep-statements").exits_with(0);
    assert_eq!(scene.conditions(), json!({"StringEquals": {"sts:ExternalId": "abc"}}));
    assert_eq!(sids(&scene), ["XacctAssumeRole", "Vendor"]);
}

/// Another user may have made it, to have a file written elsewhere.
#[test]
fn statements_are_not_kept_through_a_symbolic_link() {
    let scene = Scene::linked("--external-id abc --no-verify");
    add(&scene, &[admitting("Hcp", "999999999999")]);
    std::fs::create_dir(scene.environment.path("elsewhere")).expect("a directory");
    std::os::unix::fs::symlink("elsewhere", scene.environment.path("policies")).expect("a link");
    scene.sandbox.clear_requests();
    let refused = scene.xacct("bootstrap --yes --no-verify --adopt --keep-statements").exits_with(1);
    refused.says(&["does not write through symbolic links"]);
    assert_eq!(scene.writes(), [""; 0]);
    assert_eq!(std::fs::read_dir(scene.environment.path("elsewhere")).expect("a directory").count(), 0);
}
