//! xacct as whoever types it meets it: the real program, in a closed environment, on two AWS accounts of this machine.
//!
//! | module | what it holds xacct to |
//! |---|---|
//! | `starters` | the tests themselves, whoever starts them |
//! | `startup` | what needs no network starts nothing of it |
//! | `bootstrap` | bootstrap makes both halves, in every way that it can be asked |
//! | `targets` | several targets, halves made apart, every way into an account |
//! | `drift` | what was changed by hand is found and mended; what others put there stays |
//! | `round_trips` | few requests wait for each other, none is sent twice, few connections carry them |
//! | `concurrency` | many targets, side by side, and no more requests than STS likes |
//! | `operators` | the least that operators need is enough, and nothing of it can be missing |
//! | `verify` | the verdicts of verify |
//! | `mfa` | multi-factor authentication |
//! | `exec` | a command with a session: variables, exit codes, signals |
//! | `credentials` | a session's credentials, in every form |
//! | `session_cache` | sessions kept between runs, and what is not trusted of them |
//! | `chains` | profiles that assume roles, with MFA or for a chosen time |
//! | `network` | proxies, CA bundles, FIPS and dual-stack endpoints |
//! | `propagation` | waiting for AWS, and only where there is something to wait for |
//! | `risks` | what may go wrong is said beforehand |
//! | `refusals` | what is refused before anything is written |
//! | `input`, `file_input` | what is refused before anything is sent |
//! | `teardown` | links are removed, and nothing else |
//! | `identity` | a link knows its role from a colleague's |
//! | `stale` | what changed between showing and doing is left alone |
//! | `order` | no write that fails or hangs leaves a role more open than it was |
//! | `sweep` | buckets of killed runs are deleted, and no others |
//! | `bucket_cleanup` | no bucket is left behind |
//! | `faults` | what AWS and networks do at times |
//! | `secrets` | no secret is printed, recorded or handed to another program |
//! | `files` | files: who may read them, links in the way, an `xacct.toml` of somebody else |
//! | `untrusted_text` | text of others that a terminal or a shell would obey; endpoints that somebody chose |
//! | `output`, `documents`, `help` | every text, as people and programs read it |
//! | `surroundings` | profiles, variables and files as people have them |
//! | `terminal` | prompts |
//! | `diagnose` | every cause that a diagnosis names is named, shown and mended by what is printed |
//! | `missing_permissions` | what may not be read is named, and nothing is claimed of it |
//! | `facts_files` | what was learned, saved and judged again |
//! | `cases` | writes the cases of `tests/cases/diagnose` |
//! | `fixes` | what a diagnosis says to do, done |
//! | `aws_cli` | the commands of the AWS CLI that xacct prints, run |

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test may panic, and what it prints is shown when it fails"
)]

mod aws_cli;
mod bootstrap;
mod bucket_cleanup;
mod cases;
mod chains;
mod concurrency;
mod credentials;
mod diagnose;
mod documents;
mod drift;
mod exec;
mod facts_files;
mod faults;
mod file_input;
mod files;
mod fixes;
mod help;
mod identity;
mod input;
mod mfa;
mod missing_permissions;
mod network;
mod operators;
mod order;
mod output;
mod print;
mod propagation;
mod refusals;
mod risks;
mod round_trips;
mod secrets;
mod session_cache;
mod snapshots;
mod stale;
mod starters;
mod startup;
#[path = "../support/mod.rs"]
mod support;
mod surroundings;
mod sweep;
mod targets;
mod teardown;
mod terminal;
mod untrusted_text;
mod verify;

use support::scene;
