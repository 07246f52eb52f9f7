//! `xacct bootstrap` creates both halves of a link, with every option.

use serde_json::{Value, json};
use xacct_sandbox::world::ADMIN_A;

use crate::scene::{ACCOUNT_A, ACCOUNT_B, BOOTSTRAP, ROLE, Scene, as_alice, step, text, trust};

/// `>` of Windows PowerShell 5 writes UTF-16.
#[test]
fn in_powershell_the_next_command_needs_no_redirection() {
    let mut scene = Scene::new();
    scene.bootstrap("").exits_with(0).says(&["print-provider-hcl > provider.tf "]);
    scene.environment.set("PSModulePath", "C:\\Program Files\\WindowsPowerShell\\Modules");
    let next = "print-provider-hcl --out provider.tf";
    scene.bootstrap("").exits_with(0).says(&[&format!("{next} ")]);
    scene.xacct(next).exits_with(0);
    assert!(scene.environment.read("provider.tf").contains("assume_role"));
}

#[test]
fn all_three_commands_work_without_an_external_id() {
    let scene = Scene::new();
    scene.bootstrap("").exits_with(0).says(&["Verified in", "Wrote xacct.toml"]);
    assert_eq!(scene.trust_policy(), trust(&json!({})));
    assert_eq!(scene.granted(), [ROLE]);

    scene.xacct("verify").exits_with(0).says(&["Verified in"]);
    assert_eq!(scene.buckets(), 0);
    assert_eq!(scene.requests("CreateBucket").len(), 2);
    assert_eq!(scene.requests("DeleteBucket").len(), 2);

    let hcl = scene.xacct("print-provider-hcl").exits_with(0).stdout;
    let body: hcl::Value = hcl::from_str(&hcl).expect("HCL");
    let body = serde_json::to_value(body).unwrap();
    let assume_role = &body["provider"]["aws"]["assume_role"];
    assert_eq!(assume_role["role_arn"], ROLE);
    assert_eq!(assume_role["external_id"], Value::Null);
}

