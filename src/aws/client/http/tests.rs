#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

use super::*;

fn variables(set: &'static [(&'static str, &'static str)]) -> impl Fn(&str) -> Option<String> {
    move |name| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
}

fn shown(set: &'static [(&'static str, &'static str)]) -> String {
    match proxies(&variables(set)) {
        Ok(proxies) => format!("{proxies:?}"),
        Err(error) => error.message,
    }
}

#[test]
fn lower_case_wins_and_an_empty_value_disables_the_proxy() {
    assert!(shown(&[]).contains("Disabled"));
    assert!(shown(&[("HTTPS_PROXY", "")]).contains("Disabled"));
    assert!(shown(&[("https_proxy", ""), ("HTTPS_PROXY", "http://upper:1")]).contains("Disabled"));
    assert!(shown(&[("https_proxy", "http://lower:1"), ("HTTPS_PROXY", "http://upper:1")]).contains("lower"));
    assert!(shown(&[("ALL_PROXY", "http://all:1")]).contains("Disabled"));
}

#[test]
fn each_scheme_has_its_own_proxy() {
    assert!(shown(&[("HTTP_PROXY", "http://p:1")]).contains("Http {"));
    assert!(shown(&[("HTTPS_PROXY", "p:1")]).contains("Https {"));
    assert!(shown(&[("HTTPS_PROXY", "HTTP://p:1")]).contains("http://p:1/"));
    let two = shown(&[("HTTP_PROXY", "http://upper:1"), ("http_proxy", "http://p:1"), ("HTTPS_PROXY", "http://q:1")]);
    assert!(two.contains("p:1") && two.contains("q:1") && !two.contains("upper"), "{two}");
    let none = shown(&[("HTTP_PROXY", "http://p:1"), ("HTTPS_PROXY", "http://q:1"), ("NO_PROXY", "*")]);
    assert!(none.contains("Disabled") && !none.contains(":1"), "{none}");
}

#[test]
fn rejects_invalid_urls_without_showing_their_password() {
    for url in [&[("HTTPS_PROXY", "socks5://me:secret@proxy:1080")][..], &[("https_proxy", "http://me:secret@")]] {
        let message = shown(url);
        assert!(message.to_ascii_uppercase().contains("HTTPS_PROXY IS"), "{message}");
        assert!(!message.contains("secret"), "{message}");
    }
}

/// Each is what Python's `urlparse` and `unquote` make of the whole.
#[test]
fn takes_passwords_that_are_not_encoded() {
    for (secret, wanted) in [
        ("me:p@ss^w{r}d", "me:p%40ss%5Ew%7Br%7Dd"),
        ("me:p%40ss", "me:p%40ss"),
        ("me:100%", "me:100%25"),
        ("me:%zz%4", "me:%25zz%254"),
        (r"DOMAIN\me:a:b ü", r"DOMAIN%5Cme:a:b%20%C3%BC"),
    ] {
        assert_eq!(encoded(secret), wanted);
    }
    let url = check_url("HTTPS_PROXY", "http://me:p@ss^@proxy:3128/x@y").expect("a URL");
    assert_eq!(url, "http://me:p%40ss%5E@proxy:3128/x@y");
    assert!(check_url("HTTPS_PROXY", "http://me:p@ss^@proxy:3128").is_ok());
}

#[test]
fn translates_no_proxy_for_the_sdk() {
    for (list, wanted) in [
        ("localhost:4566, 10.0.0.0/8,.example.com,", "localhost,10.0.0.0/8,.example.com"),
        ("[::1],[::1]:80,::1,fe80::1:80", "::1,::1,::1,fe80::1:80"),
        (" * ", "*"),
        ("localhost,*", "localhost"),
    ] {
        assert_eq!(exceptions(list), wanted);
    }
}

#[test]
fn finds_bundles_in_the_order_of_the_aws_cli() {
    let profile = Some(("work", "/p.pem"));
    let both = variables(&[("AWS_CA_BUNDLE", "/a.pem"), ("REQUESTS_CA_BUNDLE", "/r.pem")]);
    let requests = variables(&[("AWS_CA_BUNDLE", ""), ("REQUESTS_CA_BUNDLE", "/r.pem")]);
    let path = |bundle: Option<Bundle>| bundle.map(|bundle| bundle.path);
    assert_eq!(path(Bundle::find(&both, profile)).as_deref(), Some("/a.pem"));
    assert_eq!(path(Bundle::find(&requests, profile)).as_deref(), Some("/p.pem"));
    assert_eq!(path(Bundle::find(&requests, None)).as_deref(), Some("/r.pem"));
    assert_eq!(Bundle::find(&variables(&[]), None), None);
}

#[test]
fn names_a_bundle_without_certificates() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    std::fs::write(&path, format!("-----BEGIN CERTIFICATE-----\nAAAA\n{END}\n")).unwrap();
    let bundle = Bundle { setting: "AWS_CA_BUNDLE".to_owned(), path: path.display().to_string() };
    let message = bundle.certificates().unwrap_err().message;
    assert!(message.contains("ca.pem") && message.contains("AWS_CA_BUNDLE"), "{message}");
}

/// After a prompt that waited long for its answer, for example.
#[tokio::test]
async fn does_not_reuse_a_connection_that_was_idle_for_long() {
    let sandbox = xacct_sandbox::Sandbox::start();
    let alice = xacct_sandbox::world::ALICE;
    let config = aws_sdk_sts::Config::builder()
        .behavior_version(aws_sdk_sts::config::BehaviorVersion::latest())
        .http_client(client(None, &variables(&[])).unwrap())
        .region(aws_sdk_sts::config::Region::new("us-east-1"))
        .endpoint_url(sandbox.url())
        .credentials_provider(aws_credential_types::Credentials::new(alice.id, alice.secret, None, None, "test"));
    let sts = aws_sdk_sts::Client::from_conf(config.build());
    let mut connections = Vec::new();
    for rest in [Duration::ZERO, LONGEST_IDLE / 2, LONGEST_IDLE + Duration::from_secs(1)] {
        // Time passes for the pool alone: a pause would also end requests that wait for an answer.
        tokio::time::pause();
        tokio::time::advance(rest).await;
        tokio::time::resume();
        sts.get_caller_identity().send().await.unwrap();
        connections.push(sandbox.requests().last().unwrap().connection);
    }
    assert_eq!(connections[0], connections[1]);
    assert_ne!(connections[1], connections[2]);
}
