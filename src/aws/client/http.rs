//! HTTP clients, with the proxies and certificate authorities that the AWS CLI would use.
//!
//! The SDK by itself knows no CA bundle, and no proxy where the client is not its own default.

use std::path::Path;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
    http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_types::os_shim_internal::Env;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::aws::client::bounds::bounded;
use crate::error::{Error, Kind, Result};
use crate::files;

/// A file of trusted certificates, and the setting that names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::aws) struct Bundle {
    setting: String,
    path: String,
}

/// Environment variables, by name.
pub(in crate::aws) type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Reads an environment variable, as the SDK does.
pub(in crate::aws) fn variable(name: &str) -> Option<String> {
    Env::real().get(name).ok()
}

impl Bundle {
    /// Finds the bundle in the AWS CLI's order (botocore, `configprovider.py` and `args.py`). It replaces what the system
    /// trusts. `SSL_CERT_FILE`, which names what the system trusts, is read by the TLS library itself.
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

    /// Returns the valid certificates, each as PEM. The SDK panics at an invalid one.
    fn certificates(&self) -> Result<Vec<String>> {
        let text = self.read()?;
        let usable: Vec<_> = blocks(&text).filter(|block| is_usable(block)).map(str::to_owned).collect();
        if usable.is_empty() { Err(self.unusable(&NO_CERTIFICATE)) } else { Ok(usable) }
    }

    /// Checks that there is one valid certificate, which is much faster than checking all.
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
        Error::new(Kind::File, format!("the CA bundle `{path}` ({setting}) cannot be used: {why}"))
            .hint("name a PEM file with the certificates of the authorities to trust, or unset it")
    }
}

const NO_CERTIFICATE: &str = "it holds no certificate in PEM form";

/// Splits a bundle into pieces that each end with a certificate, except perhaps the last.
fn blocks(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(END)
}

const END: &str = "-----END CERTIFICATE-----";

fn is_usable(block: &str) -> bool {
    let certificate = CertificateDer::from_pem_slice(block.as_bytes());
    certificate.is_ok_and(|certificate| RootCertStore::empty().add(certificate).is_ok())
}

/// Creates an HTTP client with a connection pool. What encryption needs, such as the system's certificates, is read when
/// it is first used.
///
/// # Errors
/// When a proxy's URL or a CA bundle is invalid: ignoring the setting in silence could send requests another way.
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
    // Nobody is to be trusted where nothing is encrypted, neither before the proxy nor behind it.
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

/// Creates a client that connects when it is first used. The SDK's builder of clients itself supports no proxy.
fn through(proxy: ProxyConfig, trust: TrustStore) -> Result<SharedHttpClient> {
    let tls = TlsContext::builder().with_trust_store(trust).build();
    let tls = tls.map_err(|error| Error::new(Kind::Internal, format!("the TLS settings: {error}")))?;
    Ok(Builder::new().build_with_connector_fn(move |settings, components| {
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
    }))
}

/// Routes encrypted and plain requests apart: encrypted ones may have a proxy of their own, and need certificates. The
/// scheme of a request decides, so that the other connector is never set up.
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
        // The client keeps its connector, and with it the connections.
        let answer = client.http_connector(&self.settings, &self.components).call(request);
        HttpConnectorFuture::new(async { answer.await.map(bounded) })
    }
}

/// The proxies for plain and for encrypted requests. The SDK's own settings allow one, or what the SDK makes of
/// the environment by its own rules.
#[derive(Debug)]
struct Proxies {
    http: ProxyConfig,
    https: ProxyConfig,
    /// Whether the connection to the proxy is encrypted, even for plain requests.
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
    // The SDK takes `*` for any name, but for no address.
    let usable = |url: Option<String>| url.filter(|_| no_proxy != "*");
    let (http, https) = (usable(http), usable(https));
    let plain_is_encrypted = http.as_ref().is_some_and(|url| url.starts_with("https:"));
    let config = |config: Option<std::result::Result<ProxyConfig, _>>| match config {
        None => Ok(ProxyConfig::disabled()),
        Some(Ok(config)) => Ok(config.no_proxy(&no_proxy)),
        Some(Err(_)) => Err(Error::new(Kind::Internal, "a proxy that was checked cannot be used")),
    };
    Ok(Proxies {
        http: config(http.map(ProxyConfig::http))?,
        https: config(https.map(ProxyConfig::https))?,
        plain_is_encrypted,
    })
}

/// Returns a valid URL with its scheme; the error message hides a password in it.
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

/// Translates `NO_PROXY` for the SDK. It compares hosts without ports and brackets, where Python knows entries
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
mod tests;
