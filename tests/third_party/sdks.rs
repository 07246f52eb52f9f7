//! A small program with each AWS SDK, in `sdks`. It prints its access key before and after a refresh, and the identity
//! with each.

use std::time::Duration;

use serde_json::json;
use xacct_sandbox::{Fault, FaultKind, RecordedRequest, Sandbox};

use crate::support::Output;
use crate::support::third_party::{NPM_INSTALL, in_venv, installed, skip};

/// The identity of a session of the link.
pub const ROLE_SESSION: &str = "arn:aws:sts::222222222222:assumed-role/xacct/alice";

/// The language of an SDK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sdk {
    Python,
    JavaScript,
    Go,
    Java,
}

impl Sdk {
    /// Returns the command that runs the program; `None`, with the test skipped, if it cannot be installed.
    pub fn program(self, test: &str) -> Option<Vec<String>> {
        self.install().map_err(|reason| skip(test, &reason)).ok()
    }

    /// Returns how its user agent begins.
    pub fn user_agent(self) -> &'static str {
        match self {
            Self::Python => "Boto3/",
            Self::JavaScript => "aws-sdk-js/",
            Self::Go => "aws-sdk-go-v2/",
            Self::Java => "aws-sdk-java/",
        }
    }

    /// Whether it ends with the error of a `credential_process` that fails. Others hide the error, and go on with the
    /// credentials of a container or an instance.
    pub fn shows_errors_of_processes(self) -> bool {
        matches!(self, Self::Python | Self::Go)
    }

    fn install(self) -> Result<Vec<String>, String> {
        let words = match self {
            Self::Python => {
                let main = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/third_party/sdks/main.py");
                vec![in_venv("python")?.display().to_string(), main.to_owned()]
            }
            Self::JavaScript => {
                let package =
                    r#"{"private": true, "type": "module", "dependencies": {"@aws-sdk/client-sts": "3.1169.0"}}"#;
                let files = [("package.json", package), ("main.mjs", include_str!("sdks/main.mjs"))];
                let folder = installed("sdk-javascript", &files, "npm", &NPM_INSTALL)?;
                vec!["node".to_owned(), folder.join("main.mjs").display().to_string()]
            }
            Self::Go => {
                let module = "module sdk\n\ngo 1.24\n\nrequire (\n\tgithub.com/aws/aws-sdk-go-v2/config v1.33.18\n\t\
                              github.com/aws/aws-sdk-go-v2/service/sts v1.52.0\n)\n";
                let files = [("go.mod", module), ("main.go", include_str!("sdks/main.go"))];
                let folder = installed("sdk-go", &files, "go", &["build", "-mod=mod", "-o", "main", "."])?;
                vec![folder.join("main").display().to_string()]
            }
            Self::Java => {
                let files = [("pom.xml", include_str!("sdks/pom.xml")), ("Main.java", include_str!("sdks/Main.java"))];
                let goals = ["--quiet", "--batch-mode", "compile", "dependency:copy-dependencies"];
                let folder = installed("sdk-java", &files, "mvn", &goals)?.join("target");
                let path = format!("{0}/classes:{0}/dependency/*", folder.display());
                vec!["java".to_owned(), "-classpath".to_owned(), path, "Main".to_owned()]
            }
        };
        Ok(words)
    }
}

/// The life of a session that an SDK opens, or has xacct open for it, and uses at once.
pub const BRIEF: Duration = Duration::from_secs(8);

/// The life of a session of `exec --server`, which xacct renews halfway: a JVM needs some of it to start.
pub const SERVED: Duration = Duration::from_secs(24);

/// Shortens the life of the next sessions of roles: of so many, and no more.
pub fn shorten_sessions(sandbox: &Sandbox, number: usize, life: Duration) {
    // Counts calls from here.
    sandbox.clear_faults();
    let calls = 1..=u64::try_from(number).expect("a small number");
    sandbox.add_fault(Fault::new("AssumeRole", FaultKind::Brief(life)).on_calls(calls));
}

/// Asserts that the program worked with a first session, and with a second one after that.
#[track_caller]
pub fn assert_renewed(sandbox: &Sandbox, output: &Output) {
    let document = output.clone().exits_with(0).json();
    assert_eq!(document["arns"], json!([ROLE_SESSION, ROLE_SESSION]), "{output}");
    assert_ne!(document["first"], document["second"], "{output}");
    let keys: Vec<String> = sandbox.world(|world| world.sessions().map(|session| session.key.id.clone()).collect());
    for key in [&document["first"], &document["second"]] {
        assert!(keys.iter().any(|known| key == known), "{key} {output}");
    }
}

/// Returns the requests for sessions.
pub fn asked_for_sessions(sandbox: &Sandbox) -> Vec<RecordedRequest> {
    let requests = sandbox.requests().into_iter();
    requests.filter(|request| matches!(&*request.operation, "AssumeRole" | "GetSessionToken")).collect()
}
