//! `exec` beside `aws-vault exec`, over TLS and without latency: processes and cryptography, nothing else.
//!
//! aws-vault knows no endpoint variables. A proxy leads the requests of both, to the host names of AWS, to the sandbox.

use std::process::Command;

use xacct_sandbox::Sandbox;
use xacct_sandbox::world::ALICE;

use crate::contender::XACCT;
use crate::ground::EXTERNAL_ID;
use crate::measure::{measured, milliseconds};
use crate::result::Result;
use crate::statistics::Sample;
use crate::support::{Proxy, TestEnvironment, Tls, third_party};

/// The milliseconds of both in each round.
pub struct Vault {
    /// `xacct exec`.
    pub xacct: Sample,
    /// `aws-vault exec`.
    pub vault: Sample,
}

/// Runs both in turn.
///
/// # Errors
/// When aws-vault is missing, or one of them fails.
pub fn run(rounds: usize) -> Result<Vault> {
    let program = third_party::in_go("aws-vault")?;
    let sandbox = Sandbox::start();
    let tls = Tls::before(&sandbox);
    let proxy = Proxy::to(tls.address());
    let environment = environment(&sandbox, &tls, &proxy);
    let run = |command: &mut Command, words: &str| measured(command.args(words.split_whitespace()), 0);
    let mut add = environment.command(&program);
    add.env("AWS_ACCESS_KEY_ID", ALICE.id).env("AWS_SECRET_ACCESS_KEY", ALICE.secret);
    run(&mut add, "add alice --env --no-add-config")?;
    let mut link = environment.command(XACCT);
    link.env("AWS_ENDPOINT_URL", sandbox.url());
    let words = "bootstrap --yes --no-verify --target-account 222222222222 --name dev --user alice --user-profile alice \
                 --profile security-admin --target-profile dev-admin --region us-east-1";
    run(&mut link, &format!("{words} --external-id {EXTERNAL_ID}"))?;
    run(&mut environment.command(XACCT), "print profile --install")?;
    let (mut xacct, mut vault) = (Vec::new(), Vec::new());
    // The first round is not counted, because the machine's caches are cold.
    for round in 0..=rounds {
        let one = run(&mut environment.command(XACCT), "exec --no-cache dev -- /bin/true")?;
        // With its own session in between, aws-vault would send one request more.
        let other = run(&mut environment.command(&program), "exec --no-session dev -- /bin/true")?;
        if round > 0 {
            xacct.push(milliseconds(one.wall));
            vault.push(milliseconds(other.wall));
        }
    }
    Ok(Vault { xacct: Sample::of(xacct), vault: Sample::of(vault) })
}

fn environment(sandbox: &Sandbox, tls: &Tls, proxy: &Proxy) -> TestEnvironment {
    let mut environment = TestEnvironment::new();
    let folder = environment.path("aws");
    sandbox.write_aws_files(&folder).expect("the AWS config files");
    for (name, value) in sandbox.environment(&folder) {
        environment.set(&name, &value);
    }
    environment.unset("AWS_ENDPOINT_URL");
    environment.write("authority.pem", &tls.authority);
    let authority = environment.path("authority.pem").display().to_string();
    for (name, value) in [
        ("HTTPS_PROXY", &*proxy.url()),
        ("NO_PROXY", "127.0.0.1"),
        ("SSL_CERT_FILE", &authority),
        ("AWS_VAULT_BACKEND", "file"),
        ("AWS_VAULT_FILE_PASSPHRASE", "any"),
        ("PATH", "/usr/local/bin:/usr/bin:/bin"),
    ] {
        environment.set(name, value);
    }
    environment
}
