//! Session names, session tags and source identities, from options and from `xacct.toml`.

use serde_json::json;
use xacct_sandbox::RecordedRequest;

use crate::scene::{ACCOUNT_A, ACCOUNT_B, Scene, step, trust};
use crate::support::policies::document;

/// Returns the parameters of the latest AssumeRole request for role `xacct`: name, first tag, source identity.
fn sent(scene: &Scene) -> [Option<String>; 3] {
    let requests = scene.requests("AssumeRole");
    let request = requests.first().expect("a request for the role");
    ["RoleSessionName", "Tags.member.1.Key", "SourceIdentity"].map(|name| request.parameter(name).map(str::to_owned))
}

fn some(texts: [&str; 3]) -> [Option<String>; 3] {
    texts.map(|text| Some(text.to_owned()))
}

#[test]
fn every_command_uses_the_recorded_attributes_unless_an_option_overrides_them() {
    let scene = Scene::new();
    let recorded = "--session-name deploy --session-tag project=x --source-identity alice-laptop";
    scene.bootstrap(&format!("--allow-session-tags {recorded}")).exits_with(0);
    let file = scene.environment.read("xacct.toml");
    for line in
        ["session_name = \"deploy\"", "session_tags = { project = \"x\" }", "source_identity = \"alice-laptop\""]
    {
        assert!(file.contains(line), "no {line}:\n{file}");
    }
    assert_eq!(sent(&scene), some(["deploy", "project", "alice-laptop"]), "bootstrap");
    let options = "--session-name other --session-tag team=y --source-identity bob";
    for command in ["verify", "diagnose", "exec", "credentials"] {
        let end = if command == "exec" { "-- /bin/true" } else { "" };
        for (options, expected) in
            [("", some(["deploy", "project", "alice-laptop"])), (options, some(["other", "team", "bob"]))]
        {
            scene.sandbox.clear_requests();
            scene.xacct(&format!("{command} {options} {end}")).exits_with(0);
            assert_eq!(sent(&scene), expected, "{command} {options}");
        }
    }
    assert_eq!(scene.environment.read("xacct.toml"), file, "only bootstrap records them");
}

#[test]
fn verifies_a_role_that_requires_a_session_name() {
    let scene = Scene::linked("");
    let demanding = trust(&json!({"StringEquals": {"sts:RoleSessionName": "deploy"}}));
    scene.sandbox.world(|world| world.set_trust_policy(ACCOUNT_B, "xacct", &demanding));
    scene.xacct("verify").exits_with(3).says(&["sts:RoleSessionName `deploy`", "session_name = \"deploy\""]);
    scene.xacct("verify --session-name deploy").exits_with(0);
    scene.environment.append("xacct.toml", "session_name = \"deploy\"\n");
    scene.xacct("verify").exits_with(0);
}

/// Denies alice every session that does not have her name, as an organization's policy may.
fn require_the_users_name(scene: &Scene) {
    let deny = json!([{"Effect": "Deny", "Action": "sts:AssumeRole", "Resource": "*",
        "Condition": {"StringNotEquals": {"sts:RoleSessionName": "${aws:username}"}}}]);
    scene.sandbox.world(|world| world.put_user_policy(ACCOUNT_A, "alice", "named", document(deny)));
}

/// Tests have a name of their own, unless a policy allows only the user's.
#[test]
fn tests_use_the_users_name_where_a_policy_requires_it() {
    let scene = Scene::new();
    require_the_users_name(&scene);
    scene.bootstrap("--external-id abc").exits_with(0);

    let scene = Scene::linked("--external-id abc");
    let verified = || {
        scene.sandbox.clear_requests();
        let evidence = step(&scene.verdict("", 0), "assume_role")["evidence"].clone();
        let name = |request: &RecordedRequest| request.parameter("RoleSessionName").map(str::to_owned);
        (evidence, scene.requests("AssumeRole").iter().filter_map(name).collect::<Vec<_>>())
    };
    let (_, names) = verified();
    assert_eq!(names, ["xacct-verify"; 3]);
    require_the_users_name(&scene);
    let (evidence, names) = verified();
    assert_eq!(names, ["xacct-verify", "alice", "alice", "alice"], "also what AWS must deny");
    assert_eq!(evidence, "session in 222222222222 as alice; denied as xacct-verify");
    scene.xacct("list --live").exits_with(0);

    let scene = Scene::linked("");
    let condition = json!({"StringEquals": {"sts:RoleSessionName": "alice"}});
    scene.sandbox.world(|world| world.set_trust_policy(ACCOUNT_B, "xacct", &trust(&condition)));
    scene.xacct("verify").exits_with(0);
}

