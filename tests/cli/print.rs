//! The complete output of `xacct print`. None of these commands calls AWS.

use crate::scene::Scene;
use crate::snapshots::assert_output;

const LINKS: &str = r#"
[source]
account = "111111111111"
user = "alice"
user_profile = "alice"

[targets.dev]
account = "222222222222"
external_id = "abc"
region = "eu-west-1"

[targets."2nd"]
account = "333333333333"
role = "deploy"
role_path = "/engineering/"
max_session_duration = "2h"
require_mfa = true
"#;

/// Records two links that do not exist.
fn recorded() -> Scene {
    let scene = Scene::new();
    scene.environment.write("xacct.toml", LINKS);
    scene
}

/// Runs a command and compares its output with a snapshot.
#[track_caller]
fn shows(name: &str, scene: &Scene, words: &str) {
    let output = scene.xacct(words);
    assert_output(name, words, &output);
    assert!(!output.everything().contains('\u{1b}'), "{output:?}");
    assert!(output.stdout.lines().all(|line| line == line.trim_end()), "trailing spaces\n{output}");
}

#[test]
fn provider_blocks() {
    let scene = recorded();
    shows("provider-hcl-one", &scene, "print-provider-hcl dev");
    shows("provider-hcl-several-mfa", &scene, "print-provider-hcl");
    shows(
        "provider-hcl-constraint",
        &scene,
        "print-provider-hcl 222222222222 --version-constraint ~>5.67 --region us-east-1 --duration 30m",
    );
    shows("provider-hcl-too-long", &scene, "print-provider-hcl dev --duration 3h");
    shows("provider-hcl-unknown-target", &scene, "print-provider-hcl prod");
    assert!(scene.sandbox.requests().is_empty());
}

#[test]
fn provider_blocks_with_options() {
    let scene = recorded();
    let words = "print-provider-hcl dev";
    let tags = "--source-identity alice --session-tag project=x --transitive-tag-key project";
    shows("provider-hcl-no-session-tags", &scene, &format!("{words} {tags}"));
    scene
        .xacct(&format!("{words} --transitive-tag-key x"))
        .exits_with(2)
        .says(&["`x` is not the key of a session tag"]);
    let through = format!("{words} --through arn:aws:iam::111111111111:role/ci");
    shows("provider-hcl-through-too-long", &scene, &format!("{through} --duration 2h"));
    shows("provider-hcl-through-elsewhere", &scene, &through.replace("111111111111", "444444444444"));
    shows("provider-hcl-through-mfa", &scene, &through.replace("dev", "2nd"));
    let region = "region = \"eu-west-1\"\n";
    let more = format!("{region}allow_session_tags = true\nmax_session_duration = \"2h\"\n");
    scene.environment.edit("xacct.toml", region, &more);
    shows("provider-hcl-everything", &scene, &format!("{through} {tags}"));
    scene.xacct(&format!("{words} --session-tag a=1 --session-tag A=2")).exits_with(2).says(&["is given twice"]);
    assert!(scene.sandbox.requests().is_empty());
}

#[test]
fn profiles() {
    let scene = recorded();
    shows("profile-one", &scene, "print profile dev --region us-east-1 --duration 30m");
    shows("profile-several-mfa", &scene, "print profile");
    shows("profile-mfa-device", &scene, "print profile 2nd --mfa-serial arn:aws:iam::111111111111:mfa/phone");
    shows("profile-process", &scene, "print profile --credential-process --program /usr/local/bin/xacct");
    shows("profile-own-source", &scene, "print profile dev --profile-name alice");
    shows("profile-unreadable-name", &scene, "print profile dev --profile-name a]b");
    shows("profile-one-name-for-two", &scene, "print profile --profile-name work");
    assert!(scene.sandbox.requests().is_empty());
}

#[test]
fn print_profile_requires_a_user_profile() {
    let scene = recorded();
    scene.environment.edit("xacct.toml", "user_profile = \"alice\"", "");
    shows("profile-no-user-profile", &scene, "print profile dev");
    scene.xacct("print profile dev --source-profile me").exits_with(0).says(&["source_profile = me\n"]);
}

