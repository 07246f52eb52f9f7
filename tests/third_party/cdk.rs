//! CDK deploys to the target account through a link, and is the other way to let an account deploy to another.

use std::path::PathBuf;

use serde_json::json;

use crate::accounts::{Account, Accounts, REGION, items, string};
use crate::support::policies::document;
use crate::support::third_party::{self, NPM_INSTALL, skip, test_name};
use crate::support::{Output, Tls};

/// Returns the directory with CDK and an app.
fn installed() -> Result<PathBuf, String> {
    let files = [("package.json", include_str!("cdk/package.json")), ("app.js", include_str!("cdk/app.js"))];
    third_party::installed("cdk", &files, "npm", &NPM_INSTALL)
}

/// Returns the names of stacks.
fn stacks(account: &Account) -> Vec<String> {
    let answer = account.aws("cloudformation describe-stacks");
    items(&answer["Stacks"]).iter().map(|stack| string(&stack["StackName"]).to_owned()).collect()
}

/// `cdk bootstrap` creates roles in the target account. A link lets alice use them, with a profile and with `exec`.
#[test]
fn cdk_deploys_to_the_target_account() {
    let Some(mut accounts) = Accounts::for_test(test_name!()) else {
        return;
    };
    let folder = match installed() {
        Ok(folder) => folder,
        Err(reason) => return skip(test_name!(), &reason),
    };
    let (source, target) = (accounts.source.id.clone(), accounts.target.id.clone());
    let staging = format!("cdk-hnb659fds-assets-{target}-{REGION}");
    let environment = &mut accounts.environment;
    // The policy of CDK's bucket denies requests without TLS.
    let port = accounts.url.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    let tls = Tls::before_port(port);
    environment.write("ca.pem", &tls.authority);
    environment.set("AWS_CA_BUNDLE", &environment.path("ca.pem").display().to_string());
    environment.set("AWS_ENDPOINT_URL", &tls.url);
    environment.set("PATH", &std::env::var("PATH").unwrap_or_default());
    environment.set("CDK_DISABLE_CLI_TELEMETRY", "true");
    let app = format!("node \"{}\"", folder.join("app.js").display());
    let settings = json!({"app": app, "requireApproval": "never", "notices": false, "versionReporting": false});
    environment.write("cdk.json", &settings.to_string());

    // All that the role may do is assume CDK's roles.
    let assume =
        json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": format!("arn:aws:iam::{target}:role/cdk-*")});
    environment.write("deploy.json", &document(json!([assume])).to_string());
    accounts.bootstrap(&["--external-id=abc", "--policy-file=deploy.json"]).exits_with(0);
    let arguments = ["print", "profile", "--install", "--profile-name=work", "--region", REGION];
    let environment = &accounts.environment;
    environment.xacct(&arguments).exits_with(0);
    let program = folder.join("node_modules/aws-cdk/bin/cdk").display().to_string();
    // Runs CDK, after these words.
    let cdk = |before: &[&str], words: &str| {
        let arguments = [before, &["node", &program], &words.split_whitespace().collect::<Vec<_>>()].concat();
        let mut command = environment.command(arguments[0]);
        command.args(&arguments[1..]);
        Output::of(command)
    };

    // Without `--trust`, CDK's roles trust their own account, and so the role of the link.
    let (before, roles) = (accounts.source.everything(), accounts.target.roles());
    let bootstrap =
        |options: &str| cdk(&[], &format!("bootstrap aws://{target}/{REGION} --profile dev-admin {options}"));
    // Only where no other account is trusted, the role of CloudFormation may be an administrator by default.
    let unnamed = bootstrap(&format!("--trust {source}"));
    assert!(unnamed.code != 0 && unnamed.stderr.contains("--cloudformation-execution-policies"), "{unnamed}");
    let policies = "--cloudformation-execution-policies arn:aws:iam::aws:policy/AmazonS3FullAccess";
    bootstrap(policies).exits_with(0);
    assert_eq!(stacks(&accounts.target), ["CDKToolkit"]);
    assert_eq!(accounts.target.buckets(), [&*staging]);
    assert_eq!(items(&accounts.target.aws("ecr describe-repositories")["repositories"]).len(), 1);
    let made: Vec<_> = accounts.target.roles().into_iter().filter(|role| !roles.contains(role)).collect();
    assert_eq!(made.len(), 5, "{made:?}");
    let trusting = || made.iter().filter(|role| trusts(&accounts.target, role, &source)).count();
    assert_eq!(trusting(), 0);

    cdk(&[], "deploy --profile work").exits_with(0);
    let buckets = [staging.clone(), format!("made-by-cdk-{target}")];
    assert_eq!(accounts.target.buckets(), buckets);
    assert_eq!(stacks(&accounts.target), ["CDKToolkit", "made-by-cdk"]);
    cdk(&[], "destroy --force --app cdk.out --profile work").exits_with(0);
    assert_eq!(accounts.target.buckets(), [&*staging]);

    // With it, alice could use them without a link, but CDK does not grant it to her.
    bootstrap(&format!("--trust {source} {policies}")).exits_with(0);
    assert_eq!(trusting(), 4, "all but the role of CloudFormation");
    assert_eq!(accounts.source.everything(), before);
    let denied = cdk(&[], "deploy --app cdk.out --profile alice");
    assert!(denied.code != 0 && denied.stderr.contains("is not authorized to perform: sts:AssumeRole"), "{denied}");

    let xacct = env!("CARGO_BIN_EXE_xacct");
    cdk(&[xacct, "exec", "--"], "deploy --app cdk.out").exits_with(0);
    assert_eq!(accounts.target.buckets(), buckets);
    cdk(&[xacct, "exec", "--server", "--"], "destroy --force --app cdk.out").exits_with(0);
    assert_eq!(accounts.target.buckets(), [&*staging]);
    assert_eq!(accounts.source.everything(), before);
    assert_eq!(stacks(&accounts.source), [""; 0]);
}

/// Whether a role trusts an account.
fn trusts(account: &Account, role: &str, other: &str) -> bool {
    account.role(role)["AssumeRolePolicyDocument"].to_string().contains(other)
}