#[test]
fn all_three_commands_work_with_an_external_id() {
    let scene = Scene::new();
    let document = scene.bootstrap_json("--external-id a+b=c,d.e@f:g/h-1", 0);
    assert_eq!(document["targets"][ACCOUNT_B]["external_id"], "a+b=c,d.e@f:g/h-1");
    let condition = json!({"StringEquals": {"sts:ExternalId": "a+b=c,d.e@f:g/h-1"}});
    assert_eq!(scene.conditions(), condition);

    let verification = scene.verdict("", 0);
    assert_eq!(verification["outcome"], "works");
    for id in [
        "who_am_i",
        "assume_role",
        "who_am_i_now",
        "create_bucket",
        "delete_bucket",
        "bucket_gone",
        "refused_without_external_id",
        "refused_with_wrong_external_id",
    ] {
        assert_eq!(step(&verification, id)["outcome"], "ok", "{id}");
    }
    let hcl = scene.xacct("print-provider-hcl").exits_with(0).stdout;
    assert!(hcl.contains(r#"external_id  = "a+b=c,d.e@f:g/h-1""#), "{hcl}");
}

#[test]
fn keeps_a_generated_external_id_without_the_file() {
    let scene = Scene::linked("--generate-external-id");
    let generated = text(&scene.conditions()["StringEquals"]["sts:ExternalId"]);
    assert_eq!(generated.len(), 32);

    let again = scene.bootstrap_json("--generate-external-id", 0);
    assert_eq!(again["pending_changes"], 0);
    assert_eq!(again["targets"][ACCOUNT_B]["external_id"], generated.as_str());

    let recorded = scene.environment.read("xacct.toml");
    std::fs::remove_file(scene.environment.path("xacct.toml")).unwrap();
    for options in ["--generate-external-id", ""] {
        let lost = scene.bootstrap_json(options, 0);
        assert_eq!(lost["pending_changes"], 0, "{options}");
        assert_eq!(lost["targets"][ACCOUNT_B]["external_id"], generated.as_str());
        assert_eq!(scene.environment.read("xacct.toml"), recorded);
        std::fs::remove_file(scene.environment.path("xacct.toml")).unwrap();
    }
    assert_eq!(scene.iam_writes(), [""; 0]);
}

#[test]
fn generated_external_ids_differ() {
    let [one, other] = [(), ()].map(|()| {
        let scene = Scene::linked("--generate-external-id --no-verify");
        text(&scene.conditions()["StringEquals"]["sts:ExternalId"])
    });
    assert_ne!(one, other);
}

#[test]
fn a_second_run_changes_nothing() {
    let scene = Scene::linked(
        "--generate-external-id --role-path /engineering/ --tag team=platform --max-session-duration 2h \
         --policy-arn PowerUserAccess --policy-arn job-function/ViewOnlyAccess --restrict-to-user --allow-session-tags \
         --permissions-boundary AdministratorAccess --region eu-west-1",
    );
    let recorded = scene.environment.read("xacct.toml");
    let document = scene.xacct_json("bootstrap", 0);
    assert_eq!(document["pending_changes"], 0);
    assert_eq!(document["config"]["written"], false);
    assert_eq!(scene.iam_writes(), [""; 0]);
    assert_eq!(scene.environment.read("xacct.toml"), recorded);
    scene.xacct("bootstrap --check").exits_with(0);
}

#[test]
fn every_arn_contains_the_role_path() {
    let scene = Scene::linked("--role-path /engineering/tools/ --role-name deploy");
    let arn = "arn:aws:iam::222222222222:role/engineering/tools/deploy";
    assert_eq!(scene.granted(), [arn]);
    scene.xacct("verify").exits_with(0).says(&[arn]);
    scene.xacct("print-provider-hcl").exits_with(0).says(&[arn]);
}

#[test]
fn sets_tags_boundary_and_session_limit() {
    let scene = Scene::linked(
        "--tag team=platform --tag cost=a=b --permissions-boundary PowerUserAccess --max-session-duration 90m",
    );
    let role = scene.sandbox.world(|world| world.role(ACCOUNT_B, "xacct").cloned().unwrap());
    let tags = [
        ("cost", "a=b"),
        ("managed-by", "xacct"),
        ("team", "platform"),
        ("xacct:boundary", "v6/ANPAJYRXTHIB4FOVS3ZXS"),
        ("xacct:link", "f23d59ebb76a2322"),
        ("xacct:source-account", ACCOUNT_A),
    ];
    assert!(role.tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).eq(tags));
    assert_eq!(role.boundary.as_deref(), Some("arn:aws:iam::aws:policy/PowerUserAccess"));
    assert_eq!(role.max_session_duration, 5400);
    scene.xacct("verify").exits_with(0);
    scene.xacct("print-provider-hcl").exits_with(0).says(&[r#"duration     = "1h30m""#]);
}

#[test]
fn other_policies_replace_the_verify_only_policy() {
    let scene = Scene::linked("");
    scene.environment.write(
        "policies/state-bucket.json",
        r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}"#,
    );
    scene.link("--allow-weaker --policy-file policies/state-bucket.json --policy-arn ReadOnlyAccess");
    let policies = scene.sandbox.world(|world| world.role(ACCOUNT_B, "xacct").unwrap().policies.clone());
    assert!(policies.inline.keys().eq(["xacct-state-bucket"]));
    assert!(policies.attached.iter().eq(["arn:aws:iam::aws:policy/ReadOnlyAccess"]));
    scene.xacct("bootstrap --check").exits_with(0);
}

#[test]
fn restrict_to_user_rejects_other_users_with_a_grant() {
    let scene = Scene::linked("--restrict-to-user");
    let condition = json!({"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::111111111111:user/alice"}});
    assert_eq!(scene.conditions(), condition);
    scene.verdict("", 0);

    scene.sandbox.world(|world| world.grant_assume_role(ACCOUNT_A, "bob", "by-hand", ROLE));
    scene.environment.edit("xacct.toml", "user = \"alice\"", "user = \"bob\"");
    let verification = scene.verdict("--user-profile bob", 3);
    assert_eq!(verification["outcome"], "refused");
}

#[test]
fn restrict_to_user_survives_recreating_the_user() {
    let scene = Scene::linked("--restrict-to-user");
    scene.sandbox.world(|world| {
        world.recreate_user(ACCOUNT_A, "alice");
    });
    assert_eq!(scene.verdict("", 0)["outcome"], "works");
    scene.xacct("bootstrap --check").exits_with(0);
}

#[test]
fn allows_session_tags_on_request() {
    let scene = Scene::linked("--allow-session-tags");
    let statements = scene.trust_policy()["Statement"].as_array().unwrap().clone();
    let tags = &statements[1];
    assert_eq!(tags["Sid"], "XacctSessionTags");
    assert!(tags["Action"].to_string().contains("sts:TagSession"), "{tags}");
    let grant = scene.sandbox.world(|world| world.user_policy(ACCOUNT_A, "alice", "xacct").cloned().unwrap());
    assert!(grant.to_string().contains("sts:TagSession"), "{grant}");
    scene.verdict("", 0);
    scene.link("--allow-session-tags=false");
    assert_eq!(scene.trust_policy(), trust(&json!({})));
}

#[test]
fn adds_and_removes_conditions() {
    let scene = Scene::linked("--external-id first --restrict-to-user --require-mfa --no-verify");
    assert_eq!(scene.conditions().as_object().unwrap().len(), 3);
    scene.link("--allow-weaker --external-id second --restrict-to-user=false --require-mfa=false");
    assert_eq!(scene.conditions(), json!({"StringEquals": {"sts:ExternalId": "second"}}));
    let recorded = scene.environment.read("xacct.toml");
    assert!(recorded.contains("external_id = \"second\""), "{recorded}");
}

#[test]
fn uses_ambient_profile_credentials() {
    let mut scene = Scene::new();
    scene.environment.set("AWS_PROFILE", "security-admin");
    let document =
        scene.xacct_json("bootstrap --yes --target-account 222222222222 --user alice --user-profile alice", 0);
    assert_eq!(document["source"]["operator"]["credentials"], "profile security-admin");
    assert_eq!(document["targets"][ACCOUNT_B]["operator"]["credentials"], "profile dev-admin");
}

#[test]
fn ambient_access_keys_default_to_their_own_user() {
    let mut scene = Scene::new();
    scene.environment.set("AWS_ACCESS_KEY_ID", ADMIN_A.id);
    scene.environment.set("AWS_SECRET_ACCESS_KEY", ADMIN_A.secret);
    let document = scene.xacct_json("bootstrap --yes --target-account 222222222222", 0);
    assert_eq!(document["source"]["user"], "arn:aws:iam::111111111111:user/admin");
    assert_eq!(document["source"]["operator"]["credentials"], "environment");
    assert_eq!(document["targets"][ACCOUNT_B]["verification"]["outcome"], "works");
    scene.xacct("verify").exits_with(0);
}

#[test]
fn profile_option_wins_over_keys_in_the_environment() {
    let mut scene = Scene::new();
    as_alice(&mut scene.environment);
    let document = scene.bootstrap_json("", 0);
    assert_eq!(document["source"]["operator"]["arn"], "arn:aws:iam::111111111111:user/admin");
    let admin = "arn:aws:iam::222222222222:user/admin";
    assert_eq!(document["targets"][ACCOUNT_B]["operator"]["arn"], admin);
}

#[test]
fn environment_wins_over_the_file_and_options_over_both() {
    let mut scene = Scene::new();
    for (name, value) in [
        ("XACCT_TARGET_ACCOUNT", ACCOUNT_B),
        ("XACCT_USER", "alice"),
        ("XACCT_USER_PROFILE", "alice"),
        ("XACCT_PROFILE", "security-admin"),
        ("XACCT_TARGET_PROFILE", "dev-admin"),
        ("XACCT_ROLE_NAME", "from-the-environment"),
        ("XACCT_EXTERNAL_ID", "from-the-environment"),
    ] {
        scene.environment.set(name, value);
    }
    scene.xacct("bootstrap --yes --external-id typed").exits_with(0);
    let recorded = scene.environment.read("xacct.toml");
    assert!(recorded.contains("role = \"from-the-environment\""), "{recorded}");
    assert!(recorded.contains("external_id = \"typed\""), "{recorded}");
    // The environment wins over the file.
    let document = scene.xacct_json("bootstrap --dry-run", 0);
    assert_eq!(document["targets"][ACCOUNT_B]["external_id"], "from-the-environment");
}

#[test]
fn keeps_comments_and_order_of_the_file() {
    let scene = Scene::new();
    scene.environment.write(
        "xacct.toml",
        "# ours\n[source]\nuser = \"alice\" # the one\nprofile = \"security-admin\"\nuser_profile = \"alice\"\n\n\
         [targets.dev] # development\nexternal_id = \"by-hand\"\naccount = \"222222222222\"\n",
    );
    scene.xacct("bootstrap --yes").exits_with(0);
    let recorded = scene.environment.read("xacct.toml");
    for kept in ["# ours\n", "\"alice\" # the one\n", "[targets.dev] # development\nexternal_id = \"by-hand\"\naccount"]
    {
        assert!(recorded.contains(kept), "{kept}\n{recorded}");
    }
    assert_eq!(scene.xacct_json("bootstrap", 0)["config"]["written"], false);
}

#[test]
fn config_option_chooses_the_file() {
    let scene = Scene::new();
    scene.environment.write("links/README", "");
    scene.bootstrap("--config links/ours.toml").exits_with(0).says(&["Wrote links/ours.toml"]);
    scene.xacct("verify --config links/ours.toml").exits_with(0);
    assert!(!scene.environment.has("xacct.toml"));
}

#[test]
fn dry_run_shows_changes_without_applying_them() {
    let scene = Scene::new();
    let document = scene.xacct_json(&format!("{BOOTSTRAP} --dry-run --external-id abc"), 0);
    assert_eq!(document["pending_changes"], 3);
    assert_eq!(document["applied"], false);
    assert_eq!(scene.writes(), [""; 0]);
    assert!(!scene.environment.has("xacct.toml"));
}
