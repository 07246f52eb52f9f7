//! The last test of each link on this machine, in `$XDG_STATE_HOME/xacct`. It serves only the person who looks at it: if it
//! cannot be written or read, there is none.

use std::path::PathBuf;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::config::Link;
use crate::context::Context;
use crate::files::{self, Readers};
use crate::iam::arn::RoleArn;
use crate::iam::names::{AccountId, UserName};
use crate::proof::{Outcome, Proof};

/// A link as it was, or is, tested.
pub struct Tested<'a> {
    pub link: &'a Link,
    pub role: &'a RoleArn,
    pub user: &'a UserName,
    /// The user's account, if known.
    pub source: Option<&'a AccountId>,
}

/// The last test of a link.
#[derive(Debug, Clone, Copy)]
pub struct LastTest {
    pub outcome: Outcome,
    pub at: SystemTime,
    /// Whether xacct.toml had other conditions for the role then.
    pub of_other_settings: bool,
}

/// The file of one link.
#[derive(Serialize, Deserialize)]
struct Record {
    role_arn: String,
    user: String,
    outcome: String,
    at: String,
    settings: String,
}

impl Tested<'_> {
    /// Records the outcome of a test.
    pub fn keep(&self, proof: &Proof, context: &Context) {
        // Without a home directory, or a place in it, there is no record.
        let _ = self.write(proof, context);
    }

    fn write(&self, proof: &Proof, context: &Context) -> Option<()> {
        let record = Record {
            role_arn: self.role.to_string(),
            user: self.user.to_string(),
            outcome: proof.outcome.id().to_owned(),
            at: OffsetDateTime::from((context.now)()).format(&Rfc3339).ok()?,
            settings: self.settings(),
        };
        let file = self.file(context)?;
        files::create_private_folder(files::folder_of(&file)).ok()?;
        files::replace(&file, &serde_json::to_string(&record).ok()?, Readers::Owner).ok()
    }

    /// Returns the last test on this machine.
    pub fn last(&self, context: &Context) -> Option<LastTest> {
        let text = files::read(&self.file(context)?, files::LONGEST_TEXT).ok()?;
        let record: Record = serde_json::from_str(&text).ok()?;
        Some(LastTest {
            outcome: Outcome::ALL.into_iter().find(|outcome| outcome.id() == record.outcome)?,
            at: OffsetDateTime::parse(&record.at, &Rfc3339).ok()?.into(),
            of_other_settings: record.settings != self.settings(),
        })
    }

    /// Returns the file of the link: of its role and its user, whatever name a file gives to it.
    fn file(&self, context: &Context) -> Option<PathBuf> {
        let source = self.source.map(AccountId::as_str).unwrap_or_default();
        let link = digest(&format!("{source}\n{}\n{}", self.user, self.role));
        Some(context.state_folder()?.join("tests").join(format!("{link}.json")))
    }

    /// Returns a digest of what decides whom the role admits.
    fn settings(&self) -> String {
        let Link { external_id, require_mfa, restrict_to_user, allow_session_tags, accept, exclusive, .. } = self.link;
        let (external_id, files) = (external_id.known(), &self.link.trust_statement_files);
        digest(&format!(
            "{external_id:?} {require_mfa} {restrict_to_user} {allow_session_tags} {accept:?} {exclusive} {files:?}"
        ))
    }
}

fn digest(text: &str) -> String {
    Sha256::digest(text).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
