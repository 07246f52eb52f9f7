//! stdout for results, stderr for everything else.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anstyle::{AnsiColor, Style};
use comfy_table::{ContentArrangement, Table, presets};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::{OutputFormat, Volume};
use crate::context::Terminal;
use crate::error::{Error, Kind};
use crate::iam::invalid::shown_up_to;
use crate::proof::Watch;
use crate::text::{is_hidden, on_one_line, spelled};

/// Success, and `+`.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// Failure, and `-`.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// Warnings, and `~`.
pub const WARN: Style = AnsiColor::Yellow.on_default();
/// Headings and names.
pub const STRONG: Style = Style::new().bold();

/// The escape sequences of the styles above, and their reset.
const STYLES: [&str; 5] = ["\u{1b}[0m", "\u{1b}[1m", "\u{1b}[31m", "\u{1b}[32m", "\u{1b}[33m"];

/// Escapes everything that would control the terminal, except xacct's own styles: untrusted text is shown, but has no
/// effect.
fn harmless(text: &str) -> String {
    let dangerous = |c: char| is_hidden(c) && !matches!(c, '\n' | '\t');
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(dangerous) {
        let (before, from) = rest.split_at(at);
        shown.push_str(before);
        let style = STYLES.into_iter().find(|style| from.starts_with(style));
        let mut characters = from.chars();
        match (style, characters.next()) {
            (Some(style), _) => {
                shown.push_str(style);
                rest = from.get(style.len()..).unwrap_or_default();
            }
            (None, hidden) => {
                shown.extend(hidden.map(spelled));
                rest = characters.as_str();
            }
        }
    }
    shown + rest
}

/// The output of the program.
#[derive(Debug, Clone)]
pub struct Console {
    terminal: Terminal,
    format: OutputFormat,
    volume: Volume,
    bars: MultiProgress,
    /// Why a result could not be written, if so.
    lost: Arc<Mutex<Option<std::io::Error>>>,
}

impl Console {
    /// Returns a console for a report in this format.
    #[must_use]
    pub fn new(terminal: Terminal, format: OutputFormat) -> Self {
        Self { terminal, format, volume: Volume::Usual, bars: MultiProgress::new(), lost: Arc::default() }
    }

    /// Sets how much to say on stderr.
    #[must_use]
    pub fn with_volume(self, volume: Volume) -> Self {
        Self { volume, ..self }
    }

    /// Returns whether to tell of every request to AWS.
    #[must_use]
    pub fn is_verbose(&self) -> bool {
        self.volume == Volume::Verbose
    }

    /// Returns the maximum width of a line.
    #[must_use]
    pub fn width(&self) -> u16 {
        self.terminal.width
    }

