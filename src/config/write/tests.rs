mod forget;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::config::ExternalIdChoice;
use crate::error::Kind;
use crate::files::{self, Readers};
use crate::iam::names::MaxSessionDuration;

const COMMENTED: &str = r#"# Our links.

[source] # the main account
account = "111111111111"
user = "alice"   # who deploys
profile = 'admin'

# Development.
[targets.dev]
region = "eu-west-1"
role = "xacct"
account = "222222222222"
probe = "auto" # the default, on purpose
tags = { b = "2", a = "1" }
policy_arns = [
  "PowerUserAccess", # for now
]
# The end.
"#;

/// A file in its own directory.
struct Place {
    folder: tempfile::TempDir,
    path: PathBuf,
}

impl Place {
    fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("xacct.toml");
        Self { folder, path }
    }

    fn with(text: &str) -> Self {
        let place = Self::empty();
        std::fs::write(&place.path, text).unwrap();
        place
    }

    fn load(&self) -> ConfigFile {
        ConfigFile::load(&self.path).unwrap()
    }

    fn text(&self) -> String {
        std::fs::read_to_string(&self.path).unwrap()
    }

    /// Returns the names of all files in the directory.
    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn source() -> Source {
    Source {
        account: Some("111111111111".parse().unwrap()),
        principals: vec!["user/alice".parse().unwrap()],
        ..Source::default()
    }
}

fn link(name: &str, account: &str) -> Link {
    Link { name: name.to_owned(), principals: source().principals, ..Link::new(account.parse().unwrap()).unwrap() }
}

/// Returns the links of a file, as for a run without options.
fn links(file: &ConfigFile) -> Vec<Link> {
    let links = file.targets.iter().map(|(name, record)| Link::from_record(name, record, &file.source));
    links.collect::<Result<_>>().unwrap()
}

/// Records the links of this file again after an edit, and returns the new text.
fn rewritten(text: &str, edit: impl FnOnce(&mut Link)) -> String {
    let place = Place::with(text);
    let file = place.load();
    let mut links = links(&file);
    edit(links.first_mut().unwrap());
    let changed = record(&file, &source(), &links.iter().collect::<Vec<_>>()).unwrap();
    assert_eq!(changed, place.text() != text);
    place.text()
}

