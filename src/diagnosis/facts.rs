//! What was learned of a link that does not work: all that a diagnosis goes by, and what `--save-facts` writes. There is
//! no secret in it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{AwsAnswer, Error, Kind, Result};
use crate::iam::arn::{CallerArn, RoleArn};
use crate::iam::invalid::shown_up_to;
use crate::iam::names::{AccountId, ExternalId, Region, UserName};
use crate::iam::state::{FoundDocument, Reading};

/// The version of the form of a facts file. It grows when a field changes its meaning or goes.
pub const SCHEMA_VERSION: u32 = 1;

/// Everything that was learned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// When AWS was asked, in seconds since 1970 by this machine's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<i64>,
    /// What is wanted.
    pub link: LinkFacts,
    /// Whose credentials were used, and where they come from.
    pub caller: CallerFacts,
    /// The AssumeRole request as it was sent.
    pub request: RequestFacts,
    /// What AWS answered to it.
    pub answer: Answer,
    /// What the proof saw accepted that must be refused.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub let_through: BTreeSet<LetThrough>,
    /// The call to S3 that the session was refused, if it came so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub s3: Option<S3Facts>,
    /// How long before it was asked xacct had written either half, in seconds, if this run did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_seconds_ago: Option<u64>,
    /// The source account.
    pub source: SourceFacts,
    /// The target account.
    pub target: TargetFacts,
}

/// What is wanted of the link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkFacts {
    /// Its name in `xacct.toml`.
    pub name: String,
    /// The path of that file.
    pub file: String,
    /// The role, as the file names it.
    pub role: RoleArn,
    /// The source account, where the file names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_account: Option<AccountId>,
    /// The user who is granted.
    pub user: UserName,
    /// The external ID that the file names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<ExternalId>,
    /// Whether the file says that MFA is demanded.
    #[serde(default)]
    pub require_mfa: bool,
    /// Whether the file says that the role admits this user only.
    #[serde(default)]
    pub restrict_to_user: bool,
    /// Whether the file names policies for the role: if not, bootstrap gives it one that passes the check.
    #[serde(default)]
    pub has_policies: bool,
    /// Whether the check goes as far as a bucket.
    #[serde(default)]
    pub checks_s3: bool,
}

/// The credentials that were used as the user's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallerFacts {
    /// Where they come from, in words, such as `profile alice`.
    pub origin: String,
    /// The profile that they come from, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// A profile of the AWS config files that is called like the user, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile_of_user: Option<String>,
    /// The profile that `AWS_PROFILE` names, where variables with keys win over it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden_profile: Option<String>,
    /// Whether they are temporary.
    pub is_session: bool,
    /// Whether they carry MFA.
    pub mfa: Mfa,
    /// Who AWS says they belong to.
    pub identity: Reading<CallerArn>,
    /// The same, asked in the partition's first region, where the region of the request must be switched on by each
    /// account; in that of partition `aws`, where it is of another partition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elsewhere: Option<Reading<CallerArn>>,
}

/// Whether credentials carry proof of multi-factor authentication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mfa {
    /// They were made with it.
    Present,
    /// They were made without it.
    Absent,
    /// It cannot be told: they are of a session that another program made.
    Unknown,
}

/// An AssumeRole request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestFacts {
    /// The region of the STS endpoint.
    pub region: Region,
    /// `RoleSessionName`.
    pub session_name: String,
    /// `ExternalId`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// `DurationSeconds`; absent means AWS's default of 3600.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<i32>,
    /// `Tags`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// `SourceIdentity`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_identity: Option<String>,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// AWS gave a session: its ARN.
    Accepted(CallerArn),
    /// AWS answered with an error.
    Refused(AwsAnswer),
    /// It was not sent.
    NotSent(NotSent),
}

/// Why a request was not sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotSent {
    /// There are no credentials: why not.
    NoCredentials(String),
    /// The credentials are not the user's.
    NotTheUsers,
    /// MFA is demanded, and there was no code or no device: which.
    NoMfaCode(String),
}

impl Answer {
    /// AWS's error code and message; empty where there are none.
    #[must_use]
    pub fn code_and_message(&self) -> (&str, &str) {
        match self {
            Self::Refused(answer) => {
                (answer.code.as_deref().unwrap_or_default(), answer.message.as_deref().unwrap_or_default())
            }
            _ => ("", ""),
        }
    }
}

