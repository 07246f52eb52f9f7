use super::*;

const TEXT: &str = "# mine\n[default]\nregion = a\n[profile one] ; the first\nrole_arn = x\ns3 =\n  max = 1\n\
                    [ profile\ttwo ]\nregion = b\n[sso-session s]\nsso_region = c\n[profile one]\nregion = d\n";

#[test]
fn omits_unrelated_profiles() {
    assert_eq!(
        part(TEXT, &["one"]),
        "# mine\n[profile one] ; the first\nrole_arn = x\ns3 =\n  max = 1\n[sso-session s]\nsso_region = c\n\
         [profile one]\nregion = d\n"
    );
    assert_eq!(part(TEXT, &["default", "one", "two"]), TEXT);
    assert_eq!(part("[one]\na = b\n[two]\na = c", &["two"]), "[two]\na = c");
}

#[test]
fn expands_a_tilde_to_the_home_directory() {
    let home = Some(Path::new("/home/me"));
    assert_eq!(expanded("~/.aws/config", home), Path::new("/home/me/.aws/config"));
    assert_eq!(expanded("/etc/~/config", home), Path::new("/etc/~/config"));
    assert_eq!(expanded("~/.aws/config", None), Path::new("~/.aws/config"));
}
