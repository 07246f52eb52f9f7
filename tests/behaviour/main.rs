//! One suite of behaviours of AWS that runs on two servers which stand in for it: the sandbox of this repository, and
//! ministack, an emulator that others made. It keeps the sandbox honest.
//!
//! A behaviour says what AWS does, and where that is written. A server must do the same, or exactly what the list in
//! [`differences`] says it does instead: a difference that is not in the list fails, and so does one that no longer
//! shows.
//!
//! `scene` sets up two fresh accounts for each behaviour, `server` knows the two servers, `suite` runs and judges; the
//! behaviours are in the other modules. Everything goes over the wire through the AWS SDK, and nothing through xacct.

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
mod differences;
mod iam;
mod keys;
mod managed;
#[path = "../third_party/ministack.rs"]
mod ministack;
mod s3;
mod scene;
mod server;
mod sessions;
mod sources;
mod suite;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::io::Write;

use crate::differences::Difference;
use crate::server::{Name, Server};
use crate::suite::Behaviour;
use crate::support::third_party;

/// All behaviours.
fn behaviours() -> Vec<Behaviour> {
    let topics = [
        assume_role::behaviours(),
        sessions::behaviours(),
        iam::roles(),
        iam::policies(),
        managed::behaviours(),
        s3::behaviours(),
        authentication::behaviours(),
    ];
    topics.into_iter().flatten().collect()
}

#[test]
fn the_sandbox_behaves_like_aws() {
    suite::run(Server::sandbox(), behaviours());
}

#[test]
fn ministack_differs_from_aws_only_as_declared() {
    match ministack::shared() {
        Ok(ministack) => suite::run(Server::ministack(ministack), behaviours()),
        Err(reason) => third_party::skip(third_party::test_name!(), &reason),
    }
}

/// Names tell behaviours apart, and the list has one difference of a behaviour and server at most.
#[test]
fn behaviours_have_names_and_differences_have_behaviours() {
    let behaviours = behaviours();
    let names: BTreeSet<_> = behaviours.iter().map(|behaviour| behaviour.name).collect();
    assert_eq!(names.len(), behaviours.len(), "a name is used twice");
    let mut declared = BTreeSet::new();
    for Difference { behaviour, server, .. } in differences::ALL {
        assert!(names.contains(behaviour), "no behaviour has the name `{behaviour}`");
        assert!(declared.insert((behaviour, server)), "`{behaviour}` is declared twice for {server:?}");
    }
    let count = |server| differences::ALL.iter().filter(|difference| difference.server == server).count();
    let (all, sandbox, ministack) = (names.len(), count(Name::Sandbox), count(Name::Ministack));
    // Not `println!`, which the test runner swallows where a test passes.
    let _ = writeln!(
        std::io::stderr(),
        "{all} behaviours of AWS; declared differences: {sandbox} of the sandbox, {ministack} of ministack"
    );
}