/// AWS answered the request with the user's name last.
#[test]
fn what_else_is_wrong_is_diagnosed_for_the_users_name() {
    let scene = Scene::linked("");
    require_the_users_name(&scene);
    let condition = json!({"StringEquals": {"sts:ExternalId": "other"}});
    scene.sandbox.world(|world| world.set_trust_policy(ACCOUNT_B, "xacct", &trust(&condition)));
    for command in ["verify", "diagnose"] {
        let document = scene.xacct_json(command, 3);
        let findings = document["targets"][ACCOUNT_B]["diagnosis"]["findings"].as_array().expect("findings");
        let causes: Vec<_> = findings.iter().map(|it| &it["cause"]).collect();
        assert_eq!(causes, ["external_id_missing"], "{command}: {document:#}");
    }
}

#[test]
fn duplicate_session_tags_are_refused_before_any_request() {
    let scene = Scene::linked("");
    let options = "--session-tag a=1 --session-tag A=2";
    for command in ["verify", "diagnose", "exec", "credentials", "bootstrap --yes", "print-provider-hcl"] {
        let end = if command == "exec" { "-- /bin/true" } else { "" };
        let output = scene.xacct(&format!("{command} {options} {end}")).exits_with(2);
        output.says(&["session tag `A` is set twice", "use each key only once"]);
    }
    scene.environment.append("xacct.toml", "session_tags = { a = \"1\", A = \"2\" }\n");
    for command in ["verify", "print profile", "print backend-hcl --bucket my-state", "exec -- /bin/true"] {
        scene.xacct(command).exits_with(2).says(&["session tag `a` is set twice"]);
    }
    assert!(scene.sandbox.requests().is_empty());
}

#[test]
fn the_hint_of_a_denied_session_repeats_the_request() {
    let scene = Scene::linked("");
    let denied = scene.xacct("exec --session-tag a=1 --session-name me --duration 30m -- /bin/true").exits_with(3);
    let hint = format!("xacct diagnose {ACCOUNT_B} --session-name me --session-tag a=1 --duration 30m");
    denied.says(&[&hint]);
    let diagnosis = scene.xacct(hint.strip_prefix("xacct ").unwrap()).exits_with(3);
    diagnosis.says(&["sends session tags", "--allow-session-tags"]);
    scene.xacct(&format!("diagnose {ACCOUNT_B}")).exits_with(0);
}

#[test]
fn printed_settings_have_the_recorded_attributes() {
    let scene = Scene::new();
    scene.environment.write(
        "xacct.toml",
        "[source]\naccount = \"111111111111\"\nuser = \"alice\"\nuser_profile = \"alice\"\n\n[targets.dev]\n\
         account = \"222222222222\"\nregion = \"eu-west-1\"\nallow_session_tags = true\nsession_name = \"deploy\"\n\
         session_tags = { project = \"x\" }\nsource_identity = \"me\"\n",
    );
    let named = "session_name";
    let all = [named, "source_identity", "project = \"x\""];
    let backend = "print backend-hcl --bucket my-state";
    for (words, expected) in [
        ("print-provider-hcl".to_owned(), &all[..]),
        (backend.to_owned(), &all),
        (format!("{backend} --terraform-version 1.5"), &[named, "assume_role_tags", "cannot set a source identity"]),
        (format!("{backend} --terraform-version opentofu-1.8"), &[named, "tags", "cannot set a source identity"]),
        ("print terragrunt-hcl --bucket my-state".to_owned(), &all),
        ("print profile".to_owned(), &["role_session_name = deploy", "use --credential-process"]),
    ] {
        let output = scene.xacct(&words).exits_with(0).says(expected);
        assert!(output.stdout.contains("deploy"), "{words}\n{output}");
    }
    let other = scene.xacct("print-provider-hcl --session-name other --session-tag team=y").exits_with(0);
    assert!(other.stdout.contains("\"other\"") && !other.stdout.contains("deploy"), "{other}");
    assert!(other.stdout.contains("team = \"y\"") && !other.stdout.contains("project"), "{other}");
}
