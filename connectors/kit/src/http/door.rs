//! [`Door`]: sends requests for one tenant.

use std::{
    collections::BTreeMap,
    error::Error as _,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use rand::Rng;
use reqwest::header::{CONTENT_TYPE, HeaderValue, LOCATION};
use tokio_util::sync::CancellationToken;
use url::{Host, Origin, Url};

use super::{
    Body, Classify, QuotaUse, Redactor, Reply, Request, Verdict, pace::Pacer, request::html_error,
};
use crate::{
    clock::Clock,
    error::{Answer, Error, ErrorKind, Result},
    manifest::Bucket,
    secret::Secret,
};

/// Proves to the API who is asking.
#[async_trait]
pub trait Authorize: Send + Sync {
    /// The token to use now.
    ///
    /// # Errors
    /// When no token can be had.
    async fn stamp(&self, request: &Request) -> Result<Stamp>;

    /// The API refused the stamp with this generation; forget what it was made from.
    async fn refused(&self, generation: u64);

    /// Takes from a reply what the next stamp needs.
    fn heed(&self, reply: &Reply) {
        let _ = reply;
    }
}

/// What one sending of a request carries to prove who asks. Made anew for each sending: some of it is good for one use only.
#[derive(Clone, Default)]
pub struct Stamp {
    /// The scheme of the `Authorization` header, `Bearer`, and the access token. A token endpoint gets none.
    pub token: Option<(&'static str, Secret)>,
    /// Further headers, in lower case.
    pub headers: Vec<(&'static str, Secret)>,
    /// Further fields of a form.
    pub fields: Vec<(&'static str, Secret)>,
    /// Tells stamps of one source apart without comparing secrets.
    pub generation: u64,
}

impl Stamp {
    /// The access token, if there is one.
    pub fn access_token(&self) -> Option<&Secret> {
        self.token.as_ref().map(|(_, token)| token)
    }
}

/// Bounds on one request.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Time to connect.
    pub connect: Duration,
    /// Time from sending to the end of the body.
    pub answer: Duration,
    /// Largest body, in bytes.
    pub body: usize,
    /// Sends of one request, the first included.
    pub attempts: u32,
    /// Longest time that one request may spend waiting between sends.
    pub patience: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            answer: Duration::from_secs(120),
            body: 64 << 20,
            attempts: 6,
            patience: Duration::from_secs(180),
        }
    }
}

/// What a [`Door`] is made from.
pub struct DoorConfig {
    /// The tenant's name, for errors.
    pub tenant: String,
    /// The platform id, for errors.
    pub platform: String,
    /// Where requests may go.
    pub origins: Vec<Url>,
    /// Certificate authorities to trust besides the machine's, PEM.
    pub certificate_authorities: Option<Vec<u8>>,
    /// Pacing by bucket name.
    pub buckets: BTreeMap<String, Bucket>,
    /// The platform's dialect.
    pub classify: Arc<dyn Classify>,
    /// Bounds on each request.
    pub limits: Limits,
    /// The share of the tenant's quota, in percent, that is left untouched.
    pub keep_quota_percent: u8,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Stops everything.
    pub cancel: CancellationToken,
}

/// Sends requests for one tenant.
pub struct Door {
    /// For this machine; never through a proxy, which is another machine.
    local: Option<reqwest::Client>,
    /// For everywhere else.
    remote: Option<reqwest::Client>,
    tenant: String,
    platform: String,
    origins: Vec<Origin>,
    pacer: Pacer,
    classify: Arc<dyn Classify>,
    limits: Limits,
    keep_quota_percent: u8,
    quota: Mutex<Option<QuotaUse>>,
    /// The platform said that the quota is used up: nothing more is sent in this session.
    is_exhausted: AtomicBool,
    redactor: Redactor,
    clock: Arc<dyn Clock>,
    cancel: CancellationToken,
    budget: RetryBudget,
    calls: AtomicU64,
}

/// Lets a session retry a share of its calls, so that a platform in trouble is not hammered.
struct RetryBudget(AtomicI64);

impl RetryBudget {
    /// Retries that a new session may make before any call worked, in tenths.
    const START: i64 = 300;
    /// What a call that works adds, in tenths: one retry per five calls.
    const EARN: i64 = 2;
    const PRICE: i64 = 10;

    fn earn(&self) {
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            Some((left + Self::EARN).min(Self::START))
        });
    }

    fn spend(&self) -> bool {
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                (left >= Self::PRICE).then_some(left - Self::PRICE)
            })
            .is_ok()
    }
}

