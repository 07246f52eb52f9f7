use super::*;

const TEXT: &str = "# mine\n[default]\nregion = a\n[profile one] ; the first\nrole_arn = x\ns3 =\n  max = 1\n\
                    [ profile\ttwo ]\nregion = b\n[sso-session s]\nsso_region = c\n[profile one]\nregion = d\n";

#[test]
fn profiles_that_do_not_bear_on_it_are_left_out() {
    assert_eq!(
        part(TEXT, &["one"]),
        "# mine\n[profile one] ; the first\nrole_arn = x\ns3 =\n  max = 1\n[sso-session s]\nsso_region = c\n\
         [profile one]\nregion = d\n"
    );
    assert_eq!(part(TEXT, &["default", "one", "two"]), TEXT);
    assert_eq!(part("[one]\na = b\n[two]\na = c", &["two"]), "[two]\na = c");
}

#[test]
fn a_tilde_is_the_home() {
    let home = Some(Path::new("/home/me"));
    assert_eq!(expanded("~/.aws/config", home), Path::new("/home/me/.aws/config"));
    assert_eq!(expanded("/etc/~/config", home), Path::new("/etc/~/config"));
    assert_eq!(expanded("~/.aws/config", None), Path::new("~/.aws/config"));
}
