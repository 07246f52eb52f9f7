//! The way to AWS: proxies and certificate authorities, from where the AWS CLI takes them.
//!
//! The SDK by itself knows no CA bundle, and no proxy where the client is not its own default.

use std::path::Path;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::error::{Error, Kind, Result};

/// A file with the certificates that are trusted, and the setting that names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Bundle {
    setting: String,
    path: String,
}

/// Environment variables, by name.
pub(super) type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Bundle {
    /// In the AWS CLI's order (botocore, `configprovider.py` and `args.py`). It stands in the place of what the system
    /// trusts. `SSL_CERT_FILE`, which names what the system trusts, is read by the TLS library itself.
    pub(super) fn find(variable: Variables<'_>, profile: Option<(&str, &str)>) -> Option<Self> {
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

    /// The certificates that can be used, each as PEM. The SDK panics at one that cannot.
    fn certificates(&self) -> Result<Vec<String>> {
        let Self { setting, path } = self;
        let failed = |why: &dyn std::fmt::Display| {
            Error::new(Kind::File, format!("the CA bundle `{path}` ({setting}) cannot be used: {why}"))
                .hint("name a PEM file with the certificates of the authorities to trust, or unset it")
        };
        let bytes = std::fs::read(Path::new(path)).map_err(|error| failed(&error))?;
        let text = String::from_utf8_lossy(&bytes);
        let usable: Vec<_> = text.split_inclusive(END).filter(|block| is_usable(block)).map(str::to_owned).collect();
        if usable.is_empty() {
            return Err(failed(&"it holds no certificate in PEM form"));
        }
        Ok(usable)
    }
}

const END: &str = "-----END CERTIFICATE-----";

fn is_usable(block: &str) -> bool {
    let certificate = CertificateDer::from_pem_slice(block.as_bytes());
    certificate.is_ok_and(|certificate| RootCertStore::empty().add(certificate).is_ok())
}

/// An HTTP client with a connection pool.
///
/// # Errors
/// When a proxy's URL or a CA bundle cannot be used: another way than the one asked for must not be taken in silence.
pub(super) fn client(bundle: Option<&Bundle>, variable: Variables<'_>) -> Result<SharedHttpClient> {
    let proxies = proxies(variable)?;
    let trust = match bundle {
        Some(bundle) => {
            let certificates = bundle.certificates()?;
            certificates.into_iter().fold(TrustStore::empty(), TrustStore::with_pem_certificate)
        }
        None => {
            if let Some(path) = variable("SSL_CERT_FILE").filter(|path| !path.is_empty()) {
                Bundle { setting: "SSL_CERT_FILE".to_owned(), path }.certificates()?;
            }
            TrustStore::default()
        }
    };
    let tls = TlsContext::builder().with_trust_store(trust).build();
    let tls = tls.map_err(|error| Error::new(Kind::Internal, format!("the TLS settings: {error}")))?;
    // The builder of clients itself takes no proxy.
    let through = |proxy: ProxyConfig| {
        let tls = tls.clone();
        Builder::new().build_with_connector_fn(move |settings, components| {
            let mut connector = Connector::builder();
            connector.set_connector_settings(settings.cloned());
            if let Some(components) = components {
                connector.set_sleep_impl(components.sleep_impl());
            }
            connector
                .proxy_config(proxy.clone())
                .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
                .tls_context(tls.clone())
                .build()
        })
    };
    Ok(match proxies {
        Proxies::One(proxy) => through(proxy),
        Proxies::Two { http, https } => {
            let (http, https) = (through(http), through(https));
            http_client_fn(move |settings, components| {
                let connect = |client: &SharedHttpClient| client.http_connector(settings, components);
                SharedHttpConnector::new(ByScheme { http: connect(&http), https: connect(&https) })
            })
        }
    })
}

/// The proxies to go through: the SDK's settings hold one, or what it makes of the environment by rules of its own.
#[derive(Debug)]
enum Proxies {
    One(ProxyConfig),
    Two { http: ProxyConfig, https: ProxyConfig },
}

/// Encrypted requests take another proxy than plain ones.
#[derive(Debug)]
struct ByScheme {
    http: SharedHttpConnector,
    https: SharedHttpConnector,
}

impl HttpConnector for ByScheme {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        match request.uri().starts_with("https:") {
            true => self.https.call(request),
            false => self.http.call(request),
        }
    }
}

/// The proxy as the AWS CLI chooses it (Python's `urllib.request.getproxies_environment`): lower case wins, an empty
/// value means none, and `ALL_PROXY` is no variable of its.
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
    if no_proxy == "*" {
        // The SDK takes it for any name, but for no address.
        return Ok(Proxies::One(ProxyConfig::disabled()));
    }
    let config = |config: std::result::Result<ProxyConfig, _>| match config {
        Ok(config) => Ok(config.no_proxy(&no_proxy)),
        Err(_) => Err(Error::new(Kind::Internal, "a proxy that was checked cannot be used")),
    };
    Ok(match (http, https) {
        (None, None) => Proxies::One(ProxyConfig::disabled()),
        (Some(http), Some(https)) if http == https => Proxies::One(config(ProxyConfig::all(https))?),
        (Some(http), Some(https)) => {
            Proxies::Two { http: config(ProxyConfig::http(http))?, https: config(ProxyConfig::https(https))? }
        }
        (None, Some(https)) => Proxies::One(config(ProxyConfig::https(https))?),
        (Some(http), None) => Proxies::One(config(ProxyConfig::http(http))?),
    })
}

/// A URL that can be connected to, with its scheme; the message hides a password in it.
fn check_url(name: &str, url: &str) -> Result<String> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let scheme = scheme.to_ascii_lowercase();
    let full = format!("{scheme}://{rest}");
    let shown = rest.rsplit_once('@').map_or(rest, |(_secret, host)| host);
    let has_host = !shown.is_empty() && !shown.starts_with(['/', ':']);
    if has_host && ["http", "https"].contains(&scheme.as_str()) && ProxyConfig::http(full.as_str()).is_ok() {
        return Ok(full);
    }
    Err(Error::usage(format!("{name} is `{scheme}://{shown}`, which is no URL of an HTTP proxy"))
        .hint(format!("write {name}=http://HOST:PORT, or unset it")))
}

/// The exceptions as the SDK understands them. It compares hosts without ports and brackets, where Python knows entries
/// such as `localhost:4566`, and takes a `*` among others for any name, where for Python only one that stands alone is.
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
#[path = "network_tests.rs"]
mod tests;