/// How a body is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    Whole,
    InPieces,
}

/// What came back: the reply, and the body's pieces if it is not in the reply.
struct Received {
    reply: Reply,
    rest: Option<reqwest::Response>,
}

/// Why a send did not give a usable reply.
pub(super) enum Failure {
    Final(Error),
    SignInAgain(Error),
    /// May pass; with the wait that the platform asked for.
    Passing(Error, Option<Duration>),
}

/// What one request has used up of the patience that it gets.
#[derive(Default)]
pub(super) struct Patience {
    /// Sends that failed.
    failed: u32,
    waited: Duration,
}

impl Door {
    /// Prepares to send. Does not touch the network.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`]: an address that would carry tokens in plain text, or certificates that cannot be read.
    pub fn new(config: DoorConfig) -> Result<Self> {
        let place = |error: Error| error.at(&config.tenant, &config.platform, "configuration");
        for url in &config.origins {
            if !carries_tokens_safely(url) {
                return Err(place(
                    Error::new(
                        ErrorKind::Configuration,
                        format!("{} would carry access tokens in plain text", show(url)),
                    )
                    .with_hint("write https://; plain http:// is accepted for this machine (127.0.0.1, localhost) only"),
                ));
            }
        }
        let client_for = |is_local: bool| {
            let is_needed = config.origins.iter().any(|url| is_loopback(url) == is_local);
            is_needed.then(|| build_client(&config, is_local)).transpose().map_err(place)
        };
        let (local, remote) = (client_for(true)?, client_for(false)?);
        Ok(Self {
            local,
            remote,
            origins: config.origins.iter().map(Url::origin).collect(),
            pacer: Pacer::new(&config.buckets, Arc::clone(&config.clock)),
            tenant: config.tenant,
            platform: config.platform,
            classify: config.classify,
            limits: config.limits,
            keep_quota_percent: config.keep_quota_percent,
            quota: Mutex::new(None),
            is_exhausted: AtomicBool::new(false),
            redactor: Redactor::default(),
            clock: config.clock,
            cancel: config.cancel,
            budget: RetryBudget(AtomicI64::new(RetryBudget::START)),
            calls: AtomicU64::new(0),
        })
    }

    /// Sends a request and reads the reply whole.
    ///
    /// # Errors
    /// With tenant, platform and endpoint filled in, and the platform's answer redacted.
    pub async fn send(
        &self,
        request: &Request,
        authorize: Option<&dyn Authorize>,
    ) -> Result<Reply> {
        Ok(self.retrying(request, authorize, Reading::Whole).await?.reply)
    }

