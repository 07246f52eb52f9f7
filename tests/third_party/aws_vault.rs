//! aws-vault with profiles that `xacct print profile` prints, and as the parent of xacct.
//!
//! It knows no endpoint variables: a proxy leads its requests to STS to the sandbox.

use std::collections::BTreeSet;
use std::path::PathBuf;

use rustix::process::Signal;
use serde_json::json;
use xacct_sandbox::Sandbox;
use xacct_sandbox::world::{ACCOUNT_A, ADMIN_A, ALICE, KeyPair, Session, SessionOf};

use crate::support::policies::{allow, document};
use crate::support::third_party::{in_go, skip, test_name};
use crate::support::{Output, Proxy, Running, TestEnvironment, Tls};

const XACCT: &str = env!("CARGO_BIN_EXE_xacct");

const LINK: &str = "bootstrap --yes --no-verify --target-account 222222222222 --name dev --user alice --region us-east-1 \
                    --profile security-admin --target-profile dev-admin";

/// The sandbox, and an environment in which the keys of alice and the source operator are only in the vault.
struct Scene {
    sandbox: Sandbox,
    environment: TestEnvironment,
    program: PathBuf,
    _proxy: Proxy,
    _tls: Tls,
}

impl Scene {
    /// Creates a scene without links; `None`, counted as skipped, without aws-vault.
    fn for_test(test: &str) -> Option<Self> {
        let program = in_go("aws-vault").map_err(|reason| skip(test, &reason)).ok()?;
        let sandbox = Sandbox::start();
        let tls = Tls::before(&sandbox);
        let proxy = Proxy::to(tls.address());
        let mut environment = TestEnvironment::new();
        let folder = environment.path("aws");
        sandbox.write_aws_files(&folder).expect("the AWS config files");
        for (name, value) in sandbox.environment(&folder) {
            environment.set(&name, &value);
        }
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
        let scene = Self { sandbox, environment, program, _proxy: proxy, _tls: tls };
        // Only the target operator stays in the files.
        let key = scene.environment.read("aws/credentials");
        let (_, dev_admin) = key.split_once("[dev-admin]\n").expect("the target operator");
        let dev_admin = dev_admin.split("\n[").next().unwrap_or_default();
        scene.environment.write("aws/credentials", &format!("[dev-admin]\n{dev_admin}\n"));
        scene
            .environment
            .write("aws/config", "[default]\nregion = us-east-1\n[profile dev-admin]\nregion = us-east-1\n");
        scene.add("alice", &ALICE);
        scene.add("security-admin", &ADMIN_A);
        Some(scene)
    }

    /// Adds a key to the vault, and nothing to the config file.
    fn add(&self, profile: &str, key: &KeyPair) {
        let mut add = self.environment.command(&self.program);
        add.args(["add", profile, "--env", "--no-add-config"]);
        add.env("AWS_ACCESS_KEY_ID", key.id).env("AWS_SECRET_ACCESS_KEY", key.secret);
        Output::of(add).exits_with(0);
    }

    /// Links alice to the target account as the source operator, with these options.
    fn link(&self, more: &str) {
        self.xacct("security-admin", &format!("{LINK} {more}")).exits_with(0);
        self.environment.edit("xacct.toml", "user = \"alice\"\n", "user = \"alice\"\nuser_profile = \"alice\"\n");
    }

    /// Appends to the config file what `print profile` prints.
    fn print_profile(&self, more: &str) {
        let words = format!("print profile dev {more}");
        let printed = self.environment.xacct(&words.split_whitespace().collect::<Vec<_>>()).exits_with(0).stdout;
        self.environment.append("aws/config", &printed);
    }

    /// Runs a command in `aws-vault exec` with these options and this profile.
    fn exec(&self, options: &str, command: &[&str]) -> Output {
        let mut exec = self.environment.command(&self.program);
        exec.arg("exec").args(options.split_whitespace()).arg("--").args(command);
        Output::of(exec)
    }

    /// Runs xacct in `aws-vault exec` without a session.
    fn xacct(&self, profile: &str, words: &str) -> Output {
        let words: Vec<_> = [XACCT].into_iter().chain(words.split_whitespace()).collect();
        self.exec(&format!("--no-session {profile}"), &words)
    }

    /// Returns the session in the environment that the command has printed.
    fn session(&self, output: &Output) -> Session {
        let key = variable(output, "AWS_ACCESS_KEY_ID").expect("a key");
        let found = self.sandbox.world(|world| world.sessions().find(|session| session.key.id == key).cloned());
        found.unwrap_or_else(|| panic!("no session of {key}"))
    }

