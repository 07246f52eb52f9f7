//! The round trips of xacct's commands, and their lower bounds: each step of a chain needs the answer to the one before it,
//! or must not start earlier.

use std::process::Command;
use std::time::Duration;

use crate::contender::XACCT;
use crate::ground::{Distance, EXTERNAL_ID, Ground, POLICY, Server};
use crate::jobs::{LATENCY, LONG_LATENCY};
use crate::measure::{measured, milliseconds};
use crate::result::Result;
use crate::statistics::Sample;

/// How many round trips a command may take beyond its chain.
pub const MARGIN: f64 = 0.3;

/// A command with a chain of round trips.
pub struct Known {
    /// What it does.
    pub name: &'static str,
    before: &'static [&'static str],
    command: &'static str,
    code: u8,
    /// What follows what.
    pub chain: &'static [&'static str],
}

/// In commands: the options of a new link, and a code of alice's device.
const LINK: &str = "LINK";
const ENTER: &str = "ENTER";
const CODE: &str = "CODE";

/// The pause before the last read is twice as long as the removal of the grant, three round trips: another run may have read
/// the grant before it was written, and write it then.
const TEARDOWN: &[&str] = &[
    "connect",
    "handshake",
    "read",
    "look",
    "DeleteRolePolicy, DetachRolePolicy",
    "DeleteRole",
    "look at the grant, read the role",
    "DeleteUserPolicy",
    "read the grant",
    "pause",
    "pause",
    "pause",
    "pause",
    "pause",
    "pause",
    "read the grant",
];

/// The commands. `look` is the read right before the first write to what exists.
pub const KNOWN: [Known; 11] = [
    Known {
        name: "bootstrap of a new link, --enter-role",
        before: &[],
        command: "bootstrap --yes ENTER",
        code: 0,
        chain: &[
            "connect",
            "handshake",
            "AssumeRole of the operator",
            "read",
            "CreateRole",
            "PutRolePolicy, AttachRolePolicy, PutUserPolicy",
            "AssumeRole",
            "CreateBucket",
            "DeleteBucket",
            "HeadBucket",
        ],
    },
    Known {
        name: "bootstrap of a new link, MFA",
        before: &[],
        command: "bootstrap --yes LINK --require-mfa --mfa-code CODE",
        code: 0,
        chain: &[
            "connect",
            "handshake",
            "read",
            "CreateRole",
            "PutRolePolicy, AttachRolePolicy, PutUserPolicy",
            // A code is valid once, and is not used up for a link that could not be made.
            "GetSessionToken",
            "AssumeRole",
            "CreateBucket",
            "DeleteBucket",
            "HeadBucket",
        ],
    },
    Known {
        name: "bootstrap of a link without its grant",
        before: &["bootstrap --yes LINK --no-verify", "teardown --all --yes --only source"],
        command: "bootstrap --yes",
        code: 0,
        chain: &[
            "connect",
            "handshake",
            "read",
            "look",
            "PutUserPolicy",
            "AssumeRole",
            "CreateBucket",
            "DeleteBucket",
            "HeadBucket",
        ],
    },
    Known {
        name: "bootstrap --check",
        before: &["bootstrap --yes LINK --no-verify"],
        command: "bootstrap --check",
        code: 0,
        chain: &["connect", "handshake", "read"],
    },
    Known {
        name: "bootstrap --check, --enter-role",
        before: &["bootstrap --yes ENTER --no-verify"],
        command: "bootstrap --check",
        code: 0,
        chain: &["connect", "handshake", "AssumeRole of the operator", "read"],
    },
    Known {
        name: "verify, MFA",
        before: &["bootstrap --yes LINK --no-verify --require-mfa"],
        command: "verify --mfa-code CODE",
        code: 0,
        chain: &[
            "connect",
            "handshake",
            // A code is not sent with the keys of somebody else.
            "GetCallerIdentity",
            "GetSessionToken",
            "AssumeRole",
            "CreateBucket",
            "DeleteBucket",
            "HeadBucket",
        ],
    },
    Known {
        name: "exec, MFA",
        before: &["bootstrap --yes LINK --no-verify --require-mfa"],
        command: "exec --mfa-code CODE -- /bin/true",
        code: 0,
        chain: &["connect", "handshake", "GetSessionToken", "AssumeRole"],
    },
    Known {
        name: "credentials",
        before: &["bootstrap --yes LINK --no-verify"],
        command: "credentials --format json",
        code: 0,
        chain: &["connect", "handshake", "AssumeRole"],
    },
    Known {
        name: "diagnose of a link without its grant",
        before: &["bootstrap --yes LINK --no-verify", "teardown --all --yes --only source"],
        command: "diagnose",
        code: 3,
        chain: &["connect", "handshake", "read and list", "read what is listed"],
    },
    Known {
        name: "diagnose of a link without its grant, --enter-role",
        before: &["bootstrap --yes ENTER --no-verify", "teardown --all --yes --only source"],
        command: "diagnose",
        code: 3,
        chain: &["connect", "handshake", "AssumeRole of the operator", "read and list", "read what is listed"],
    },
    Known {
        name: "teardown",
        before: &["bootstrap --yes LINK --no-verify"],
        command: "teardown --all --yes",
        code: 0,
        chain: TEARDOWN,
    },
];

/// The round trips of a command in each round, connections included.
pub struct Trips {
    /// The command.
    pub known: &'static Known,
    /// How many it took.
    pub taken: Sample,
}

/// Runs every command in every round with both latencies: the time that it takes longer with the longer one, over the
/// difference, are its round trips.
pub fn run(rounds: usize) -> Result<Vec<Trips>> {
    let measured = |known: &'static Known| {
        let rounds = (0..rounds).map(|_| {
            let [near, far] = [LATENCY, LONG_LATENCY].map(|latency| time(known, latency));
            Ok((far? - near?) / milliseconds(LONG_LATENCY - LATENCY))
        });
        Ok(Trips { known, taken: Sample::of(rounds.collect::<Result<Vec<_>>>()?) })
    };
    KNOWN.iter().map(measured).collect()
}

/// Runs every command once, without latency.
pub fn check() -> Result<()> {
    KNOWN.iter().try_for_each(|known| time(known, Duration::ZERO).map(|_| ()))
}

/// Returns the milliseconds that a command takes over TLS to three hosts.
fn time(known: &Known, latency: Duration) -> Result<f64> {
    let mut ground = Ground::new(Server::Sandbox)?;
    let device = format!("mfa_serial = arn:aws:iam::{}:mfa/alice\n", ground.source);
    // The profile of alice is the last one.
    ground.environment.append(".aws/config", &device);
    for words in known.before {
        measured(&command(&ground, words)?, 0)?;
    }
    ground.move_away(Distance { latency, tls: true });
    let usage = measured(&command(&ground, known.command)?, known.code);
    usage.map(|usage| milliseconds(usage.wall)).map_err(|error| format!("{}: {error}", known.name).into())
}

fn command(ground: &Ground, words: &str) -> Result<Command> {
    let link = format!(
        "--target-account {} --user alice --user-profile alice --profile security-admin --external-id {EXTERNAL_ID} \
         --policy-arn {POLICY}",
        ground.target
    );
    let mut command = ground.environment.command(XACCT);
    for word in words.split(' ') {
        match word {
            LINK => command.args(link.split(' ')).args(["--target-profile", "dev-admin"]),
            ENTER => command.args(link.split(' ')).args(["--enter-role", "OrganizationAccountAccessRole"]),
            CODE => command.arg(ground.code().ok_or("ministack has no devices")?),
            word => command.arg(word),
        };
    }
    Ok(command)
}
