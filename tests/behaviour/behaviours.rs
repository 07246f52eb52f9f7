//! All behaviours, with the answers that a run on real accounts recorded.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::suite::Behaviour;
use crate::{assume_role, authentication, iam, managed, principals, s3, sessions};

/// One run of all behaviours at a time: each keeps the machine busy, and a starved connection times out.
static TURN: Mutex<()> = Mutex::new(());

/// Waits until no other test runs all behaviours.
pub fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns all behaviours. What was recorded from AWS is what the sandbox is held against.
pub fn all() -> Vec<Behaviour> {
    let topics = [
        assume_role::behaviours(),
        sessions::behaviours(),
        iam::roles(),
        iam::policies(),
        managed::behaviours(),
        principals::behaviours(),
        s3::behaviours(),
        authentication::behaviours(),
    ];
    let recorded = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/behaviour/recorded.json"));
    topics.into_iter().flatten().map(|behaviour| behaviour.with_recorded(&recorded)).collect()
}

/// Returns AWS's answers that a run recorded in this file, by the name of the behaviour; none if there is no such file.
pub fn read(path: &Path) -> BTreeMap<String, String> {
    let Ok(text) = std::fs::read_to_string(path) else { return BTreeMap::new() };
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
