//! AWS Regions.

use super::text::text_type;
use crate::iam::invalid::{Invalid, shown};
use crate::iam::partition::Partition;

text_type! {
    /// A region of any AWS partition, known by the form of its name, so that a new region needs no new release
    /// (the partition patterns of the AWS SDKs).
    Region, check_region
}

impl Region {
    /// Returns the partition that the region belongs to.
    pub fn partition(&self) -> Partition {
        // Parsing made sure that there is one.
        Partition::of_region(&self.0).unwrap_or(Partition::Aws)
    }

    /// Returns whether an account must enable the region before it can be used. Those of before March 2019 are on by
    /// default (AWS Account Management Reference Guide, "Enable or disable AWS Regions").
    pub fn is_opt_in(&self) -> bool {
        const ALWAYS_ON: [&str; 17] = [
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
        self.partition() == Partition::Aws && !ALWAYS_ON.contains(&self.as_str())
    }
}

fn check_region(value: &str) -> Result<(), Invalid> {
    if Partition::of_region(value).is_some() {
        return Ok(());
    }
    let lower = value.trim().to_ascii_lowercase();
    let without_zone = lower.trim_end_matches(|character: char| character.is_ascii_lowercase());
    let fix = if Partition::of_region(&lower).is_some() {
        format!("write it as `{}`", shown(&lower))
    } else if lower.len() == without_zone.len() + 1 && Partition::of_region(without_zone).is_some() {
        format!("give the region, not the availability zone: `{}`", shown(without_zone))
    } else {
        "give a region such as `eu-west-1`".to_owned()
    };
    let broken = "has the form of no AWS partition's regions, such as `eu-west-1`";
    let rule = if value.is_empty() { "is empty" } else { broken };
    Err(Invalid::new("region", value, rule, fix))
}
