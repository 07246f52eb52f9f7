//! The last test of each link on this machine, in `$XDG_STATE_HOME/xacct`, and how the tests used its role. It serves only
//! the person who looks at it: if it cannot be written or read, there is none.

use std::path::PathBuf;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::cli::HowOften;
use crate::config::Link;
use crate::context::Context;
use crate::files::{self, Readers};
use crate::iam::arn::{PrincipalRef, RoleArn};
use crate::iam::last_use::{TestUse, Used};
use crate::iam::names::{AccountId, Region};
use crate::proof::{Outcome, Proof, StepOutcome};

/// How many tests a record has at most: a test every half hour for two days.
const MOST_USES: usize = 100;

/// Half a day less than a week: a test at the same hour of every night sends the requests in each seventh.
const WEEK: time::Duration = time::Duration::hours(7 * 24 - 12);

/// A link as it was, or is, tested.
pub struct Tested<'a> {
    pub link: &'a Link,
    pub role: &'a RoleArn,
    /// The link's principals, as a table names them.
    pub principals: &'a str,
    /// Their account, if known.
    pub source: Option<&'a AccountId>,
}

/// The last test of a link.
#[derive(Debug, Clone)]
pub struct LastTest {
    pub outcome: Outcome,
    /// The principal of the link as which it ran, if a record says so.
    pub tested_as: Option<PrincipalRef>,
    pub at: SystemTime,
    /// When all requests that must be denied were denied last.
    pub denied_at: Option<SystemTime>,
    /// Whether xacct.toml had other conditions for the role then.
    pub of_other_settings: bool,
}

/// The file of one link.
#[derive(Serialize, Deserialize)]
struct Record {
    role_arn: String,
    user: String,
    outcome: String,
    /// The principal of the link as which it ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tested_as: Option<String>,
    at: String,
    settings: String,
    /// When all requests that must be denied were denied last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refusals_at: Option<String>,
    /// How the tests of the last two days used the role.
    #[serde(default)]
    uses: Vec<TestUse>,
}

/// How a test began.
pub struct Begun {
    /// When, by this machine's clock.
    pub at: SystemTime,
    /// How far AWS's clock is ahead of this machine's.
    pub ahead: time::Duration,
    /// The last use of the role, if it was read before.
    pub used_before: Option<Used>,
    /// The Region of its requests.
    pub region: Region,
}

impl Tested<'_> {
    /// Records the outcome of a test, and its use of the role.
    pub fn keep(&self, proof: &Proof, start: Begun, context: &Context) {
        // Without a home directory, or a place in it, there is no record.
        let _ = self.write(proof, start, context);
    }

    fn write(&self, proof: &Proof, start: Begun, context: &Context) -> Option<()> {
        let here = OffsetDateTime::from((context.now)());
        let (from, to) = (OffsetDateTime::from(start.at) + start.ahead, here + start.ahead);
        let mut uses = self.uses(context);
        // Without a session, the test did not use the role.
        if proof.session.is_some() {
            // Assumed: requests to IAM, and to global endpoints, count for the partition's first Region.
            let regions = vec![start.region.to_string(), self.role.partition.default_region().to_owned()];
            let read = start.used_before.or_else(|| proof.used_before.clone());
            uses.push(TestUse::new((from, to), regions, read, &uses));
        }
        uses.drain(..uses.len().saturating_sub(MOST_USES));
        let record = Record {
            refusals_at: self.refusals_at(proof, here, context),
            role_arn: self.role.to_string(),
            user: self.principals.to_owned(),
            outcome: proof.outcome.id().to_owned(),
            tested_as: proof.tested_as.as_ref().map(|principal| principal.without_account().to_string()),
            at: here.format(&Rfc3339).ok()?,
            settings: self.settings(),
            uses,
        };
        let file = self.file(context)?;
        files::create_private_folder(files::folder_of(&file)).ok()?;
        files::replace(&file, &serde_json::to_string(&record).ok()?, Readers::Owner).ok()
    }

    /// Returns when all requests that must be denied were denied last, after this proof at this time.
    fn refusals_at(&self, proof: &Proof, now: OffsetDateTime, context: &Context) -> Option<String> {
        let mut refusals = proof.steps.iter().filter(|step| step.id.is_refusal()).peekable();
        refusals.peek()?;
        match refusals.all(|step| step.outcome == StepOutcome::Ok) {
            true => now.format(&Rfc3339).ok(),
            // What is open, or was not proven, is due again.
            false if proof.outcome != Outcome::Works => None,
            false => self.read(context).filter(|record| record.settings == self.settings())?.refusals_at,
        }
    }

    /// Returns why a test does not send the requests that must be denied, if they are not due.
    pub fn unsent_refusals(&self, often: HowOften, context: &Context) -> Option<String> {
        match often {
            HowOften::Weekly => {
                let record = self.read(context).filter(|record| record.settings == self.settings())?;
                let last = OffsetDateTime::parse(&record.refusals_at?, &Rfc3339).ok()?;
                let age = OffsetDateTime::from((context.now)()) - last;
                let is_due = age.is_negative() || age >= WEEK;
                (!is_due).then(|| format!("not sent (weekly; last denied {})", last.date()))
            }
            HowOften::Fraction(fraction) => {
                let mut bytes = [0; 4];
                (context.random)(&mut bytes).ok()?;
                let drawn = f64::from(u32::from_le_bytes(bytes)) / (f64::from(u32::MAX) + 1.0);
                (drawn >= fraction).then(|| format!("not sent (--refusals {fraction})"))
            }
        }
    }

    /// Returns the last test on this machine.
    pub fn last(&self, context: &Context) -> Option<LastTest> {
        let record = self.read(context)?;
        Some(LastTest {
            outcome: Outcome::ALL.into_iter().find(|outcome| outcome.id() == record.outcome)?,
            tested_as: record.tested_as.and_then(|principal| principal.parse().ok()),
            at: OffsetDateTime::parse(&record.at, &Rfc3339).ok()?.into(),
            denied_at: record.refusals_at.and_then(|at| Some(OffsetDateTime::parse(&at, &Rfc3339).ok()?.into())),
            of_other_settings: record.settings != self.settings(),
        })
    }

    /// Returns how the tests of the last two days on this machine used the role.
    pub fn uses(&self, context: &Context) -> Vec<TestUse> {
        let now = (context.now)().into();
        let mut uses = self.read(context).map_or_else(Vec::new, |record| record.uses);
        uses.retain(|test| test.is_late(now));
        uses
    }

    fn read(&self, context: &Context) -> Option<Record> {
        let text = files::read(&self.file(context)?, files::LONGEST_TEXT).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Returns the file of the link: of its role and its principals, whatever name a file gives to it.
    fn file(&self, context: &Context) -> Option<PathBuf> {
        let source = self.source.map(AccountId::as_str).unwrap_or_default();
        let link = digest(&format!("{source}\n{}\n{}", self.principals, self.role));
        Some(context.state_folder()?.join("tests").join(format!("{link}.json")))
    }

    /// Returns a digest of what decides whom the role admits.
    fn settings(&self) -> String {
        let Link { require_mfa, restrict_to_user, allow_session_tags, accept, exclusive, .. } = self.link;
        let (ids, files) = (self.link.external_ids().collect::<Vec<_>>(), &self.link.trust_statement_files);
        digest(&format!(
            "{ids:?} {require_mfa} {restrict_to_user} {allow_session_tags} {accept:?} {exclusive} {files:?}"
        ))
    }
}

fn digest(text: &str) -> String {
    Sha256::digest(text).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