    /// Returns the ARN of the role of a session.
    fn role_of(&self, session: &Session) -> String {
        let SessionOf::Role { id, .. } = &session.of else { panic!("{session:?}") };
        let account = self.sandbox.world(|world| world.account(&session.account).cloned()).expect("the account");
        let role = account.roles.values().find(|role| role.id == *id).expect("the role");
        format!("arn:aws:iam::{}:role{}{}", session.account, role.path, role.name)
    }
}

fn variable(output: &Output, name: &str) -> Option<String> {
    output.stdout.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=').map(str::to_owned))
}

/// The keys of alice and the operator are in the environment; neither has a profile in the files.
#[test]
fn every_command_runs_in_aws_vault() {
    let Some(scene) = Scene::for_test(test_name!()) else {
        return;
    };
    let (operator, alice) = ("security-admin", "alice");
    scene.link("--external-id abc");
    let commands: &[(&str, &str)] = &[
        (operator, "bootstrap --yes --no-verify --tag team=platform"),
        (alice, "verify"),
        (alice, "diagnose"),
        (alice, "list --live"),
        (alice, "exec dev -- /bin/true"),
        (alice, "credentials dev --format env"),
        (alice, "print profile"),
        (alice, "print-provider-hcl"),
        (operator, "who"),
        (
            operator,
            "import arn:aws:iam::222222222222:role/xacct --config imported.toml --profile security-admin --target-profile dev-admin",
        ),
        (operator, "rotate external-id dev --yes --no-verify"),
        (operator, "rotate external-id dev --finish --yes --no-verify"),
        (operator, "move dev --role-name moved --yes --no-verify"),
        (operator, "move dev --finish --yes --no-verify"),
        (operator, "replace user/alice --with user/bob --yes --no-verify"),
        (operator, "replace user/alice --with user/bob --finish --yes --no-verify"),
        (operator, "revoke dev --yes"),
        (operator, "sweep dev --yes"),
        (operator, "teardown dev --yes"),
        (operator, "forget 222222222222 --config imported.toml --yes"),
        (alice, "completions bash"),
        (alice, "man"),
        (alice, "help ci"),
    ];
    for (profile, words) in commands {
        scene.xacct(profile, words).exits_with(0);
    }
    let first = |text: &str| text.split_whitespace().next().map(str::to_owned);
    let tried: BTreeSet<_> = commands.iter().filter_map(|(_, words)| first(words)).collect();
    let help = scene.environment.xacct(&["--help"]).exits_with(0).stdout;
    let (_, list) = help.split_once("<COMMAND>").expect("the usage");
    let (list, _) = list.split_once("\nOptions:").expect("the options");
    let named = list.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let all: BTreeSet<_> = named.filter_map(first).collect();
    assert_eq!(tried, all);
}