    /// Sends a request and hands the body over piece by piece, for files that must not be held in memory. What goes wrong before
    /// the body starts is retried, what goes wrong later is not.
    ///
    /// # Errors
    /// As [`Door::send`].
    pub async fn stream(
        &self,
        request: &Request,
        authorize: Option<&dyn Authorize>,
    ) -> Result<BodyStream<'_>> {
        let received = self.retrying(request, authorize, Reading::InPieces).await?;
        Ok(BodyStream { door: self, rest: received.rest, endpoint: request.endpoint })
    }

    /// Calls sent so far, retries included.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// The tenant's quota as the platform last announced it.
    pub fn quota(&self) -> Option<QuotaUse> {
        *self.quota.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes secrets out of text that a platform wrote.
    pub const fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// The clock that the session lives by.
    pub fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    /// Whether the user has cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// Fills in tenant, platform and endpoint.
    pub fn place(&self, error: Error, endpoint: &str) -> Error {
        error.at(&self.tenant, &self.platform, endpoint)
    }

    async fn retrying(
        &self,
        request: &Request,
        authorize: Option<&dyn Authorize>,
        reading: Reading,
    ) -> Result<Received> {
        let place = |error: Error| self.place(error, request.endpoint);
        self.check_origin(&request.url).map_err(place)?;
        let mut patience = Patience::default();
        let mut signed_in_again = false;
        loop {
            self.check_quota().map_err(place)?;
            let stamp = match authorize {
                Some(authorize) => Some(authorize.stamp(request).await.map_err(place)?),
                None => None,
            };
            let failure = match self.attempt(request, authorize, stamp.as_ref(), reading).await {
                Ok(received) => {
                    self.budget.earn();
                    return Ok(received);
                }
                Err(failure) => failure,
            };
            let (error, asked) = match failure {
                Failure::Final(error) => {
                    if error.kind == ErrorKind::Quota {
                        self.is_exhausted.store(true, Ordering::Relaxed);
                    }
                    return Err(place(error));
                }
                Failure::SignInAgain(error) => {
                    let (Some(authorize), Some(stamp), false) =
                        (authorize, &stamp, signed_in_again)
                    else {
                        return Err(place(error));
                    };
                    signed_in_again = true;
                    authorize.refused(stamp.generation).await;
                    continue;
                }
                Failure::Passing(error, asked) => (error, asked),
            };
            self.wait(request, &mut patience, error, asked).await?;
        }
    }

    /// Waits before a request is sent again; gives the error back if its patience is used up.
    pub(super) async fn wait(
        &self,
        request: &Request,
        patience: &mut Patience,
        error: Error,
        asked: Option<Duration>,
    ) -> Result<()> {
        let place = |error: Error| self.place(error, request.endpoint);
        patience.failed += 1;
        // "At once" (`Retry-After: 0`) is no licence to hammer.
        let wait = asked.filter(|span| !span.is_zero()).unwrap_or_else(|| backoff(patience.failed));
        if patience.failed >= self.limits.attempts {
            return Err(place(error));
        }
        if patience.waited.saturating_add(wait) > self.limits.patience {
            return Err(place(error.with_hint(format!(
                "the platform asks to wait {} s; run the scan again later",
                wait.as_secs()
            ))));
        }
        if !self.budget.spend() {
            return Err(place(
                error.with_hint("too many calls of this scan failed; it stopped repeating them"),
            ));
        }
        tracing::debug!(
            tenant = self.tenant,
            endpoint = request.endpoint,
            attempt = patience.failed,
            wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
            error = %error,
            "Sends a call again."
        );
        if let Some(span) = asked {
            // Only a wait that somebody is going to sit out closes the gate for the others.
            self.pacer.cool_down(request.bucket, span);
        }
        patience.waited += wait;
        self.unless_cancelled(self.clock.sleep(wait)).await.map_err(place)
    }

    async fn attempt(
        &self,
        request: &Request,
        authorize: Option<&dyn Authorize>,
        stamp: Option<&Stamp>,
        reading: Reading,
    ) -> Result<Received, Failure> {
        let _permit = self
            .unless_cancelled(self.pacer.enter(request.bucket))
            .await
            .map_err(Failure::Final)?;
        let outgoing = self.render(request, stamp).map_err(Failure::Final)?;
        self.calls.fetch_add(1, Ordering::Relaxed);
        let exchange = async {
            let response = self
                .client(&request.url)
                .map_err(Failure::Final)?
                .execute(outgoing)
                .await
                .map_err(|error| self.transport(&error, request))?;
            self.receive(response, reading, request).await
        };
        let timed = tokio::time::timeout(self.limits.answer, exchange);
        let received = match self.unless_cancelled(timed).await.map_err(Failure::Final)? {
            Ok(received) => received?,
            Err(_) => {
                let seconds = self.limits.answer.as_secs();
                let message = format!("no complete answer within {seconds} s");
                return Err(lost_answer(Error::new(ErrorKind::Timeout, message), request));
            }
        };
        tracing::debug!(
            tenant = self.tenant,
            endpoint = request.endpoint,
            status = received.reply.status.as_u16(),
            "Made a call."
        );
        if let Some(authorize) = authorize {
            authorize.heed(&received.reply);
        }
        self.judge(&received.reply, request)?;
        Ok(received)
    }

    pub(super) fn judge(&self, reply: &Reply, request: &Request) -> Result<(), Failure> {
        if let Some(quota) = self.classify.quota(reply) {
            *self.quota.lock().unwrap_or_else(PoisonError::into_inner) = Some(quota);
        }
        if let Some(window) = self.classify.window(reply, self.clock.now()) {
            self.pacer.learn(request.bucket, window, self.keep_quota_percent);
        }
        let clean = |mut answer: Answer| {
            answer.text = self.redactor.clean(&answer.text);
            answer.code = answer.code.map(|code| self.redactor.clean(&code));
            answer
        };
        let error =
            |kind, message: &str, answer| Error::new(kind, message).with_answer(clean(answer));
        match self.classify.classify(reply, self.clock.now()) {
            Verdict::Fine if reply.looks_like_html() => Err(Failure::Final(html_error())),
            Verdict::Fine => Ok(()),
            Verdict::SignInAgain(answer) => Err(Failure::SignInAgain(error(
                ErrorKind::Unauthorized,
                "the API refused the access token",
                answer,
            ))),
            // Whoever fails on a change may have made it, however politely it asks to wait.
            Verdict::SlowDown(_, answer)
                if !request.repeatable && reply.status.is_server_error() =>
            {
                Err(lost_answer(
                    error(ErrorKind::Unavailable, "the platform failed", answer),
                    request,
                ))
            }
            Verdict::SlowDown(asked, answer) => Err(Failure::Passing(
                error(ErrorKind::Throttled, "the platform asked to slow down", answer),
                asked,
            )),
            Verdict::Unwell(answer) => Err(lost_answer(
                error(ErrorKind::Unavailable, "the platform failed", answer),
                request,
            )),
            Verdict::Refused(ErrorKind::ForeignHost, answer) => {
                let target = reply
                    .headers
                    .get(LOCATION)
                    .and_then(|value| value.to_str().ok())
                    .and_then(|location| request.url.join(location).ok());
                let target = target.as_ref().map_or_else(|| "another address".to_owned(), show);
                Err(Failure::Final(
                    error(
                        ErrorKind::ForeignHost,
                        &format!("the platform sent us on to {target}, which was not followed"),
                        answer,
                    )
                    .with_hint("write the address that the API itself lives at into base_url"),
                ))
            }
            Verdict::Refused(kind, answer) => {
                Err(Failure::Final(error(kind, refusal(kind), answer)))
            }
        }
    }

    fn render(&self, request: &Request, stamp: Option<&Stamp>) -> Result<reqwest::Request> {
        let mut outgoing = reqwest::Request::new(request.method.clone(), request.url.clone());
        let headers = outgoing.headers_mut();
        for (name, value) in &request.headers {
            let value = HeaderValue::from_str(value).map_err(|_| {
                Error::new(ErrorKind::InvalidRequest, format!("header {name} is not sendable"))
            })?;
            headers.insert(*name, value);
        }
        if let Some(stamp) = stamp {
            let sensitive = |value: &str| {
                let mut value = HeaderValue::from_str(value).map_err(|_| {
                    let message = "the access token has characters that no header may hold";
                    Error::new(ErrorKind::Secret, message)
                })?;
                value.set_sensitive(true);
                Ok(value)
            };
            if let Some((scheme, token)) = &stamp.token {
                self.redactor.learn(token);
                let value = sensitive(&format!("{scheme} {}", token.expose()))?;
                headers.insert(reqwest::header::AUTHORIZATION, value);
            }
            for (name, value) in &stamp.headers {
                self.redactor.learn(value);
                headers.insert(*name, sensitive(value.expose())?);
            }
        }
        let (media_type, body) = match &request.body {
            Body::Empty => return Ok(outgoing),
            Body::Form(fields) => {
                let mut form = url::form_urlencoded::Serializer::new(String::new());
                let proof = stamp.map_or(&[][..], |stamp| &stamp.fields);
                for (name, value) in fields.iter().chain(proof) {
                    if is_secret(name) {
                        self.redactor.learn(value);
                    }
                    form.append_pair(name, value.expose());
                }
                ("application/x-www-form-urlencoded", form.finish())
            }
            Body::Json(value) => ("application/json", value.to_string()),
            Body::WithToken { media_type, render } => {
                let token = stamp.and_then(Stamp::access_token);
                (*media_type, render(token.map_or("", Secret::expose)))
            }
        };
        outgoing.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        *outgoing.body_mut() = Some(body.into());
        Ok(outgoing)
    }

    async fn receive(
        &self,
        response: reqwest::Response,
        reading: Reading,
        request: &Request,
    ) -> Result<Received, Failure> {
        let status = response.status();
        let headers = response.headers().clone();
        if reading == Reading::InPieces && status.is_success() {
            let reply = Reply { status, headers, body: Bytes::new() };
            return Ok(Received { reply, rest: Some(response) });
        }
        let body = self.read(response, request).await?;
        Ok(Received { reply: Reply { status, headers, body }, rest: None })
    }

    async fn read(
        &self,
        mut response: reqwest::Response,
        request: &Request,
    ) -> Result<Bytes, Failure> {
        let mut body = BytesMut::new();
        loop {
            match response.chunk().await {
                Ok(None) => return Ok(body.freeze()),
                Ok(Some(chunk)) if body.len() + chunk.len() > self.limits.body => {
                    let limit = self.limits.body >> 20;
                    return Err(Failure::Final(Error::new(
                        ErrorKind::TooLarge,
                        format!("the answer is larger than {limit} MiB"),
                    )));
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Err(error) => {
                    let cut = Error::new(ErrorKind::Malformed, "the answer was cut off");
                    return Err(lost_answer(cut.with_source(error.without_url()), request));
                }
            }
        }
    }

    /// Turns an error of the transport into one that says which of the usual causes it was.
    fn transport(&self, error: &reqwest::Error, request: &Request) -> Failure {
        let host = show(&request.url);
        let mut chain = Vec::new();
        let mut cause = error.source();
        while let Some(inner) = cause {
            chain.push(inner.to_string());
            cause = inner.source();
        }
        let chain = self.redactor.clean(&chain.join(": "));
        if !error.is_connect() {
            // It was sent. The words of the cause are no guide any more: a peer that hangs up on TLS is no matter of certificates.
            let message = format!("the connection to {host} broke");
            let hint = "check the network, and what stands between this machine and the platform";
            let cause = Error::new(ErrorKind::Network, message).with_hint(hint).with_source(chain);
            return lost_answer(cause, request);
        }
        let mentions = |words: &[&str]| {
            let lower = chain.to_lowercase();
            words.iter().any(|word| lower.contains(word))
        };
        let (kind, message, hint, may_pass) = if mentions(&[
            "certificate",
            "tls",
            "handshake",
            "corrupt message",
        ]) {
            (
                ErrorKind::Tls,
                format!("no trusted TLS connection to {host}"),
                "if a proxy or a private certificate authority stands in between, name its certificate in certificate_authorities",
                false,
            )
        } else if mentions(&["dns", "lookup", "resolve"]) {
            (
                ErrorKind::Network,
                format!("the name in {host} was not found"),
                "check base_url for a typing error, and that this machine can reach the internet",
                mentions(&["temporary failure", "try again"]),
            )
        } else if mentions(&["proxy", "tunnel"]) {
            (
                ErrorKind::Network,
                format!("the proxy did not connect us to {host}"),
                "check HTTPS_PROXY and NO_PROXY",
                true,
            )
        } else {
            (
                ErrorKind::Network,
                format!("no connection to {host}"),
                "check base_url, the network, and HTTPS_PROXY if there is a proxy",
                true,
            )
        };
        let cause = Error::new(kind, message).with_hint(hint).with_source(chain);
        if may_pass {
            // Without a connection nothing was sent: trying again is safe whatever the request does.
            Failure::Passing(cause, None)
        } else {
            Failure::Final(cause)
        }
    }

    fn client(&self, url: &Url) -> Result<&reqwest::Client> {
        let client = if is_loopback(url) { &self.local } else { &self.remote };
        client.as_ref().ok_or_else(|| {
            Error::new(ErrorKind::ForeignHost, format!("{} is not a configured host", show(url)))
        })
    }

    fn check_origin(&self, url: &Url) -> Result<()> {
        if self.origins.contains(&url.origin()) {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::ForeignHost,
            format!(
                "{} is not a host that the configuration names; no token was sent there",
                show(url)
            ),
        )
        .with_hint(
            "if the platform is right to point there, add the address to the tenant's `hosts`",
        ))
    }

    fn check_quota(&self) -> Result<()> {
        if self.is_exhausted.load(Ordering::Relaxed) {
            let message = "the tenant's API quota is used up; the scan sends nothing more";
            return Err(Error::new(ErrorKind::Quota, message));
        }
        let Some(QuotaUse { used, max }) = self.quota() else { return Ok(()) };
        let keep = max.saturating_mul(self.keep_quota_percent.into()) / 100;
        if self.keep_quota_percent == 0 || max.saturating_sub(used) > keep {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Quota,
            format!(
                "{used} of the tenant's {max} API calls are used; the scan leaves {}% for others",
                self.keep_quota_percent
            ),
        )
        .with_hint("run the scan when the quota has recovered, or lower keep_quota_percent"))
    }

    async fn unless_cancelled<T>(&self, work: impl Future<Output = T>) -> Result<T> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(Error::new(ErrorKind::Cancelled, "the scan was cancelled")),
            done = work => Ok(done),
        }
    }
}

