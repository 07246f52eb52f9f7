//! Runs the real program in an isolated environment, on two AWS accounts of the sandbox.
//!
//! | module | what it tests |
//! |---|---|
//! | `starters` | the tests themselves, started from any parent process |
//! | `startup` | offline commands start no network client |
//! | `bootstrap` | bootstrap creates both halves, with every option |
//! | `targets` | several targets, separate halves, access to target accounts |
//! | `many` | twelve targets: what they share is said once, and whatever differs is named |
//! | `names` | targets by name or account ID; `--all` |
//! | `drift` | manual changes are found and repaired; unmanaged policies are kept |
//! | `round_trips` | requests run concurrently, none is repeated, few connections are opened |
//! | `concurrency` | many targets at once, within the STS rate limit |
//! | `operators` | the minimal permissions of operators suffice, and all are needed |
//! | `verify` | the outcomes of `verify` |
//! | `session_attributes` | session names, session tags and source identities, from options and from the file |
//! | `trust_statements` | further statements of a trust policy: declared, printed, kept |
//! | `mfa` | multi-factor authentication |
//! | `long_sessions` | sessions of more than an hour with MFA |
//! | `exec` | a command with a session: variables, exit codes, signals |
//! | `exec_server` | credentials served to a command, and renewed |
//! | `credentials` | session credentials in every format |
//! | `install` | profiles in the AWS config file |
//! | `session_cache` | cached sessions, and files that the cache must not trust |
//! | `chains` | profiles that assume roles, with MFA or a session duration |
//! | `network` | proxies, CA bundles, FIPS and dual-stack endpoints |
//! | `answers` | what AWS's answers mean to each command |
//! | `probe` | whether the test has a bucket, and whose credentials it has |
//! | `propagation` | waiting for IAM propagation, and only after writes |
//! | `risks` | warnings about risky links |
//! | `wider` | whatever is wider than declared is named, and by `--check` or `exclusive` a difference |
//! | `weaker` | what makes a role weaker is named and stops `--yes`; policies are replaced without a gap |
//! | `refusals` | what xacct refuses before writing anything |
//! | `input`, `file_input` | invalid arguments and files are rejected before any request |
//! | `import` | roles that exist become targets; `forget` removes targets |
//! | `team` | one file for several people: own profiles, and external IDs outside the file |
//! | `handover` | links whose role Terraform manages |
//! | `principals` | links of roles, and of several principals |
//! | `replace` | links change hands, and nobody is refused meanwhile |
//! | `move` | a link gets a role with another name, and nobody is refused meanwhile |
//! | `revoke` | ends sessions, and keeps the link |
//! | `teardown` | removes links, and nothing else |
//! | `orphans` | what no `xacct.toml` names any more is found and removed; links to closed accounts |
//! | `role_use` | whether `teardown` asks about the last use of a role |
//! | `identity` | a link knows its role from a colleague's |
//! | `stale` | what changed between showing and doing is left alone |
//! | `order` | no write that fails or hangs leaves a role more open than it was |
//! | `lost_answers` | writes whose response is lost |
//! | `bounds` | limits for responses without end |
//! | `exit_codes` | the exit codes are the documented ones, whatever happens |
//! | `list` | every target with its settings and its last test |
//! | `verbosity` | `--verbose`, `--quiet` and `--color` |
//! | `sweep` | deletes buckets of interrupted runs, and no others |
//! | `who` | lists everybody who gets through a link |
//! | `bucket_cleanup` | no test bucket is left behind |
//! | `faults` | faults of AWS and networks |
//! | `secrets` | no secret is printed, recorded or passed to another program |
//! | `files` | file modes, symbolic links, an untrusted `xacct.toml` |
//! | `untrusted_text` | escaping of untrusted text; custom endpoints |
//! | `report_growth` | the time of reports on many links |
//! | `reports` | reports for CI and for browsers |
//! | `output`, `documents`, `help` | all output, for people and for programs |
//! | `profiles` | profiles and Regions from config files and the environment |
//! | `config_files` | AWS config files as people have them; access keys and settings in the environment |
//! | `arbitrary_settings` | no value of a variable or a key makes xacct panic or hang |
//! | `terminal` | prompts |
//! | `diagnose` | every cause of a diagnosis, with its evidence and its fix |
//! | `missing_permissions` | unreadable facts are reported as unknown |
//! | `facts_files` | saved facts and offline diagnosis |
//! | `facts_travel` | facts that two people collect, one account each |
//! | `cases` | writes the cases of `tests/cases/diagnose` |
//! | `fixes` | follows the fixes of a diagnosis |
//! | `aws_cli` | runs AWS CLI commands that xacct prints |

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test may panic, and what it prints is shown when it fails"
)]

mod answers;
mod arbitrary_settings;
mod aws_cli;
mod bootstrap;
mod bounds;
mod bucket_cleanup;
mod cases;
mod chains;
mod concurrency;
mod config_files;
mod credentials;
mod diagnose;
mod documents;
mod drift;
mod evaluated;
mod exec;
mod exec_server;
mod exit_codes;
mod facts_files;
mod facts_travel;
mod faults;
mod file_input;
mod files;
mod fixes;
mod groups;
mod handover;
mod help;
mod identity;
mod import;
mod in_vain;
mod input;
mod install;
mod list;
mod long_sessions;
mod lost_answers;
mod many;
mod mfa;
mod missing_permissions;
mod r#move;
mod must_refuse;
mod names;
mod network;
mod nobody_else;
mod operators;
mod order;
mod organization_grants;
mod orphans;
mod output;
mod overflow;
mod permission;
mod permission_sets;
mod principal_names;
mod principals;
mod print;
mod probe;
mod profiles;
mod propagation;
mod rarer_refusals;
mod refusals;
mod replace;
mod report_growth;
mod reports;
mod revoke;
mod risks;
mod role_use;
mod rotate;
mod round_trips;
mod secrets;
mod session_attributes;
mod session_cache;
mod set_grants;
mod shape;
mod snapshots;
mod stale;
mod starters;
mod startup;
#[path = "../support/mod.rs"]
mod support;
mod sweep;
mod targets;
mod team;
mod teardown;
mod terminal;
mod trust_statements;
mod unproven;
mod untrusted_text;
mod verbosity;
mod verify;
mod weaker;
mod who;
mod wider;

use support::scene;