/// `--out` replaces the files that xacct generated, and never other files.
#[test]
fn never_overwrites_a_file_it_did_not_generate() {
    let scene = recorded();
    let words = "print profile dev --out profile.ini";
    scene.xacct(words).exits_with(0).says(&["Wrote profile.ini"]);
    let written = scene.environment.read("profile.ini");
    assert_eq!(written, scene.xacct("print profile dev").exits_with(0).stdout);
    scene.xacct(&format!("{words} --duration 30m")).exits_with(0);
    assert!(scene.environment.read("profile.ini").contains("duration_seconds = 1800\n"));

    for foreign in
        ["", "[default]\n", "# Printed by xacct print-provider-hcl\n", "\n# Printed by xacct print profile\n"]
    {
        scene.environment.write("profile.ini", foreign);
        scene.xacct(words).exits_with(1).says(&["`profile.ini` was not written by xacct print profile", "--force"]);
        assert_eq!(scene.environment.read("profile.ini"), foreign);
    }
    scene.xacct(&format!("{words} --force")).exits_with(0);
    assert_eq!(scene.environment.read("profile.ini"), written);
    // A file of an older version, with the former command name.
    scene.environment.write("profile.ini", "# Printed by xacct print-profile\n[profile dev]\n");
    scene.xacct(words).exits_with(0);
    assert_eq!(scene.environment.read("profile.ini"), written);
    scene
        .xacct("print profile dev --out no/such/folder")
        .exits_with(1)
        .says(&["cannot write `no/such/folder`: its folder"]);
    // A pipe is neither read, which could block, nor replaced.
    for device in ["/dev/zero", "/dev/null", "."] {
        let words = format!("print profile dev --out {device}");
        scene.xacct(&words).exits_with(1).says(&["it is not a file"]);
        scene.xacct(&format!("{words} --force")).exits_with(1).says(&["it is not a file"]);
    }
    scene.xacct("print profile dev --force").exits_with(2);
    assert!(
        !std::fs::read_dir(scene.environment.path(""))
            .unwrap()
            .any(|entry| { entry.unwrap().file_name().to_string_lossy().starts_with(".xacct-") })
    );
}

#[test]
fn backends() {
    let scene = recorded();
    let words = "print backend-hcl dev --bucket my-state";
    shows("backend-usual", &scene, words);
    shows("backend-old", &scene, &format!("{words} --terraform-version 1.5 --key a/b.tfstate"));
    shows("backend-opentofu", &scene, &format!("{words} --terraform-version opentofu-1.8 --lock-table locks"));
    shows("backend-mfa", &scene, "print backend-hcl 2nd --bucket my-state --region eu-central-1 --duration 1h");
    shows("backend-policy", &scene, &format!("{words} --policy --workspaces"));
    shows("backend-newer-version", &scene, &format!("{words} --terraform-version 1.99"));
    shows("backend-unknown-version", &scene, &format!("{words} --terraform-version latest"));
    scene.xacct(&format!("{words} --terraform-version opentofu-1.5")).exits_with(2).says(&["its first version is 1.6"]);
    shows("backend-table-and-lockfile", &scene, &format!("{words} --lock-table locks"));
    shows("backend-several", &scene, "print backend-hcl --bucket my-state");
    shows("backend-bad-bucket", &scene, "print backend-hcl dev --bucket My_State");
    scene.xacct(&format!("{words} --policy --key a*")).exits_with(2).says(&["would mean other keys too"]);
    assert!(scene.sandbox.requests().is_empty());
}