/// A body that is read piece by piece.
pub struct BodyStream<'a> {
    door: &'a Door,
    rest: Option<reqwest::Response>,
    endpoint: &'static str,
}

impl BodyStream<'_> {
    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// When the body is cut off, stops coming, or the scan is cancelled.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        let Some(response) = &mut self.rest else { return Ok(None) };
        let chunk = tokio::time::timeout(self.door.limits.answer, response.chunk());
        let chunk = match self.door.unless_cancelled(chunk).await {
            Ok(Ok(chunk)) => chunk.map_err(|error| {
                Error::new(ErrorKind::Malformed, "the answer was cut off")
                    .with_source(error.without_url())
            }),
            Ok(Err(_)) => Err(Error::new(ErrorKind::Timeout, "the answer stopped coming")),
            Err(cancelled) => Err(cancelled),
        };
        chunk.map_err(|error| self.door.place(error, self.endpoint))
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that makes an HTTP client")]
fn build_client(config: &DoorConfig, is_local: bool) -> Result<reqwest::Client> {
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("grantwarden/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(config.limits.connect)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .pool_idle_timeout(Duration::from_secs(30));
    if is_local {
        builder = builder.no_proxy();
    }
    if let Some(pem) = &config.certificate_authorities {
        let certificates = reqwest::Certificate::from_pem_bundle(pem).map_err(|error| {
            Error::new(
                ErrorKind::Configuration,
                "certificate_authorities is not a PEM file with certificates",
            )
            .with_source(error)
        })?;
        builder = builder.tls_certs_merge(certificates);
    }
    builder.build().map_err(|error| {
        Error::new(ErrorKind::Configuration, "the HTTP client cannot be set up").with_source(error)
    })
}

/// Somewhere between half and all of an exponentially growing span: 0.5 s, 1 s, 2 s … 30 s.
fn backoff(attempt: u32) -> Duration {
    let span = Duration::from_millis(500).saturating_mul(1 << attempt.min(6).saturating_sub(1));
    span.min(Duration::from_secs(30)).mul_f64(rand::rng().random_range(0.5..=1.0))
}

/// The request was sent and no usable answer came: a read may be sent again, a change may have happened.
fn lost_answer(error: Error, request: &Request) -> Failure {
    if request.repeatable {
        return Failure::Passing(error, None);
    }
    let unknown =
        Error::new(ErrorKind::OutcomeUnknown, "the change was sent and its outcome is not known")
            .with_hint("verify before anything else; it was not sent again")
            .with_source(error);
    Failure::Final(unknown)
}

/// Whether a form field's value must not be seen: RFC 6749, RFC 7521 and RFC 7009 name them so.
fn is_secret(field: &str) -> bool {
    ["secret", "assertion", "token", "password"].iter().any(|word| field.ends_with(word))
}

const fn refusal(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Forbidden => "the platform does not allow it",
        ErrorKind::Licence => "the tenant has no licence for it",
        ErrorKind::NotFound => "the platform does not have it",
        ErrorKind::Unsupported => "the tenant does not have this object or column",
        ErrorKind::Quota => "the tenant's API quota is used up",
        ErrorKind::PageExpired => "the platform does not know this page any more",
        ErrorKind::SignIn => "the authorization server refused to sign us in",
        _ => "the platform refused the request",
    }
}

fn carries_tokens_safely(url: &Url) -> bool {
    url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

/// Scheme, host and port; a path or a query may hold data.
fn show(url: &Url) -> String {
    url.origin().ascii_serialization()
}
