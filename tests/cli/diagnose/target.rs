//! Causes in the target account: the role, or its name.

use serde_json::{Value, json};

use super::{TRUST, change_trust, deny_in_trust, fails, verify};
use crate::scene::{ACCOUNT_A, ACCOUNT_B, Scene};

#[test]
fn role_absent() {
    let scene = Scene::linked("--external-id right");
    scene.sandbox.world(|world| world.delete_role(ACCOUNT_B, "xacct"));
    verify(scene, "").only("role_absent", "target").repairs();
}

#[test]
fn role_other_path() {
    let scene = Scene::linked("--role-path /team/");
    scene.environment.edit("xacct.toml", "role_path = \"/team/\"\n", "");
    verify(scene, "").only("role_other_path", "local_configuration").says(&["role/team/xacct"]).repairs();
}

#[test]
fn role_other_path_missing_from_the_grant() {
    let scene = Scene::linked("");
    scene.sandbox.world(|world| world.role_mut(ACCOUNT_B, "xacct").expect("the role").path = "/team/".to_owned());
    let broken = verify(scene, "").first("role_other_path", "local_configuration");
    assert_eq!(broken.causes(), ["role_other_path", "grant_other_path"]);
    broken.repairs_with_all();
}

#[test]
fn role_other_case() {
    let scene = Scene::linked("");
    scene.environment.edit("xacct.toml", "role = \"xacct\"", "role = \"XACCT\"");
    verify(scene, "").only("role_other_case", "local_configuration").repairs();
}

#[test]
fn wrong_account() {
    let scene = Scene::linked("");
    scene.environment.edit("xacct.toml", "account = \"222222222222\"", "account = \"333333333333\"");
    verify(scene, "").only("wrong_account", "local_configuration").says(&["333333333333", ACCOUNT_B]).repairs();
}

#[test]
fn wrong_partition() {
    let scene = Scene::linked("");
    scene.environment.edit("xacct.toml", "region = \"us-east-1\"", "region = \"cn-north-1\"");
    fails(scene).only("wrong_partition", "local_configuration").repairs();
}

#[test]
fn trust_other_account() {
    let scene = Scene::linked("");
    change_trust(&scene, |statement| statement["Principal"] = json!({"AWS": "arn:aws:iam::333333333333:root"}));
    verify(scene, "").only("trust_other_account", "target").marks(TRUST, &[&["Principal"]]).repairs();
}

#[test]
fn trust_other_principal() {
    let scene = Scene::linked("");
    change_trust(&scene, |statement| statement["Principal"] = json!({"AWS": "arn:aws:iam::111111111111:user/bob"}));
    let broken = verify(scene, "").only("trust_other_principal", "target").marks(TRUST, &[&["Principal"]]);
    broken.says(&["user/bob", "not arn:aws:iam::111111111111:user/alice"]).repairs();
}

#[test]
fn trust_dangling_principal() {
    let scene = Scene::linked("");
    change_trust(&scene, |statement| statement["Principal"] = json!({"AWS": "arn:aws:iam::111111111111:user/alice"}));
    scene.xacct("verify").exits_with(0);
    scene.sandbox.world(|world| {
        world.recreate_user(ACCOUNT_A, "alice");
    });
    let now = scene.sandbox.world(|world| world.user(ACCOUNT_A, "alice").expect("alice").id.clone());
    let broken = verify(scene, "").only("trust_dangling_principal", "target").marks(TRUST, &[&["Principal"]]);
    broken.says(&[&format!("user alice has unique ID {now}")]).repairs();
}

#[test]
fn external_id_not_demanded() {
    let scene = Scene::linked("--external-id right");
    change_trust(&scene, |statement| statement["Condition"] = json!({}));
    verify(scene, "").only("external_id_not_demanded", "target").marks(TRUST, &[]).repairs();
}

#[test]
fn external_id_pattern() {
    let scene = Scene::linked("--external-id right");
    let like = json!({"StringLike": {"sts:ExternalId": "*right"}});
    change_trust(&scene, |statement| statement["Condition"] = like);
    let broken = verify(scene, "").only("external_id_pattern", "target");
    broken.marks(TRUST, &[&["Condition", "StringLike", "sts:ExternalId"]]).repairs();
}

