//! HTTP clients, with the same proxies and CA bundles as the AWS CLI.
//!
//! The SDK has no setting for CA bundles, and supports proxies only in its default client.

use std::path::Path;
use std::time::Duration;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
    http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::aws::client::bounds::bounded;
use crate::environment::Variables;
use crate::error::{Error, Kind, Result};
use crate::files;

/// A CA bundle, and the setting that names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::aws) struct Bundle {
    setting: String,
    path: String,
}

impl Bundle {
    /// Finds the bundle in the AWS CLI's order (botocore, `configprovider.py` and `args.py`). It replaces the system's
    /// certificates. The TLS library itself reads `SSL_CERT_FILE`, the location of the system's certificates.
    pub(in crate::aws) fn find(variable: Variables<'_>, profile: Option<(&str, &str)>) -> Option<Self> {
        let named = |name: &str| {
            let path = variable(name).filter(|path| !path.is_empty())?;
            Some(Self { setting: name.to_owned(), path })
        };
        let of_profile = || {
            let (profile, path) = profile?;
            Some(Self { setting: format!("ca_bundle of profile {profile}"), path: path.to_owned() })
        };
        named("AWS_CA_BUNDLE").or_else(of_profile).or_else(|| named("REQUESTS_CA_BUNDLE"))
    }

    /// Returns the valid certificates, each as PEM. The SDK panics on invalid ones.
    fn certificates(&self) -> Result<Vec<String>> {
        let text = self.read()?;
        let usable: Vec<_> = blocks(&text).filter(|block| is_usable(block)).map(str::to_owned).collect();
        if usable.is_empty() { Err(self.unusable(&NO_CERTIFICATE)) } else { Ok(usable) }
    }

    /// Checks that the bundle has at least one valid certificate; checking all would be much slower.
    fn check(&self) -> Result<()> {
        if blocks(&self.read()?).any(is_usable) { Ok(()) } else { Err(self.unusable(&NO_CERTIFICATE)) }
    }

    fn read(&self) -> Result<String> {
        let bytes = files::read_bytes(Path::new(&self.path), files::LONGEST_COLLECTION);
        let bytes = bytes.map_err(|error| self.unusable(&error).caused_by(error))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn unusable(&self, why: &dyn std::fmt::Display) -> Error {
        let Self { setting, path } = self;
        Error::new(Kind::File, format!("cannot use the CA bundle `{path}` ({setting}): {why}"))
            .hint("set it to a PEM file with the CA certificates to trust, or unset it")
    }
}

/// How long a connection may be idle, such as during a prompt, and still be reused. Assumed: AWS, firewalls and NAT gateways
/// keep it open that long. A request on a connection that was dropped silently would wait for its timeout, but a new
/// connection takes only two round trips.
const LONGEST_IDLE: Duration = Duration::from_secs(15);

const NO_CERTIFICATE: &str = "contains no PEM certificate";

/// Splits a bundle into pieces that each end with a certificate, except perhaps the last.
fn blocks(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(END)
}

const END: &str = "-----END CERTIFICATE-----";

fn is_usable(block: &str) -> bool {
    let certificate = CertificateDer::from_pem_slice(block.as_bytes());
    certificate.is_ok_and(|certificate| RootCertStore::empty().add(certificate).is_ok())
}

/// Creates an HTTP client with a connection pool. The system's certificates are read on first use of TLS.
///
/// # Errors
/// When a proxy URL or a CA bundle is invalid. Ignoring the setting could send requests around the proxy.
pub(in crate::aws) fn client(bundle: Option<&Bundle>, variable: Variables<'_>) -> Result<SharedHttpClient> {
    let proxies = proxies(variable)?;
    let trust = match bundle {
        Some(bundle) => {
            let certificates = bundle.certificates()?;
            certificates.into_iter().fold(TrustStore::empty(), TrustStore::with_pem_certificate)
        }
        None => {
            if let Some(path) = variable("SSL_CERT_FILE").filter(|path| !path.is_empty()) {
                Bundle { setting: "SSL_CERT_FILE".to_owned(), path }.check()?;
            }
            TrustStore::default()
        }
    };
    // Plain HTTP needs no certificates, unless the connection to the proxy uses TLS.
    let trust_of_plain = if proxies.plain_is_encrypted { trust.clone() } else { TrustStore::empty() };
    let plain = through(proxies.http, trust_of_plain)?;
    let encrypted = through(proxies.https, trust)?;
    Ok(http_client_fn(move |settings, components| {
        SharedHttpConnector::new(ByScheme {
            plain: plain.clone(),
            encrypted: encrypted.clone(),
            settings: settings.clone(),
            components: components.clone(),
        })
    }))
}

/// Creates a client that connects on first use. The SDK's client builder does not support proxies, its connector does.
fn through(proxy: ProxyConfig, trust: TrustStore) -> Result<SharedHttpClient> {
    let tls = TlsContext::builder().with_trust_store(trust).build();
    let tls = tls.map_err(|error| Error::new(Kind::Internal, format!("invalid TLS settings: {error}")))?;
    Ok(Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder().pool_idle_timeout(LONGEST_IDLE);
        connector.set_connector_settings(settings.cloned());
        if let Some(components) = components {
            connector.set_sleep_impl(components.sleep_impl());
        }
        connector
            .proxy_config(proxy.clone())
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .tls_context(tls.clone())
            .build()
    }))
}

