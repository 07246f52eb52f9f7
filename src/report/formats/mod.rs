//! Reports for CI and for browsers. Each is a pure function of the JSON document of a command.

mod cases;
mod change;
mod code;
mod document;
mod github;
mod hide;
mod html;
mod junit;
mod link;
mod markdown;
mod view;
mod words;

pub use change::say_since_when;
pub use document::Document;
pub use github::Places;
pub use hide::Hiding;

use crate::cli::ReportFormat;
use crate::error::Result;
use view::View;

/// Returns the report on a document in this format. `since` is the document of an earlier run; `places` says where targets
/// are in `xacct.toml`.
///
/// # Errors
/// When the format cannot express it, which is a bug in xacct.
pub fn report(format: ReportFormat, document: &Document, since: Option<&Document>, places: &Places) -> Result<String> {
    let view = View::of(document);
    let changes = || since.map(|since| change::between(&View::of(since), &view));
    Ok(match format {
        ReportFormat::Junit => junit::report(&view)?,
        ReportFormat::Markdown => markdown::report(&view, changes().as_ref()),
        ReportFormat::Github => github::annotations(&view, places),
        ReportFormat::Html => html::report(&view, changes().as_ref()),
    })
}

#[cfg(test)]
mod tests;
