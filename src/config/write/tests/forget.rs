//! Targets are taken out of the file.

use std::path::Path;

use crate::config::{ConfigFile, forget};

/// The text after these targets were taken out of a file that really is there.
fn after(text: &str, names: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("xacct.toml");
    std::fs::write(&path, text).unwrap();
    let file = ConfigFile::load(&path).unwrap();
    assert!(forget(&file, names).unwrap());
    let text = std::fs::read_to_string(&path).unwrap();
    ConfigFile::parse(Path::new("xacct.toml"), text.clone()).unwrap();
    text
}

const ONE: &str = "[targets.one] # first\naccount = \"222222222222\" # one\n";
const TWO: &str = "# about two\n[targets.two]\naccount = \"333333333333\"\nrole = \"other\" # two\n";

#[test]
fn the_rest_stays_as_it_is() {
    let head = "# ours\n\n[source]\naccount = \"111111111111\" # source\nuser = \"alice\"\n\n";
    let whole = format!("{head}{ONE}\n{TWO}\n# the end\n");
    assert_eq!(after(&whole, &["two"]), format!("{head}{ONE}\n# the end\n"));
    assert_eq!(after(&whole, &["one"]), format!("{head}{TWO}\n# the end\n"));
    assert_eq!(
        after(&whole, &["one", "two"]),
        format!("{}\n# the end\n", head.trim_end_matches('\n').to_owned() + "\n")
    );
}

#[test]
fn a_comment_about_the_file_stays() {
    let text = format!("# ours\n\n# about one\n{ONE}\n{TWO}");
    assert_eq!(after(&text, &["one"]), format!("# ours\n\n{TWO}"));
    assert_eq!(after(&format!("# ours\n\n{ONE}"), &["one"]), "# ours\n");
}

#[test]
fn every_way_to_write_a_target_is_understood() {
    let sub = "[targets.one]\naccount = \"222222222222\"\n[targets.one.tags]\nteam = \"a\"\n";
    assert_eq!(after(&format!("{sub}{TWO}"), &["one"]), TWO);
    let inline = "targets.one = { account = \"222222222222\" }\ntargets.two = { account = \"333333333333\" }\n";
    assert_eq!(after(inline, &["one"]), "targets.two = { account = \"333333333333\" }\n");
    assert_eq!(after(&format!("{TWO}{ONE}").replace('\n', "\r\n"), &["one"]), TWO.replace('\n', "\r\n"));
}

#[test]
fn what_changed_meanwhile_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("xacct.toml");
    std::fs::write(&path, ONE).unwrap();
    let file = ConfigFile::load(&path).unwrap();
    let forget_one = |meanwhile: &str| {
        std::fs::write(&path, meanwhile).unwrap();
        let forgotten = forget(&file, &["one"]);
        (forgotten.ok(), std::fs::read_to_string(&path).unwrap())
    };
    assert_eq!(forget_one(&format!("{ONE}{TWO}")), (Some(true), TWO.to_owned()));
    assert_eq!(forget_one(TWO), (Some(false), TWO.to_owned()), "it went meanwhile");
    let other = ONE.replace("222222222222", "444444444444");
    assert_ne!(other, ONE);
    assert_eq!(forget_one(&other), (None, other.clone()));
}