#[test]
fn mfa_if_exists() {
    let scene = Scene::linked("--require-mfa --no-verify");
    let if_exists = json!({"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}});
    change_trust(&scene, |statement| statement["Condition"] = if_exists);
    let broken = verify(scene, "").only("mfa_if_exists", "target");
    broken.marks(TRUST, &[&["Condition", "BoolIfExists", "aws:MultiFactorAuthPresent"]]).repairs();
}

#[test]
fn mfa_not_demanded() {
    let scene = Scene::linked("--require-mfa --no-verify");
    change_trust(&scene, |statement| statement["Condition"] = json!({}));
    verify(scene, "").only("mfa_not_demanded", "target").marks(TRUST, &[]).repairs();
}

#[test]
fn others_admitted() {
    let scene = Scene::linked("--external-id right");
    let mut trust = scene.trust_policy();
    let other = json!({
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::999999999999:root"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": "right"}},
    });
    trust["Statement"].as_array_mut().expect("statements").push(other);
    scene.sandbox.world(|world| world.set_trust_policy(ACCOUNT_B, "xacct", &trust));
    verify(scene, "").only("others_admitted", "target").marks(TRUST, &[&["Principal"]]).repairs();
}

/// Adds an unmet condition to the trust policy.
#[track_caller]
fn condition(prepare: impl FnOnce(&Scene), operator: &str, key: &str, value: &str, certainty: &str) {
    let scene = Scene::linked("");
    prepare(&scene);
    change_trust(&scene, |statement| statement["Condition"] = json!({operator: {key: value}}));
    let broken = verify(scene, "").only("trust_condition", "target").certainty(certainty);
    broken.says(&[key]).marks(TRUST, &[&["Condition", operator, key]]).repairs();
}

#[test]
fn trust_condition_on_the_principal() {
    condition(|_| {}, "ArnEquals", "aws:PrincipalArn", "arn:aws:iam::111111111111:user/bob", "certain");
}

#[test]
fn trust_condition_on_the_organization() {
    let join = |scene: &Scene| scene.sandbox.world(|world| world.set_organization(ACCOUNT_A, "o-another000"));
    condition(join, "StringEquals", "aws:PrincipalOrgID", "o-demanded00", "likely");
}

#[test]
fn trust_condition_on_the_ip_address() {
    condition(|_| {}, "IpAddress", "aws:SourceIp", "203.0.113.0/24", "likely");
}

#[test]
fn trust_condition_on_a_tag_of_the_user() {
    condition(|_| {}, "StringEquals", "aws:PrincipalTag/team", "platform", "certain");
}

#[test]
fn trust_condition_on_a_tag_the_user_can_get() {
    let scene = Scene::linked("");
    let condition = json!({"StringEquals": {"aws:PrincipalTag/team": "platform"}});
    change_trust(&scene, |statement| statement["Condition"] = condition);
    let broken = verify(scene, "").only("trust_condition", "target");
    let fix = broken.diagnosis["findings"][0]["fixes"][1].clone();
    let tag = "aws iam tag-user --profile security-admin --user-name alice --tags Key=team,Value=platform";
    assert_eq!(fix["steps"][0]["run"], tag);
    // The effect of the command.
    broken.scene.sandbox.world(|world| {
        world.user_mut(ACCOUNT_A, "alice").tags.insert("team".to_owned(), "platform".to_owned());
    });
    super::works(&broken.scene, "verify");
    assert!(broken.scene.conditions().is_object(), "the condition is kept");
}

#[test]
fn trust_condition_on_the_session_name() {
    condition(|_| {}, "StringEquals", "sts:RoleSessionName", "deploy", "certain");
}

/// Follows the fix that meets the condition instead of removing it.
#[track_caller]
fn met_by(mut broken: super::Broken, number: usize, line: &str) {
    let before = broken.scene.trust_policy();
    let fix = broken.diagnosis["findings"][0]["fixes"][number].clone();
    assert_eq!(fix["steps"][0]["write"]["line"], line, "{:#}", broken.diagnosis);
    super::apply(&mut broken.scene, &fix, |_, step| panic!("{step}"));
    super::works(&broken.scene, "verify");
    assert_eq!(broken.scene.trust_policy(), before, "the condition is kept");
}