#[test]
fn terragrunt() {
    let scene = recorded();
    let toml = scene.environment.read("xacct.toml");
    shows("terragrunt-external-id", &scene, "print terragrunt-hcl dev --bucket my-state");
    shows("terragrunt-mfa", &scene, "print terragrunt-hcl 2nd --region eu-west-1");
    shows("terragrunt-unknown-version", &scene, "print terragrunt-hcl dev --terragrunt-version 3");
    shows("terragrunt-no-region", &scene, "print terragrunt-hcl 2nd --bucket my-state");
    scene.environment.write("xacct.toml", &toml.replace("external_id = \"abc\"", ""));
    shows("terragrunt-iam-role", &scene, "print terragrunt-hcl dev --terragrunt-version 1.1.2");
    shows("terragrunt-bucket-for-nothing", &scene, "print terragrunt-hcl dev --bucket my-state");
    scene.xacct("print terragrunt-hcl dev --terragrunt-version 1.1.1").exits_with(0).says(&["use 1.1.2 or later"]);
    let newer = scene.xacct("print terragrunt-hcl dev --terragrunt-version 3.0").exits_with(0);
    newer.says(&["Terragrunt 3.0 is newer than xacct knows: printed as for Terragrunt 1.1"]);
    assert!(scene.sandbox.requests().is_empty());
}

#[test]
fn policies() {
    let scene = recorded();
    shows("policies-source-operator", &scene, "print policies --for source-operator");
    shows("policies-target-operator", &scene, "print policies 2nd --for target-operator");
    shows("policies-user", &scene, "print policies --for user");
    shows("policies-two-accounts", &scene, "print policies --for target-operator");
    let with_path = "print policies --for source-operator --user-arn arn:aws:iam::111111111111:user/team/alice";
    scene.xacct(with_path).exits_with(0).says(&["user/team/alice"]);
    scene.environment.edit("xacct.toml", "user = \"alice\"", "");
    scene.xacct("print policies --for user").exits_with(2).says(&["[source] of `xacct.toml` has no `user`"]);
    scene.xacct("print policies dev --for target-operator").exits_with(0);
    assert!(scene.sandbox.requests().is_empty());
}

#[test]
fn roles_as_terraform_resources() {
    let scene = recorded();
    scene.environment.append("xacct.toml", "policy_arns = [\"PowerUserAccess\"]\nallow_session_tags = true\n");
    scene.environment.append("xacct.toml", "enter_role = \"OrganizationAccountAccessRole\"\n");
    shows("role-hcl-one", &scene, "print role-hcl dev");
    shows("role-hcl-several", &scene, "print role-hcl");
    scene.environment.append("xacct.toml", "policy_files = [\"missing.json\"]\n");
    scene.xacct("print role-hcl").exits_with(1).says(&["cannot read policy file `missing.json`"]);
    assert!(scene.sandbox.requests().is_empty());
}

#[test]
fn cloudformation_templates() {
    let scene = recorded();
    shows("cloudformation-yaml", &scene, "print cloudformation dev");
    shows("cloudformation-json", &scene, "print cloudformation 2nd --format json");
    shows("cloudformation-several", &scene, "print cloudformation");
    // JSON has no comments, so the document itself names its generator.
    let words = "print cloudformation dev --format json --out role.json";
    scene.xacct(words).exits_with(0);
    scene.xacct(&format!("{words} --user-arn arn:aws:iam::111111111111:user/x/alice")).exits_with(0);
    scene.environment.edit("role.json", "xacct print cloudformation", "xacct print-cloudformation");
    scene.xacct(words).exits_with(0);
    scene.environment.write("role.json", "{\"Metadata\": {}}");
    scene.xacct(words).exits_with(1).says(&["was not written by xacct print cloudformation"]);
    assert!(scene.sandbox.requests().is_empty());
}

#[test]
fn hcp_workspaces() {
    let scene = recorded();
    let words = "print hcp dev --organization acme --workspace network";
    shows("hcp-dynamic", &scene, &format!("{words} --hostname tfe.example.com --project net"));
    shows("hcp-static", &scene, &format!("{words} --auth static"));
    shows("hcp-trust-policy", &scene, &format!("{words} --trust-policy"));
    scene.xacct(&format!("{words} --auth static --trust-policy")).exits_with(2).says(&["stays as it is"]);
    shows("hcp-static-mfa", &scene, &words.replace("dev", "2nd --auth static"));
    shows("hcp-bad-organization", &scene, &words.replace("acme", "*"));
    assert!(scene.sandbox.requests().is_empty());
}

