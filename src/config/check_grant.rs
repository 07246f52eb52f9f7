//! Checks the settings of the grants with the links.

use std::collections::BTreeMap;

use super::file::ConfigFile;
use super::grant::{GrantSettings, is_set, no_organization};
use super::link::Link;
use super::select::all_links;
use crate::cli::GrantScope;
use crate::error::{Error, Result};
use crate::iam::arn::PrincipalRef;

impl GrantSettings {
    /// Checks the settings with the links of a run, which have their principals, and the other links of the file.
    ///
    /// # Errors
    /// When the organization is not set, `set_grant` applies to no principal, or as [`GrantSettings::check_roles`].
    pub fn check(&self, links: &[Link], file: &ConfigFile) -> Result<()> {
        if let Some((key, value)) = self.lacks_organization() {
            return Err(no_organization(key, value));
        }
        if self.set_grant.is_some() && !with_others(links, file)?.iter().flat_map(|link| &link.principals).any(is_set) {
            return Err(Error::usage("set_grant is for permission sets, but no link is for one")
                .hint("omit --set-grant (set_grant in xacct.toml)")
                .hint("or give a link to a permission set: --principal permission-set/NAME"));
        }
        self.check_roles(links, file)
    }

    /// Checks the names of the roles of the links of a run, and of the other links of the file.
    ///
    /// # Errors
    /// When one statement cannot cover the roles of a principal, because they have several names.
    pub fn check_roles(&self, links: &[Link], file: &ConfigFile) -> Result<()> {
        let all = with_others(links, file)?;
        let mut first = BTreeMap::new();
        for link in &all {
            let role = format!("{}{}", link.role_path, link.role);
            // The operator, if there is none.
            let operator = link.principals.is_empty().then_some("");
            let is_wide = |principal: &&PrincipalRef| self.is_for_organization(principal);
            let labels = link.principals.iter().filter(is_wide).map(PrincipalRef::label);
            let operator = operator.filter(|_| self.scope == Some(GrantScope::Organization)).map(str::to_owned);
            for label in labels.chain(operator) {
                let (other, of_other) = first.entry(label).or_insert((&link.name, role.clone()));
                if *of_other != role {
                    return Err(different_roles((other, of_other), (&link.name, &role)));
                }
            }
        }
        Ok(())
    }
}

/// Returns the links of a run, and the other links of the file.
fn with_others(links: &[Link], file: &ConfigFile) -> Result<Vec<Link>> {
    let is_of_run = |name: &str| links.iter().any(|link| link.name == name);
    let others = all_links(file)?.into_iter().filter(|link| !is_of_run(&link.name));
    Ok(links.iter().cloned().chain(others).collect())
}

fn different_roles((one, role): (&str, &str), (other, of_other): (&str, &str)) -> Error {
    Error::usage(format!(
        "target `{one}` has role `{role}` and target `{other}` role `{of_other}`, but a grant for the organization covers one \
         path and name"
    ))
    .hint("give all targets of a principal the same `role` and `role_path`")
    .hint("or list the roles in the grant: grant = \"roles\", or for a permission set set_grant = \"inline\"")
}

#[cfg(test)]
mod tests;
