//! A TLS proxy in front of a local server.

use std::io;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use xacct_sandbox::Sandbox;

/// A test CA that no program trusts by default, and a certificate it issued for this machine and for AWS.
pub struct Authority {
    /// The CA certificate in PEM format, for `AWS_CA_BUNDLE`.
    pub pem: String,
    /// The acceptor with the certificate for this machine. It supports only HTTP/1.1, like IAM, STS and S3.
    pub acceptor: TlsAcceptor,
}

impl Authority {
    /// Creates a CA.
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("an authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // OpenSSL considers a certificate self-signed if its subject equals its issuer.
        params.distinguished_name.push(DnType::CommonName, "xacct's tests");
        let authority =
            CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority");
        let key = KeyPair::generate().expect("a key");
        let names = ["127.0.0.1", "localhost", "*.amazonaws.com", "*.us-east-1.amazonaws.com"];
        let params = CertificateParams::new(names.map(str::to_owned)).expect("names");
        let certificate = params.signed_by(&key, &authority).expect("a certificate");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("TLS")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("TLS");
        Self { pem: authority.pem(), acceptor: TlsAcceptor::from(Arc::new(config)) }
    }
}

/// A TLS proxy in front of a sandbox, with a certificate of this CA.
pub struct Tls {
    /// Its URL.
    pub url: String,
    /// The CA certificate in PEM format.
    pub authority: String,
    connections: Arc<AtomicUsize>,
    latency: Arc<Mutex<Duration>>,
    _runtime: tokio::runtime::Runtime,
}

impl Tls {
    /// Starts the proxy on a separate thread.
    pub fn before(sandbox: &Sandbox) -> Self {
        Self::start(sandbox.port(), false)
    }

    /// Starts the proxy in front of a server without TLS that evaluates `aws:SecureTransport`: it tells the server which
    /// requests came through TLS.
    pub fn before_port(port: u16) -> Self {
        Self::start(port, true)
    }

    fn start(server: u16, tells: bool) -> Self {
        let Authority { pem: authority, acceptor } = Authority::new();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("threads");
        let listener = runtime.block_on(tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).expect("a port");
        let port = listener.local_addr().expect("a port").port();
        let (connections, latency) = (Arc::<AtomicUsize>::default(), Arc::<Mutex<Duration>>::default());
        let (counted, delay) = (Arc::clone(&connections), Arc::clone(&latency));
        runtime.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::Relaxed);
                let (acceptor, delay) = (acceptor.clone(), *delay.lock().expect("a latency"));
                tokio::spawn(async move {
                    tokio::time::sleep(delay).await;
                    let mut client = acceptor.accept(client).await.ok()?;
                    let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, server)).await.ok()?;
                    if tells {
                        pass_first_line(&mut client, &mut server).await.ok()?;
                    }
                    tokio::io::copy_bidirectional(&mut client, &mut server).await.ok()
                });
            }
        });
        let url = format!("https://127.0.0.1:{port}");
        Self { url, authority, connections, latency, _runtime: runtime }
    }

    /// Returns its address.
    pub fn address(&self) -> String {
        self.url.replace("https://", "")
    }

    /// Returns the number of connections so far.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Sets the delay of the TLS handshake.
    pub fn set_latency(&self, latency: Duration) {
        *self.latency.lock().expect("a latency") = latency;
    }
}

/// Passes the first line of a request on, and adds a header as of a load balancer. Ends the connection with the request:
/// the next one needs the header, too.
async fn pass_first_line(client: &mut (impl AsyncRead + Unpin), server: &mut TcpStream) -> io::Result<()> {
    let mut line = Vec::new();
    while !line.ends_with(b"\n") {
        line.push(client.read_u8().await?);
    }
    line.extend(b"X-Forwarded-Proto: https\r\nConnection: close\r\n");
    server.write_all(&line).await
}
