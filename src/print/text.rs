//! Text that is safe in the grammar where it stands.

/// Arguments, one a line, as `terraform fmt` aligns them.
pub fn aligned(arguments: &[(&str, String)], indent: &str) -> String {
    let width = arguments.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    arguments.iter().map(|(name, value)| format!("{indent}{name:width$} = {value}\n")).collect()
}

/// A quoted HCL string: `${` and `%{` begin templates and are doubled.
pub fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '$' | '%' if characters.peek() == Some(&'{') => {
                out.push(c);
                out.push(c);
            }
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A value on one line, quoted where a POSIX shell would read it otherwise.
pub fn for_a_shell(text: &str) -> String {
    let line: String = text.chars().filter(|c| !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}')).collect();
    if line.chars().all(|c| c.is_ascii_alphanumeric() || "_-./:@+".contains(c)) {
        return line;
    }
    format!("'{}'", line.replace('\'', "'\\''"))
}
