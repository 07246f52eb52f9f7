//! Two people create the two halves, each without credentials for the other account.

use crate::accounts::Accounts;
use crate::support::third_party::test_name;
use crate::support::{Output, TestEnvironment};

#[test]
fn two_owners_create_one_half_each() {
    let Some(mut accounts) = Accounts::for_test(test_name!()) else {
        return;
    };
    let (mut dev, mut security) = (TestEnvironment::new(), TestEnvironment::new());
    for environment in [&mut dev, &mut security] {
        environment.set("AWS_ENDPOINT_URL", accounts.url);
    }
    accounts.target.operator(&dev, "dev");
    accounts.source.operator(&security, "security");
    dev.set("XACCT_TARGET_PROFILE", "dev");
    security.set("XACCT_PROFILE", "security");

    let arguments = [
        "bootstrap",
        "--only=target",
        "--yes",
        "--role-path=/shared/",
        "--generate-external-id",
        &format!("--target-account={}", accounts.target.id),
        &format!("--user=arn:aws:iam::{}:user/alice", accounts.source.id),
    ];
    let told = dev.xacct(&arguments).exits_with(0);
    assert_eq!(accounts.target.roles(), ["xacct"]);
    assert_eq!(accounts.source.granted("alice"), [""; 0]);

    // The second owner runs the command that the first one was given.
    let command = command_in(&told, "xacct bootstrap --only source");
    let words: Vec<_> = command.split_whitespace().chain(["--yes"]).skip(1).collect();
    security.xacct(&words).exits_with(0);
    assert_eq!(accounts.source.granted("alice"), [accounts.role_arn("shared/xacct")]);

    security.write(".aws/config", &accounts.environment.read(".aws/config"));
    security.write(".aws/credentials", &accounts.environment.read(".aws/credentials"));
    security.xacct(&["verify", "--user-profile=alice"]).exits_with(0);
    // The first owner can verify too, with alice's credentials.
    accounts.environment.set("XACCT_CONFIG", &dev.path("xacct.toml").display().to_string());
    accounts.environment.xacct(&["verify", "--user-profile=alice"]).exits_with(0);
}

#[test]
fn the_half_in_the_source_account_can_come_first() {
    let Some(accounts) = Accounts::for_test(test_name!()) else {
        return;
    };
    let told = accounts.bootstrap(&["--only=source", "--external-id=agreed-upon"]).exits_with(0);
    assert_eq!(accounts.target.roles(), [""; 0]);
    assert_eq!(accounts.source.granted("alice"), [accounts.role_arn("xacct")]);

    let environment = &accounts.environment;
    let command = command_in(&told, "xacct bootstrap --only target");
    let words = command.split_whitespace().chain(["--yes", "--target-profile=dev-admin"]);
    environment.xacct(&words.skip(1).collect::<Vec<_>>()).exits_with(0);
    environment.xacct(&["verify"]).exits_with(0);
    environment.xacct(&["bootstrap", "--check"]).exits_with(0);
}

/// Returns the line that begins with this command.
fn command_in(output: &Output, command: &str) -> String {
    let mut lines = output.stdout.lines().map(str::trim);
    lines.find(|line| line.starts_with(command)).unwrap_or_else(|| panic!("no `{command}` in\n{output}")).to_owned()
}