/// xacct reports an assumed user ARN on stderr wherever it is part of the output.
#[test]
fn warns_about_an_assumed_user_path() {
    const GUESS: &str = "Taken for granted: the user is arn:aws:iam::111111111111:user/alice.";
    const TYPED: &str = "--user-arn arn:aws:iam::111111111111:user/team/alice";
    let scene = recorded();
    let hcp = "print hcp dev --organization acme --workspace network --trust-policy";
    let words = ["print cloudformation dev", hcp, "print role-hcl dev", "print policies --for user"];
    for words in words {
        assert!(!scene.xacct(words).exits_with(0).everything().contains(GUESS), "{words}");
    }
    scene.environment.edit("xacct.toml", "external_id = \"abc\"", "external_id = \"abc\"\nrestrict_to_user = true");
    for words in ["print cloudformation dev", hcp, "print role-hcl dev", "print policies --for source-operator"] {
        let guessed = scene.xacct(words).exits_with(0);
        assert!(guessed.stderr.contains(GUESS) && !guessed.stdout.contains("Taken for granted"), "{guessed}");
        let typed = scene.xacct(&format!("{words} {TYPED}")).exits_with(0);
        assert!(!typed.everything().contains("Taken for granted"), "{typed}");
    }
}

/// The Regions in the file determine the partition, and no command mixes two partitions.
#[test]
fn every_arn_has_the_partition_of_the_link() {
    let scene = recorded();
    scene.environment.edit("xacct.toml", "region = \"eu-west-1\"", "region = \"us-gov-west-1\"");
    for words in [
        "print-provider-hcl",
        "print backend-hcl dev --bucket my-state",
        "print backend-hcl 2nd --bucket my-state --policy",
        "print terragrunt-hcl dev",
        "print profile",
        "print hcp dev --organization acme --workspace network",
        "print hcp 2nd --organization acme --workspace network --trust-policy",
        "print role-hcl",
        "print role-hcl 2nd",
        "print cloudformation 2nd",
        "print policies --for source-operator",
        "print policies 2nd --for target-operator",
        "print policies --for user",
    ] {
        let printed = scene.xacct(words).exits_with(0);
        assert!(printed.stdout.contains("arn:aws-us-gov:") || words.starts_with("print cloudformation"), "{printed}");
        assert!(!printed.everything().contains("arn:aws:"), "{printed}");
        assert!(!printed.stdout.contains("us-east-1"), "{printed}");
    }
    shows("backend-other-partition", &scene, "print backend-hcl dev --bucket my-state --region eu-west-1");
    scene.environment.append("xacct.toml", "region = \"eu-west-1\"\n");
    scene.xacct("print policies --for user").exits_with(2).says(&["are in partitions aws and aws-us-gov"]);
    scene.xacct("print role-hcl dev").exits_with(2).says(&["are in partitions aws and aws-us-gov"]);
    assert!(scene.sandbox.requests().is_empty());
}

/// With a wildcard in the path, every policy that names the role would match other roles too.
#[test]
fn rejects_paths_with_wildcards() {
    let scene = recorded();
    scene.environment.edit("xacct.toml", "/engineering/", "/*/");
    for words in [
        "print policies --for user",
        "print policies 2nd --for target-operator",
        "print role-hcl 2nd",
        "print cloudformation 2nd",
        "print hcp 2nd --organization acme --workspace network --trust-policy",
    ] {
        scene.xacct(words).exits_with(2).says(&["cannot be the role's path"]);
    }
}

/// A role cannot assume itself: each consumer for which this may happen warns about it.
#[test]
fn warns_about_a_role_that_would_assume_itself() {
    let scene = recorded();
    for words in [
        "print-provider-hcl dev",
        "print backend-hcl dev --bucket my-state",
        "print terragrunt-hcl dev",
        "print profile dev",
        "print profile dev --credential-process",
        "print hcp dev --organization acme --workspace network",
    ] {
        let output = scene.xacct(words).exits_with(0);
        assert!(output.stderr.contains("have to assume itself"), "{output}");
    }
}

