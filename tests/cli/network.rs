//! Proxies, CA bundles, FIPS and dual-stack endpoints, with the same settings as the AWS CLI.

use crate::scene::Scene;
use crate::support::{Proxy, Tls};

/// Creates a linked scene behind TLS, and a file with its CA certificate.
fn behind_tls() -> (Scene, Tls, String) {
    let mut scene = Scene::linked("--external-id abc");
    let tls = Tls::before(&scene.sandbox);
    scene.environment.set("AWS_ENDPOINT_URL", &tls.url);
    scene.environment.write("ca.pem", &tls.authority);
    let path = scene.environment.path("ca.pem").display().to_string();
    (scene, tls, path)
}

#[test]
fn rejects_unknown_certificate_authorities() {
    let (scene, _tls, _) = behind_tls();
    let output = scene.xacct("credentials").exits_with(1);
    output.says(&["sts:AssumeRole", "certificate", "AWS_CA_BUNDLE"]);
    assert!(scene.sandbox.requests().is_empty());
}

#[test]
fn trusts_ca_bundles_of_every_setting() {
    for setting in ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"] {
        let (mut scene, _tls, path) = behind_tls();
        scene.environment.set(setting, &path);
        scene.xacct("credentials").exits_with(0);
    }
    let (scene, _tls, path) = behind_tls();
    scene.configure("alice", &format!("ca_bundle = {path}"));
    scene.xacct("credentials").exits_with(0);
}

#[test]
fn aws_ca_bundle_wins_and_replaces_all_other_bundles() {
    let (mut scene, _tls, path) = behind_tls();
    scene.configure("alice", "ca_bundle = /no/such/file");
    scene.environment.set("AWS_CA_BUNDLE", &path);
    scene.xacct("credentials").exits_with(0);
    let other = Tls::before(&scene.sandbox);
    scene.environment.write("other.pem", &other.authority);
    let other_path = scene.environment.path("other.pem").display().to_string();
    scene.environment.set("AWS_CA_BUNDLE", &other_path);
    scene.environment.set("SSL_CERT_FILE", &path);
    scene.xacct("credentials").exits_with(1).says(&["certificate"]);
    // All valid certificates of a file are used, invalid ones are ignored.
    let text =
        format!("# authorities\n{}\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", other.authority);
    scene.environment.write("other.pem", &format!("{text}{}", scene.environment.read("ca.pem")));
    scene.xacct("credentials").exits_with(0);
}

#[test]
fn names_an_invalid_bundle_and_its_setting() {
    let (scene, _tls, _) = behind_tls();
    scene.configure("alice", "ca_bundle = /no/such/file");
    scene
        .xacct("credentials")
        .exits_with(1)
        .says(&["cannot use the CA bundle `/no/such/file` (ca_bundle of profile alice)"]);
    scene.environment.write("empty.pem", "nothing");
    let path = scene.environment.path("empty.pem").display().to_string();
    for setting in ["AWS_CA_BUNDLE", "SSL_CERT_FILE"] {
        for (value, wanted) in [
            ("/no/such/file", "No such file"),
            (path.as_str(), "contains no PEM certificate"),
            ("/", "it is not a regular file"),
        ] {
            let (mut scene, _tls, _) = behind_tls();
            scene.environment.set(setting, value);
            scene
                .xacct("verify")
                .exits_with(1)
                .says(&[&format!("cannot use the CA bundle `{value}` ({setting})"), wanted]);
            assert!(scene.sandbox.requests().is_empty());
        }
    }
}

#[test]
fn http_requests_use_the_proxy_and_its_credentials() {
    for (name, secret, sent) in [
        ("HTTP_PROXY", "me:a-password", "bWU6YS1wYXNzd29yZA=="),
        ("http_proxy", "me:a-p@ssw^ord%25", "bWU6YS1wQHNzd15vcmQl"),
        ("http_proxy", "me:a-p@ssw^ord%", "bWU6YS1wQHNzd15vcmQl"),
    ] {
        let mut scene = Scene::linked("");
        let proxy = Proxy::start(true);
        scene.environment.set(name, &proxy.url().replace("//", &format!("//{secret}@")));
        let output = scene.xacct("credentials").exits_with(0);
        assert!(!output.everything().contains("a-p"), "{output}");
        let asked = proxy.heads();
        assert!(!asked.is_empty());
        for (line, credentials) in asked {
            assert!(line.starts_with(&format!("POST {}/", scene.sandbox.url())), "{line}");
            assert_eq!(credentials, Some(format!("proxy-authorization: Basic {sent}")));
        }
    }
}