#[test]
fn a_required_session_name_is_recorded() {
    for (condition, line) in [
        (json!({"StringEquals": {"sts:RoleSessionName": "deploy"}}), "session_name = \"deploy\""),
        (json!({"StringEquals": {"sts:RoleSessionName": ["bad name", "deploy"]}}), "session_name = \"deploy\""),
        (json!({"StringLike": {"sts:RoleSessionName": "*@example.com"}}), "session_name = \"alice@example.com\""),
    ] {
        let scene = Scene::linked("");
        change_trust(&scene, |statement| statement["Condition"] = condition);
        met_by(verify(scene, "").only("trust_condition", "target"), 0, line);
    }
    let scene = Scene::linked("--session-name deploy");
    let condition = json!({"StringEquals": {"sts:RoleSessionName": "${aws:username}"}});
    change_trust(&scene, |statement| statement["Condition"] = condition);
    met_by(verify(scene, "").only("trust_condition", "target"), 0, "session_name = \"alice\"");
}

#[test]
fn on_an_unmanaged_role_a_required_session_name_is_met_first() {
    let scene = Scene::linked("");
    made_by_others(&scene);
    let condition = json!({"StringEquals": {"sts:RoleSessionName": "deploy"}});
    change_trust(&scene, |statement| statement["Condition"] = condition);
    met_by(verify(scene, "").only("trust_condition", "target"), 0, "session_name = \"deploy\"");
}

#[test]
fn a_denial_of_other_session_names_is_met_first() {
    let scene = Scene::linked("");
    deny_in_trust(&scene, json!({"StringNotEquals": {"sts:RoleSessionName": "deploy"}}));
    met_by(verify(scene, "").only("trust_denies", "target"), 0, "session_name = \"deploy\"");
}

#[test]
fn a_required_session_tag_is_recorded() {
    let scene = Scene::linked("--allow-session-tags --session-tag a=1");
    let condition = json!({"StringEquals": {"aws:RequestTag/project": "x"}});
    change_trust(&scene, |statement| statement["Condition"] = condition);
    let line = "session_tags = { \"a\" = \"1\", \"project\" = \"x\" }";
    met_by(verify(scene, "").only("trust_condition", "target"), 0, line);
}

#[test]
fn a_forbidden_session_name_is_not_recorded() {
    let scene = Scene::linked("");
    change_trust(&scene, |statement| {
        statement["Condition"] = json!({"StringNotEquals": {"sts:RoleSessionName": ["xacct-verify", "alice"]}});
    });
    let broken = verify(scene, "").only("trust_condition", "target");
    assert!(!broken.diagnosis.to_string().contains("session_name"), "{:#}", broken.diagnosis);
    broken.repairs();
}

#[test]
fn trust_condition_on_the_source_identity() {
    condition(|_| {}, "StringEquals", "sts:SourceIdentity", "alice", "certain");
}