/// Shell commands in the output parse correctly, whatever the names.
#[cfg(unix)]
#[test]
fn shell_lines_parse_in_a_shell() {
    let scene = Scene::new();
    let hcp = ["--organization=acme", "--workspace=network"];
    for target in ["a'b", "a\"b", "$(id) `id`", "#", "a\\", "a;b|c&d", "(", "!x", "-x", "é ü", ""] {
        let name = toml_edit::Key::new(target).default_repr().as_raw().as_str().unwrap().to_owned();
        let file = format!(
            "[source]\naccount = '111111111111'\nuser = 'a+b=c,d.e@f'\n[targets.{name}]\naccount = '222222222222'\n"
        );
        scene.environment.write("xacct.toml", &file);
        let print = |arguments: &[&str]| scene.environment.xacct(arguments).exits_with(0).stdout;
        let mut scripts = vec![
            print(&[&["print", "hcp"][..], &hcp].concat()),
            print(&[&["print", "hcp", "--auth=static"][..], &hcp].concat()),
        ];
        scripts.extend(scripts.clone().iter().map(|text| commands(text)));
        print(&["print", "cloudformation", "--out=it's $(id).yaml"]);
        scripts.push(commands(&scene.environment.read("it's $(id).yaml")));
        for script in scripts {
            scene.environment.write("script", &script);
            let mut shell = scene.environment.command("sh");
            shell.args(["-n", "script"]);
            crate::support::Output::of(shell).exits_with(0);
        }
    }
}

/// Returns the commands in comments, with their continuation lines.
#[cfg(unix)]
fn commands(text: &str) -> String {
    let mut goes_on = false;
    let mut commands = String::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("#   ")) {
        if goes_on || line.starts_with("aws ") || line.starts_with("xacct ") {
            commands.push_str(&format!("{line}\n"));
            goes_on = line.ends_with('\\');
        }
    }
    assert!(!commands.is_empty() && !goes_on, "{text}");
    commands
}

/// The commands that existed before `xacct print`.
#[test]
fn former_commands_work_but_are_hidden() {
    let scene = recorded();
    let former = [
        "backend-hcl dev --bucket my-state",
        "terragrunt-hcl dev",
        "profile dev",
        "hcp dev --organization acme --workspace network",
        "policies --for user",
        "role-hcl dev",
        "cloudformation dev",
    ];
    let shown = ["help", "--help", "-h", "completions bash", "completions zsh", "completions fish", "man"];
    let shown = shown.map(|words| scene.xacct(words).exits_with(0).stdout);
    for words in former {
        let (name, _) = words.split_once(' ').unwrap();
        let current = scene.xacct(&format!("print {words}")).exits_with(0);
        for before in ["", "--config xacct.toml ", "--config=xacct.toml "] {
            let former = scene.xacct(&format!("{before}print-{words}")).exits_with(0);
            assert_eq!((former.stdout, former.stderr), (current.stdout.clone(), current.stderr.clone()), "{words}");
        }
        let help = scene.xacct(&format!("print-{name} --help")).exits_with(0).stdout;
        assert!(help.contains(&format!("Usage: xacct print {name} ")), "{help}");
        assert_eq!(scene.xacct(&format!("help print-{name}")).exits_with(0).stdout, help);
        scene.xacct(&format!("print-{name} --no-such")).exits_with(2).says(&[&format!("Usage: xacct print {name}")]);
        for text in &shown {
            assert!(!text.contains(&format!("print-{name}")), "{name}: {text}");
        }
    }
    // One command kept its name and also has the new one.
    let output = |words: &str| scene.xacct(words).exits_with(0).stdout;
    assert_eq!(output("print provider-hcl dev"), output("print-provider-hcl dev"));
    assert!(output("help").contains("  print-provider-hcl "));
    // No new hidden commands are added.
    scene.xacct("print-nothing").exits_with(2).says(&["unrecognized subcommand 'print-nothing'"]);
}
