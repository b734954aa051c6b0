//! The one error type of the kit: which tenant, what was tried, what the platform answered (redacted), and what to do.

use std::fmt;

/// What can go wrong between a tenant's configuration and its records.
#[derive(Debug)]
pub struct Error {
    /// The class, which decides what the caller does next.
    pub kind: ErrorKind,
    /// Tenant, platform and endpoint; filled in by the layer that knows them.
    pub place: Place,
    /// What happened, in one sentence without a final stop. Holds no secret.
    pub message: String,
    /// The platform's own words, if it answered.
    pub answer: Option<Answer>,
    /// What the user can do about it.
    pub hint: Option<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// Where an [`Error`] happened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The tenant's name in the configuration.
    pub tenant: String,
    /// The platform id.
    pub platform: String,
    /// What was tried, for a person: `query OauthToken`.
    pub endpoint: String,
}

/// What a platform answered when it refused, redacted and cut to a readable length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status code (RFC 9110 section 15).
    pub status: u16,
    /// The platform's error code: `INSUFFICIENT_ACCESS`, `invalid_grant`.
    pub code: Option<String>,
    /// The platform's error text.
    pub text: String,
}

/// The class of an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The configuration cannot work.
    Configuration,
    /// A secret could not be fetched or is not usable.
    Secret,
    /// The authorization server refused to issue a token (RFC 6749 section 5.2).
    SignIn,
    /// The API refused a fresh token.
    Unauthorized,
    /// The token lacks a right.
    Forbidden,
    /// The tenant has not bought, or not switched on, the product that would tell.
    Licence,
    /// The thing asked for is not there, or is gone.
    NotFound,
    /// The tenant does not have this object, column or feature.
    Unsupported,
    /// The API did not understand the request.
    InvalidRequest,
    /// A page token expired or was refused: start the listing again.
    PageExpired,
    /// The platform asked to slow down for longer than the scan may wait.
    Throttled,
    /// The tenant's quota is used up.
    Quota,
    /// The platform failed in spite of retries.
    Unavailable,
    /// No connection: name not found, refused, reset.
    Network,
    /// The TLS handshake failed.
    Tls,
    /// No answer in time.
    Timeout,
    /// The answer is larger than the limit.
    TooLarge,
    /// The answer is not what the API promises: cut off, or HTML in place of JSON.
    Malformed,
    /// An address outside the hosts that the tenant's configuration names.
    ForeignHost,
    /// The user cancelled.
    Cancelled,
    /// A change was sent and no answer came: it may or may not have happened.
    OutcomeUnknown,
}

/// Shorthand for the kit's results.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error without a place yet.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            place: Place::default(),
            message: message.into(),
            answer: None,
            hint: None,
            source: None,
        }
    }

    /// The error for a body that is not the JSON that the API promises. Only the place is kept: serde's own text repeats values, and
    /// a value in the wrong place may be a token.
    pub fn malformed(error: &serde_json::Error) -> Self {
        let what = match error.classify() {
            serde_json::error::Category::Data => "a value of another type than promised",
            serde_json::error::Category::Eof => "the end too early",
            serde_json::error::Category::Syntax | serde_json::error::Category::Io => "no JSON",
        };
        let (line, column) = (error.line(), error.column());
        let message = format!(
            "the answer is not what the API promises: {what} at line {line}, column {column}"
        );
        Self::new(ErrorKind::Malformed, message)
    }

    /// Adds what the user can do about it; the first hint stays.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint.get_or_insert_with(|| hint.into());
        self
    }

    /// Adds what the platform answered.
    #[must_use]
    pub fn with_answer(mut self, answer: Answer) -> Self {
        self.answer = Some(answer);
        self
    }

    /// Adds the error underneath.
    #[must_use]
    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Fills in where it happened; what is filled in already stays.
    #[must_use]
    pub fn at(mut self, tenant: &str, platform: &str, endpoint: &str) -> Self {
        let fill = |slot: &mut String, value: &str| {
            if slot.is_empty() {
                value.clone_into(slot);
            }
        };
        fill(&mut self.place.tenant, tenant);
        fill(&mut self.place.platform, platform);
        fill(&mut self.place.endpoint, endpoint);
        self
    }

    /// The same error for another request that failed with it; without the error underneath.
    #[must_use]
    pub fn echo(&self) -> Self {
        let Self { kind, place, message, answer, hint, source: _ } = self;
        Self {
            kind: *kind,
            place: place.clone(),
            message: message.clone(),
            answer: answer.clone(),
            hint: hint.clone(),
            source: None,
        }
    }

    /// The platform's error code, if it gave one.
    pub fn code(&self) -> Option<&str> {
        self.answer.as_ref()?.code.as_deref()
    }

    /// What happened and what was answered, without the place: for a coverage section that names the place itself.
    pub fn summary(&self) -> String {
        match &self.answer {
            Some(answer) => format!("{}: {answer}", self.message),
            None => self.message.clone(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { tenant, platform, endpoint } = &self.place;
        if !tenant.is_empty() {
            write!(f, "{tenant} ({platform}): ")?;
        }
        if !endpoint.is_empty() {
            write!(f, "{endpoint}: ")?;
        }
        f.write_str(&self.message)?;
        if let Some(answer) = &self.answer {
            write!(f, ": {answer}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP {}", self.status)?;
        if let Some(code) = &self.code {
            write!(f, " {code}")?;
        }
        if !self.text.is_empty() {
            write!(f, " \"{}\"", self.text)?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
