//! Mutates names, ARNs and durations.

use fastrand::Rng;
use xacct::iam::arn::{ManagedPolicy, RoleArn, UserRef};
use xacct::iam::names::{IamPath, RoleName, SessionDuration};

use crate::text::{self, changed};

/// Mutates a name.
pub fn mutate(data: &mut [u8], size: usize, most: usize, seed: u32) -> usize {
    let valid = |random: &mut Rng| (*random.choice(VALID).unwrap_or(&"")).to_owned();
    text::mutate(data, size, most, seed, |text, random| Some(changed(text, random)), valid, is_name)
}

fn is_name(text: &str) -> bool {
    text.parse::<RoleName>().is_ok()
        || text.parse::<RoleArn>().is_ok()
        || text.parse::<UserRef>().is_ok()
        || text.parse::<ManagedPolicy>().is_ok()
        || text.parse::<IamPath>().is_ok()
        || text.parse::<SessionDuration>().is_ok()
}

const VALID: &[&str] = &[
    "111111111111",
    "xacct",
    "/team/",
    "arn:aws:iam::222222222222:role/xacct",
    "arn:aws:iam::222222222222:role/team/xacct",
    "arn:aws-us-gov:iam::111111111111:user/team/alice",
    "arn:aws:sts::222222222222:assumed-role/xacct/alice",
    "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess",
    "arn:aws:iam::111111111111:mfa/alice",
    "111111111111/alice",
    "AROACKCEVSQ6C2EXAMPLE",
    "eu-west-1",
    "1h",
    "90m",
    "3600",
    "team=platform",
    "123456",
];
