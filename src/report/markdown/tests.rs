use super::*;

#[test]
fn paragraphs_and_lists_are_as_wide_as_the_terminal() {
    let markdown = "\
# A title

One line
and another, with `code in it` and **weight**.

- first
  item that is long
- second
  1. inner
     one, which is long
";
    let expected = "\
\u{1b}[1mA title\u{1b}[0m

One line and another,
with `code in it` and
\u{1b}[1mweight\u{1b}[0m.

- first item that is
  long
- second
  1. inner one, which
     is long
";
    assert_eq!(rendered(markdown, 22).trim_end(), expected.trim_end());
}

#[test]
fn code_stays_as_it_is() {
    let markdown = "Do:\n\n```sh\nxacct verify   # and a comment that is longer than the terminal\n\n  x\n```\n\nDone.";
    let expected = "Do:\n\n    xacct verify   # and a comment that is longer than the terminal\n\n      x\n\nDone.\n";
    assert_eq!(rendered(markdown, 40).trim_end(), expected.trim_end());
}

#[test]
fn tables_fit_the_terminal() {
    let markdown = "| a | b |\n|---|---|\n| `x` | many words that do not fit into one line |\n";
    let table = rendered(markdown, 30);
    assert!(table.lines().all(|line| line.chars().count() <= 30), "{table}");
    assert!(table.contains("`x`") && !table.contains('|'), "{table}");
    assert!(table.lines().count() >= 3, "{table}");
}

/// Web addresses are shown; links to files and comments are not.
#[test]
fn links_and_comments() {
    let markdown =
        "<!-- generated -->\n[AWS](https://aws.amazon.com), <https://a.b> and [the key](../config/README.md).";
    let expected = "AWS (https://aws.amazon.com), https://a.b and the key.";
    assert_eq!(rendered(markdown, 80).trim_end(), expected);
}

#[test]
fn options_and_addresses_are_not_broken() {
    let text = rendered("Give `--permissions-boundary` or https://example.com/a-long-address/of-some-page here.", 24);
    for whole in ["`--permissions-boundary`", "https://example.com/a-long-address/of-some-page"] {
        assert!(text.lines().any(|line| line.contains(whole)), "{text}");
    }
}