#[test]
fn trust_denies() {
    let scene = Scene::linked("");
    deny_in_trust(&scene, json!({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/alice"}}));
    let broken = verify(scene, "").only("trust_denies", "target").marks(TRUST, &[&["Effect"]]);
    broken.says(&["statement 2 (No)"]).repairs();
}

#[test]
fn trust_other_action() {
    let scene = Scene::linked("");
    change_trust(&scene, |statement| statement["Action"] = json!("sts:TagSession"));
    verify(scene, "").only("trust_other_action", "target").marks(TRUST, &[&["Action"]]).repairs();
}

/// Removes the tag that marks the role as managed by xacct, and what xacct.toml says of it.
fn made_by_others(scene: &Scene) {
    let text = scene.environment.read("xacct.toml");
    let lines: Vec<_> = text.lines().filter(|line| !line.starts_with("link = ")).collect();
    scene.environment.write("xacct.toml", &(lines.join("\n") + "\n"));
    scene.sandbox.world(|world| world.role_mut(ACCOUNT_B, "xacct").expect("the role").tags.clear());
}

#[test]
fn fixes_an_unmanaged_role_by_adopting_it_or_adding_a_statement() {
    for fix in [0, 1] {
        let scene = Scene::linked("");
        made_by_others(&scene);
        change_trust(&scene, |statement| statement["Principal"] = json!({"AWS": "arn:aws:iam::333333333333:root"}));
        let mut broken = verify(scene, "").only("trust_other_account", "target");
        let fixes = broken.diagnosis["findings"][0]["fixes"].as_array().cloned().expect("fixes");
        assert_eq!(fixes.len(), 2, "{fixes:#?}");
        super::apply(&mut broken.scene, &fixes[fix], |_, step| panic!("{step}"));
        super::works(&broken.scene, "verify");
        let statements = broken.scene.trust_policy()["Statement"].as_array().map(Vec::len);
        assert_eq!(statements, Some(2 - fix), "an unmanaged statement is kept, unless the role is adopted");
    }
}

#[test]
fn adds_no_statement_to_an_unmanaged_role_that_is_too_open() {
    let scene = Scene::linked("--external-id right");
    made_by_others(&scene);
    change_trust(&scene, |statement| statement["Condition"] = json!({}));
    let broken = verify(scene, "").only("external_id_not_demanded", "target");
    let puts = broken.diagnosis.to_string().matches("\"put\"").count();
    assert_eq!(puts, 0, "{:#}", broken.diagnosis);
    broken.repairs();
}

#[test]
fn propagating() {
    let seconds = std::time::Duration::from_secs;
    let scene = Scene::of(xacct_sandbox::Sandbox::builder().propagation(seconds(30)));
    scene.bootstrap("--no-verify").exits_with(0);
    let broken = verify(scene, "").only("propagating", "target").certainty("likely");
    assert!(!broken.diagnosis["possible"].to_string().contains("propagation"), "it is not said twice");
    broken.repairs_by_hand(|scene, step| {
        assert_eq!(step, "wait a minute");
        scene.sandbox.advance(seconds(60));
    });
}

#[test]
fn propagating_longer_than_the_timeout_of_bootstrap() {
    let scene = Scene::of(xacct_sandbox::Sandbox::builder().propagation(std::time::Duration::from_secs(60)));
    let words = format!("{} --timeout 1s", crate::scene::BOOTSTRAP);
    super::try_with(scene, &words, 3).only("propagating", "target");
}

#[test]
fn sts_inactive() {
    let scene = Scene::linked("--region eu-west-1");
    scene.sandbox.world(|world| world.disable_sts(ACCOUNT_B, "eu-west-1"));
    verify(scene, "").only("sts_inactive", "target").says(&["eu-west-1", ACCOUNT_B, "not activated"]).repairs();
}

#[test]
fn sts_inactive_for_a_user_with_mfa() {
    let scene = Scene::linked("--region eu-west-1 --require-mfa --no-verify");
    scene.sandbox.world(|world| world.disable_sts(ACCOUNT_A, "eu-west-1"));
    verify(scene, "").only("sts_inactive", "source").says(&["eu-west-1", ACCOUNT_A]).repairs();
}

#[test]
fn a_region_that_the_target_has_not_enabled() {
    let scene = Scene::linked("--region eu-south-1");
    scene.sandbox.world(|world| world.disable_region(ACCOUNT_B, "eu-south-1"));
    let broken = verify(scene, "").first("sts_inactive", "target");
    broken.says(&["aws account enable-region --profile dev-admin --region-name eu-south-1"]).repairs();
}

#[test]
fn region_not_enabled() {
    let scene = Scene::linked("--region eu-south-1");
    scene.sandbox.world(|world| world.disable_region(ACCOUNT_A, "eu-south-1"));
    fails(scene).only("region_not_enabled", "source").says(&["eu-south-1", ACCOUNT_A]).repairs();
}

#[test]
fn shows_statements_verbatim() {
    let scene = Scene::linked("");
    change_trust(&scene, |statement| statement["Action"] = json!("sts:TagSession"));
    let stands = scene.trust_policy()["Statement"][0].clone();
    let broken = verify(scene, "");
    let shown = &broken.diagnosis["findings"][0]["evidence"][0]["statement"];
    assert_eq!((&shown["statement"], &shown["number"]), (&stands, &Value::from(1)));
}
