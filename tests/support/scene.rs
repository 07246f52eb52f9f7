//! A sandbox for each test, and an isolated environment for xacct.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
pub use xacct_sandbox::world::{ACCOUNT_A, ACCOUNT_B, ACCOUNT_C};
use xacct_sandbox::world::{ALICE, AccessKey, Session, World};
use xacct_sandbox::{RecordedRequest, Sandbox, SandboxBuilder};

#[cfg(unix)]
use super::Running;
use super::policies::document;
use super::{Output, TestEnvironment, schema};

/// The role ARN of most links.
pub const ROLE: &str = "arn:aws:iam::222222222222:role/xacct";

/// The bootstrap arguments that link alice to account B, with profiles for all parties.
pub const BOOTSTRAP: &str = "bootstrap --yes --target-account 222222222222 --user alice --user-profile alice \
                             --profile security-admin --target-profile dev-admin";

/// Sandbox accounts, and the directory in which xacct runs.
pub struct Scene {
    /// The accounts.
    pub sandbox: Sandbox,
    /// The directory and the variables.
    pub environment: TestEnvironment,
}

impl Scene {
    /// Creates accounts without links.
    pub fn new() -> Self {
        Self::of(Sandbox::builder())
    }

    /// Creates the accounts of this builder.
    pub fn of(builder: SandboxBuilder) -> Self {
        let sandbox = builder.start();
        let mut environment = TestEnvironment::new();
        let folder = environment.path("aws");
        sandbox.write_aws_files(&folder).expect("the AWS config files");
        for (name, value) in sandbox.environment(&folder) {
            environment.set(&name, &value);
        }
        environment.set("COLUMNS", "80");
        Self { sandbox, environment }
    }

    /// Creates accounts with a working link and no recorded requests.
    #[track_caller]
    pub fn linked(more: &str) -> Self {
        let scene = Self::new();
        scene.link(more);
        scene
    }

    /// Creates the link and clears the recorded requests.
    #[track_caller]
    pub fn link(&self, more: &str) {
        self.bootstrap(more).exits_with(0);
        self.sandbox.clear_requests();
    }

    /// Adds a profile with the credentials of a session.
    pub fn session_profile(&self, name: &str, session: &Session) {
        let Session { key: AccessKey { id, secret }, token, .. } = session;
        self.environment.append("aws/config", &format!("\n[profile {name}]\nregion = us-east-1\n"));
        let text = format!(
            "\n[{name}]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\naws_session_token = {token}\n"
        );
        self.environment.append("aws/credentials", &text);
    }

    /// Runs xacct with these arguments.
    pub fn xacct(&self, words: &str) -> Output {
        self.environment.xacct(&words.split_whitespace().collect::<Vec<_>>())
    }

    /// Runs xacct with these arguments and `--output json`, and asserts this exit code.
    #[track_caller]
    pub fn xacct_json(&self, words: &str, exit_code: i32) -> Value {
        let output = self.xacct(&format!("{words} --output json")).exits_with(exit_code);
        let document = output.json();
        assert_eq!(document["exit_code"], exit_code, "the document says the exit code, too");
        schema::assert_follows_the_schema(&document);
        document
    }

    /// Links alice to account B with these additional options.
    pub fn bootstrap(&self, more: &str) -> Output {
        self.xacct(&format!("{BOOTSTRAP} {more}"))
    }

    /// Does the same with JSON output.
    #[track_caller]
    pub fn bootstrap_json(&self, more: &str, exit_code: i32) -> Value {
        self.xacct_json(&format!("{BOOTSTRAP} {more}"), exit_code)
    }

    /// Returns the verification of `xacct verify` for the only target.
    #[track_caller]
    pub fn verdict(&self, options: &str, exit_code: i32) -> Value {
        let document = self.xacct_json(&format!("verify {options}"), exit_code);
        document["targets"][ACCOUNT_B]["verification"].clone()
    }

    /// Returns the document of `xacct verify` for a link that does not work, or that could not be tested: the exit code
    /// must tell them apart.
    #[track_caller]
    pub fn failed_verify(&self, options: &str) -> Value {
        let document = self.xacct(&format!("verify {options} --output json")).json();
        let is_unproven = document["targets"][ACCOUNT_B]["verification"]["outcome"] == "not_proven";
        assert_eq!(document["exit_code"], if is_unproven { 5 } else { 3 }, "{document:#}");
        schema::assert_follows_the_schema(&document);
        document
    }

    /// Returns a command for xacct in this environment.
    pub fn command(&self, words: &str) -> Command {
        let mut command = self.environment.command(env!("CARGO_BIN_EXE_xacct"));
        command.args(words.split_whitespace());
        command
    }