#[test]
fn a_new_file_has_a_comment_and_only_settings_that_differ_from_defaults() {
    let place = Place::empty();
    let mut dev = link("dev", "222222222222");
    dev.external_id = ExternalIdChoice::Use("q7Hc".parse().unwrap());
    dev.way_in = WayIn::Profile("dev-admin".to_owned());
    assert!(record(&place.load(), &source(), &[&dev]).unwrap());
    insta::assert_snapshot!(place.text(), @r#"
    # Links between AWS accounts, recorded by xacct. Contains no secrets; commit it.

    [source]
    account = "111111111111"
    user = "alice"

    [targets.dev]
    account = "222222222222"
    profile = "dev-admin"
    role = "xacct"
    external_id = "q7Hc"
    "#);
    assert_eq!(place.files(), ["xacct.toml"]);
}

fn assert_left(text: &str) {
    assert_eq!(rewritten(text, |_| ()), text);
}

#[test]
fn an_up_to_date_file_stays_unchanged() {
    assert_left(COMMENTED);
    assert_left(COMMENTED.trim_end());
    assert_left(&COMMENTED.replace("[targets.dev]", "[ targets . \"dev\" ]"));
    assert_left(&COMMENTED.replace("tags = { b = \"2\", a = \"1\" }", "tags.b = \"2\"\ntags.a = \"1\""));
    assert_left(&COMMENTED.replace("# The end.", "[targets.dev.bucket_tags]\nb = \"2\" # two"));
}

#[test]
fn a_header_of_all_targets_stays_with_its_comment() {
    assert_left(&COMMENTED.replace("[targets.dev]", "# All of them:\n[targets]\n\n[targets.dev]"));
}

#[test]
fn crlf_line_endings_stay() {
    assert_left(&COMMENTED.replace('\n', "\r\n"));
}

#[test]
fn equivalent_values_stay_unchanged() {
    assert_left(&COMMENTED.replace("probe", "max_session_duration = \"60m\"\nprobe"));
    assert_left(&COMMENTED.replace("\"PowerUserAccess\"", "\"Billing\""));
}

#[test]
fn empty_values_stay_with_their_comments() {
    assert_left(&COMMENTED.replace("probe", "policy_files = [\n  # \"later.json\",\n]\nbucket_tags = {}\nprobe"));
    assert_left(&COMMENTED.replace("# The end.", "[targets.dev.bucket_tags]\n# owner = \"me\""));
}

#[test]
fn one_changed_value_changes_one_line() {
    let changed = |from: &str, to: &str| {
        assert!(COMMENTED.contains(from));
        COMMENTED.replace(from, to)
    };
    assert_eq!(
        rewritten(COMMENTED, |link| link.region = Some("eu-north-1".parse().unwrap())),
        changed("eu-west-1", "eu-north-1")
    );
    assert_eq!(rewritten(COMMENTED, |link| link.probe = Probe::Identity), changed("\"auto\"", "\"identity\""));
    assert_eq!(rewritten(COMMENTED, |link| link.tags.clear()), changed("tags = { b = \"2\", a = \"1\" }\n", ""));
    assert_eq!(
        rewritten(COMMENTED, |link| link.require_mfa = true),
        changed("\n# The end.", "\nrequire_mfa = true\n# The end.")
    );
}

#[test]
fn explicit_defaults_stay() {
    let text = COMMENTED.replace("probe = \"auto\"", "require_mfa = false\nmax_session_duration = \"1h\"");
    assert_eq!(rewritten(&text, |_| ()), text);
    let mended = rewritten(&text, |link| link.require_mfa = true);
    assert_eq!(mended, text.replace("require_mfa = false", "require_mfa = true"));
}

#[test]
fn a_second_target_is_added_below_the_first() {
    let place = Place::with(COMMENTED);
    let prod = link("prod 1", "333333333333");
    assert!(record(&place.load(), &source(), &[&prod]).unwrap());
    let expected = COMMENTED
        .replace("# The end.\n", "\n[targets.\"prod 1\"]\naccount = \"333333333333\"\nrole = \"xacct\"\n# The end.\n");
    assert_eq!(place.text(), expected);
    assert_eq!(links(&place.load()).len(), 2);
}

#[test]
fn new_targets_take_their_places_in_the_order_of_names_and_others_keep_theirs() {
    let target =
        |name: &str, account: u8| format!("[targets.{name}]\naccount = \"{}\"\n", account.to_string().repeat(12));
    let file = |targets: &[String]| format!("# Ours.\n[source]\nuser = \"alice\"\n\n{}", targets.join("\n"));
    let names = |place: &Place| place.load().targets.into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    let cases: [(&[&str], &[&str]); 4] = [
        (&["b", "d"], &["a", "b", "c", "cc", "d", "e"]),
        // The order of a person's file stays.
        (&["d", "b"], &["a", "c", "cc", "d", "b", "e"]),
        (&["z"], &["a", "c", "cc", "e", "z"]),
        (&["0"], &["0", "a", "c", "cc", "e"]),
    ];
    for (before, after) in cases {
        let tagged = |name: &&str| {
            format!("# About {name}.\n{}[targets.{name}.tags]\nx = \"y\"\n", target(name, 2)).replace(
                "222222222222",
                &format!("22222222222{}", name.len() + before.iter().position(|it| it == name).unwrap()),
            )
        };
        let place = Place::with(&file(&before.iter().map(tagged).collect::<Vec<_>>()));
        // In one run, and given in any order.
        let new = [("e", "5"), ("a", "6"), ("cc", "7"), ("c", "8")].map(|(name, digit)| link(name, &digit.repeat(12)));
        record(&place.load(), &source(), &new.iter().collect::<Vec<_>>()).unwrap();
        let text = place.text();
        let headings = text.lines().filter_map(|line| line.strip_prefix("[targets.")?.strip_suffix(']'));
        assert_eq!(headings.filter(|name| !name.contains('.')).collect::<Vec<_>>(), after, "{text}");
        for name in before {
            assert!(text.contains(&format!("# About {name}.\n[targets.{name}]\n")), "{text}");
        }
        assert_eq!(names(&place).len(), after.len(), "{text}");
        // One at a time, too.
        let singly = Place::with(&file(&before.iter().map(tagged).collect::<Vec<_>>()));
        for link in &new {
            record(&singly.load(), &source(), &[link]).unwrap();
        }
        assert_eq!(singly.text(), text);
    }
}

/// A file with `xacct.local.toml` beside it.
fn with_local(text: &str, local: &str) -> Place {
    let place = Place::with(text);
    std::fs::write(place.path.with_extension("local.toml"), local).unwrap();
    place
}

fn local_text(place: &Place) -> Option<String> {
    std::fs::read_to_string(place.path.with_extension("local.toml")).ok()
}

/// Records this source and link, and returns both files.
fn recorded_in_both(place: &Place, source: &Source, link: &Link, variable: Option<&str>) -> (String, Option<String>) {
    let file = place.load().with_variable(variable).unwrap();
    record_local(&file, source, &[link]).unwrap();
    record(&file, source, &[link]).unwrap();
    (place.text(), local_text(place))
}

#[test]
fn profiles_go_to_the_local_file_if_there_is_one() {
    let source = Source { user_profile: Some("me".to_owned()), profile: Some("mine".to_owned()), ..source() };
    let mut link = link("dev", "222222222222");
    link.way_in = WayIn::Profile("my-dev".to_owned());
    let place = with_local(COMMENTED, "# mine\n");
    let (text, local) = recorded_in_both(&place, &source, &link, None);
    assert!(!text.contains("my-dev") && !text.contains("\"me\"") && text.contains("profile = 'admin'"), "{text}");
    insta::assert_snapshot!(local.unwrap(), @r#"
    # mine

    [source]
    user_profile = "me"

    [targets.dev]
    profile = "my-dev"
    "#);
    let file = place.load();
    assert_eq!(file.source.user_profile.as_deref(), Some("me"));
    assert_eq!(links(&file)[0].way_in, link.way_in);
    // Another profile for one run changes neither.
    link.way_in = WayIn::Profile("once".to_owned());
    let before = (place.text(), local_text(&place));
    assert_eq!(recorded_in_both(&place, &source, &link, None), before);
    let others = other_profiles(&file, &source, &[&link]).unwrap();
    assert_eq!(others, "[source]\nprofile = \"mine\"\n[targets.dev]\nprofile = \"once\"\n");
}

#[test]
fn an_external_id_is_kept_out_of_the_file() {
    let elsewhere = COMMENTED.replace("role =", "external_id = \"$XACCT_EXTERNAL_ID\"\nrole =");
    let mut dev = link("dev", "222222222222");
    (dev.region, dev.tags) = (links(&Place::with(COMMENTED).load())[0].region.clone(), vec![]);
    dev.external_id = ExternalIdChoice::Use("new-id".parse().unwrap());
    let has_id = |text: &str| text.contains("new-id") || text.contains("old-id");
    // Where the file names the place, the local file is created.
    let place = Place::with(&elsewhere);
    dev.old_external_ids = vec!["old-id".parse().unwrap()];
    let (text, local) = recorded_in_both(&place, &source(), &dev, None);
    assert!(!has_id(&text) && text.contains("external_id = \"$XACCT_EXTERNAL_ID\""), "{text}");
    insta::assert_snapshot!(local.unwrap(), @r#"
    # What one person keeps out of xacct.toml: profiles and external IDs. Do not commit it.

    [targets.dev]
    external_id = ["new-id", "old-id"]
    "#);
    let link = &links(&place.load())[0];
    assert_eq!(link.external_ids().map(ToString::to_string).collect::<Vec<_>>(), ["new-id", "old-id"]);
    // An ID in the variable is in neither file.
    for text in [COMMENTED, &elsewhere] {
        dev.old_external_ids.clear();
        let place = Place::with(text);
        let (text, local) = recorded_in_both(&place, &source(), &dev, Some("new-id"));
        assert!(!has_id(&text) && text.contains("external_id = \"$XACCT_EXTERNAL_ID\""), "{text}");
        assert_eq!(local, None);
    }
    // One that is in the file already stays.
    let text = COMMENTED.replace("role =", "external_id = \"new-id\"\nrole =");
    let (text, _) = recorded_in_both(&Place::with(&text), &source(), &dev, Some("new-id"));
    assert!(text.contains("external_id = \"new-id\""), "{text}");
}

#[test]
fn inline_targets_become_sections_with_the_same_settings() {
    for text in [
        "targets.dev = { account = \"222222222222\", region = \"eu-west-1\" }\n",
        "targets = { dev = { account = \"222222222222\", region = \"eu-west-1\" } }\n",
        "[targets]\ndev = { account = \"222222222222\", region = \"eu-west-1\" }\n",
        "source = { account = \"111111111111\" }\n[targets]\ndev.account = \"222222222222\"\ndev.region = \"eu-west-1\"\n",
    ] {
        let place = Place::with(text);
        let mut before = links(&place.load());
        before.iter_mut().for_each(|link| link.principals = source().principals);
        let mut links_now = before.clone();
        links_now.push(link("prod", "333333333333"));
        record(&place.load(), &source(), &links_now.iter().collect::<Vec<_>>()).unwrap();
        let after = links(&place.load());
        assert_eq!(after.len(), 2, "{}", place.text());
        let dev = after.iter().find(|link| link.name == "dev").unwrap();
        assert_eq!(same(dev), same(before.first().unwrap()), "{}", place.text());
        assert_eq!(place.load().source.principals, source().principals, "{}", place.text());
    }
}

#[test]
fn the_way_into_a_target_is_added_once_and_never_replaced() {
    let ways = [WayIn::Profile("mine".to_owned()), WayIn::EnterRole("Admin".parse().unwrap()), WayIn::Search];
    for known in ["profile = \"dev\"", "enter_role = \"Other\""] {
        let text = COMMENTED.replace("region =", &format!("{known}\nregion ="));
        for way_in in &ways {
            assert_eq!(rewritten(&text, |link| link.way_in = way_in.clone()), text);
        }
    }
    let [by_profile, entered, searched] = ways.map(|way_in| rewritten(COMMENTED, |link| link.way_in = way_in));
    assert!(by_profile.contains("profile = \"mine\"\n"), "{by_profile}");
    assert!(entered.contains("enter_role = \"Admin\"\n"), "{entered}");
    assert_eq!(searched, COMMENTED);
}

#[test]
fn profiles_of_the_source_are_added_and_never_replaced() {
    let place = Place::with(COMMENTED);
    let said = Source { profile: Some("other".to_owned()), user_profile: Some("a\"b".to_owned()), ..source() };
    assert!(record(&place.load(), &said, &[]).unwrap());
    let expected = COMMENTED.replace("'admin'\n", "'admin'\nuser_profile = 'a\"b'\n");
    assert_eq!(place.text(), expected);
    assert_eq!(place.load().source.user_profile.as_deref(), Some("a\"b"));
}

#[test]
fn comments_in_inline_tables_stay_with_their_settings() {
    let text = "# a\ntargets.dev = { # b\n  # c\n  account = \"222222222222\", # d\n  region = \"eu-west-1\" # e\n} # f\n# g\n";
    let expected = "# a\n[targets.dev] # f\n# b\n# c\naccount = \"222222222222\"\n# d\n# e\nregion = \"eu-west-1\"\n";
    let now = rewritten(text, |_| ());
    assert!(now.contains(expected) && now.contains("\n# g\n"), "{now}");
    let now = rewritten("targets.dev = { account =\n  # why\n  \"222222222222\" }\n", |_| ());
    assert!(now.contains("# why\naccount = \"222222222222\"\n"), "{now}");
}

#[test]
fn a_source_that_another_program_changed_is_not_overwritten() {
    let place = Place::with(COMMENTED);
    let read = place.load();
    for meanwhile in ["# other\n", ""] {
        std::fs::write(&place.path, meanwhile).unwrap();
        let error = record(&read, &source(), &[&link("prod", "333333333333")]).unwrap_err();
        assert_eq!(error.kind, Kind::File);
        assert_eq!(
            error.message,
            format!(
                "`{}` was changed by another program while xacct was running; xacct did not overwrite it",
                place.path.display()
            )
        );
        assert_eq!(error.hints.len(), 1);
        assert_eq!((place.text().as_str(), place.files().len()), (meanwhile, 1));
    }
    std::fs::remove_file(&place.path).unwrap();
    assert!(record(&read, &source(), &[&link("prod", "333333333333")]).is_err());
    assert!(place.files().is_empty());
}

#[test]
fn additions_by_another_program_stay() {
    let place = Place::with(COMMENTED);
    let read = place.load();
    let more = format!("{COMMENTED}\n# theirs\n[targets.other]\naccount = \"444444444444\"\n");
    std::fs::write(&place.path, &more).unwrap();
    assert!(record(&read, &source(), &[&link("third", "555555555555")]).unwrap());
    let text = place.text();
    assert!(text.starts_with(&more), "{text}");
    let names: Vec<_> = place.load().targets.into_iter().map(|(name, _)| name).collect();
    assert!(names.contains(&"other".to_owned()) && names.contains(&"third".to_owned()), "{text}");
    // A third run with the same change has nothing to write.
    assert!(!record(&read, &source(), &[&link("third", "555555555555")]).unwrap());
}

#[test]
fn a_link_that_another_program_changed_is_not_overwritten() {
    let place = Place::empty();
    let read = place.load();
    assert!(record(&read, &source(), &[&link("new", "555555555555")]).unwrap());
    let theirs = place.text();
    assert!(record(&read, &source(), &[&link("new", "666666666666")]).is_err());
    assert_eq!(place.text(), theirs);
}

#[test]
fn concurrent_writers_keep_all_changes() {
    let place = Place::empty();
    let read = place.load();
    std::thread::scope(|scope| {
        for number in 0..20 {
            let read = &read;
            scope.spawn(move || {
                let link = link(&format!("t{number}"), &format!("5555555555{number:02}"));
                assert!(record(read, &source(), &[&link]).unwrap());
            });
        }
    });
    assert_eq!(place.load().targets.len(), 20, "{}", place.text());
}

#[test]
fn a_lock_that_another_program_keeps_does_not_block() {
    let place = Place::empty();
    let folder = File::open(place.folder.path()).unwrap();
    folder.lock().unwrap();
    let (done, ended) = std::sync::mpsc::channel();
    let path = place.path.clone();
    std::thread::spawn(move || {
        let file = ConfigFile::load(&path).unwrap();
        done.send(record(&file, &source(), &[&link("dev", "222222222222")]).unwrap())
    });
    assert!(ended.recv_timeout(Duration::from_secs(30)).unwrap());
    assert!(place.text().contains("[targets.dev]"));
}

#[test]
fn a_new_file_of_another_program_is_not_overwritten() {
    let place = Place::empty();
    let read = place.load();
    for appeared in [COMMENTED.replace("alice", "bob"), "not [toml".to_owned(), "[targets.prod]\n".to_owned()] {
        std::fs::write(&place.path, &appeared).unwrap();
        assert!(record(&read, &source(), &[&link("prod", "333333333333")]).is_err());
        assert_eq!(place.text(), appeared);
    }
}

#[test]
fn a_failed_write_leaves_the_file_intact_and_no_temporary_file() {
    let place = Place::with("[source]\n");
    let file = place.load();
    // A non-empty directory at the path, which no rename can replace.
    std::fs::remove_file(&place.path).unwrap();
    std::fs::create_dir_all(place.path.join("x")).unwrap();
    assert!(record(&file, &source(), &[]).is_err());
    assert!(files::replace(&place.path, "text", Readers::All).is_err());
    assert_eq!(place.files(), ["xacct.toml"]);
    assert!(files::replace(&place.path.join("missing/xacct.toml"), "text", Readers::All).is_err());
}

#[cfg(unix)]
#[test]
fn permissions_stay_and_a_new_file_is_world_readable() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |place: &Place| std::fs::metadata(&place.path).unwrap().permissions().mode() & 0o777;
    for kept in [0o600, 0o664] {
        let place = Place::with(COMMENTED);
        std::fs::set_permissions(&place.path, std::fs::Permissions::from_mode(kept)).unwrap();
        assert!(record(&place.load(), &source(), &[&link("prod", "333333333333")]).unwrap());
        assert_eq!(mode(&place), kept);
    }
    let place = Place::empty();
    record(&place.load(), &source(), &[]).unwrap();
    assert_eq!(mode(&place), 0o644);
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_is_followed_and_stays() {
    let elsewhere = Place::with(COMMENTED);
    let place = Place::empty();
    std::os::unix::fs::symlink(&elsewhere.path, &place.path).unwrap();
    assert!(record(&place.load(), &source(), &[&link("prod", "333333333333")]).unwrap());
    assert!(place.path.is_symlink());
    assert_eq!(links(&elsewhere.load()).len(), 2);
    assert_eq!((place.files().len(), elsewhere.files().len()), (1, 1));
}

/// Returns everything about a link that the file can record, as text.
fn same(link: &Link) -> String {
    let mut link = link.clone();
    // The file records all three by the absence of the key.
    if link.external_id.known().is_none() {
        link.external_id = ExternalIdChoice::None;
    }
    link.tags.sort();
    link.bucket_tags.sort();
    format!("{link:?}")
}

fn any_link() -> impl Strategy<Value = Link> {
    let way_in = prop_oneof![
        Just(WayIn::Search),
        any::<String>()
            .prop_filter("a profile has a name that is seen", |name| !name.is_empty()
                && !name.contains(crate::text::is_hidden))
            .prop_map(WayIn::Profile),
        "[A-Za-z0-9_+=,.@-]{1,64}".prop_map(|name| WayIn::EnterRole(name.parse().unwrap())),
    ];
    let tags = || proptest::collection::btree_map(r"[\p{L} _.:/+@-]{1,8}", r"[\p{L} _.:/=+@-]{0,8}", 0..3);
    let to_tags = |tags: std::collections::BTreeMap<String, String>| -> Vec<Tag> {
        let reserved = |key: &str| key.to_lowercase().starts_with("aws:");
        tags.iter()
            .filter(|(key, _)| !reserved(key))
            .map(|(key, value)| format!("{key}={value}").parse().unwrap())
            .collect()
    };
    let names = ("[ -~é]{1,12}", "[A-Za-z0-9_+=,.@-]{1,64}", "(/[!-~]{1,20})?/");
    let policies = proptest::collection::vec(
        select(&["PowerUserAccess", "Billing", "arn:aws:iam::222222222222:policy/p/own"][..]),
        0..3,
    );
    let files = proptest::collection::vec("[ -~é]{1,8}".prop_map(PathBuf::from), 0..3);
    let id = prop_oneof![
        Just(ExternalIdChoice::None),
        "[A-Za-z0-9_+=,.@:/-]{2,40}".prop_map(|id| ExternalIdChoice::Use(id.parse().unwrap())),
    ];
    let flags = (any::<[bool; 5]>(), 3600..=43_200_i32);
    (names, id, way_in, flags, policies, files, tags(), tags()).prop_map(
        move |(
            (name, role, path),
            external_id,
            way_in,
            (flags, seconds),
            policies,
            policy_files,
            tags,
            bucket_tags,
        )| {
            let [require_mfa, restrict_to_user, allow_session_tags, identity, regional] = flags;
            let policy_arns: Vec<_> = policies.iter().map(|policy| policy.parse().unwrap()).collect();
            let has_old = regional && external_id != ExternalIdChoice::None;
            let old: Vec<_> = has_old.then(|| "an-older-external-id".parse().unwrap()).into_iter().collect();
            // Of another name than the link's own role, which has at most 64 characters.
            let other = format!("arn:aws:iam::222222222222:role/p/{}", if role == "old" { "older" } else { "old" });
            let other_role = match (identity, regional) {
                (true, true) => Some(OtherRole::Old(other.parse().unwrap())),
                (true, false) => Some(OtherRole::New(other.parse().unwrap())),
                _ => None,
            };
            let own: Vec<_> = ["user/bob", "role/ci/terraform"].map(|it| it.parse().unwrap()).into();
            Link {
                principals: if require_mfa { own } else { source().principals },
                has_own_principals: require_mfa,
                other_role,
                role: role.parse().unwrap(),
                role_path: path.parse().unwrap(),
                external_ids_on_record: Some(external_id.known().into_iter().chain(&old).cloned().collect()),
                old_external_ids: old,
                id: restrict_to_user.then(|| "0123456789abcdef".parse().unwrap()),
                external_id,
                require_mfa,
                restrict_to_user,
                allow_session_tags,
                permissions_boundary: policy_arns.first().cloned(),
                policy_arns_on_record: policy_arns.clone(),
                policy_arns,
                trust_statement_files: policy_files.iter().rev().cloned().collect(),
                policy_files,
                session_name: regional.then(|| "alice@example.com".parse().unwrap()),
                session_tags: to_tags(bucket_tags.clone()),
                source_identity: require_mfa.then(|| "alice".parse().unwrap()),
                max_session_duration: MaxSessionDuration::from_secs(seconds).unwrap(),
                description: regional.then(|| if identity { "" } else { "Deploys \"x\"" }.parse().unwrap()),
                tags: to_tags(tags),
                region: identity.then(|| "eu-west-1".parse().unwrap()),
                way_in,
                probe: if identity {
                    Probe::Identity
                } else if regional {
                    Probe::Bucket
                } else {
                    Probe::Auto
                },
                exclusive: require_mfa,
                bucket_tags: to_tags(bucket_tags),
                bucket_namespace: if regional { BucketNamespace::AccountRegional } else { BucketNamespace::Global },
                keeps: crate::config::Keeps::default(),
                ..link(&name, "222222222222")
            }
        },
    )
}

proptest! {
    #[test]
    fn what_is_recorded_is_what_is_read(link in any_link(), other in any_link()) {
        let path = Path::new("xacct.toml");
        let mut file = ConfigFile { path: path.to_owned(), ..ConfigFile::default() };
        // New, then unchanged, then changed in every setting.
        let changed = Link { name: link.name.clone(), ..other };
        for link in [&link, &link, &changed] {
            let text = text_with(&file, &source(), &[link]).unwrap();
            let read = ConfigFile::parse(path, text.clone()).unwrap();
            // A recorded profile or role to enter stays.
            let mut expected = link.clone();
            if let Some(before) = links(&file).first().filter(|before| before.way_in != WayIn::Search) {
                expected.way_in = before.way_in.clone();
            }
            prop_assert_eq!(links(&read).iter().map(same).collect::<Vec<_>>(), [same(&expected)], "{}", text);
            prop_assert_eq!(text_with(&read, &source(), &[link]).unwrap(), text);
            file = read;
        }
    }
}
