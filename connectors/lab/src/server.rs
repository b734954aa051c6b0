//! The network side of one tenant: a loopback listener, the call log and the faults around a
//! [`Tenant`]. It knows HTTP and nothing of any platform; a platform implements [`Tenant`].

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::connect_info::{ConnectInfo, Connected};
use axum::extract::{Request as HttpRequest, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use axum::serve::{IncomingStream, Listener};
use futures::stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::calls::Call;
use crate::fault::Effect;
use crate::watch::Watch;
use crate::wire::{Reply, Request};

const LARGEST_BODY: usize = 16 * 1024 * 1024;

/// One customer account of one platform, served on its own port.
pub(crate) trait Tenant: Send + Sync + 'static {
    /// The calls received so far, and the faults waiting for one.
    fn watch(&self) -> &Watch;
    /// How long every call takes.
    fn latency(&self) -> Duration;
    /// Who calls and what they ask, for the log and for matching faults; no status yet.
    fn describe(&self, request: &Request) -> Call;
    /// Makes an effect happen that only the platform understands; a reply ends the call.
    fn apply(&self, effect: &Effect) -> Option<Reply>;
    /// The platform's answer.
    fn answer(&self, request: &Request) -> Reply;
}

/// A listener in service; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Serving {
    _stop: oneshot::Sender<()>,
}

/// Serves `tenant` on a bound port until the result is dropped.
pub(crate) fn serve(bound: Bound, tenant: Arc<dyn Tenant>) -> Serving {
    let (stop, stopped) = oneshot::channel();
    let service = Router::new()
        .fallback(handle)
        .with_state(tenant)
        .into_make_service_with_connect_info::<Cut>();
    let door = Door::new(bound);
    tokio::spawn(async move {
        let served = axum::serve(door, service).with_graceful_shutdown(async move {
            // Both a value and a dropped sender mean the end.
            let _ended = stopped.await;
        });
        // Serving loopback fails only when the process is ending.
        let _ended = served.await;
    });
    Serving { _stop: stop }
}

/// A bound port, before it serves.
pub(crate) struct Bound {
    pub(crate) tcp: TcpListener,
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<tokio_rustls::TlsAcceptor>,
}

impl Bound {
    /// Takes a port on loopback.
    pub(crate) async fn loopback(port: u16) -> io::Result<Self> {
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        Ok(Self {
            tcp,
            #[cfg(feature = "tls")]
            tls: None,
        })
    }
}

async fn handle(
    State(tenant): State<Arc<dyn Tenant>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: HttpRequest,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
        return empty(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let request = Request::new(parts.method, &parts.uri, parts.headers, &body);
    let mut call = tenant.describe(&request);
    let effects = tenant.watch().plan.due(&call, &request.body);
    call.faulted = !effects.is_empty();

    let mut reply = None;
    let mut cut_after = None;
    let mut wait = tenant.latency();
    for effect in &effects {
        match effect {
            Effect::Drop => {
                cut.close();
                tenant.watch().log.push(call);
                return empty(StatusCode::OK);
            }
            Effect::CutBody { after_bytes } => cut_after = Some(*after_bytes),
            Effect::Slow { millis } => wait += Duration::from_millis(*millis),
            Effect::Reply { status, headers, body } => {
                reply.get_or_insert_with(|| canned(*status, headers, body));
            }
            Effect::Html => {
                reply
                    .get_or_insert_with(|| Reply::new(200, "text/html;charset=UTF-8", MAINTENANCE));
            }
            other => {
                if let Some(refusal) = tenant.apply(other) {
                    reply.get_or_insert(refusal);
                }
            }
        }
    }
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }
    let reply = reply.unwrap_or_else(|| tenant.answer(&request));
    call.status = Some(reply.status);
    tenant.watch().log.push(call);
    respond(reply, cut_after)
}

const MAINTENANCE: &str = "<!DOCTYPE html>\n<html><head><title>Down for maintenance</title></head>\
<body><h1>We are down for maintenance.</h1></body></html>\n";

