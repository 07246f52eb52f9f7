//! All commands in all output modes, on working and on broken links.

use xacct_sandbox::world::{ACCOUNT_A, ACCOUNT_B, ALICE};
use xacct_sandbox::{Fault, FaultKind};

use super::Secrets;
use super::search::Of;
use crate::help::commands;
use crate::scene::{BOOTSTRAP, Scene, side_by_side};
use crate::support::Output;
use crate::support::policies::deny;

/// Returns the arguments that make a command do everything it can; `None` for a command missing here, which is an
/// error.
fn lines(command: &str) -> Option<Vec<String>> {
    let formats = ["process", "env", "fish", "powershell", "json", "terragrunt"];
    let lines = match command {
        "bootstrap" => vec![format!("{BOOTSTRAP} --external-id abc --require-mfa --show-policies")],
        "verify" => vec!["verify".to_owned(), "verify --user-profile bob".to_owned()],
        "diagnose" => {
            let completed = "--facts facts.json --target-profile dev-admin --save-facts facts.json";
            ["--save-facts facts.json", "--facts facts.json", completed].map(|it| format!("diagnose {it}")).to_vec()
        }
        "teardown" => {
            ["--dry-run --show-policies", "--check"].map(|it| format!("teardown --all --even-if-used {it}")).to_vec()
        }
        "rotate" => ["", " --finish"].map(|it| format!("rotate external-id 222222222222 --yes{it}")).to_vec(),
        "replace" => {
            ["--dry-run --show-policies", "--check"].map(|it| format!("replace alice --with bob {it}")).to_vec()
        }
        "move" => {
            ["--role-name deploy", "--finish --even-if-used"].map(|it| format!("move 222222222222 --yes {it}")).to_vec()
        }
        "revoke" => vec!["revoke --all --dry-run --show-policies".to_owned(), "revoke --all --yes".to_owned()],
        "import" => ["--dry-run", "--config imported.toml"]
            .map(|it| format!("import --user alice --profile security-admin --target-profile dev-admin {it}"))
            .to_vec(),
        "forget" => ["--all --dry-run", "--all --yes --config imported.toml"].map(|it| format!("forget {it}")).to_vec(),
        "who" => vec!["who".to_owned(), "who --principal user/alice --check".to_owned()],
        "sweep" => vec!["sweep --all --yes --older-than 1s".to_owned()],
        "exec" => vec![
            "exec -- /bin/true".to_owned(),
            "exec --server -- /bin/true".to_owned(),
            "exec -- /no/such/command".to_owned(),
        ],
        "credentials" => {
            let formats = formats.map(|format| format!("credentials --format {format}"));
            formats
                .into_iter()
                .chain(["credentials --session-token", "credentials --cache"].map(str::to_owned))
                .collect()
        }
        "print backend-hcl" => vec!["print backend-hcl --bucket state".to_owned()],
        "print terragrunt-hcl" => vec!["print terragrunt-hcl --bucket state".to_owned()],
        "print hcp" => ["dynamic", "static"]
            .map(|auth| format!("print hcp --organization acme --workspace network --auth {auth}"))
            .to_vec(),
        "print policies" => ["source-operator", "target-operator", "source-auditor", "user"]
            .map(|who| format!("print policies --for {who}"))
            .to_vec(),
        "print-provider-hcl" | "print provider-hcl" | "print profile" | "print role-hcl" | "print cloudformation" => {
            vec![command.to_owned(), format!("{command} --out {}.out", command.replace(' ', "-"))]
        }
        "print audit-query" => vec!["print audit-query".to_owned(), "print audit-query --engine lake".to_owned()],
        "completions" => ["bash", "zsh", "fish", "elvish", "powershell"].map(|it| format!("completions {it}")).to_vec(),
        "list" => ["list", "list --live --verbose"].map(str::to_owned).to_vec(),
        "man" => vec!["man".to_owned()],
        "help" => vec!["help".to_owned(), "help verify".to_owned()],
        _ => return None,
    };
    Some(lines)
}

/// Returns all commands of clap, or only those that call AWS.
fn every_line(all: bool) -> Vec<String> {
    let mut every = Vec::new();
    for (name, command) in commands() {
        let lines = lines(&name).unwrap_or_else(|| panic!("add {name} to `lines`, so that its output is searched too"));
        let asks_aws = command.get_arguments().any(|argument| argument.get_id() == "mfa_code");
        if all || asks_aws {
            every.extend(lines);
        }
    }
    every
}

/// A fault.
struct Trouble {
    name: &'static str,
    /// Introduces the fault; returns secrets that come with it.
    make: fn(&mut Scene) -> Vec<String>,
}

const NONE: Trouble = Trouble { name: "none", make: |_| Vec::new() };

fn fault(scene: &Scene, operation: &str, kind: FaultKind) -> Vec<String> {
    scene.sandbox.add_fault(Fault::new(operation, kind));
    Vec::new()
}

/// AWS's answer to a request with a wrong signature repeats the request; the test also searches for the token in it.
const ECHO: &str = "The request signature we calculated does not match the signature you provided.\n\nThe Canonical String \
                    for this request should have been\n'POST\n/\n\nx-amz-security-token:a-token-that-aws-repeats\n'";