    /// Starts xacct with these arguments.
    #[cfg(unix)]
    #[track_caller]
    pub fn start(&self, words: &str) -> Running {
        Running::start(self.command(words))
    }

    /// Returns the requests of this operation.
    pub fn requests(&self, operation: &str) -> Vec<RecordedRequest> {
        let mut requests = self.sandbox.requests();
        requests.retain(|request| request.operation == operation);
        requests
    }

    /// Returns the write operations in order.
    pub fn writes(&self) -> Vec<String> {
        let reads = ["Get", "List", "Head", "AssumeRole"];
        let mut operations: Vec<_> = self.sandbox.requests().into_iter().map(|it| it.operation).collect();
        operations.retain(|operation| !reads.iter().any(|read| operation.starts_with(read)));
        operations
    }

    /// Returns the IAM write operations in order.
    pub fn iam_writes(&self) -> Vec<String> {
        let mut operations = self.writes();
        operations.retain(|operation| !operation.ends_with("Bucket"));
        operations
    }

    /// Waits until an operation was called.
    #[track_caller]
    pub fn wait_for(&self, operation: &str) {
        self.wait_for_several(operation, 1);
    }

    /// Waits until an operation was called.
    #[track_caller]
    pub fn wait_for_several(&self, operation: &str, times: usize) {
        let start = Instant::now();
        while self.requests(operation).len() < times {
            assert!(start.elapsed() < Duration::from_secs(30), "no {times} × {operation} came");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Returns the trust policy of role `xacct` in account B.
    pub fn trust_policy(&self) -> Value {
        let trust = self.sandbox.world(|world| world.trust_policy(ACCOUNT_B, "xacct"));
        trust.expect("role xacct in account B")
    }

    /// Returns the conditions in the trust policy of role `xacct` in account B.
    pub fn conditions(&self) -> Value {
        self.trust_policy()["Statement"][0]["Condition"].clone()
    }

    /// Returns the roles in alice's grant.
    pub fn granted(&self) -> Vec<String> {
        let grant = self.sandbox.world(|world| world.user_policy(ACCOUNT_A, "alice", "xacct").cloned());
        let resource = grant.expect("the grant")["Statement"][0]["Resource"].clone();
        match resource {
            Value::Array(list) => list.iter().map(text).collect(),
            one => vec![text(&one)],
        }
    }

    /// Returns the number of buckets.
    pub fn buckets(&self) -> usize {
        self.sandbox.world(|world| world.buckets().count())
    }

    /// Adds settings to a profile in the AWS config file.
    pub fn configure(&self, profile: &str, line: &str) {
        let section = format!("[profile {profile}]\n");
        self.environment.edit("aws/config", &section, &format!("{section}{line}\n"));
    }
}

/// Returns a trust policy that admits account A under these conditions, with xacct's own `Sid`.
pub fn trust(conditions: &Value) -> Value {
    let mut statement = json!({
        "Sid": "XacctAssumeRole",
        "Effect": "Allow",
        "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT_A}:root")},
        "Action": "sts:AssumeRole",
    });
    if conditions != &json!({}) {
        statement["Condition"] = conditions.clone();
    }
    document(json!([statement]))
}

/// Makes role `xacct` in account B older than IAM propagation can take.
pub fn has_stood_for_hours(world: &mut World) {
    world.role_mut(ACCOUNT_B, "xacct").expect("role xacct in account B").created -= Duration::from_secs(3 * 3600);
}

/// Runs every case on a separate thread, because they mostly wait.
pub fn side_by_side<T: Sync>(cases: &[T], check: impl Fn(&T) + Sync) {
    std::thread::scope(|scope| {
        for case in cases {
            scope.spawn(|| check(case));
        }
    });
}

/// Returns the result of a verification step; `Null` if it was not run.
pub fn step<'a>(verification: &'a Value, id: &str) -> &'a Value {
    let mut steps = verification["steps"].as_array().into_iter().flatten();
    steps.find(|step| step["id"] == id).unwrap_or(&Value::Null)
}

/// Returns a string value.
#[track_caller]
pub fn text(value: &Value) -> String {
    let text = value.as_str();
    text.unwrap_or_else(|| panic!("not a string: {value}")).to_owned()
}

/// Puts alice's access key into the environment.
pub fn as_alice(environment: &mut TestEnvironment) {
    environment.set("AWS_ACCESS_KEY_ID", ALICE.id);
    environment.set("AWS_SECRET_ACCESS_KEY", ALICE.secret);
}

impl Output {
    /// Asserts that stdout or stderr contains all of these texts.
    #[track_caller]
    pub fn says(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(self.stdout.contains(text) || self.stderr.contains(text), "`{text}` is missing\n{self}");
        }
        self
    }

    /// Returns stdout and stderr together.
    pub fn everything(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}