fn canned(status: u16, headers: &[(String, String)], body: &str) -> Reply {
    let mut reply = if headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
        Reply { body: body.to_owned(), ..Reply::empty(status) }
    } else {
        Reply::json(status, body)
    };
    reply.headers.extend(headers.iter().cloned());
    reply
}

fn respond(reply: Reply, cut_after: Option<usize>) -> Response {
    let length = reply.body.len();
    let body = match cut_after {
        Some(bytes) if bytes < length => cut_body(&Bytes::from(reply.body), bytes),
        _ => Body::from(reply.body),
    };
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in reply.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    if cut_after.is_some() {
        response.headers_mut().insert("content-length", HeaderValue::from(length));
    }
    response
}

/// The first bytes, time for them to leave, then an error that closes the connection.
fn cut_body(whole: &Bytes, after_bytes: usize) -> Body {
    let parts = stream::unfold(Some(whole.slice(..after_bytes)), |part| async move {
        match part {
            Some(bytes) if !bytes.is_empty() => Some((Ok(bytes), Some(Bytes::new()))),
            _ => {
                tokio::time::sleep(Duration::from_millis(20)).await;
                Some((Err(io::Error::from(io::ErrorKind::ConnectionReset)), None))
            }
        }
    });
    Body::from_stream(parts)
}

fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// The switch that closes one connection without an answer.
#[derive(Debug, Clone, Default)]
struct Cut(Arc<AtomicBool>);

impl Cut {
    fn close(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn check(&self) -> io::Result<()> {
        if self.0.load(Ordering::Relaxed) {
            return Err(io::Error::from(io::ErrorKind::ConnectionAborted));
        }
        Ok(())
    }
}

impl Connected<IncomingStream<'_, Door>> for Cut {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        stream.io().cut.clone()
    }
}

trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A connection that its handler can cut.
struct Line {
    inner: Box<dyn Duplex>,
    cut: Cut,
}

impl Line {
    fn new(inner: impl Duplex + 'static) -> Self {
        Self { inner: Box::new(inner), cut: Cut::default() }
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.cut.check()?;
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.cut.check()?;
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

/// Accepts connections, with or without TLS.
#[cfg(not(feature = "tls"))]
struct Door(TcpListener);

#[cfg(not(feature = "tls"))]
impl Door {
    fn new(bound: Bound) -> Self {
        Self(bound.tcp)
    }

    async fn next(&mut self) -> io::Result<(Line, SocketAddr)> {
        let (stream, address) = accept(&self.0).await?;
        Ok((Line::new(stream), address))
    }

    fn address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// Accepts connections, with or without TLS; handshakes run beside each other.
#[cfg(feature = "tls")]
struct Door {
    bound: Bound,
    ready: tokio::sync::mpsc::Receiver<(Line, SocketAddr)>,
    hand_over: tokio::sync::mpsc::Sender<(Line, SocketAddr)>,
}

#[cfg(feature = "tls")]
impl Door {
    fn new(bound: Bound) -> Self {
        let (hand_over, ready) = tokio::sync::mpsc::channel(16);
        Self { bound, ready, hand_over }
    }

    async fn next(&mut self) -> io::Result<(Line, SocketAddr)> {
        loop {
            tokio::select! {
                Some(line) = self.ready.recv() => return Ok(line),
                accepted = accept(&self.bound.tcp) => {
                    let (stream, address) = accepted?;
                    let Some(tls) = self.bound.tls.clone() else {
                        return Ok((Line::new(stream), address));
                    };
                    let hand_over = self.hand_over.clone();
                    tokio::spawn(async move {
                        // A client that fails the handshake has seen its own error.
                        if let Ok(stream) = tls.accept(stream).await {
                            let _served = hand_over.send((Line::new(stream), address)).await;
                        }
                    });
                }
            }
        }
    }

    fn address(&self) -> io::Result<SocketAddr> {
        self.bound.tcp.local_addr()
    }
}

async fn accept(tcp: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    let (stream, address) = tcp.accept().await?;
    stream.set_nodelay(true)?;
    Ok((stream, address))
}

impl Listener for Door {
    type Io = Line;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Line, SocketAddr) {
        loop {
            match self.next().await {
                Ok(line) => return line,
                // Out of file handles, most likely: wait for some to come back.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.address()
    }
}
