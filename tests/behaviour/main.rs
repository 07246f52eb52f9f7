//! A suite of AWS behaviours that runs on two servers: the sandbox of this repository, and ministack, a third-party
//! emulator. It keeps the sandbox honest.
//!
//! A behaviour defines AWS's answer and its source, which is recorded from AWS, documented by it, or assumed. A server must
//! give the same answer, or exactly the one declared in [`differences`]. An undeclared difference fails, and so does a
//! declared one that no longer occurs.
//!
//! `scene` creates two fresh accounts for each behaviour, `server` provides the servers, `suite` runs and judges; `real`,
//! `place` and `sweep` put the same questions to two real accounts (`tests/real-aws`);
//! the behaviours are in the other modules. All requests go over the wire through the AWS SDK, none through xacct.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test may panic, and what it prints is shown when it fails"
)]

mod assume_role;
mod authentication;
mod behaviours;
mod differences;
mod iam;
mod keys;
mod managed;
#[path = "../third_party/ministack.rs"]
mod ministack;
mod place;
mod principals;
mod real;
mod s3;
mod scene;
mod server;
mod sessions;
mod sources;
mod suite;
#[path = "../support/mod.rs"]
mod support;
mod sweep;

use std::collections::BTreeSet;
use std::io::Write;

use crate::differences::Difference;
use crate::server::{Name, Server};
use crate::sources::Kind;
use crate::support::third_party;

#[test]
fn the_sandbox_behaves_like_aws() {
    let _turn = behaviours::turn();
    suite::run(Server::sandbox(), behaviours::all());
}

#[test]
fn ministack_differs_from_aws_only_as_declared() {
    match ministack::shared() {
        Ok(ministack) => {
            let _turn = behaviours::turn();
            suite::run(Server::ministack(ministack), behaviours::all());
        }
        Err(reason) => third_party::skip(third_party::test_name!(), &reason),
    }
}

/// Checks that the names of behaviours are unique, and that each behaviour has at most one difference per server.
#[test]
fn behaviours_have_names_and_differences_have_behaviours() {
    let behaviours = behaviours::all();
    let names: BTreeSet<_> = behaviours.iter().map(|behaviour| behaviour.name).collect();
    assert_eq!(names.len(), behaviours.len(), "duplicate name");
    let mut declared = BTreeSet::new();
    for Difference { behaviour, server, .. } in differences::ALL {
        assert!(names.contains(behaviour), "no behaviour has the name `{behaviour}`");
        assert!(declared.insert((behaviour, server)), "`{behaviour}` is declared twice for {server:?}");
    }
    let count = |server| differences::ALL.iter().filter(|difference| difference.server == server).count();
    let (all, sandbox, ministack) = (names.len(), count(Name::Sandbox), count(Name::Ministack));
    let kind = |kind| behaviours.iter().filter(|behaviour| behaviour.source.kind == kind).count();
    let (recorded, documented, assumed) = (kind(Kind::Recorded), kind(Kind::Documented), kind(Kind::Assumed));
    assert_eq!(recorded + documented + assumed, all);
    // Not `println!`, whose output the test runner hides for tests that pass.
    let _ = writeln!(
        std::io::stderr(),
        "{all} behaviours of AWS: {recorded} recorded, {documented} documented, {assumed} assumed; declared differences: \
         {sandbox} of the sandbox, {ministack} of ministack"
    );
}
