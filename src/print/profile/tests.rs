use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

fn access() -> Access {
    Access {
        target: "dev".to_owned(),
        role: "arn:aws:iam::222222222222:role/xacct".parse().unwrap(),
        region: Some("eu-west-1".parse().unwrap()),
        external_id: Some("q7Hc:Zk".parse().unwrap()),
        needs_mfa: false,
        session_name: Some("alice".parse().unwrap()),
        session_tags: Vec::new(),
        source_identity: None,
        duration: "90m".parse().unwrap(),
        profile: Some("alice".to_owned()),
        principals: vec!["user/alice".parse().unwrap()],
    }
}

fn profile() -> Profile {
    let session = Session::Assumed { source: CredentialsFrom::Profile("alice".to_owned()), mfa: None };
    Profile { name: "dev".to_owned(), access: access(), session }
}

fn process(program: &str, config: &str) -> Profile {
    let session = Session::Process(Process { program: program.to_owned(), config: config.to_owned() });
    Profile { session, ..profile() }
}

#[test]
fn a_profile_contains_what_the_role_requires() {
    let mfa = MfaDevice { serial: "arn:aws:iam::111111111111:mfa/alice".parse().unwrap(), is_guess: true };
    let session = Session::Assumed { source: CredentialsFrom::Profile("alice".to_owned()), mfa: Some(mfa) };
    let with_mfa = Profile { name: "default".to_owned(), session, ..profile() };
    insta::assert_snapshot!(document(&[with_mfa, process("/usr/local/x y/xacct", "/srv/a/it's.toml")]).unwrap(), @r#"
    [default]
    role_arn = arn:aws:iam::222222222222:role/xacct
    source_profile = alice
    external_id = q7Hc:Zk
    mfa_serial = arn:aws:iam::111111111111:mfa/alice
    # ^ guessed from the user's name; to find the device: aws iam list-mfa-devices
    role_session_name = alice
    duration_seconds = 5400
    region = eu-west-1

    [profile dev]
    credential_process = "/usr/local/x y/xacct" --config "/srv/a/it's.toml" credentials dev --format process
    region = eu-west-1
    "#);
}

#[test]
fn values_that_tools_parse_differently_are_refused() {
    for name in ["", "two words", "a]b", "a\nb", "a#b", "a;b", "\"a\"", "é", "a\\b"] {
        let error = document(&[Profile { name: name.to_owned(), ..profile() }]).unwrap_err();
        assert_eq!(error.message, format!("some tools cannot read a profile named `{}`", name.escape_debug()));
        let session = Session::Assumed { source: CredentialsFrom::Profile(name.to_owned()), mfa: None };
        document(&[Profile { session, ..profile() }]).unwrap_err();
    }
    for program in ["a\nb", "/x #y", "/x ;y", "/x\t#y", "/it's $x", "/a\u{2028}b"] {
        document(&[process(program, "/c")]).unwrap_err();
    }
    assert_eq!(document(&[profile(), profile()]).unwrap_err().message, "two profiles would have the name `dev`");
    let dashed = Profile { access: Access { target: "--help".to_owned(), ..access() }, ..process("x", "/c") };
    document(&[dashed]).unwrap_err();
}

/// Returns sections and keys as Python's `configparser` reads them, with botocore's settings.
fn read(text: &str) -> Vec<(String, Vec<(String, String)>)> {
    let mut sections: Vec<(String, Vec<(String, String)>)> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            sections.push((name.to_owned(), Vec::new()));
        } else {
            let (key, value) = line.split_once('=').unwrap();
            sections.last_mut().unwrap().1.push((key.trim().to_owned(), value.trim().to_owned()));
        }
    }
    sections
}

fn hostile() -> impl Strategy<Value = String> {
    const PARTS: [&str; 16] =
        ["$", "${", "%{", "%(x)s", "[", "]", "\"", "'", "\\", "\n", " #", " ;", "=", ":", "é", "a"];
    prop_oneof![proptest::collection::vec(select(&PARTS[..]), 0..8).prop_map(|parts| parts.concat()), any::<String>()]
}

proptest! {
    #[test]
    fn what_is_printed_is_read_as_it_was_meant(
        name in prop_oneof!["[A-Za-z0-9_./@:+-]{1,20}", hostile()],
        source in prop_oneof!["[A-Za-z0-9_./@:+-]{1,20}", hostile()],
        path in r"(/[!-~]{1,20})?/",
        external_id in option::of("[A-Za-z0-9_+=,.@:/-]{2,40}"),
        session_name in option::of("[A-Za-z0-9_+=,.@-]{2,64}"),
    ) {
        let role = format!("arn:aws:iam::222222222222:role{path}x").parse().unwrap();
        let access = Access {
            role,
            external_id: external_id.map(|id| id.parse().unwrap()),
            session_name: session_name.map(|name| name.parse().unwrap()),
            ..access()
        };
        let session = Session::Assumed { source: CredentialsFrom::Profile(source.clone()), mfa: None };
        let Ok(text) = document(&[Profile { name: name.clone(), access: access.clone(), session }]) else {
            return Ok(());
        };
        let section = if name == "default" { name } else { format!("profile {name}") };
        let mut keys = vec![("role_arn", access.role.to_string()), ("source_profile", source)];
        keys.extend(access.external_id.map(|id| ("external_id", id.to_string())));
        keys.extend(access.session_name.map(|name| ("role_session_name", name.to_string())));
        keys.extend([("duration_seconds", "5400".to_owned()), ("region", "eu-west-1".to_owned())]);
        let keys: Vec<_> = keys.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        prop_assert_eq!(read(&text), [(section, keys)]);
    }

    #[test]
    fn a_shell_splits_the_command_into_the_same_words(program in hostile(), config in hostile(), target in hostile()) {
        let access = Access { target: target.clone(), ..access() };
        let Ok(text) = document(&[Profile { access, ..process(&program, &config) }]) else { return Ok(()) };
        let sections = read(&text);
        let command = &sections.first().unwrap().1.first().unwrap().1;
        let words = shlex::split(command).unwrap();
        prop_assert_eq!(words, [&*program, "--config", &config, "credentials", &target, "--format", "process"]);
    }

    #[test]
    fn a_name_made_of_a_targets_can_be_read(target in hostile()) {
        prop_assume!(!target.is_empty());
        let name = name_of(&target);
        prop_assert_eq!(checked_name(&name).unwrap(), &name);
    }
}
