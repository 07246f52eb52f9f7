//! Renders Markdown for a terminal: as wide as the terminal, headings in bold, tables in columns.

use comfy_table::Cell;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use textwrap::WordSplitter;

use super::console::{STRONG, borderless, trimmed};

/// Code shorter than this is not broken across lines: it is easier to read and to copy.
const LONG_CODE: usize = 40;
/// Replaces a space in such code until lines are broken.
const TIED: &str = "\u{a0}";

/// Renders Markdown in lines of this width.
#[must_use]
pub fn rendered(markdown: &str, width: u16) -> String {
    let mut page = Page { width, ..Page::default() };
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
        page.take(event);
    }
    page.text
}

/// A page in progress.
#[derive(Default)]
struct Page {
    width: u16,
    /// The finished text.
    text: String,
    /// Text that is not yet broken into lines.
    line: String,
    /// The lists around the current item.
    lists: Vec<List>,
    /// The bullet or number of the current item, until its first line is written.
    bullet: Option<String>,
    /// The addresses of the links around the current text.
    links: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// A list in progress.
struct List {
    /// The number of the next item, in a numbered list.
    next: Option<u64>,
    /// Width of the bullet or number, by which its text is indented.
    indent: usize,
}

impl Page {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => self.line.push_str(&text),
            Event::Code(code) => {
                let code = if code.chars().count() < LONG_CODE { code.replace(' ', TIED) } else { code.into_string() };
                self.line.push_str(&format!("`{code}`"));
            }
            Event::SoftBreak => self.line.push(' '),
            Event::HardBreak => self.line.push('\n'),
            // Mostly comments for editors of the file.
            _ => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Heading { .. } | Tag::Strong => self.line.push_str(&STRONG.to_string()),
            Tag::List(first) => {
                // Writes the text of the outer item first.
                self.flush(false);
                self.lists.push(List { next: first, indent: if first.is_some() { 3 } else { 2 } });
            }
            Tag::Item => {
                let next = self.lists.last_mut().and_then(|list| list.next.as_mut());
                self.bullet = Some(next.map_or_else(
                    || "- ".to_owned(),
                    |next| {
                        let bullet = format!("{next}. ");
                        *next += 1;
                        bullet
                    },
                ));
            }
            Tag::CodeBlock(_) => self.flush(false),
            Tag::Link { dest_url, .. } => self.links.push(dest_url.into_string()),
            Tag::Table(_) => self.rows.clear(),
            Tag::TableHead | Tag::TableRow => self.rows.push(Vec::new()),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_) => {
                self.line.push_str(&format!("{STRONG:#}"));
                self.flush(true);
            }
            TagEnd::Strong => self.line.push_str(&format!("{STRONG:#}")),
            TagEnd::Paragraph => self.flush(true),
            TagEnd::Item => self.flush(false),
            TagEnd::List(_) => {
                self.lists.pop();
                if self.lists.is_empty() {
                    self.blank_line();
                }
            }
            TagEnd::CodeBlock => self.code(),
            // Links to files of the repository lead nowhere in a terminal.
            TagEnd::Link => match self.links.pop() {
                Some(link) if link.contains("://") && !self.line.ends_with(&link) => {
                    self.line.push_str(&format!(" ({link})"));
                }
                _ => {}
            },
            TagEnd::TableCell => {
                let cell = std::mem::take(&mut self.line).replace(TIED, " ");
                if let Some(row) = self.rows.last_mut() {
                    row.push(cell);
                }
            }
            TagEnd::Table => self.table(),
            _ => {}
        }
    }

    /// Returns the indent of the current list.
    fn indent(&self) -> String {
        " ".repeat(self.lists.iter().map(|list| list.indent).sum())
    }

    /// Breaks the collected text into lines.
    fn flush(&mut self, ends_block: bool) {
        let text = std::mem::take(&mut self.line);
        if !text.trim().is_empty() {
            let indent = self.indent();
            let bullet = self.bullet.take().unwrap_or_default();
            let outer = indent.get(bullet.len().min(indent.len())..).unwrap_or_default();
            let first = if bullet.is_empty() { indent.clone() } else { format!("{outer}{bullet}") };
            let options = textwrap::Options::new(self.width.into()).initial_indent(&first).subsequent_indent(&indent);
            // Options, names of commands and addresses are not broken at hyphens.
            let options = options.break_words(false).word_splitter(WordSplitter::NoHyphenation);
            self.text.push_str(&textwrap::fill(text.trim(), options).replace(TIED, " "));
            self.text.push('\n');
        }
        if ends_block && self.lists.is_empty() {
            self.blank_line();
        }
    }

    fn code(&mut self) {
        let code = std::mem::take(&mut self.line);
        for line in code.lines() {
            self.text.push_str(format!("{}    {line}", self.indent()).trim_end());
            self.text.push('\n');
        }
        self.blank_line();
    }

    fn table(&mut self) {
        let mut rows = std::mem::take(&mut self.rows).into_iter();
        let mut table = borderless(self.width);
        if let Some(head) = rows.next() {
            table.set_header(head.into_iter().map(Cell::new));
        }
        table.add_rows(rows);
        self.text.push_str(&trimmed(&table));
        self.text.push('\n');
        self.blank_line();
    }

    fn blank_line(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }
}

#[cfg(test)]
mod tests;
