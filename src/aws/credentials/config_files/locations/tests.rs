use super::*;

#[test]
fn expands_a_tilde_to_the_home_directory() {
    let home = Some(Path::new("/home/me"));
    assert_eq!(expanded("~/.aws/config", home), Path::new("/home/me/.aws/config"));
    assert_eq!(expanded("/etc/~/config", home), Path::new("/etc/~/config"));
    assert_eq!(expanded("~/.aws/config", None), Path::new("~/.aws/config"));
}
