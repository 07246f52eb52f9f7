//! AWS account IDs.

use super::text::{Letters, check, text_type, whitespace_hint};
use crate::iam::invalid::Invalid;

text_type! {
    /// An AWS account ID: exactly 12 ASCII digits, including leading zeros (AWS Account Management API reference).
    AccountId, |value| {
        let digits: Letters = (|character| character.is_ascii_digit(), "the digits 0 to 9");
        check("account ID", (12, 12), digits, "", value).map_err(|error| error.with_fix(Some(account_fix(value))))
    }
}

text_type! {
    /// The ID of an organization: `o-` and 10 to 32 lower-case letters and digits (AWS Organizations API reference,
    /// `Organization`).
    OrganizationId, |value: &str| {
        let letters: Letters = (|it| it.is_ascii_lowercase() || it.is_ascii_digit(), "lower-case letters and digits");
        let use_id = || "use the ID of the organization, such as `o-a1b2c3d4e5`".to_owned();
        let Some(id) = value.strip_prefix("o-") else {
            return Err(Invalid::new("organization ID", value, "does not begin with `o-`", use_id()));
        };
        match check("organization ID", (10, 32), letters, "", id) {
            Ok(()) => Ok(()),
            Err(error) => Err(Invalid::new("organization ID", value, format!("{} after `o-`", error.rule), use_id())),
        }
    }
}

impl AccountId {
    /// Parses an account ID as people write it: also in three groups, as the AWS console shows it (`2222-2222-2222`).
    ///
    /// # Errors
    /// When it is neither.
    pub fn typed(text: &str) -> Result<Self, Invalid> {
        let groups: Vec<_> = text.split('-').collect();
        let is_grouped = groups.len() == 3 && groups.iter().all(|group| group.len() == 4);
        let grouped = is_grouped.then(|| groups.concat().parse().ok()).flatten();
        grouped.map_or_else(|| text.parse(), Ok)
    }
}

fn account_fix(value: &str) -> String {
    let digits: String = value.chars().filter(|character| !"- ".contains(*character)).collect();
    let account_of_arn = value.split(':').nth(4).filter(|part| part.parse::<AccountId>().is_ok());
    if let Some(account) = account_of_arn {
        format!("use only the account ID in that ARN: `{account}`")
    } else if digits != value && digits.parse::<AccountId>().is_ok() {
        format!("use the 12 digits without dashes or spaces: `{digits}`")
    } else if (1..12).contains(&value.len()) && value.chars().all(|character| character.is_ascii_digit()) {
        "use all 12 digits, including leading zeros".to_owned()
    } else {
        whitespace_hint(value).unwrap_or_else(|| "use the 12 digits without dashes".to_owned())
    }
}
