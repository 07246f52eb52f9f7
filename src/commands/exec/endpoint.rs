//! The endpoint of `exec --server`, from which SDKs get credentials as in a container (AWS SDKs and Tools Reference Guide,
//! "Container credential provider").
//!
//! Everything on this machine can connect to the loopback interface, and web pages can make a browser do so. So a request
//! needs a secret token, and the address as its host.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use hyper::body::Incoming;
use hyper::header::{ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use subtle::ConstantTimeEq;
use tokio::sync::{Notify, watch};
use tokio::task::{AbortHandle, JoinSet};

use super::renewal::Current;
use crate::context::Context;
use crate::error::{Error, Kind, Result};
use crate::export;
use crate::iam::arn::RoleArn;

/// The SDK for Ruby needs a path (aws-sdk-ruby, `ecs_credentials.rb`).
const PATH: &str = "/credentials";

/// How many connections may be open at once. Another one takes the place of the oldest that has not sent a whole head, so
/// that idle connections of other users of this computer cannot block clients.
const CONNECTIONS: usize = 128;

/// The longest head of a request, in bytes. The body is never read.
const LONGEST_HEAD: usize = 16 * 1024;

/// How long a connection may take, and the head of its request: clients on this machine send it at once.
const PATIENCE: Duration = Duration::from_secs(5);
const PATIENCE_FOR_HEAD: Duration = Duration::from_millis(500);

/// How long a request waits for a session that is being renewed: botocore waits two seconds for an answer
/// (`utils.py`, `ContainerMetadataFetcher.TIMEOUT_SECONDS`).
const WAIT: Duration = Duration::from_millis(1500);

/// A port of the loopback interface and its token, before it serves.
pub struct Endpoint {
    listener: TcpListener,
    address: String,
    token: String,
}

impl Endpoint {
    /// Opens a port that the system chooses, and makes a token of 256 random bits.
    ///
    /// # Errors
    /// When there is no port or no randomness.
    pub fn open(context: &Context) -> Result<Self> {
        let cannot = |error: std::io::Error| Error::new(Kind::Internal, format!("cannot start the server: {error}"));
        let mut token = [0; 32];
        (context.random)(&mut token).map_err(cannot)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(cannot)?;
        listener.set_nonblocking(true).map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?.to_string();
        Ok(Self { listener, address, token: token.iter().map(|byte| format!("{byte:02x}")).collect() })
    }

    /// Returns the URI of the credentials.
    pub fn uri(&self) -> String {
        format!("http://{}{PATH}", self.address)
    }

    /// Returns the variables with which SDKs find the endpoint. One is secret.
    pub fn variables(&self) -> [(&'static str, String); 2] {
        [("AWS_CONTAINER_CREDENTIALS_FULL_URI", self.uri()), ("AWS_CONTAINER_AUTHORIZATION_TOKEN", self.token.clone())]
    }

    /// Serves the current session until the future is dropped. A request that finds it expired calls for a new one.
    ///
    /// # Errors
    /// When the port cannot be used.
    pub async fn serve(self, service: Service) -> std::io::Result<Infallible> {
        let listener = tokio::net::TcpListener::from_std(self.listener)?;
        let served = Arc::new(Served { address: self.address, token: self.token, service });
        let mut connections = JoinSet::new();
        // Those that have not sent a whole head, the oldest first.
        let mut waiting: VecDeque<(AbortHandle, Arc<AtomicBool>)> = VecDeque::new();
        loop {
            while connections.try_join_next().is_some() {}
            waiting.retain(|(connection, has_head)| !connection.is_finished() && !has_head.load(Ordering::Relaxed));
            while connections.len() >= CONNECTIONS {
                if let Some((oldest, _)) = waiting.pop_front() {
                    oldest.abort();
                }
                connections.join_next().await;
            }
            let Ok((stream, _)) = listener.accept().await else {
                // Too many open files, for example.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let served = Arc::clone(&served);
            let has_head = Arc::new(AtomicBool::new(false));
            let sets = Arc::clone(&has_head);
            let connection = connections.spawn(async move {
                let answer = service_fn(|request| {
                    sets.store(true, Ordering::Relaxed);
                    let served = Arc::clone(&served);
                    async move { Ok::<_, Infallible>(served.answer(&request).await) }
                });
                let connection = http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(PATIENCE_FOR_HEAD)
                    .max_buf_size(LONGEST_HEAD)
                    .keep_alive(false)
                    .serve_connection(TokioIo::new(stream), answer);
                // A client that breaks off or talks too long gets no answer.
                let _ = tokio::time::timeout(PATIENCE, connection).await;
            });
            waiting.push_back((connection, has_head));
            // Reads what has arrived before the next connection can take the place of this one.
            tokio::task::yield_now().await;
        }
    }
}

/// What the endpoint serves.
pub struct Service {
    pub role: RoleArn,
    pub current: watch::Receiver<Current>,
    /// Calls for a new session.
    pub wake: Arc<Notify>,
    pub now: fn() -> SystemTime,
}

struct Served {
    address: String,
    token: String,
    service: Service,
}

impl Served {
    async fn answer(&self, request: &Request<Incoming>) -> Response<String> {
        let header = |name| request.headers().get(name).map(HeaderValue::as_bytes);
        if header(HOST) != Some(self.address.as_bytes()) {
            return refusal(StatusCode::FORBIDDEN, "WrongHost", "the Host header is not that of this endpoint");
        }
        let given = header(AUTHORIZATION).unwrap_or_default();
        if !bool::from(given.ct_eq(self.token.as_bytes())) {
            let message = "the Authorization header is not the token of this endpoint";
            return refusal(StatusCode::UNAUTHORIZED, "WrongToken", message);
        }
        if request.uri().path() != PATH {
            return refusal(StatusCode::NOT_FOUND, "NotFound", "there is nothing at this path");
        }
        if request.method() != Method::GET {
            let mut response = refusal(StatusCode::METHOD_NOT_ALLOWED, "WrongMethod", "the method is not GET");
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET"));
            return response;
        }
        self.credentials().await
    }

    async fn credentials(&self) -> Response<String> {
        let Service { role, current, wake, now } = &self.service;
        let mut current = current.clone();
        let is_alive = |current: &Current| current.is_alive(now());
        if !is_alive(&current.borrow_and_update()) {
            // The computer slept, for example.
            wake.notify_one();
            let _ = tokio::time::timeout(WAIT, current.wait_for(is_alive)).await;
        }
        let current = current.borrow();
        if is_alive(&current) {
            return response(StatusCode::OK, export::container(&current.reveal(now()), role));
        }
        let why = current.failure.as_deref().unwrap_or("the session expired, and xacct is renewing it");
        refusal(StatusCode::SERVICE_UNAVAILABLE, "SessionExpired", why)
    }
}

fn refusal(status: StatusCode, code: &str, message: &str) -> Response<String> {
    response(status, json!({ "Code": code, "Message": message }).to_string())
}

fn response(status: StatusCode, body: String) -> Response<String> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
