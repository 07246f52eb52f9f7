//! A proxy in front of a server that adds latency and TLS.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;

use crate::support::Authority;

/// A proxy for a local server, on its own port. It ends on drop.
pub struct Wire {
    scheme: &'static str,
    port: u16,
    connections: Arc<AtomicUsize>,
    runtime: Option<Runtime>,
}

impl Wire {
    /// Creates a proxy for that port. What a client sends arrives after the latency; answers arrive at once. With a CA
    /// the connection uses TLS, and only it is delayed: a round trip to connect, one for the handshake (TLS 1.3).
    pub fn start(server: u16, delay: Duration, authority: Option<&Authority>) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("threads");
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).expect("a port");
        let port = listener.local_addr().expect("a port").port();
        let acceptor = authority.map(|authority| authority.acceptor.clone());
        let scheme = if acceptor.is_some() { "https" } else { "http" };
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        runtime.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(carry(client, server, delay, acceptor.clone()));
            }
        });
        Self { scheme, port, connections, runtime: Some(runtime) }
    }

    /// Returns its URL.
    pub fn url(&self) -> String {
        format!("{}://127.0.0.1:{}", self.scheme, self.port)
    }

    /// Returns the number of connections.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn carry(client: TcpStream, server: u16, delay: Duration, acceptor: Option<TlsAcceptor>) -> io::Result<()> {
    client.set_nodelay(true)?;
    let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, server)).await?;
    server.set_nodelay(true)?;
    match acceptor {
        Some(acceptor) => {
            tokio::time::sleep(delay * 2).await;
            let mut client = acceptor.accept(client).await?;
            tokio::io::copy_bidirectional(&mut client, &mut server).await?
        }
        None => {
            let (far_end, mut late) = tokio::io::duplex(64 * 1024);
            tokio::spawn(hold_back(client, far_end, delay));
            tokio::io::copy_bidirectional(&mut late, &mut server).await?
        }
    };
    Ok(())
}

/// Forwards what the client sent after the latency. Parts sent together arrive together: the proxy adds latency without
/// limiting bandwidth.
async fn hold_back(client: TcpStream, far_end: DuplexStream, delay: Duration) -> io::Result<()> {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = tokio::io::split(far_end);
    let (sender, mut on_the_way) = tokio::sync::mpsc::unbounded_channel();
    let reading = async move {
        loop {
            let mut part = Vec::with_capacity(16 * 1024);
            if from_client.read_buf(&mut part).await? == 0 || sender.send((Instant::now() + delay, part)).is_err() {
                return Ok(());
            }
        }
    };
    let handing_over = async move {
        while let Some((due, part)) = on_the_way.recv().await {
            tokio::time::sleep_until(due).await;
            to_server.write_all(&part).await?;
        }
        to_server.shutdown().await
    };
    let back = async move {
        tokio::io::copy(&mut from_server, &mut to_client).await?;
        to_client.shutdown().await
    };
    tokio::try_join!(reading, handing_over, back).map(|_| ())
}