/// Separates HTTPS from plain HTTP requests: they may use different proxies, and only HTTPS needs certificates. The
/// connector for the other scheme is never set up.
#[derive(Debug)]
struct ByScheme {
    plain: SharedHttpClient,
    encrypted: SharedHttpClient,
    settings: HttpConnectorSettings,
    components: RuntimeComponents,
}

impl HttpConnector for ByScheme {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = if request.uri().starts_with("https:") { &self.encrypted } else { &self.plain };
        // The client caches its connector and its connections.
        let answer = client.http_connector(&self.settings, &self.components).call(request);
        HttpConnectorFuture::new(async { answer.await.map(bounded) })
    }
}

/// The proxies for HTTP and HTTPS requests. The SDK supports only one proxy for both, or its own interpretation of the
/// environment.
#[derive(Debug)]
struct Proxies {
    http: ProxyConfig,
    https: ProxyConfig,
    /// Whether plain requests use TLS to reach their proxy.
    plain_is_encrypted: bool,
}

/// Chooses the proxies as the AWS CLI does (Python's `urllib.request.getproxies_environment`): lower case wins, an empty
/// value means none, and `ALL_PROXY` is ignored.
fn proxies(variable: Variables<'_>) -> Result<Proxies> {
    let choose = |name: &str| {
        let lower = name.to_ascii_lowercase();
        let found = match variable(&lower) {
            Some(value) => Some((lower, value)),
            None => variable(name).map(|value| (name.to_owned(), value)),
        };
        found.filter(|(_, value)| !value.is_empty())
    };
    let checked = |found: Option<(String, String)>| found.map(|(name, url)| check_url(&name, &url)).transpose();
    let (http, https) = (checked(choose("HTTP_PROXY"))?, checked(choose("HTTPS_PROXY"))?);
    let no_proxy = choose("NO_PROXY").map(|(_, list)| exceptions(&list)).unwrap_or_default();
    // In the SDK, `*` matches any name but no IP address.
    let usable = |url: Option<String>| url.filter(|_| no_proxy != "*");
    let (http, https) = (usable(http), usable(https));
    let plain_is_encrypted = http.as_ref().is_some_and(|url| url.starts_with("https:"));
    let config = |config: Option<std::result::Result<ProxyConfig, _>>| match config {
        None => Ok(ProxyConfig::disabled()),
        Some(Ok(config)) => Ok(config.no_proxy(&no_proxy)),
        Some(Err(_)) => Err(Error::new(Kind::Internal, "cannot use a proxy URL that was valid")),
    };
    Ok(Proxies {
        http: config(http.map(ProxyConfig::http))?,
        https: config(https.map(ProxyConfig::https))?,
        plain_is_encrypted,
    })
}

/// Returns the URL of a proxy with its scheme. The error message does not show a password in it.
fn check_url(name: &str, url: &str) -> Result<String> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let scheme = scheme.to_ascii_lowercase();
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let full = match authority.rsplit_once('@') {
        Some((secret, host)) => format!("{scheme}://{}@{host}{path}", encoded(secret)),
        None => format!("{scheme}://{rest}"),
    };
    let shown = rest.rsplit_once('@').map_or(rest, |(_secret, host)| host);
    let has_host = !shown.is_empty() && !shown.starts_with(['/', ':']);
    if has_host && ["http", "https"].contains(&scheme.as_str()) && ProxyConfig::http(full.as_str()).is_ok() {
        return Ok(full);
    }
    Err(Error::usage(format!("{name} is `{scheme}://{shown}`, which is not a valid HTTP proxy URL"))
        .hint(format!("set {name}=http://HOST:PORT, or unset it")))
}

/// Encodes what a URL cannot hold, because passwords stand in these variables as they are: the AWS CLI splits at the last
/// `@` (Python's `urllib.parse`), and decodes whatever is encoded.
fn encoded(secret: &str) -> String {
    const UNFIT: &AsciiSet = &NON_ALPHANUMERIC.remove(b':').remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    let mut pieces = secret.split('%');
    let first = pieces.next().unwrap_or_default();
    let mut all = utf8_percent_encode(first, UNFIT).to_string();
    for piece in pieces {
        let is_code = piece.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
        all.push_str(if is_code { "%" } else { "%25" });
        all.extend(utf8_percent_encode(piece, UNFIT));
    }
    all
}

/// Translates `NO_PROXY` for the SDK. The SDK compares hosts without ports and brackets, but Python allows entries such as
/// `localhost:4566`. In the SDK a `*` in a list matches any name; in Python only a `*` alone does.
fn exceptions(list: &str) -> String {
    let entries: Vec<_> = list.split(',').map(str::trim).filter(|entry| !entry.is_empty()).collect();
    if entries == ["*"] {
        return "*".to_owned();
    }
    let host = |entry: &str| {
        let host = match entry.rsplit_once(':') {
            Some((host, port)) if (!host.contains(':') || host.ends_with(']')) && port.parse::<u16>().is_ok() => host,
            _ => entry,
        };
        let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        inner.unwrap_or(host).to_owned()
    };
    entries.into_iter().filter(|entry| *entry != "*").map(host).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests;