/// A request that must be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LetThrough {
    /// One without the external ID.
    WithoutExternalId,
    /// One with a wrong external ID.
    WithWrongExternalId,
    /// One without MFA.
    WithoutMfa,
}

/// A call to S3 that the session of the role was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct S3Facts {
    /// The bucket.
    pub bucket: String,
    /// The region.
    pub region: Region,
    /// AWS's answer.
    pub answer: AwsAnswer,
}

/// The operator with whose credentials an account was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatorFacts {
    /// The profile, if the credentials come from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Who AWS says they belong to.
    pub identity: Reading<CallerArn>,
}

/// The source account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceFacts {
    /// Who read it.
    pub operator: OperatorFacts,
    /// The user who is granted.
    pub user: Reading<UserFacts>,
    /// The user's own policies.
    pub policies: PolicyFacts,
    /// Those of the groups that the user is in, by group.
    pub groups: Reading<BTreeMap<String, PolicyFacts>>,
    /// The policy that is the user's permissions boundary; absent where there is none.
    pub boundary: Reading<FoundDocument>,
    /// The serials of the user's MFA devices.
    pub mfa_devices: Reading<Vec<String>>,
}

/// A user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserFacts {
    /// ARN.
    pub arn: String,
    /// `AIDA…`
    pub unique_id: String,
    /// The ARN of the permissions boundary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boundary: Option<String>,
    /// Tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

/// The policies of a user, group or role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyFacts {
    /// Inline policies by name.
    pub inline: Reading<BTreeMap<String, Reading<FoundDocument>>>,
    /// Attached policies by ARN.
    pub attached: Reading<BTreeMap<String, Reading<FoundDocument>>>,
}

/// The target account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetFacts {
    /// Who read it.
    pub operator: OperatorFacts,
    /// The role of that name.
    pub role: Reading<RoleFacts>,
    /// ARNs of roles that may be meant: of the same name in other capitals, or in the account that the operator's
    /// credentials are of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub look_alikes: Vec<String>,
    /// The role's permissions policies.
    pub policies: PolicyFacts,
    /// The policy that is the role's permissions boundary; absent where there is none.
    pub boundary: Reading<FoundDocument>,
}

/// A role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleFacts {
    /// ARN.
    pub arn: String,
    /// Whether xacct made it.
    pub is_ours: bool,
    /// How long ago it was created, in seconds by this machine's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_seconds: Option<u64>,
    /// `MaxSessionDuration`.
    pub max_session_seconds: i32,
    /// The ARN of the permissions boundary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boundary: Option<String>,
    /// Tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Who may assume it.
    pub trust: FoundDocument,
}

impl Facts {
    /// Reads a facts file; `place` is its path, for messages.
    ///
    /// # Errors
    /// When it is no facts file, of a newer form, or has a value that cannot be; the error says where.
    pub fn parse(text: &str, place: &str) -> Result<Self> {
        let wrong = |problem: String| {
            Error::usage(format!("facts file `{place}`: {problem}"))
                .hint("write it again with --save-facts, or mend it by hand at that place")
        };
        // What it names may be long and strange; its end says line and column.
        let unread = |error: serde_json::Error| {
            let said = error.to_string();
            let place = format!(" at line {} column {}", error.line(), error.column());
            wrong(shown_up_to(600, said.strip_suffix(&place).unwrap_or(&said)) + &place)
        };
        let value: Value = serde_json::from_str(text).map_err(unread)?;
        match value.get("schema_version").and_then(Value::as_u64) {
            Some(version) if version == u64::from(SCHEMA_VERSION) => {}
            Some(version) => {
                return Err(Error::usage(format!(
                    "facts file `{place}` has schema_version {version}, and this xacct knows {SCHEMA_VERSION}"
                ))
                .hint("use the version of xacct that wrote it"));
            }
            None if value.get("schema_version").is_some() => {
                return Err(wrong(format!("its `schema_version` is not {SCHEMA_VERSION}")));
            }
            None => return Err(wrong("it has no `schema_version`".to_owned())),
        }
        // From the text, not from the value: its errors say line and column.
        serde_json::from_str(text).map_err(unread)
    }