#[test]
fn https_requests_use_a_tunnel() {
    for name in ["HTTPS_PROXY", "https_proxy"] {
        let (mut scene, tls, path) = behind_tls();
        let proxy = Proxy::start(true);
        scene.environment.set("AWS_CA_BUNDLE", &path);
        scene.environment.set(name, &proxy.url());
        // The proxy for HTTP is not used.
        scene.environment.set("HTTP_PROXY", "http://127.0.0.1:1");
        scene.environment.set("AWS_ENDPOINT_URL", &tls.url);
        if name == "https_proxy" {
            scene.environment.set("HTTP_PROXY", "");
            scene.environment.set("HTTPS_PROXY", "http://127.0.0.1:1");
        }
        scene.xacct("verify --probe identity").exits_with(0);
        let wanted = format!("CONNECT {} HTTP/1.1", tls.url.trim_start_matches("https://"));
        assert!(!proxy.asked().is_empty() && proxy.asked().iter().all(|line| *line == wanted), "{:?}", proxy.asked());
    }
}

#[test]
fn http_and_https_use_separate_proxies() {
    let (mut scene, tls, path) = behind_tls();
    let (plain, encrypted) = (Proxy::start(true), Proxy::start(true));
    scene.environment.set("AWS_CA_BUNDLE", &path);
    scene.environment.set("http_proxy", &plain.url());
    scene.environment.set("https_proxy", &encrypted.url());
    // Lower-case variables win.
    scene.environment.set("HTTP_PROXY", "http://127.0.0.1:1");
    scene.environment.set("HTTPS_PROXY", "http://127.0.0.1:1");
    scene.xacct("credentials").exits_with(0);
    assert!(plain.asked().is_empty() && !encrypted.asked().is_empty());
    let before = encrypted.asked().len();
    scene.environment.set("AWS_ENDPOINT_URL", scene.sandbox.url());
    scene.xacct("credentials").exits_with(0);
    assert!(!plain.asked().is_empty() && encrypted.asked().len() == before);
    let before = plain.asked().len();
    scene.environment.set("no_proxy", &format!("127.0.0.1:{}", scene.sandbox.port()));
    scene.xacct("credentials").exits_with(0);
    scene.environment.set("AWS_ENDPOINT_URL", &tls.url);
    scene.environment.set("no_proxy", "*");
    scene.xacct("credentials").exits_with(0);
    assert_eq!(plain.asked().len(), before);
}

#[test]
fn no_proxy_bypasses_the_proxy() {
    for (name, list) in [("NO_PROXY", "example.com,127.0.0.1"), ("no_proxy", "127.0.0.0/8"), ("NO_PROXY", "*")] {
        let mut scene = Scene::linked("");
        let proxy = Proxy::start(true);
        scene.environment.set("HTTP_PROXY", &proxy.url());
        scene.environment.set(name, list);
        scene.xacct("credentials").exits_with(0);
        assert_eq!(proxy.asked(), [""; 0], "{list}");
    }
    let mut scene = Scene::linked("");
    let proxy = Proxy::start(true);
    scene.environment.set("HTTP_PROXY", &proxy.url());
    scene.environment.set("NO_PROXY", &format!("127.0.0.1:{}", scene.sandbox.port()));
    scene.xacct("credentials").exits_with(0);
    assert_eq!(proxy.asked(), [""; 0]);
}

#[test]
fn rejects_invalid_proxy_urls_before_sending_requests() {
    let mut scene = Scene::linked("");
    scene.environment.set("HTTPS_PROXY", "socks5://127.0.0.1:1080");
    scene
        .xacct("credentials")
        .exits_with(2)
        .says(&["HTTPS_PROXY is `socks5://127.0.0.1:1080`", "HTTPS_PROXY=http://HOST:PORT"]);
    assert!(scene.sandbox.requests().is_empty());
}

