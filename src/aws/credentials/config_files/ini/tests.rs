use super::*;

fn read(text: &str) -> Vec<(String, Vec<(String, String)>)> {
    let ini = parse(text);
    assert_eq!(ini.stray, []);
    let section = |section: RawSection| {
        assert_eq!(section.problems, [], "{}", section.heading);
        (section.heading, section.values.into_iter().collect())
    };
    ini.sections.into_iter().map(section).collect()
}

fn one(heading: &str, values: &[(&str, &str)]) -> Vec<(String, Vec<(String, String)>)> {
    vec![(heading.to_owned(), values.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())]
}

#[test]
fn reads_keys_as_python_does() {
    assert_eq!(
        read("[a]\n  x = 1\n  Y: 2 # not a comment\n\t; a comment\n"),
        one("a", &[("x", "1"), ("y", "2 # not a comment")])
    );
    assert_eq!(read("\u{feff}[a] old [b]\r\nx=1\ry=\r\n"), one("a] old [b", &[("x", "1"), ("y", "")]));
    assert_eq!(
        read("[a]\nx =\n  b = 1\n\n  # no\n  c = 2\n\ny = 3\n"),
        one("a", &[("x", "\nb = 1\n\nc = 2"), ("y", "3")])
    );
    assert_eq!(read("[a]\nx:y = 1\n"), one("a", &[("x", "y = 1")]));
    // Keys below an indented one of the same depth do not continue it.
    assert_eq!(read("[a]\n    x = 1\n  [still a]\n"), [one("a", &[("x", "1")]), one("still a", &[])].concat());
    assert_eq!(read("[a]\nx = 1\n  [still x]\n"), one("a", &[("x", "1\n[still x]")]));
}

#[test]
fn defaults_apply_to_every_section() {
    let all = read("[a]\nx = 1\n[DEFAULT]\nx = 2\ny = 3\n[b]\n");
    assert_eq!(all, [one("a", &[("x", "1"), ("y", "3")]), one("b", &[("x", "2"), ("y", "3")])].concat());
}

#[test]
fn a_line_that_cannot_be_read_is_a_problem_of_its_section() {
    let problems = |text: &str| {
        let ini = parse(text);
        let of_sections = ini
            .sections
            .iter()
            .flat_map(|section| section.problems.iter().map(|problem| (section.heading.clone(), problem.line)));
        of_sections.chain(ini.stray.iter().map(|problem| (String::new(), problem.line))).collect::<Vec<_>>()
    };
    let of = |heading: &str, line| vec![(heading.to_owned(), line)];
    assert_eq!(problems("[a]\nx = 1\n[b]\nnonsense\n"), of("b", 4));
    assert_eq!(problems("[a]\nx = 1\nX = 2\n"), of("a", 3));
    assert_eq!(problems("[a]\n= 1\n"), of("a", 2));
    assert_eq!(problems("[a]\n[b]\n[a]\n"), of("a", 3));
    assert_eq!(problems("x = 1\n[a]\n"), of("", 1));
    assert_eq!(problems("[a]\n[b\nx = 1\n"), of("", 2));
    // The keys below a heading that cannot be read are nobody's.
    assert!(parse("[a]\n[b\nx = 1\n").sections.iter().all(|section| section.values.is_empty()));
}
