//! The AWS config files: read as the AWS CLI reads them, and passed to the SDK in parts.

pub(in crate::aws) mod for_sdk;
mod ini;
mod locations;
mod sections;
mod unshadowed;

pub use sections::{Section, Sections, Setting};
pub use unshadowed::{BOTO_CONFIG, Shadow, shadows};

use crate::environment::Variables;
use crate::error::{Error, Kind, Result};
use locations::{CONFIG, CREDENTIALS, text};

/// Reads both files from the SDK's locations (AWS SDKs and Tools Reference Guide, "Finding and changing the location of
/// the shared files"). A missing file counts as empty.
///
/// # Errors
/// When one cannot be read, or is a pipe or a device, for which the SDK would wait.
pub(in crate::aws) fn read(variable: Variables<'_>) -> Result<Sections> {
    let (config, _, config_text) = text(CONFIG, variable)?;
    let (credentials, _, credentials_text) = text(CREDENTIALS, variable)?;
    Ok(Sections::parse((&config, &config_text), (&credentials, &credentials_text)))
}

impl Sections {
    /// Checks the sections of these profiles, and those that they name.
    ///
    /// # Errors
    /// When the AWS CLI would stop at one of their lines. Lines of other profiles do not count.
    pub(in crate::aws) fn check(&self, profiles: &[&str]) -> Result<()> {
        let own = profiles.iter().filter_map(|name| self.profiles.get(*name));
        let named = |section| {
            let session = for_sdk::referred(section, "sso_session", &self.sso_sessions);
            session.into_iter().chain(for_sdk::referred(section, "services", &self.services))
        };
        let sections =
            own.flat_map(|section| std::iter::once(section).chain(named(section).map(|(_, section)| section)));
        match sections.flat_map(|section| &section.problems).next() {
            None => Ok(()),
            Some(problem) => Err(Error::new(Kind::File, format!("cannot read the AWS config files: {problem}"))
                .hint("correct or remove that line; the AWS CLI stops at it, too")),
        }
    }
}

#[cfg(test)]
mod tests;
