use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::print::Access;
use crate::print::profile::{CredentialsFrom, Process, Session};

const CONFIG: &str = "/srv/links/xacct.toml";

fn profile(name: &str, target: &str) -> Profile {
    let access = Access {
        target: target.to_owned(),
        role: "arn:aws:iam::222222222222:role/xacct".parse().unwrap(),
        region: None,
        external_id: None,
        needs_mfa: false,
        session_name: None,
        session_tags: Vec::new(),
        source_identity: None,
        duration: "1h".parse().unwrap(),
        profile: None,
        principals: Vec::new(),
    };
    let session = Session::Assumed { source: CredentialsFrom::Profile("alice".to_owned()), mfa: None };
    Profile { name: name.to_owned(), access, session }
}

fn text(changed: &Changed) -> String {
    String::from_utf8(changed.text.clone()).unwrap()
}

fn installed(file: &str, profiles: &[Profile]) -> String {
    text(&with(file.as_bytes(), profiles, CONFIG).unwrap())
}

#[test]
fn profiles_are_appended_between_two_comments() {
    let file = "[default]\nregion = eu-west-1\n";
    insta::assert_snapshot!(installed(file, &[profile("dev", "dev"), profile("ops", "o p s")]), @r#"
    [default]
    region = eu-west-1

    # BEGIN xacct profile: target "dev" of "/srv/links/xacct.toml"
    [profile dev]
    role_arn = arn:aws:iam::222222222222:role/xacct
    source_profile = alice
    duration_seconds = 3600
    # END xacct profile

    # BEGIN xacct profile: target "o p s" of "/srv/links/xacct.toml"
    [profile ops]
    role_arn = arn:aws:iam::222222222222:role/xacct
    source_profile = alice
    duration_seconds = 3600
    # END xacct profile
    "#);
}

#[test]
fn what_was_appended_by_hand_is_replaced_even_twice() {
    let printed = format!("{PRINTED}\n{}", crate::print::profile::document(&[profile("dev", "dev")]).unwrap());
    let file = format!("# mine\n\n{printed}{printed}\n# also mine\n[profile \"other\"]\nregion = x\n");
    let changed = installed(&file, &[profile("dev", "dev")]);
    assert_eq!(changed.matches("[profile dev]").count(), 1, "{changed}");
    assert!(!changed.contains(PRINTED), "{changed}");
    assert!(changed.starts_with("# mine\n\n# BEGIN"), "{changed}");
    assert!(changed.ends_with("# END xacct profile\n\n# also mine\n[profile \"other\"]\nregion = x\n"), "{changed}");
}

#[test]
fn a_profile_of_others_stays_and_is_an_error() {
    let role = "role_arn = arn:aws:iam::222222222222:role/xacct\n";
    for (file, line) in [
        ("[profile dev]\nregion = x\n".to_owned(), 1),
        (format!("\n[profile 'dev']\n{role}sso_region = x\n"), 2),
        ("[profile\tdev]\nrole_arn = arn:aws:iam::222222222222:role/another\n".to_owned(), 1),
        (format!("\u{feff}[profile \"dev\"]\n{role}not a setting\n"), 1),
    ] {
        let error = with(file.as_bytes(), &[profile("dev", "dev")], CONFIG).unwrap_err();
        let place = format!("line {line} of the AWS config file has a profile `dev` that xacct did not write");
        assert!(error.message.contains(&place), "{error} for {file}");
    }
    let other = text(&with(b"", &[profile("dev", "dev")], "/elsewhere/xacct.toml").unwrap());
    let error = with(other.as_bytes(), &[profile("dev", "dev")], CONFIG).unwrap_err();
    assert!(error.message.contains("another xacct.toml"), "{error}");
    assert_eq!(without(other.as_bytes(), None, CONFIG).unwrap().text, other.as_bytes());
}

#[test]
fn a_process_profile_replaces_the_other_kind_in_its_place() {
    let file = installed("[a]\n", &[profile("dev", "dev")]) + "\n[b]\n";
    let process = Process { program: "xacct".to_owned(), config: CONFIG.to_owned() };
    let process = Profile { session: Session::Process(process), ..profile("dev", "dev") };
    let changed = with(file.as_bytes(), &[process], CONFIG).unwrap();
    assert!(text(&changed).starts_with("[a]\n\n# BEGIN") && text(&changed).ends_with("\n[b]\n"), "{}", text(&changed));
    assert_eq!(changed.places.len(), 1);
}

#[test]
fn a_profile_without_an_end_is_an_error() {
    for file in [
        "x\n# BEGIN xacct profile: target",
        "\n# BEGIN xacct profile: a\n# BEGIN xacct profile: b\n# END xacct profile\n",
    ] {
        let error = without(file.as_bytes(), None, CONFIG).unwrap_err();
        assert!(error.message.contains("line 2 "), "{error}");
    }
}

fn line() -> impl Strategy<Value = String> {
    const TEXTS: [&str; 11] = [
        "",
        " ",
        "[default]",
        "[profile a]",
        "[sso-session s]",
        "a = b",
        "  nested = c",
        "# note",
        "; x",
        "[",
        "é\u{1}",
    ];
    const ENDS: [&str; 2] = ["\n", "\r\n"];
    (select(&TEXTS[..]), select(&ENDS[..])).prop_map(|(text, end)| format!("{text}{end}"))
}

#[test]
fn a_carriage_return_at_the_end_of_the_only_line() {
    let profiles = [profile("dev", "dev")];
    let changed = with(b"\r", &profiles, CONFIG).unwrap();
    assert_eq!(with(&changed.text, &profiles, CONFIG).unwrap().text, changed.text);
}

proptest! {
    #[test]
    fn everything_else_stays_byte_for_byte(
        lines in prop::collection::vec(line(), 0..12),
        bytes in prop::collection::vec(any::<u8>(), 0..4),
        names in prop::sample::subsequence(vec!["dev", "ops", "default1"], 1..=3),
    ) {
        let bytes: Vec<_> = bytes.into_iter().filter(|byte| *byte != b'\n').collect();
        let file = [lines.concat().as_bytes(), &bytes].concat();
        let profiles: Vec<_> = names.iter().map(|name| profile(name, name)).collect();
        let changed = with(&file, &profiles, CONFIG).unwrap();
        prop_assert!(changed.text.starts_with(&file));
        // Again, it changes nothing.
        let again = with(&changed.text, &profiles, CONFIG).unwrap();
        prop_assert_eq!(&again.text, &changed.text);
        prop_assert!(again.places.is_empty());
        // What follows stays in its place.
        let followed = [&changed.text[..], b"\n[profile z]\n"].concat();
        let removed = without(&followed, None, CONFIG).unwrap();
        prop_assert_eq!(removed.places.len(), names.len());
        prop_assert!(removed.text.ends_with(b"\n[profile z]\n"));
        let removed = without(&changed.text, None, CONFIG).unwrap().text;
        let trimmed = |text: &[u8]| text.trim_ascii_end().to_vec();
        prop_assert_eq!(trimmed(&removed), trimmed(&file));
    }

    #[test]
    fn removing_undoes_installing(lines in prop::collection::vec(line(), 0..12)) {
        let file = lines.concat();
        prop_assume!(file.is_empty() || !file.ends_with(&['\n'][..]) || !lines.last().unwrap().trim_matches(['\r', '\n']).is_empty());
        let changed = with(file.as_bytes(), &[profile("dev", "dev")], CONFIG).unwrap();
        prop_assert_eq!(without(&changed.text, None, CONFIG).unwrap().text, file.as_bytes());
    }
}