/// Returns the hosts that xacct connects to with these variables and this line in alice's profile.
fn wanted_hosts(variables: &[(&str, &str)], line: &str, words: &str) -> Vec<String> {
    let mut scene = Scene::linked("");
    let proxy = Proxy::start(false);
    scene.environment.unset("AWS_ENDPOINT_URL");
    scene.environment.set("HTTPS_PROXY", &proxy.url());
    for (name, value) in variables {
        scene.environment.set(name, value);
    }
    scene.configure("alice", line);
    for (name, more) in [("via", ""), ("long", "duration_seconds = 900\n")] {
        for (end, fips) in [("", ""), ("-fips", "use_fips_endpoint = true\n")] {
            let role = "role_arn = arn:aws:iam::111111111111:role/x\nsource_profile = alice\n";
            scene.environment.append("aws/config", &format!("\n[profile {name}{end}]\n{role}{more}{fips}"));
        }
    }
    let output = scene.xacct(words);
    assert_eq!(output.code, 1, "{output}");
    let mut hosts = proxy.asked();
    assert!(!hosts.is_empty(), "{output}");
    hosts.sort();
    hosts.dedup();
    hosts.iter().map(|line| line.split(' ').nth(1).unwrap().to_owned()).collect()
}

#[test]
fn uses_fips_and_dual_stack_endpoints() {
    let fips = ("AWS_USE_FIPS_ENDPOINT", "true");
    let dual_stack = ("AWS_USE_DUALSTACK_ENDPOINT", "true");
    let words = "credentials";
    assert_eq!(wanted_hosts(&[], "", words), ["sts.us-east-1.amazonaws.com:443"]);
    assert_eq!(wanted_hosts(&[fips], "", words), ["sts-fips.us-east-1.amazonaws.com:443"]);
    assert_eq!(wanted_hosts(&[], "use_fips_endpoint = true", words), ["sts-fips.us-east-1.amazonaws.com:443"]);
    assert_eq!(wanted_hosts(&[dual_stack], "", words), ["sts.us-east-1.api.aws:443"]);
    assert_eq!(wanted_hosts(&[fips, dual_stack], "", words), ["sts-fips.us-east-1.api.aws:443"]);
}

#[test]
fn ignores_configured_endpoints_on_request() {
    for line in [
        "endpoint_url = http://127.0.0.1:1",
        "endpoint_url = http://127.0.0.1:1\nignore_configured_endpoint_urls = true",
    ] {
        let ignore: &[_] =
            if line.contains("ignore") { &[] } else { &[("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")] };
        assert_eq!(wanted_hosts(ignore, line, "credentials"), ["sts.us-east-1.amazonaws.com:443"]);
    }
}

#[test]
fn profiles_assume_roles_at_the_same_endpoints() {
    let variable = [("AWS_USE_FIPS_ENDPOINT", "true")];
    let fips = ["sts-fips.us-east-1.amazonaws.com:443"];
    for profile in ["via", "long"] {
        let words = format!("credentials --region us-east-1 --user-profile {profile}");
        assert_eq!(wanted_hosts(&variable, "", &words), fips, "{profile}");
        assert_eq!(wanted_hosts(&[], "", &words), ["sts.us-east-1.amazonaws.com:443"], "{profile}");
        let words = format!("credentials --region us-east-1 --user-profile {profile}-fips");
        assert_eq!(wanted_hosts(&[], "", &words), fips, "{profile}");
    }
}

/// CloudTrail records the user agent, so that auditors can tell xacct's requests from others.
#[test]
fn names_itself_in_the_user_agent() {
    let app = concat!("app/xacct-", env!("CARGO_PKG_VERSION"));
    let mut scene = Scene::linked("");
    let agents = |scene: &Scene| -> Vec<_> {
        scene.sandbox.requests().into_iter().map(|request| request.user_agent.unwrap_or_default()).collect()
    };
    scene.xacct("verify").exits_with(0);
    let sent = agents(&scene);
    assert!(!sent.is_empty() && sent.iter().all(|agent| agent.split(' ').any(|word| word == app)), "{sent:?}");
    scene.environment.set("AWS_SDK_UA_APP_ID", "ours");
    scene.sandbox.clear_requests();
    scene.xacct("verify").exits_with(0);
    let sent = agents(&scene);
    assert!(
        !sent.is_empty() && sent.iter().all(|agent| agent.contains("app/ours") && !agent.contains(app)),
        "{sent:?}"
    );
}