const TROUBLES: [Trouble; 11] = [
    Trouble {
        name: "denied",
        make: |scene| {
            scene.sandbox.world(|world| world.user_mut(ACCOUNT_A, "alice").policies.inline.clear());
            Vec::new()
        },
    },
    Trouble {
        name: "operators denied",
        make: |scene| {
            let deny = deny("*", "*");
            scene.sandbox.world(|world| world.put_user_policy(ACCOUNT_A, "admin", "deny", deny.clone()));
            scene.sandbox.world(|world| world.put_user_policy(ACCOUNT_B, "admin", "deny", deny));
            Vec::new()
        },
    },
    Trouble { name: "the network", make: |scene| fault(scene, "*", FaultKind::Reset) },
    Trouble { name: "no XML", make: |scene| fault(scene, "*", FaultKind::NotXml) },
    Trouble { name: "half a session", make: |scene| fault(scene, "AssumeRole", FaultKind::TruncatedBody) },
    Trouble {
        name: "an echo",
        make: |scene| {
            let (code, message) = ("SignatureDoesNotMatch".to_owned(), ECHO.to_owned());
            fault(scene, "*", FaultKind::Error { status: 403, code, message });
            vec!["a-token-that-aws-repeats".to_owned()]
        },
    },
    Trouble {
        name: "a wrong key",
        make: |scene| {
            let wrong = "another/secret/that/is/quite/wrong/00000";
            scene.environment.edit("aws/credentials", ALICE.secret, wrong);
            vec![wrong.to_owned()]
        },
    },
    Trouble {
        name: "an expired session",
        make: |scene| {
            let (id, secret, token) = scene.sandbox.world(|world| {
                let session = world.issue_user_session(ACCOUNT_A, "alice", false);
                session.expire();
                (session.key.id.clone(), session.key.secret.clone(), session.token.clone())
            });
            scene.environment.edit("aws/credentials", ALICE.id, &id);
            let lines = format!("{secret}\naws_session_token = {token}");
            scene.environment.edit("aws/credentials", ALICE.secret, &lines);
            Vec::new()
        },
    },
    Trouble {
        name: "a wrong code",
        make: |scene| {
            scene.environment.set("XACCT_MFA_CODE", "918273");
            vec!["918273".to_owned()]
        },
    },
    Trouble {
        name: "a credential_process that says too much",
        make: |scene| {
            scene.environment.write("aws/process.sh", "echo '{\"SecretAccessKey\": \"half-a/document/with/a/secret'\n");
            let line = format!("credential_process = sh {}", scene.environment.path("aws/process.sh").display());
            scene.configure("alice", &line);
            scene.environment.edit("aws/credentials", "[alice]", "[somebody]");
            vec!["half-a/document/with/a/secret".to_owned()]
        },
    },
    Trouble {
        name: "xacct.toml that leads to credentials",
        make: |scene| {
            std::fs::remove_file(scene.environment.path("xacct.toml")).expect("a file");
            std::os::unix::fs::symlink("aws/credentials", scene.environment.path("xacct.toml")).expect("a link");
            Vec::new()
        },
    },
];

/// Colored output for people, with the most detailed log.
const PEOPLE: [(&str, &str); 4] =
    [("CLICOLOR_FORCE", "1"), ("RUST_LOG", "trace"), ("RUST_BACKTRACE", "full"), ("XACCT_OUTPUT", "table")];
/// JSON output.
const PROGRAMS: [(&str, &str); 2] = [("XACCT_OUTPUT", "json"), ("RUST_LOG", "trace")];
/// Default output.
const PLAIN: [(&str, &str); 1] = [("NO_COLOR", "1")];

/// Runs all commands in one mode and searches for secrets.
fn search(trouble: &Trouble, mode: &[(&str, &str)]) -> Vec<Output> {
    let mut scene = Scene::new();
    for (name, folder) in [("TMPDIR", "tmp"), ("XDG_CONFIG_HOME", "config"), ("XDG_STATE_HOME", "state")] {
        scene.environment.write(&format!("{folder}/.keep"), "");
        let path = scene.environment.path(folder).display().to_string();
        scene.environment.set(name, &path);
    }
    scene.link("--external-id abc --require-mfa --no-verify");
    let code = scene.sandbox.totp("alice");
    scene.environment.set("XACCT_MFA_CODE", &code);
    let more = (trouble.make)(&mut scene);
    for (name, value) in mode {
        scene.environment.set(name, value);
    }
    let mut lines = every_line(trouble.name == NONE.name);
    lines.push("teardown --all --yes --even-if-used".to_owned());
    let outputs: Vec<_> = lines.iter().map(|line| scene.xacct(line)).collect();
    let mut secrets = Secrets::of(&scene, &[&code]);
    for secret in &more {
        secrets.add(Of::User, secret);
    }
    secrets.assert_none_anywhere(&scene, &outputs);
    outputs
}

#[test]
fn every_command_if_all_works() {
    let modes: [&[(&str, &str)]; 3] = [&PEOPLE, &PROGRAMS, &PLAIN];
    side_by_side(&modes, |mode| {
        let outputs = search(&NONE, mode);
        for output in outputs {
            let is_meant =
                ["\"bob\"", "/no/such", "\"--check\"", "\"static\""].iter().any(|word| output.command.contains(word));
            assert!(output.code == 0 || is_meant, "{output}");
        }
    });
}

#[test]
fn every_aws_command_if_something_is_wrong() {
    let modes: [&[(&str, &str)]; 2] = [&PEOPLE, &PROGRAMS];
    // A few at a time, because each run starts a server and a program.
    for troubles in TROUBLES.chunks(4) {
        let cases: Vec<_> = troubles.iter().flat_map(|trouble| modes.map(|mode| (trouble, mode))).collect();
        side_by_side(&cases, |(trouble, mode)| {
            let outputs = search(trouble, mode);
            let failed = outputs.iter().filter(|output| output.code != 0).count();
            assert!(failed > 2, "{} makes {failed} runs fail", trouble.name);
        });
    }
}
