//! Regions that an account does not use. Both switches work at once: they are no changes of IAM that have to spread.

use super::World;

impl World {
    /// Switches STS off for an account in a region: roles of the account cannot be assumed there, whoever asks ("IAM User
    /// Guide, Managing AWS STS in an AWS Region": the setting of the account that owns the role counts, and the caller's
    /// does not).
    pub fn disable_sts(&mut self, account: &str, region: &str) {
        self.sts_disabled.insert((account.to_owned(), region.to_owned()));
    }

    /// Makes a region one that an account has to opt in to, and has not: there its credentials are worth nothing, and its
    /// roles cannot be assumed ("IAM User Guide, Managing AWS STS in an AWS Region": both accounts must have enabled it).
    pub fn disable_region(&mut self, account: &str, region: &str) {
        self.regions_disabled.insert((account.to_owned(), region.to_owned()));
    }

    /// Whether STS serves an account in a region.
    pub(crate) fn has_sts(&self, account: &str, region: &str) -> bool {
        let place = (account.to_owned(), region.to_owned());
        !self.sts_disabled.contains(&place) && !self.regions_disabled.contains(&place)
    }

    /// Whether an account uses a region at all.
    pub(crate) fn has_region(&self, account: &str, region: &str) -> bool {
        !self.regions_disabled.contains(&(account.to_owned(), region.to_owned()))
    }
}
