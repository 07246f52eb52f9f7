//! The socket: HTTP/1.1, with concurrent connections.

use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::backend::{Answer, Backend, Reply};
use crate::request::Request;

/// The maximum size of a request.
const LONGEST_BODY: usize = 16 * 1024 * 1024;

/// The pause before another attempt at what the system will allow soon.
const PAUSE: Duration = Duration::from_millis(10);

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;

/// Accepts connections until the runtime stops, but none while the server is gone.
pub(crate) async fn serve(mut listener: TcpListener, backend: Arc<Backend>) {
    let Ok(address) = listener.local_addr() else { return };
    let mut gone = backend.gone.subscribe();
    let mut connections = 0;
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = gone.changed() => {
                drop(listener);
                let port = kept(address).await;
                while *gone.borrow() {
                    if gone.changed().await.is_err() {
                        return;
                    }
                }
                // Closed connections still have the port, and Linux looks once more.
                let Ok(back) = port.set_reuseaddr(true).and_then(|()| port.listen(BACKLOG)) else { return };
                listener = back;
                continue;
            }
        };
        let Ok((stream, _)) = accepted else {
            // For example, no file descriptors are left until others are closed.
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        connections += 1;
        tokio::spawn(connection(stream, connections, Arc::clone(&backend)));
    }
}

/// Keeps the port without listening on it: connections are refused, and no other program gets it meanwhile.
async fn kept(address: SocketAddr) -> TcpSocket {
    loop {
        // A process that another thread has just forked has the closed listener, too, until it becomes its program.
        match unheard(address) {
            Ok(socket) => return socket,
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// Returns a socket that has the port, but does not listen.
fn unheard(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // Closed connections still have the port, but nobody else may have it.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.set_reuseaddr(false)?;
    Ok(socket)
}

async fn connection(stream: TcpStream, number: u64, backend: Arc<Backend>) {
    // Without this, small responses wait for the client's acknowledgement. A failure to set it is harmless.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let answer: Pin<Box<dyn Future<Output = _> + Send>> = Box::pin(respond(request, number, Arc::clone(&backend)));
        answer
    });
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let end = poll_fn(|context| connection.poll_without_shutdown(context)).await;
    let cause = end.as_ref().err().and_then(std::error::Error::source);
    let cause = cause.and_then(|cause| cause.downcast_ref::<io::Error>());
    if cause.is_some_and(|cause| cause.kind() == io::ErrorKind::ConnectionReset) {
        // Closing without lingering resets the connection.
        let _ = connection.into_parts().io.into_inner().set_zero_linger();
    } else if let Some(Raw(bytes)) = cause.and_then(|cause| cause.get_ref()?.downcast_ref()) {
        let bytes = *bytes;
        // A client that is gone misses nothing.
        let _ = connection.into_parts().io.into_inner().write_all(bytes).await;
    }
}

async fn respond(
    request: hyper::Request<Incoming>,
    connection: u64,
    backend: Arc<Backend>,
) -> io::Result<hyper::Response<AnswerBody>> {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, LONGEST_BODY).collect().await;
    let body = body.map_err(io::Error::other)?.to_bytes();
    let request = Request {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body,
    };
    // In a separate task, because AWS completes requests even if the client closed the connection.
    let reply = tokio::spawn(async move { backend.reply(&request, connection).await });
    match reply.await.map_err(io::Error::other)? {
        Reply::Answer(answer) => Ok(response(answer)),
        Reply::Reset => Err(io::ErrorKind::ConnectionReset.into()),
        Reply::Raw(bytes) => Err(io::Error::other(Raw(bytes))),
    }
}

/// What is sent in place of an answer before the connection is closed.
#[derive(Debug)]
struct Raw(&'static [u8]);

impl std::fmt::Display for Raw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no HTTP")
    }
}

impl std::error::Error for Raw {}

fn response(answer: Answer) -> hyper::Response<AnswerBody> {
    let length = answer.body.len();
    let sent = if answer.truncated { length / 2 } else { length };
    let mut response = hyper::Response::new(AnswerBody {
        rest: Some(answer.body.slice(..sent)),
        missing: (length - sent) as u64,
        flushed: false,
    });
    *response.status_mut() = http::StatusCode::from_u16(answer.status).unwrap_or_default();
    for (name, value) in answer.headers {
        // Skips values that are not valid headers, such as a bucket name with a line break.
        if let Ok(value) = http::HeaderValue::from_str(&value) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

/// A body that may be shorter than its declared length.
struct AnswerBody {
    rest: Option<Bytes>,
    missing: u64,
    flushed: bool,
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match self.rest.take() {
            Some(bytes) if !bytes.is_empty() => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            _ if self.missing == 0 => Poll::Ready(None),
            _ if self.flushed => Poll::Ready(Some(Err(io::Error::other("to break off")))),
            _ => {
                // The data must be flushed before the error, which discards the buffer.
                self.flushed = true;
                context.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.missing == 0 && self.rest.as_ref().is_none_or(Bytes::is_empty)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.as_ref().map_or(0, |rest| rest.len() as u64) + self.missing)
    }
}
