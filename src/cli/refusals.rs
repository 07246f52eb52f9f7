//! How often tests send the requests that the role must deny.

use std::str::FromStr;

use clap::Args;

/// How often a test sends requests that the role must deny.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Verification")]
pub struct RefusalOptions {
    /// How often to send the requests that the role must deny: `weekly`, or a fraction of tests such as 0.1 (default: always)
    ///
    /// Each is an AccessDenied in the target account's CloudTrail, which alarms may count. `weekly` goes by the records on
    /// this machine: without a record, or after a change of the link's conditions, the test sends them. The report says
    /// which were not sent.
    #[arg(long, value_name = "HOW_OFTEN", value_parser = str::parse::<HowOften>)]
    pub refusals: Option<HowOften>,
}

/// A frequency of tests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum HowOften {
    /// Once a week.
    Weekly,
    /// In this fraction of tests, by chance.
    Fraction(f64),
}

impl FromStr for HowOften {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "weekly" {
            return Ok(Self::Weekly);
        }
        match text.parse::<f64>() {
            Ok(fraction) if fraction > 0.0 && fraction <= 1.0 => Ok(Self::Fraction(fraction)),
            _ => Err("is neither `weekly` nor a number above 0 and at most 1\n  hint: for one test in ten, use `0.1`"
                .to_owned()),
        }
    }
}
