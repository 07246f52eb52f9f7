//! AWS's partitions.

use std::fmt;
use std::str::FromStr;

use super::invalid::{Invalid, serde_as_text};

/// An AWS partition. A role can be assumed only from within its own partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Partition {
    /// The commercial Regions.
    Aws,
    /// China: Beijing and Ningxia.
    AwsCn,
    /// AWS GovCloud (US).
    AwsUsGov,
    /// AWS European Sovereign Cloud.
    AwsEusc,
    /// AWS ISO (US).
    AwsIso,
    /// AWS ISOB (US).
    AwsIsoB,
    /// AWS ISOE (Europe).
    AwsIsoE,
    /// AWS ISOF.
    AwsIsoF,
}

/// The constants of a partition: its name, the prefixes of its Region names (up to the last dash but one), the Region
/// for signing IAM requests, and the DNS suffix.
type PartitionFacts = (&'static str, &'static [&'static str], &'static str, &'static str);

impl Partition {
    /// Every partition that the AWS SDKs know.
    pub const ALL: [Self; 8] = [
        Self::Aws,
        Self::AwsCn,
        Self::AwsUsGov,
        Self::AwsEusc,
        Self::AwsIso,
        Self::AwsIsoB,
        Self::AwsIsoE,
        Self::AwsIsoF,
    ];

    fn facts(self) -> PartitionFacts {
        const COMMERCIAL: &[&str] = &["us", "eu", "ap", "sa", "ca", "me", "af", "il", "mx"];
        match self {
            Self::Aws => ("aws", COMMERCIAL, "us-east-1", "amazonaws.com"),
            Self::AwsCn => ("aws-cn", &["cn"], "cn-north-1", "amazonaws.com.cn"),
            Self::AwsUsGov => ("aws-us-gov", &["us-gov"], "us-gov-west-1", "amazonaws.com"),
            Self::AwsEusc => ("aws-eusc", &["eusc-de"], "eusc-de-east-1", "amazonaws.eu"),
            Self::AwsIso => ("aws-iso", &["us-iso"], "us-iso-east-1", "c2s.ic.gov"),
            Self::AwsIsoB => ("aws-iso-b", &["us-isob"], "us-isob-east-1", "sc2s.sgov.gov"),
            Self::AwsIsoE => ("aws-iso-e", &["eu-isoe"], "eu-isoe-west-1", "cloud.adc-e.uk"),
            Self::AwsIsoF => ("aws-iso-f", &["us-isof"], "us-isof-south-1", "csp.hci.ic.gov"),
        }
    }

    /// Returns the second field of an ARN: `aws`, `aws-cn`, …
    pub fn as_str(self) -> &'static str {
        self.facts().0
    }

    /// Returns the Region for signing the partition's IAM requests.
    pub fn default_region(self) -> &'static str {
        self.facts().2
    }

    /// Returns the DNS suffix of its endpoints without a leading dot: `amazonaws.com`.
    pub fn dns_suffix(self) -> &'static str {
        self.facts().3
    }

    /// Returns the partition of a Region by the form of its name (`PREFIX-AREA-NUMBER`), so that new Regions are known.
    pub fn of_region(region: &str) -> Option<Self> {
        let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
        let (prefix_and_area, number) = region.rsplit_once('-')?;
        let (prefix, area) = prefix_and_area.rsplit_once('-')?;
        let is_area = !area.is_empty() && area.chars().all(is_word);
        let is_number = !number.is_empty() && number.chars().all(|character| character.is_ascii_digit());
        let of_prefix = |partition: &Self| partition.facts().1.contains(&prefix);
        Self::ALL.into_iter().find(of_prefix).filter(|_| is_area && is_number)
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl FromStr for Partition {
    type Err = Invalid;

    fn from_str(value: &str) -> Result<Self, Invalid> {
        let named = |partition: &Self| partition.as_str() == value;
        Self::ALL.into_iter().find(named).ok_or_else(|| {
            let rule = format!("is not one of {}", Self::ALL.map(Self::as_str).join(", "));
            Invalid::new("partition", value, rule, "use the account's partition, usually `aws`")
        })
    }
}

serde_as_text!(Partition);

#[cfg(test)]
mod tests;
