//! Regions that an account does not use. Both settings take effect at once, because they are not changes of IAM.

use super::World;

impl World {
    /// Deactivates STS for an account in a Region: roles of the account cannot be assumed there, by any caller ("IAM User
    /// Guide, Managing AWS STS in an AWS Region": the setting of the role's account counts, not the caller's).
    pub fn disable_sts(&mut self, account: &str, region: &str) {
        self.sts_disabled.insert((account.to_owned(), region.to_owned()));
    }

    /// Makes a Region an opt-in Region that an account has not enabled: its credentials are not valid there, and its roles
    /// cannot be assumed ("IAM User Guide, Managing AWS STS in an AWS Region": both accounts must have enabled it).
    pub fn disable_region(&mut self, account: &str, region: &str) {
        self.regions_disabled.insert((account.to_owned(), region.to_owned()));
    }

    /// Makes an account so new that S3 is not activated for it: `CreateBucket` answers `NotSignedUp`.
    pub fn set_not_signed_up(&mut self, account: &str, is_so: bool) {
        if is_so {
            self.not_signed_up.insert(account.to_owned());
        } else {
            self.not_signed_up.remove(account);
        }
    }

    pub(crate) fn is_not_signed_up(&self, account: &str) -> bool {
        self.not_signed_up.contains(account)
    }

    /// Makes STS answer as its global endpoint does from now on: sessions get tokens of version 1, which are not valid in
    /// opt-in Regions ("IAM User Guide, Managing AWS STS in an AWS Region").
    pub fn be_global_endpoint(&mut self, is_so: bool) {
        self.is_global_endpoint = is_so;
    }

    /// Returns whether STS serves an account in a Region.
    pub(crate) fn has_sts(&self, account: &str, region: &str) -> bool {
        let place = (account.to_owned(), region.to_owned());
        !self.sts_disabled.contains(&place) && !self.regions_disabled.contains(&place)
    }

    /// Returns whether an account has enabled a Region.
    pub(crate) fn has_region(&self, account: &str, region: &str) -> bool {
        !self.regions_disabled.contains(&(account.to_owned(), region.to_owned()))
    }
}
