use super::*;

#[test]
fn only_the_sections_of_the_run_can_stop_it() {
    let text = "[profile mine]\nregion = a\nsso_session = s\n[profile other]\nnonsense\n[sso-session s]\n\
                sso_region = b\n[sso-session t]\nsso_region = b\nsso_region = c\n[profile via]\nsso_session = t\n";
    let sections = Sections::parse(("config", text), ("credentials", ""));
    assert!(sections.check(&["mine"]).is_ok());
    let message = |profile: &str| sections.check(&[profile]).expect_err("a bad line").to_string();
    assert!(
        message("other").contains("`config`, line 5: neither a section header nor `key = value`"),
        "{}",
        message("other")
    );
    assert!(message("via").contains("`config`, line 10: duplicate key `sso_region`"), "{}", message("via"));
}
