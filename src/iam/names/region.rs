//! AWS Regions.

use super::text::text_type;
use crate::iam::invalid::{Invalid, nearest, shown};
use crate::iam::partition::Partition;

text_type! {
    /// A Region of any AWS partition, recognised by the form of its name, so that a new Region needs no new release
    /// (the partition patterns of the AWS SDKs).
    Region, check_region
}

impl Region {
    /// Returns the partition of the Region.
    pub fn partition(&self) -> Partition {
        // The parser accepts only names of a partition.
        Partition::of_region(&self.0).unwrap_or(Partition::Aws)
    }

    /// The Regions that every account has.
    pub const ALWAYS_ON: [&str; 17] = [
        "us-east-1",
        "us-east-2",
        "us-west-1",
        "us-west-2",
        "ca-central-1",
        "sa-east-1",
        "eu-central-1",
        "eu-north-1",
        "eu-west-1",
        "eu-west-2",
        "eu-west-3",
        "ap-south-1",
        "ap-northeast-1",
        "ap-northeast-2",
        "ap-northeast-3",
        "ap-southeast-1",
        "ap-southeast-2",
    ];

    /// Returns whether an account must enable the Region before using it. Regions from before March 2019 are enabled by
    /// default (AWS Account Management Reference Guide, "Enable or disable AWS Regions").
    pub fn is_opt_in(&self) -> bool {
        self.partition() == Partition::Aws && !Self::ALWAYS_ON.contains(&self.as_str())
    }
}

/// The Regions of the partitions that anyone can sign up for, for suggestions (`partitions.json` of botocore 1.43,
/// compared on 2026-11-29). A Region that is missing here is accepted all the same.
const KNOWN: [&str; 39] = [
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eusc-de-east-1",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-west-1",
    "us-west-2",
];

/// Whether the area of a Region is a direction, as in every Region so far: `southeast` of `ap-southeast-2`.
fn has_direction(region: &str) -> bool {
    let mut area = region.rsplit('-').nth(1).unwrap_or_default();
    while let Some(rest) = ["north", "south", "east", "west", "central"].iter().find_map(|word| area.strip_prefix(word))
    {
        area = rest;
    }
    area.is_empty()
}

fn check_region(value: &str) -> Result<(), Invalid> {
    let near = nearest(value, &KNOWN);
    if Partition::of_region(value).is_some() {
        return match near.filter(|_| !has_direction(value)) {
            // A new Region may have a new word, but hardly one that is almost an old one.
            Some(near) => {
                Err(Invalid::new("Region", value, "no Region has this name", format!("did you mean `{near}`?")))
            }
            None => Ok(()),
        };
    }
    let lower = value.trim().to_ascii_lowercase();
    let without_zone = lower.trim_end_matches(|character: char| character.is_ascii_lowercase());
    let fix = if Partition::of_region(&lower).is_some() {
        format!("write it as `{}`", shown(&lower))
    } else if lower.len() == without_zone.len() + 1 && Partition::of_region(without_zone).is_some() {
        format!("use the Region, not the Availability Zone: `{}`", shown(without_zone))
    } else if let Some(near) = nearest(&lower, &KNOWN) {
        format!("did you mean `{near}`?")
    } else {
        "use a Region such as `eu-west-1`".to_owned()
    };
    let rule = if value.is_empty() { "is empty" } else { "does not match the format of AWS Region names" };
    Err(Invalid::new("Region", value, rule, fix))
}
