//! Reads `xacct.local.toml`.

use std::path::Path;

use super::{LocalTarget, Reader, SOURCE_SETTINGS, Section, TARGET_SETTINGS, document, text_of};
use crate::config::file::Local;
use crate::error::Result;
use crate::iam::invalid::shown;

const SOURCE: [&str; 2] = ["profile", "user_profile"];
const TARGET: [&str; 2] = ["profile", "external_id"];

impl Local {
    /// Reads the file beside this `xacct.toml`. A missing file counts as empty.
    ///
    /// # Errors
    /// When it cannot be read, is not TOML, or has anything but profiles and external IDs.
    pub(in crate::config) fn beside(file: &Path) -> Result<Self> {
        let path = file.with_extension("local.toml");
        match text_of(&path)? {
            Some(text) => Self::parse(&path, text),
            None => Ok(Self { path, ..Self::default() }),
        }
    }

    /// Reads the text of the file.
    ///
    /// # Errors
    /// As [`Local::beside`].
    pub(in crate::config) fn parse(path: &Path, text: String) -> Result<Self> {
        let document = document(path, &text)?;
        let reader = Reader { path, text: &text };
        let root = Section { reader, name: String::new(), start: None, table: document.as_table() };
        root.check_ours()?;
        root.only(&super::SECTIONS)?;
        let mut local = Self { path: path.to_owned(), ..Self::default() };
        if let Some(source) = root.section("source")? {
            source.check_personal(&SOURCE, &SOURCE_SETTINGS)?;
            (local.profile, local.user_profile) = (source.string("profile")?, source.string("user_profile")?);
        }
        if let Some(targets) = root.section("targets")? {
            for (name, _) in targets.table.iter() {
                targets.check_visible(name, "a name", name)?;
                if let Some(target) = targets.section(name)? {
                    target.check_personal(&TARGET, &TARGET_SETTINGS)?;
                    let profile = target.string("profile")?;
                    let external_ids = target.external_ids("external_id")?;
                    local.targets.insert(name.to_owned(), LocalTarget { profile, external_ids });
                }
            }
        }
        local.text = Some(text);
        Ok(local)
    }
}

impl Section<'_> {
    /// Refuses what is not one person's: settings of the link, and unknown ones.
    fn check_personal(&self, personal: &[&str], of_the_link: &[&str]) -> Result<()> {
        let is_misplaced = |key: &&str| of_the_link.contains(key) && !personal.contains(key);
        let keys: Vec<_> = self.table.iter().map(|(key, _)| key).collect();
        match keys.iter().find(|key| is_misplaced(key)) {
            None => self.only(personal),
            Some(key) => Err(self
                .error(key, format!("`{}` is a setting of the link, not of one person", shown(key)))
                .note("this file contains only profiles and external IDs")
                .hint(format!("move it to [{}] in xacct.toml", self.name))),
        }
    }
}