    /// Returns whether the report is one JSON document.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.format == OutputFormat::Json
    }

    /// Writes the result to stdout: what a pipe receives.
    pub fn result(&self, text: &str) {
        self.write(text, is_detail);
    }

    fn write(&self, text: &str, wraps: fn(&str) -> bool) {
        let write = || {
            let mut stdout = anstream::stdout();
            writeln!(stdout, "{}", self.fitted(text, self.terminal.shows_results, wraps))?;
            stdout.flush()
        };
        // A closed pipe (`| head`) is not an error; a full disk is.
        if let Err(error) = self.bars.suspend(write)
            && error.kind() != std::io::ErrorKind::BrokenPipe
        {
            *self.lost.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        }
    }

    /// Takes the error of a result that could not be written, if there is one.
    #[must_use]
    pub fn lost(&self) -> Option<Error> {
        let lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        Some(Error::new(Kind::File, format!("cannot write the result to stdout: {lost}")))
    }

    /// Writes a remark to stderr, for the person at the terminal, unless `--quiet` hides remarks.
    pub fn say(&self, text: &str) {
        if self.volume != Volume::Quiet {
            self.warn(text);
        }
    }

    /// Writes to stderr what no option hides: warnings, and what a question is about.
    pub fn warn(&self, text: &str) {
        self.message(text, is_prose);
    }

    /// Writes workflow commands to stderr, each on a line of its own.
    pub fn annotate(&self, commands: &str) {
        self.message(commands, |_| false);
    }

    fn message(&self, text: &str, wraps: fn(&str) -> bool) {
        let text = self.fitted(text, self.terminal.shows_messages, wraps);
        let _ = self.bars.suspend(|| writeln!(anstream::stderr(), "{text}"));
    }

    /// Returns a text as it is written. Only on a terminal do lines wrap: elsewhere they may be searched.
    fn fitted(&self, text: &str, on_terminal: bool, wraps: fn(&str) -> bool) -> String {
        let lines = text.trim_end().split('\n').map(|line| match on_terminal && wraps(line) {
            true => wrapped(line, self.terminal.width),
            false => line.to_owned(),
        });
        harmless(&lines.collect::<Vec<_>>().join("\n"))
    }

    /// Writes a part of the report for people: to stdout, or to stderr if stdout gets a JSON document.
    pub fn tell(&self, text: &str) {
        match (self.is_json(), self.terminal.can_ask) {
            (false, _) => self.write(text, is_prose),
            // A question may follow about what this says.
            (true, true) => self.warn(text),
            (true, false) => self.say(text),
        }
    }

    /// Writes an error to stderr, with AWS's answer and the hints.
    pub fn error(&self, error: &Error) {
        self.message(&error_text(error), |_| true);
    }

    /// Asks a question, and reads one line. `None` if the terminal is closed.
    ///
    /// Hides progress without holding its lock: if Ctrl-C ends the run, other code must still be able to write.
    #[must_use]
    pub fn ask(&self, question: &str) -> Option<String> {
        let _ = self.bars.clear();
        self.bars.set_draw_target(ProgressDrawTarget::hidden());
        let mut stderr = anstream::stderr();
        let _ = write!(stderr, "{} ", harmless(question));
        let _ = stderr.flush();
        let mut line = String::new();
        let read = std::io::stdin().read_line(&mut line);
        self.bars.set_draw_target(ProgressDrawTarget::stderr());
        match read {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(line.trim().to_owned()),
        }
    }

    /// Shows progress on a line of its own, which disappears at the end.
    #[must_use]
    pub fn progress(&self, label: &str) -> Progress<'_> {
        let is_shown = self.terminal.can_animate && self.volume != Volume::Quiet;
        let bar = is_shown.then(|| {
            let bar = self.bars.add(ProgressBar::new_spinner());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix} {wide_msg}") {
                bar.set_style(style);
            }
            // The rest of the line is cut, but this is not.
            bar.set_prefix(shown_up_to(usize::from(self.terminal.width) / 2, label));
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Progress { console: self, label: label.to_owned(), bar, said: Mutex::new(None) }
    }

    /// Shows how many of several targets are done. Without a terminal, says nothing in the first seconds.
    #[must_use]
    pub fn tally(&self, label: &str, all: usize, what: &'static str) -> Tally<'_> {
        let line = (all > 1).then(|| {
            let mut line = self.progress(label);
            line.said = Mutex::new(Some(Instant::now()));
            line.now(&format!("{all} targets"));
            line
        });
        Tally { line, what, all, done: AtomicUsize::new(0) }
    }
}

/// Interval of progress messages without a terminal.
const NOW_AND_THEN: Duration = Duration::from_secs(10);

/// A line of progress.
#[derive(Debug)]
pub struct Progress<'a> {
    console: &'a Console,
    label: String,
    bar: Option<ProgressBar>,
    said: Mutex<Option<Instant>>,
}

/// A counter of finished targets.
#[derive(Debug)]
pub struct Tally<'a> {
    /// `None` for a single target, which has a line of its own.
    line: Option<Progress<'a>>,
    what: &'static str,
    all: usize,
    done: AtomicUsize,
}

impl Tally<'_> {
    /// Counts one more finished target.
    pub fn one_more(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some(line) = self.line.as_ref().filter(|_| done < self.all) {
            line.waiting(format!("{done} of {} targets {}", self.all, self.what));
        }
    }
}

