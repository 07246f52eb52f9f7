//! `xacct bootstrap` creates both halves, recognizes them, and repairs them; the AWS CLI reads the result.

use serde_json::{Value, json};
use toml_edit::DocumentMut;

use crate::accounts::{Accounts, REGION, items, string, trust};
use crate::support::policies::allow;
use crate::support::third_party::test_name;

#[test]
fn bootstrap_creates_a_role_limited_to_verification() {
    let Some(accounts) = Accounts::for_test(test_name!()) else {
        return;
    };
    let report = accounts.bootstrap_json(&["--generate-external-id"], 0);
    let Accounts { source, target, .. } = &accounts;
    let link = &report["targets"][&target.id];
    let id = string(&link["external_id"]);
    assert_eq!(id.len(), 32);
    assert_eq!(link["verification"]["outcome"], "works");

    let recorded: DocumentMut = accounts.environment.read("xacct.toml").parse().expect("TOML");
    let tag = recorded["targets"][target.id.as_str()]["link"].as_str().expect("the link's tag").to_owned();
    let role = target.role("xacct");
    assert_eq!(role["Arn"], accounts.role_arn("xacct"));
    assert_eq!(role["MaxSessionDuration"], 3600);
    let description = format!("Lets alice of account {} work in this account", source.id);
    assert_eq!(role["Description"], description);
    assert_eq!(
        role["Tags"],
        json!([
            { "Key": "managed-by", "Value": "xacct" },
            { "Key": "xacct:link", "Value": tag },
            { "Key": "xacct:source-account", "Value": source.id },
        ])
    );
    assert_eq!(role["AssumeRolePolicyDocument"], trust_with_external_id(&source.id, id));
    assert_eq!(target.attached("xacct"), [""; 0]);
    let policies = target.role_policies("xacct");
    assert_eq!(policies.keys().collect::<Vec<_>>(), ["xacct-verify"]);
    assert_eq!(policies["xacct-verify"]["Statement"][0]["Resource"], "arn:aws:s3:::xacct-verify-*");
    assert_eq!(source.granted("alice"), [accounts.role_arn("xacct")]);
    assert_no_buckets(&accounts);

    let expected = format!(
        "[source]\naccount = {:?}\nuser = 'alice'\nprofile = 'security-admin'\nuser_profile = 'alice'\n\
         [targets.{:?}]\naccount = {:?}\nprofile = 'dev-admin'\nrole = 'xacct'\nlink = {tag:?}\nexternal_id = {id:?}\nregion = {REGION:?}\n",
        source.id, target.id, target.id
    );
    assert_eq!(plain(&recorded), plain(&expected.parse().expect("TOML")));
}