    /// Whether this is a facts file, of any version: those have these at least.
    #[must_use]
    pub fn has_form(bytes: &[u8]) -> bool {
        let value: serde_json::Value = serde_json::from_slice(bytes).unwrap_or_default();
        ["schema_version", "link", "caller", "request", "answer"].iter().all(|key| value.get(key).is_some())
    }

    /// The facts as a file; `redact` puts other numbers in the place of account numbers, each its own.
    ///
    /// # Errors
    /// When they cannot be written as JSON, which is an error of xacct's.
    pub fn to_text(&self, redact: bool) -> Result<String> {
        let wrong = |error| Error::new(Kind::Internal, format!("the facts cannot be written: {error}"));
        let mut value = serde_json::to_value(self).map_err(wrong)?;
        if redact {
            let mut masks = Masks::default();
            for account in [self.link.source_account.as_ref(), Some(&self.link.role.account)].into_iter().flatten() {
                masks.of(account.as_str());
            }
            masks.hide(&mut value);
        }
        Ok(serde_json::to_string_pretty(&value).map_err(wrong)? + "\n")
    }
}

/// What stands for each account number: `111111111111`, `222222222222`, … What was one number stays one number, so that a
/// diagnosis stays what it was.
#[derive(Default)]
struct Masks(BTreeMap<String, String>);

impl Masks {
    /// The mask of an account; a new one for each that is new.
    fn of(&mut self, account: &str) -> &str {
        let number = self.0.len() + 1;
        self.0
            .entry(account.to_owned())
            .or_insert_with(|| if number < 10 { number.to_string().repeat(12) } else { format!("{number:012}") })
    }

    /// Masks the account numbers in every text. Numbers and the way that JSON spells text are left alone.
    fn hide(&mut self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.hidden(text),
            Value::Array(list) => list.iter_mut().for_each(|item| self.hide(item)),
            Value::Object(members) => {
                for (key, mut member) in std::mem::take(members) {
                    let key = self.hidden(&key);
                    self.hide(&mut member);
                    members.insert(key, member);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Text in which every run of exactly twelve digits is masked.
    fn hidden(&mut self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
            let (before, from) = rest.split_at(start);
            let end = from.find(|c: char| !c.is_ascii_digit()).unwrap_or(from.len());
            let (digits, after) = from.split_at(end);
            out.push_str(before);
            let is_account = digits.len() == 12 && !ends_a_request_id(&out);
            out.push_str(if is_account { self.of(digits) } else { digits });
            rest = after;
        }
        out + rest
    }
}

/// Whether what comes next is the last group of a request ID: `…-a2ca-` stands before it.
fn ends_a_request_id(text: &str) -> bool {
    let group = text.strip_suffix('-').and_then(|text| text.rsplit_once('-')).map(|(_, group)| group);
    group.is_some_and(|group| group.len() == 4 && group.chars().all(|c| c.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn accounts_are_masked_and_request_ids_are_not() {
        let mut masks = Masks::default();
        masks.of("111111111112");
        let text =
            "999999999998 xacct-verify-111111111112-ab (request 15393b95-c6a6-d85f-b7c6-123456789012) 1234567890123";
        let masked =
            "222222222222 xacct-verify-111111111111-ab (request 15393b95-c6a6-d85f-b7c6-123456789012) 1234567890123";
        assert_eq!(masks.hidden(text), masked);
    }

    #[test]
    fn only_text_is_masked_however_json_spells_it() {
        // As JSON it is `\u0010` and twelve digits.
        let mut value = json!({"asked_at": 123456789012_i64, "k 123456789012": ["\u{10}123456789012"]});
        Masks::default().hide(&mut value);
        let masked = json!({"asked_at": 123456789012_i64, "k 111111111111": ["\u{10}111111111111"]});
        assert_eq!(value, masked);
    }

    #[test]
    fn what_is_wrong_is_said_in_one_short_line() {
        let text = format!(r#"{{"schema_version": 1, "{}": 1}}"#, "x\\n\\u001b".repeat(10_000));
        let message = Facts::parse(&text, "facts.json").map_or_else(|error| error.message, |_| String::new());
        assert!(message.starts_with("facts file `facts.json`: unknown field `x\\n\\u{1b}x"), "{message:.500}");
        assert!(message.ends_with(" at line 1 column 90024") && message.chars().count() < 3000, "{message:.500}");
    }
}