#[test]
fn aws_vault_uses_printed_profiles() {
    let Some(scene) = Scene::for_test(test_name!()) else {
        return;
    };
    let xacct = |words: &str| scene.xacct("security-admin", words);
    scene.link("--external-id abc --max-session-duration 2h");
    scene.print_profile("");
    let opened = |options: &str, role: &str| {
        let output = scene.exec(options, &["/usr/bin/env"]).exits_with(0);
        let session = scene.session(&output);
        assert_eq!(scene.role_of(&session), format!("arn:aws:iam::222222222222:role/{role}"), "{output}");
        (session.expires - session.issued).whole_minutes()
    };
    let minutes = ["dev", "--no-session dev", "--duration 30m dev"].map(|options| opened(options, "xacct"));
    assert_eq!(minutes, [120, 120, 30]);

    // aws-vault sends the code with AssumeRole.
    xacct("bootstrap --yes --no-verify --require-mfa").exits_with(0);
    scene.environment.write("aws/config", "[default]\nregion = us-east-1\n[profile dev-admin]\nregion = us-east-1\n");
    scene.print_profile("");
    let without = scene.exec("dev", &["/bin/true"]).exits_with(1);
    assert!(without.stderr.contains("/dev/tty"), "{without}");
    let with_code = format!("--mfa-token {} dev", scene.sandbox.totp("alice"));
    assert_eq!(opened(&with_code, "xacct"), 120);

    // A role in between.
    let alice = json!({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111111111111:user/alice"}, "Action": "sts:AssumeRole"});
    scene.sandbox.world(|world| {
        world.add_role(ACCOUNT_A, "ci", document(json!([alice])));
        world.put_user_policy(ACCOUNT_A, "alice", "ci", allow("sts:AssumeRole", "arn:aws:iam::111111111111:role/ci"));
    });
    let link =
        "bootstrap --yes --no-verify --config ci.toml --target-account 222222222222 --name dev --role-name for-ci";
    xacct(&format!("{link} --principal role/ci --region us-east-1 --target-profile dev-admin")).exits_with(0);
    scene.environment.write("aws/config", "[default]\nregion = us-east-1\n[profile dev-admin]\nregion = us-east-1\n");
    let hop =
        "[profile ci]\nrole_arn = arn:aws:iam::111111111111:role/ci\nsource_profile = alice\nregion = us-east-1\n";
    scene.environment.append("aws/config", hop);
    scene.print_profile("--config ci.toml --source-profile ci");
    assert_eq!(opened("dev", "for-ci"), 60);
}

/// What `tests/README.md` says of both.
#[test]
fn exec_and_aws_vault_differ_as_documented() {
    let Some(mut scene) = Scene::for_test(test_name!()) else {
        return;
    };
    scene.link("");
    scene.print_profile("");
    scene.environment.append(
        "aws/config",
        &format!("[profile alice]\naws_access_key_id = {}\naws_secret_access_key = {}\n", ALICE.id, ALICE.secret),
    );
    for (name, value) in [("AWS_PROFILE", "dev-admin"), ("AWS_WEB_IDENTITY_TOKEN_FILE", "token"), ("KEPT", "yes")] {
        scene.environment.set(name, value);
    }
    let ours = |command: &[&str]| scene.environment.xacct(&[&["exec", "dev", "--"], command].concat());
    let theirs = |command: &[&str]| scene.exec("dev", command);
    let [our_env, their_env] = [ours(&["/usr/bin/env"]), theirs(&["/usr/bin/env"])];
    let has =
        |output: &Output, names: &[&str]| names.iter().map(|name| variable(output, name).is_some()).collect::<Vec<_>>();
    let same = [
        "AWS_ACCESS_KEY_ID",
        "AWS_SESSION_TOKEN",
        "AWS_CREDENTIAL_EXPIRATION",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "KEPT",
    ];
    for output in [&our_env, &their_env] {
        assert_eq!(has(output, &same), [true; 6], "{output}");
        assert_eq!(has(output, &["AWS_PROFILE"]), [false], "{output}");
        let session = scene.session(output);
        let format = time::format_description::well_known::Rfc3339;
        let told =
            time::OffsetDateTime::parse(&variable(output, "AWS_CREDENTIAL_EXPIRATION").unwrap(), &format).unwrap();
        assert_eq!((told - session.expires).whole_seconds(), 0, "{output}");
    }
    let own = ["AWS_VAULT", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_VAULT_FILE_PASSPHRASE", "XACCT_TARGET"];
    assert_eq!(has(&our_env, &own), [false, false, false, true], "{our_env}");
    assert_eq!(has(&their_env, &own), [true, true, true, false], "{their_env}");

    let codes = |command: &[&str]| (ours(command).code, theirs(command).code);
    assert_eq!(codes(&["/bin/sh", "-c", "exit 7"]), (7, 7));
    assert_eq!(codes(&["no-such-program"]), (127, 1));
    assert_eq!(codes(&["/etc/passwd"]), (126, 1));
    // aws-vault has become the command; xacct tells the signal by its exit code.
    assert_eq!(codes(&["/bin/sh", "-c", "kill -TERM $$"]), (128 + 15, -1));

    let script = ["/bin/sh", "-c", "trap 'echo caught; exit 3' TERM; echo ready; while :; do sleep 0.05; done"];
    let mut our_command = scene.environment.command(XACCT);
    our_command.args(["exec", "dev", "--"]).args(script);
    let mut their_command = scene.environment.command(&scene.program);
    their_command.args(["exec", "dev", "--"]).args(script);
    for command in [our_command, their_command] {
        let mut running = Running::start(command);
        assert_eq!(running.line().as_deref(), Some("ready"));
        running.signal(Signal::TERM);
        let output = running.ended().exits_with(3);
        assert_eq!(output.stdout.trim(), "caught", "{output}");
    }

    // One within the other.
    let vault = scene.program.display().to_string();
    let nested = theirs(&[&vault, "exec", "dev", "--", "/bin/true"]).exits_with(1);
    assert!(nested.stderr.contains("existing aws-vault subshell"), "{nested}");
    assert!(ours(&[XACCT, "exec", "dev", "--", "/bin/true"]).stderr.contains("inside another `xacct exec`"));
}