#[test]
fn every_option_of_the_role_reaches_the_target_account() {
    let Some(accounts) = Accounts::for_test(test_name!()) else {
        return;
    };
    let Accounts { environment, source, target, .. } = &accounts;
    let buckets = allow("s3:*", "*");
    environment.write("policies/buckets.json", &buckets.to_string());
    accounts
        .bootstrap(&[
            "--role-name=Deployer",
            "--role-path=/engineering/ci/",
            "--external-id=from-elsewhere:42",
            "--restrict-to-user",
            "--allow-session-tags",
            "--max-session-duration=2h",
            "--permissions-boundary=AdministratorAccess",
            "--policy-arn=ReadOnlyAccess",
            "--policy-arn=arn:aws:iam::aws:policy/service-role/AWSLambdaRole",
            "--policy-file=policies/buckets.json",
            "--tag=team=platform",
        ])
        .exits_with(0);

    let arn = accounts.role_arn("engineering/ci/Deployer");
    let role = target.role("Deployer");
    assert_eq!(role["Arn"], arn);
    assert_eq!(role["Path"], "/engineering/ci/");
    assert_eq!(role["MaxSessionDuration"], 7200);
    assert_eq!(role["PermissionsBoundary"]["PermissionsBoundaryArn"], "arn:aws:iam::aws:policy/AdministratorAccess");
    let tags = role["Tags"].as_array().expect("tags");
    assert!(tags.contains(&json!({ "Key": "team", "Value": "platform" })), "{tags:?}");
    let statements = &role["AssumeRolePolicyDocument"]["Statement"];
    let principal = json!({ "AWS": format!("arn:aws:iam::{}:root", source.id) });
    let alice = format!("arn:aws:iam::{}:user/alice", source.id);
    assert_eq!(statements[0]["Principal"], principal);
    assert_eq!(
        statements[0]["Condition"],
        json!({
            "StringEquals": { "sts:ExternalId": "from-elsewhere:42" },
            "ArnEquals": { "aws:PrincipalArn": alice },
        })
    );
    assert_eq!(statements[1]["Principal"], principal);
    assert_eq!(sorted(&statements[1]["Action"]), ["sts:SetSourceIdentity", "sts:TagSession"]);
    assert_eq!(target.attached("Deployer"), ["AWSLambdaRole", "ReadOnlyAccess"]);
    let policies = target.role_policies("Deployer");
    assert_eq!(policies.keys().collect::<Vec<_>>(), ["xacct-buckets"]);
    assert_eq!(policies["xacct-buckets"]["Statement"][0]["Action"], "s3:*");
    let grant = &source.user_policies("alice")["xacct"]["Statement"];
    assert_eq!(grant[0]["Resource"], arn.as_str());
    assert_eq!(grant[1]["Resource"], arn.as_str());
    assert_no_buckets(&accounts);
}

#[test]
fn accepts_every_character_that_aws_allows() {
    let Some(accounts) = Accounts::for_test(test_name!()) else {
        return;
    };
    let Accounts { environment, source, .. } = &accounts;
    let user = "a+b=c,d.e@f_g-1";
    source.user(environment, user, "strange");
    let id = format!("aZ09_+=,.@:/-{}", "/x".repeat(600));
    let external_id = format!("--external-id={id}");
    accounts.bootstrap_for(user, "strange", &[&external_id]).exits_with(0);
    let found = accounts.target.role("xacct")["AssumeRolePolicyDocument"].clone();
    assert_eq!(found, trust_with_external_id(&source.id, &id));
    assert_eq!(source.granted(user), [accounts.role_arn("xacct")]);
    environment.xacct(&["verify"]).exits_with(0);
}

#[test]
fn a_second_bootstrap_changes_nothing() {
    let Some(accounts) = Accounts::for_test(test_name!()) else {
        return;
    };
    let environment = &accounts.environment;
    accounts.bootstrap(&["--generate-external-id"]).exits_with(0);
    let (before, recorded) = (accounts.everything(), environment.read("xacct.toml"));

    let report = environment.xacct_json(&["bootstrap"], 0);
    assert_eq!(report["pending_changes"], 0);
    assert_eq!(report["config"]["written"], false);
    assert_eq!(accounts.bootstrap_json(&["--generate-external-id"], 0)["pending_changes"], 0);
    environment.xacct(&["bootstrap", "--check"]).exits_with(0);
    assert_eq!(accounts.everything(), before);
    assert_eq!(environment.read("xacct.toml"), recorded);
}

#[test]
fn policies_replace_the_verify_only_policy() {
    let Some(accounts) = Accounts::for_test(test_name!()) else {
        return;
    };
    accounts.bootstrap(&[]).exits_with(0);
    accounts.bootstrap(&["--policy-arn=PowerUserAccess", "--allow-weaker"]).exits_with(0);
    let target = &accounts.target;
    assert_eq!(target.attached("xacct"), ["PowerUserAccess"]);
    assert!(target.role_policies("xacct").is_empty());
    accounts.environment.xacct(&["bootstrap", "--check"]).exits_with(0);
}

