//! A proxy that records its requests.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// The first line of a request, and the proxy credentials.
type Head = (String, Option<String>);

/// Returns the address to connect to for a host, if any.
type Place = dyn Fn(&str) -> Option<String> + Send + Sync;

/// A proxy on this machine that connects to every host, to none, or to one in place of all.
pub struct Proxy {
    port: u16,
    asked: Arc<Mutex<Vec<Head>>>,
}

impl Proxy {
    /// Starts a proxy on a separate thread.
    pub fn start(connects: bool) -> Self {
        Self::connecting(move |host| connects.then(|| host.to_owned()))
    }

    /// Starts a proxy that connects to this address, whatever host it is asked for.
    pub fn to(address: String) -> Self {
        Self::connecting(move |_| Some(address.clone()))
    }

    fn connecting(place: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        let place: Arc<Place> = Arc::new(place);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("a port").port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&asked);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (record, place) = (Arc::clone(&record), Arc::clone(&place));
                std::thread::spawn(move || serve(client, &*place, &record));
            }
        });
        Self { port, asked }
    }

    /// Returns the URL for `HTTP_PROXY` and the like.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Returns the first line of every request.
    pub fn asked(&self) -> Vec<String> {
        self.heads().into_iter().map(|(line, _)| line).collect()
    }

    /// Returns the first line of every request, and its proxy credentials.
    pub fn heads(&self) -> Vec<Head> {
        self.asked.lock().unwrap().clone()
    }
}

/// Reads one request head, then only forwards bytes.
fn serve(mut client: TcpStream, place: &Place, asked: &Mutex<Vec<Head>>) -> Option<()> {
    let mut reader = BufReader::new(client.try_clone().ok()?);
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if reader.read_until(b'\n', &mut head).ok()? == 0 {
            return None;
        }
    }
    let text = String::from_utf8_lossy(&head).into_owned();
    let line = text.lines().next()?.to_owned();
    let credentials = text
        .lines()
        .find_map(|line| line.to_ascii_lowercase().starts_with("proxy-authorization:").then(|| line.to_owned()));
    asked.lock().unwrap().push((line.clone(), credentials));
    let mut words = line.split(' ');
    let is_tunnel = words.next()? == "CONNECT";
    let host = words.next()?.trim_start_matches("http://").split('/').next()?;
    let Some(address) = place(host) else {
        client.write_all(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").ok()?;
        return None;
    };
    let mut server = TcpStream::connect(address).ok()?;
    if is_tunnel {
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").ok()?;
    } else {
        server.write_all(&head).ok()?;
    }
    let mut back = server.try_clone().ok()?;
    std::thread::spawn(move || carry(&mut back, &mut client));
    carry(&mut reader, &mut server);
    Some(())
}

fn carry(from: &mut impl Read, to: &mut TcpStream) {
    let _ = std::io::copy(from, to);
    let _ = to.shutdown(std::net::Shutdown::Write);
}