impl Watch for Progress<'_> {
    /// Shows it on a terminal only.
    fn now(&self, doing: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(harmless(doing));
        }
    }

    /// Without a terminal, writes a line every ten seconds at most.
    fn waiting(&self, why: String) {
        match &self.bar {
            Some(bar) => bar.set_message(harmless(&why)),
            None => {
                let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
                if said.is_none_or(|at| at.elapsed() >= NOW_AND_THEN) {
                    *said = Some(Instant::now());
                    self.console.say(&format!("{}: {why}", self.label));
                }
            }
        }
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Returns an error as it is printed. A declined confirmation is no error to the user.
#[must_use]
pub fn error_text(error: &Error) -> String {
    let message = on_one_line(&error.message);
    let mut text = match error.is_cancelled() {
        true => capitalised(&message),
        false => format!("{BAD}error:{BAD:#} {message}"),
    };
    append_details(&mut text, error, "  ");
    text
}

/// Appends AWS's answer, the notes and the hints of an error, each on a line of its own.
pub fn append_details(text: &mut String, error: &Error, indent: &str) {
    if let Some(answer) = &error.aws {
        text.push_str(&format!("\n{indent}{answer}"));
    }
    for note in &error.notes {
        text.push_str(&format!("\n{indent}{STRONG}note:{STRONG:#} {note}"));
    }
    for hint in &error.hints {
        text.push_str(&format!("\n{indent}{WARN}hint:{WARN:#} {hint}"));
    }
}

/// Whether a line is about an error: a note, a hint, or what failed.
fn is_detail(line: &str) -> bool {
    let labels = [(STRONG, "note"), (WARN, "hint"), (BAD, "failed"), (WARN, "inconclusive")];
    let labels = labels.map(|(style, label)| format!("{style}{label}:{style:#} "));
    labels.iter().any(|label| line.trim_start_matches(' ').starts_with(label))
}

/// Whether a line of a message is prose. Documents and commands, which people copy, are indented.
fn is_prose(line: &str) -> bool {
    !line.starts_with(' ') || is_detail(line)
}

/// Wraps a line, but not the command at its end, which people copy.
fn wrapped(line: &str, width: u16) -> String {
    // Stands for a space at which no line ends; no text has this character of the private use area.
    const FIXED: &str = "\u{f8ff}";
    let prose = command_in(line).unwrap_or(line.len());
    let (prose, command) = line.split_at(prose);
    let spans = prose.split('`').enumerate();
    // Between backticks.
    let spans = spans.map(|(at, span)| if at % 2 == 1 { span.replace(' ', FIXED) } else { span.to_owned() });
    let text = spans.collect::<Vec<_>>().join("`") + &command.replace(' ', FIXED);
    let indent = line.len() - line.trim_start().len();
    let deeper = " ".repeat(indent + 2);
    let options = textwrap::Options::new(width.into()).subsequent_indent(&deeper).break_words(false);
    let options = options.word_separator(textwrap::WordSeparator::AsciiSpace);
    let options = options.word_splitter(textwrap::WordSplitter::NoHyphenation);
    textwrap::fill(&text, options).replace(FIXED, " ")
}

/// Returns where the command, or the option, begins that ends a hint after a colon.
fn command_in(line: &str) -> Option<usize> {
    // A hint can be nothing but a command: then its label, which is styled, is before it.
    let labels = [": ".to_owned(), format!(":{WARN:#} ")];
    let starts = ["xacct ", "aws ", "sudo ", "eval ", "--"];
    let found = labels.iter().flat_map(|label| {
        starts.iter().filter_map(move |start| Some(line.find(&format!("{label}{start}"))? + label.len()))
    });
    found.min()
}

/// Returns a borderless table that fits the terminal.
#[must_use]
pub fn borderless(width: u16) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    table
}

/// Returns a table as text, without trailing blanks.
#[must_use]
pub fn trimmed(table: &Table) -> String {
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// Returns a text with its first word, the mark, in this style.
#[must_use]
pub fn styled_mark(text: &str, style: Style) -> String {
    let mark = text.trim_start();
    let (indent, mark) = text.split_at(text.len() - mark.len());
    let (mark, rest) = mark.split_at(mark.find(' ').unwrap_or(mark.len()));
    format!("{indent}{style}{mark}{style:#}{rest}")
}

/// Writes `1 change` or `3 changes`.
#[must_use]
pub fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// Writes `31 ms`, `2.8 s` or `12 s`.
#[must_use]
pub fn seconds(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    match seconds {
        ..1.0 => format!("{} ms", duration.as_millis()),
        ..10.0 => format!("{seconds:.1} s"),
        _ => format!("{seconds:.0} s"),
    }
}

/// Returns a text with a capital first letter, unless the first word is `xacct`, which is a command.
#[must_use]
pub fn capitalised(text: &str) -> String {
    if text.starts_with("xacct ") {
        return text.to_owned();
    }
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests;
