//! Sections in the form that the SDK reads.
//!
//! The SDK parses the files again for every access and keeps the result, and stops at the first line that it cannot read,
//! even in another profile. So each access gets only its own sections, without anything that the SDK does not understand.

use std::borrow::Cow;
use std::fmt::Write;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::sections::{Section, Sections, Setting};

/// The characters in names that the SDK cannot take (`aws-runtime`, `validate_identifier`), and `%`, which makes room for
/// them.
const ENCODED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'_').remove(b'-').remove(b'/').remove(b'.').remove(b'@').remove(b':').remove(b'+');

/// Returns the name by which the SDK knows a profile: another one only if the SDK cannot take it as it is.
pub(in crate::aws) fn name(real: &str) -> Cow<'_, str> {
    utf8_percent_encode(real, ENCODED).into()
}

/// Returns the text of a config file with these profiles, their `services` and their `sso-session`.
pub(in crate::aws) fn text(sections: &Sections, profiles: &[&str]) -> String {
    let mut text = String::new();
    for profile in profiles {
        let Some(section) = sections.profiles.get(*profile) else { continue };
        write(&mut text, "profile", profile, section);
        if let Some((name, session)) = referred(section, "sso_session", &sections.sso_sessions) {
            write(&mut text, "sso-session", name, session);
        }
        if let Some((name, services)) = referred(section, "services", &sections.services) {
            write(&mut text, "services", name, services);
        }
    }
    text
}

/// Returns the section that a key of a profile names.
pub(super) fn referred<'a>(
    profile: &'a Section,
    key: &str,
    sections: &'a std::collections::BTreeMap<String, Section>,
) -> Option<(&'a str, &'a Section)> {
    let name = profile.text(key)?;
    Some((name, sections.get(name)?))
}

fn write(text: &mut String, kind: &str, real: &str, section: &Section) {
    let _ = writeln!(text, "[{kind} {}]", name(real));
    for (key, setting) in section.settings.iter().filter(|(key, _)| is_known(key)) {
        match setting {
            // Only here does the SDK read nested settings.
            Setting::Nested(inner) if kind == "services" => {
                let _ = writeln!(text, "{key} =");
                for (key, value) in inner.iter().filter(|(key, value)| name(key) == **key && !value.is_empty()) {
                    let _ = writeln!(text, "  {key} = {value}");
                }
            }
            Setting::Text(value) if !value.is_empty() => {
                let value = match key.as_str() {
                    "source_profile" | "sso_session" | "services" => name(value),
                    _ => Cow::Borrowed(value.as_str()),
                };
                let _ = writeln!(text, "{key}={}", value.replace('\n', "\n  "));
            }
            Setting::Nested(_) | Setting::Text(_) => {}
        }
    }
}

/// Whether the SDK may see this key: it takes the name, and does not panic at some of its values.
fn is_known(key: &str) -> bool {
    name(key) == key && !["retry_mode", "max_attempts"].contains(&key)
}

#[cfg(test)]
mod tests;