#[test]
fn bootstrap_repairs_a_widened_trust_policy() {
    let Some(accounts) = Accounts::for_test(test_name!()) else {
        return;
    };
    let Accounts { environment, source, target, .. } = &accounts;
    accounts.bootstrap(&["--external-id=keep-me"]).exits_with(0);
    target.set_trust_policy("xacct", &trust(&source.id));
    let before = accounts.everything();

    let report = environment.xacct_json(&["bootstrap", "--check"], 4);
    assert_eq!(report["pending_changes"], 1);
    let change = &report["targets"][&target.id]["changes"][0];
    assert_eq!(change["action"], "replace_trust_policy");
    assert_eq!(accounts.everything(), before, "--check changes nothing");

    environment.xacct(&["bootstrap", "--yes"]).exits_with(0);
    let mended = target.role("xacct")["AssumeRolePolicyDocument"].clone();
    assert_eq!(mended, trust_with_external_id(&source.id, "keep-me"));
    environment.xacct(&["verify"]).exits_with(0);
    environment.xacct(&["bootstrap", "--check"]).exits_with(0);
}

#[test]
fn dry_run_and_no_confirmation_change_nothing() {
    let Some(accounts) = Accounts::for_test(test_name!()) else {
        return;
    };
    let environment = &accounts.environment;
    let before = accounts.everything();
    let report = accounts.bootstrap_json(&["--dry-run", "--generate-external-id"], 0);
    assert_eq!(report["pending_changes"], 3);
    assert_eq!(report["applied"], false);
    let target = format!("--target-account={}", accounts.target.id);
    let unasked = ["bootstrap", &target, "--user=alice", "--profile=security-admin"];
    let refused = environment.xacct(&unasked).exits_with(2);
    assert!(refused.stderr.contains("--yes"), "{refused}");
    assert_eq!(accounts.everything(), before);
    assert!(!environment.has("xacct.toml"));
}

#[test]
fn refuses_root_credentials() {
    let Some(accounts) = Accounts::for_test(test_name!()) else {
        return;
    };
    let Accounts { environment, source, target, .. } = &accounts;
    source.profile(environment, "source-root", &source.id, "any");
    target.profile(environment, "target-root", &target.id, "any");
    let target_account = format!("--target-account={}", target.id);
    for (profile, target_profile) in [
        ("--profile=source-root", "--target-profile=dev-admin"),
        ("--profile=security-admin", "--target-profile=target-root"),
    ] {
        let arguments = ["bootstrap", "--yes", "--user=alice", &target_account, profile, target_profile];
        let report = environment.xacct_json(&arguments, 1);
        assert_eq!(report["error"]["kind"], "refused");
    }
    assert_eq!(target.roles(), [""; 0]);
}

fn trust_with_external_id(source: &str, id: &str) -> Value {
    let mut document = trust(source);
    document["Statement"][0]["Sid"] = "XacctAssumeRole".into();
    document["Statement"][0]["Condition"] = json!({ "StringEquals": { "sts:ExternalId": id } });
    document
}

fn sorted(list: &Value) -> Vec<&str> {
    let mut words: Vec<_> = items(list).iter().map(string).collect();
    words.sort_unstable();
    words
}

fn assert_no_buckets(accounts: &Accounts) {
    assert_eq!(accounts.source.buckets(), [""; 0]);
    assert_eq!(accounts.target.buckets(), [""; 0]);
}

/// Parses a TOML document, to compare it regardless of its format.
fn plain(document: &DocumentMut) -> Vec<String> {
    let mut lines = Vec::new();
    let mut tables = vec![(String::new(), document.as_item())];
    while let Some((name, item)) = tables.pop() {
        match item.as_table_like() {
            Some(table) => tables.extend(table.iter().map(|(key, item)| (format!("{name}.{key}"), item))),
            None => lines.push(format!("{name} = {:?}", item.as_str())),
        }
    }
    lines.sort();
    lines
}
