use std::borrow::Cow;

use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_types::os_shim_internal::{Env, Fs};
use proptest::prelude::*;

use super::*;

#[test]
fn renames_only_what_the_sdk_cannot_take() {
    assert_eq!(name("a_b-c/d.e@f:g+1"), "a_b-c/d.e@f:g+1");
    assert_eq!(name("alice smith"), "alice%20smith");
    assert_eq!(name("ä%"), "%C3%A4%25");
}

#[tokio::test]
async fn the_sdk_reads_what_belongs_to_a_profile_and_nothing_else() {
    let config = "[profile 'a b']\nsource_profile = c d\nservices = 'no\nsso_session = s\nretry_mode = legacy\n\
                  long = 1\n  2\nrole_arn =\n[profile \"c d\"]\nservices = my services\nregion: x\n[services 'my services']\n\
                  sts =\n  endpoint_url = https://sts.example.com\n[sso-session s]\nsso_region = y\n[profile e]\nregion = z\n";
    let sections = Sections::parse(("config", config), ("credentials", ""));
    let text = text(&sections, &["a b", "c d"]);
    assert_eq!(
        text,
        "[profile a%20b]\nlong=1\n  2\nservices=%27no\nsource_profile=c%20d\nsso_session=s\n[sso-session s]\nsso_region=y\n\
         [profile c%20d]\nregion=x\nservices=my%20services\n[services my%20services]\nsts =\n  \
         endpoint_url = https://sts.example.com\n"
    );
    let files = EnvConfigFiles::builder().with_contents(EnvConfigFileKind::Config, text).build();
    let selected = Some(Cow::Borrowed("c%20d"));
    let read = aws_config::profile::load(&Fs::real(), &Env::from_slice(&[]), &files, selected).await.expect("valid");
    assert_eq!(read.get_profile("a%20b").and_then(|profile| profile.get("long")), Some("1\n2"));
    let url = aws_runtime::env_config::EnvConfigValue::new().profile("endpoint_url").service_id("STS");
    let url = url.load(&Env::from_slice(&[]), Some(&read)).map(|(url, _)| url.into_owned());
    assert_eq!(url.as_deref(), Some("https://sts.example.com"));
}

proptest! {
    /// Whatever the files contain, the SDK reads what it gets.
    #[test]
    fn the_sdk_never_stops(config in r#"(\[(profile |sso-session |services )?['"]?[ -~ä]{0,9}\]?[ -~]{0,3}\n|[ \t]{0,3}[ -~ö]{0,12}([=:][ -~\t]{0,9})?\r?\n){0,12}"#) {
        let sections = Sections::parse(("config", &config), ("credentials", &config));
        let profiles: Vec<_> = sections.profiles.keys().map(String::as_str).collect();
        let files = EnvConfigFiles::builder().with_contents(EnvConfigFileKind::Config, text(&sections, &profiles)).build();
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let read = runtime.block_on(aws_config::profile::load(&Fs::real(), &Env::from_slice(&[]), &files, None));
        let read = read.expect("what the SDK can read");
        for (real, section) in &sections.profiles {
            prop_assert!(real.is_empty() || read.get_profile(&name(real)).is_some() || section.settings.is_empty(), "{real}");
        }
    }
}
