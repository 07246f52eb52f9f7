use super::*;

const ROLE: &str = "arn:aws:iam::222222222222:role/xacct";

fn found(files: &[(&str, &str)], command: &[&str]) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::create_dir_all(folder.path().join(name).parent().unwrap()).unwrap();
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let command: Vec<_> = command.iter().map(OsString::from).collect();
    file_that_assumes(&ROLE.parse().unwrap(), &command, folder.path())
}

fn provider() -> String {
    format!("provider \"aws\" {{\n  assume_role {{\n    role_arn = \"{ROLE}\"\n  }}\n}}\n")
}

#[test]
fn finds_the_settings_of_each_tool() {
    let texts = [
        ("provider.tf", provider()),
        ("backend.tf", format!("terraform {{ backend \"s3\" {{ assume_role = {{ role_arn = \"{ROLE}\" }} }} }}")),
        ("a.tf.json", format!("{{\"provider\":{{\"aws\":{{\"assume_role\":[{{\"role_arn\":\"{ROLE}\"}}]}}}}}}")),
        ("main.tofu", provider()),
        ("terragrunt.hcl", format!("iam_role = \"{ROLE}\"")),
        ("root.hcl", format!("iam_role = \"{ROLE}\"")),
    ];
    for (name, text) in texts {
        assert_eq!(found(&[(name, &text)], &["terraform", "plan"]).as_deref(), Some(name));
    }
}

#[test]
fn other_files_and_other_values_do_not_count() {
    let texts = [
        ("provider.txt", provider()),
        ("sub/provider.tf", provider()),
        ("other.tf", provider().replace(":role/xacct", ":role/xacct-2")),
        ("comment.tf", provider().replace("role_arn", "# role_arn")),
        ("slashes.tf", provider().replace("role_arn", "// role_arn")),
        ("block.tf", format!("/*\n{}*/\n", provider())),
        ("policy.tf", format!("resources = [\"{ROLE}\"]")),
        ("task.tf", format!("execution_role_arn = \"{ROLE}\"")),
        ("large.tf", provider() + &" ".repeat(256 * 1024)),
    ];
    for (name, text) in texts {
        assert_eq!(found(&[(name, &text)], &["terraform", "plan"]), None, "{name}");
    }
}

#[test]
fn the_text_after_a_comment_counts() {
    let text = format!("/* one line */\n/*\n more\n*/\n{}", provider());
    assert!(found(&[("main.tf", &text)], &["tofu", "apply"]).is_some());
}

#[test]
fn only_commands_that_may_run_terraform_count() {
    let files = [("provider.tf", &*provider())];
    for command in [&["/usr/bin/terraform"][..], &["terragrunt"], &["bash"], &["make", "plan"], &["env", "X=1", "tofu"]]
    {
        assert!(found(&files, command).is_some(), "{command:?}");
    }
    for command in [&["aws", "s3", "ls"][..], &["python3", "deploy.py"], &[]] {
        assert_eq!(found(&files, command), None, "{command:?}");
    }
}

#[test]
fn terraform_may_run_in_another_folder() {
    let files = [("sub/provider.tf", &*provider())];
    assert_eq!(found(&files, &["terraform", "-chdir=sub", "plan"]).as_deref(), Some("sub/provider.tf"));
    assert_eq!(found(&files, &["terraform", "-chdir=gone", "plan"]), None);
}

#[cfg(unix)]
#[test]
fn a_pipe_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let made = std::process::Command::new("mkfifo").arg(folder.path().join("a.tf")).status().unwrap();
    assert!(made.success());
    assert_eq!(file_that_assumes(&ROLE.parse().unwrap(), &["terraform".into()], folder.path()), None);
}
