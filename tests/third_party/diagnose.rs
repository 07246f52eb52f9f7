//! `diagnose` names the cause of a broken link on ministack, and the printed fix, pasted into a shell with the real AWS
//! CLI, repairs it.

use std::path::Path;

use serde_json::{Value, json};

use crate::accounts::{Accounts, items, string, trust};
use crate::support::Output;
use crate::support::policies::document;
use crate::support::third_party::{self, test_name};

/// A way to break alice's link.
struct Break {
    cause: &'static str,
    options: &'static [&'static str],
    by: fn(&Accounts),
}

const BREAKS: [Break; 9] = [
    Break {
        cause: "role_absent",
        options: &[],
        by: |accounts| {
            accounts.target.aws("iam delete-role-policy --role-name xacct --policy-name xacct-verify");
            accounts.target.aws("iam delete-role --role-name xacct");
        },
    },
    Break {
        cause: "trust_other_account",
        options: &[],
        by: |accounts| {
            accounts.target.set_trust_policy("xacct", &trust("999999999999"));
        },
    },
    Break {
        cause: "trust_denies",
        options: &[],
        by: |accounts| {
            let mut document = trust(&accounts.source.id);
            let mut denial = document["Statement"][0].clone();
            denial["Effect"] = "Deny".into();
            document["Statement"].as_array_mut().expect("a list").push(denial);
            accounts.target.set_trust_policy("xacct", &document);
        },
    },
    Break {
        cause: "external_id_wrong",
        options: &["--external-id=right"],
        by: |accounts| {
            accounts.environment.edit("xacct.toml", "\"right\"", "\"wrong\"");
        },
    },
    Break {
        cause: "external_id_missing",
        options: &["--external-id=right"],
        by: |accounts| {
            accounts.environment.edit("xacct.toml", "external_id = \"right\"\n", "");
        },
    },
    Break {
        cause: "external_id_not_demanded",
        options: &["--external-id=right"],
        by: |accounts| {
            accounts.target.set_trust_policy("xacct", &trust(&accounts.source.id));
        },
    },
    Break {
        cause: "grant_absent",
        options: &[],
        by: |accounts| {
            accounts.source.aws("iam delete-user-policy --user-name alice --policy-name xacct");
        },
    },
    Break {
        cause: "grant_other_arn",
        options: &[],
        by: |accounts| {
            put_user_policy(accounts, "xacct", "Allow", &accounts.role_arn("another"));
        },
    },
    Break {
        cause: "source_denies",
        options: &[],
        by: |accounts| {
            put_user_policy(accounts, "no-roles", "Deny", "*");
        },
    },
];

fn put_user_policy(accounts: &Accounts, name: &str, effect: &str, resource: &str) {
    let statement =
        json!({"Sid": "XacctAssumeRole", "Effect": effect, "Action": "sts:AssumeRole", "Resource": resource});
    let document = document(json!([statement]));
    accounts
        .source
        .aws_with(&format!("iam put-user-policy --user-name alice --policy-name {name} --policy-document"), &document);
}

#[test]
fn diagnose_names_the_cause_and_its_fix_works() {
    // The cases mostly wait for programs, so all of them run at once.
    std::thread::scope(|scope| {
        for broken in BREAKS {
            let Some(accounts) = Accounts::for_test(test_name!()) else {
                return;
            };
            scope.spawn(move || named_and_mended(&broken, &accounts));
        }
    });
}

fn named_and_mended(broken: &Break, accounts: &Accounts) {
    accounts.bootstrap(broken.options).exits_with(0);
    (broken.by)(accounts);
    let finding = first_finding(accounts);
    assert_eq!(finding["cause"], broken.cause, "{finding:#}");
    for step in items(&finding["fixes"][0]["steps"]) {
        paste(accounts, step);
    }
    accounts.environment.xacct(&["verify"]).exits_with(0);
}

fn first_finding(accounts: &Accounts) -> Value {
    let report = accounts.environment.xacct_json(&["verify"], 3);
    report["targets"][&accounts.target.id]["diagnosis"]["findings"][0].clone()
}

/// Performs a step of a fix.
fn paste(accounts: &Accounts, step: &Value) {
    let environment = &accounts.environment;
    if let Some(write) = step.get("write") {
        let section = format!("{}\n", string(&write["section"]));
        let line = string(&write["line"]);
        let key = line.split(' ').next().expect("a key");
        let file = environment.read(string(&write["file"]));
        let kept: String = file
            .lines()
            .filter(|line| !line.starts_with(&format!("{key} =")))
            .map(|line| format!("{line}\n"))
            .collect();
        assert!(kept.contains(&section), "{section} in {kept}");
        environment.write(string(&write["file"]), &kept.replace(&section, &format!("{section}{line}\n")));
    }
    if let Some(command) = step.get("run").map(string) {
        let folder = |program: &Path| program.parent().expect("a folder").display().to_string();
        let aws = third_party::in_venv("aws").expect("what the accounts were made with");
        let path = [folder(Path::new(env!("CARGO_BIN_EXE_xacct"))), folder(&aws), "/usr/bin:/bin".to_owned()];
        let mut shell = environment.command("sh");
        let yes = if command.starts_with("xacct bootstrap") { " --yes --allow-weaker" } else { "" };
        shell.env("PATH", path.join(":")).args(["-c", &format!("{command}{yes}")]);
        Output::of(shell).exits_with(0);
    }
}
