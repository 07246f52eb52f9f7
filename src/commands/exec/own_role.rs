//! Finds Terraform files that assume the role whose session the command has: a role cannot assume itself.

use std::ffi::OsString;
use std::path::Path;

use crate::files;
use crate::iam::arn::RoleArn;

/// The programs that read such files.
const TOOLS: [&str; 3] = ["terraform", "tofu", "terragrunt"];

/// Programs that may start one of these without naming it.
const SHELLS: [&str; 9] = ["sh", "bash", "dash", "zsh", "fish", "ksh", "make", "just", "task"];

/// The settings with which a provider, a backend or Terragrunt assumes a role.
const SETTINGS: [&str; 2] = ["role_arn", "iam_role"];

/// The bounds of what is read for a warning.
const MOST_ENTRIES: usize = 4096;
const MOST_FILES: usize = 128;
const MOST_BYTES: u64 = 256 * 1024;

/// Returns the path of a file in the folder of this command that assumes the role, if the command may run Terraform. The
/// path is relative to the working directory.
pub fn file_that_assumes(role: &RoleArn, command: &[OsString], directory: &Path) -> Option<String> {
    let words: Vec<_> = command.iter().map(|word| word.to_string_lossy()).collect();
    if !may_run_terraform(&words) {
        return None;
    }
    let folder = Path::new(words.iter().find_map(|word| word.strip_prefix("-chdir=")).unwrap_or_default());
    let entries = directory.join(folder).read_dir().ok()?.take(MOST_ENTRIES).flatten();
    let mut names: Vec<_> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.retain(|name| is_read(name));
    names.sort();
    let found = names.into_iter().take(MOST_FILES).map(|name| folder.join(name)).find(|path| {
        files::read(&directory.join(path), MOST_BYTES).is_ok_and(|text| assumes(&text, &format!("\"{role}\"")))
    });
    found.map(|path| path.display().to_string())
}

fn may_run_terraform(words: &[impl AsRef<str>]) -> bool {
    let program = words.first().and_then(|program| Path::new(program.as_ref()).file_stem());
    let is_shell = program.is_some_and(|program| SHELLS.iter().any(|shell| program == *shell));
    // Also `sh -c 'terraform plan'`, `env TF_LOG=debug terraform plan`.
    let is_tool = |part: &str| TOOLS.contains(&part);
    is_shell || words.iter().any(|word| word.as_ref().split(|c: char| !c.is_alphanumeric()).any(is_tool))
}

fn is_read(name: &str) -> bool {
    let endings = [".tf", ".tf.json", ".tofu", ".tofu.json"];
    ["terragrunt.hcl", "terragrunt.hcl.json", "root.hcl"].contains(&name)
        || endings.iter().any(|ending| name.ends_with(ending))
}

/// Returns whether a setting outside of comments has this value. It need not be exact: the result is a warning.
fn assumes(text: &str, quoted: &str) -> bool {
    let mut is_comment = false;
    text.lines().map(str::trim).any(|line| {
        is_comment |= line.starts_with("/*");
        let is_hidden = is_comment || line.starts_with('#') || line.starts_with("//");
        is_comment &= !line.contains("*/");
        !is_hidden && line.match_indices(quoted).any(|(at, _)| is_setting(line.get(..at).unwrap_or_default()))
    })
}

/// Returns whether a text ends like `role_arn = `, or `"role_arn": ` in JSON.
fn is_setting(text: &str) -> bool {
    let key = text.trim_end().trim_end_matches(['=', ':']).trim_end().trim_end_matches('"');
    let is_letter = |c: char| c.is_alphanumeric() || c == '_';
    SETTINGS.iter().any(|setting| key.strip_suffix(setting).is_some_and(|before| !before.ends_with(is_letter)))
}

#[cfg(test)]
mod tests;
