use super::*;

#[test]
fn a_heading_is_split_like_a_command_line() {
    let split = |text: &str| words(text).map(|words| words.join("|"));
    assert_eq!(split("profile  'alice smith'"), Some("profile|alice smith".to_owned()));
    assert_eq!(split(r#"profile "a \"b\" \c" x"#), Some(r#"profile|a "b" \c|x"#.to_owned()));
    assert_eq!(split(r"profile a\ b"), Some("profile|a b".to_owned()));
    assert_eq!(split("profile ''"), Some("profile|".to_owned()));
    assert_eq!(split("profile #a,b=c"), Some("profile|#a,b=c".to_owned()));
    assert_eq!(split("profile 'open"), None);
    assert_eq!(split("profile end\\"), None);
}

#[test]
fn a_profile_may_stand_in_both_files() {
    let config = "[default]\nregion = x\n[profile default]\noutput = y\n[profile a]\nregion = b\nrole_arn = c\n";
    let all = Sections::parse(("config", config), ("credentials", "[a]\nregion = d\n[profile a]\nregion = e\n"));
    let setting = |profile: &str, key: &str| all.profiles.get(profile).and_then(|profile| profile.text(key));
    assert_eq!((setting("a", "region"), setting("a", "role_arn")), (Some("d"), Some("c")));
    assert_eq!(setting("profile a", "region"), Some("e"));
    assert_eq!((setting("default", "region"), setting("default", "output")), (None, Some("y")));
}
