//! What a reply means. Every platform has its own dialect of "slow down" and "you may not"; a connector says which is which.

use std::time::Duration;

use reqwest::StatusCode;

use super::Reply;
use crate::{
    error::{Answer, ErrorKind},
    model::Timestamp,
};

/// What a reply means for the request that it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It worked.
    Fine,
    /// The token is not valid (any more): sign in again once.
    SignInAgain(Answer),
    /// Too fast. With the time that the platform asks for, if it names one.
    SlowDown(Option<Duration>, Answer),
    /// A fault of the platform that may pass.
    Unwell(Answer),
    /// Final. Trying again gives the same.
    Refused(ErrorKind, Answer),
}

/// How much of the tenant's API quota is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotaUse {
    /// Calls used in the platform's window.
    pub used: u64,
    /// Calls allowed in it.
    pub max: u64,
}

/// How much of a bucket's rate is left, by the platform's own headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Calls that the bucket allows in one window, of everybody who shares it.
    pub limit: u64,
    /// How many of them are left.
    pub remaining: u64,
    /// Until the next window begins.
    pub resets_in: Duration,
}

/// A platform's dialect.
pub trait Classify: Send + Sync {
    /// What the reply means. Texts of the answer are redacted by the caller.
    fn classify(&self, reply: &Reply, now: Timestamp) -> Verdict;

    /// The quota that a reply announces.
    fn quota(&self, reply: &Reply) -> Option<QuotaUse> {
        let _ = reply;
        None
    }

    /// The rate window that a reply announces for the bucket of its request. Only for short windows: a scan sits them out.
    fn window(&self, reply: &Reply, now: Timestamp) -> Option<Window> {
        let _ = (reply, now);
        None
    }
}

/// The dialect of RFC 9110 and RFC 6585, for well-behaved servers; other dialects fall back on it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Plain;

impl Classify for Plain {
    fn classify(&self, reply: &Reply, now: Timestamp) -> Verdict {
        let text = String::from_utf8_lossy(&reply.body[..reply.body.len().min(2_000)]).into_owned();
        let answer = Answer { status: reply.status.as_u16(), code: None, text };
        match reply.status {
            status if status.is_success() => Verdict::Fine,
            StatusCode::UNAUTHORIZED => Verdict::SignInAgain(answer),
            StatusCode::FORBIDDEN => Verdict::Refused(ErrorKind::Forbidden, answer),
            StatusCode::NOT_FOUND | StatusCode::GONE => {
                Verdict::Refused(ErrorKind::NotFound, answer)
            }
            StatusCode::TOO_MANY_REQUESTS => Verdict::SlowDown(retry_after(reply, now), answer),
            StatusCode::SERVICE_UNAVAILABLE if retry_after(reply, now).is_some() => {
                Verdict::SlowDown(retry_after(reply, now), answer)
            }
            StatusCode::REQUEST_TIMEOUT => Verdict::Unwell(answer),
            status if status.is_server_error() => Verdict::Unwell(answer),
            status if status.is_redirection() => Verdict::Refused(ErrorKind::ForeignHost, answer),
            _ => Verdict::Refused(ErrorKind::InvalidRequest, answer),
        }
    }
}

/// A year, in seconds: whoever asks for longer means never.
const LONGEST_WAIT: u64 = 31_536_000;

/// `Retry-After` in seconds or as an HTTP date (RFC 9110 section 10.2.3).
pub(crate) fn retry_after(reply: &Reply, now: Timestamp) -> Option<Duration> {
    let value = reply.header("retry-after")?.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds.min(LONGEST_WAIT)));
    }
    let at: Timestamp = jiff::fmt::rfc2822::parse(value).ok()?.timestamp().into();
    Some(now.until(at))
}
