//! The one error shape: RFC 9457 problem details with a stable code.

use crate::domain::oms::{Refusal, RefusalKind};
use actix_web::error::{JsonPayloadError, PathError, QueryPayloadError};
use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{Error, HttpRequest, HttpResponse, Responder, ResponseError};
use serde::Serialize;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What can be wrong with a request. Each has one status and one code, by exhaustive matches below.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    BadRequest,
    Unauthorized,
    Forbidden,
    NotFound,
    MethodNotAllowed { allowed: String },
    RequestTimeout,
    Conflict,
    PreconditionFailed,
    PreconditionRequired,
    PayloadTooLarge,
    UnsupportedMediaType,
    Misdirected,
    Unprocessable,
    TooManyRequests { retry_after: u64 },
    Internal,
    Unavailable,
}

/// Seconds after which a caller may try again what is unavailable now.
const RETRY_AFTER_SECONDS: &str = "1";

/// One wrong value of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// Where, as a JSON pointer (RFC 6901).
    pub pointer: String,
    /// What is wrong and what would be right.
    pub detail: String,
}

/// A refused request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    kind: Kind,
    /// A refusal's own code, instead of the kind's.
    code: Option<String>,
    detail: String,
    errors: Vec<FieldError>,
    request_id: u64,
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    code: &'a str,
    request_id: String,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
}

/// Numbers the problems of this process, so that a report can be found in the log.
static NEXT_REQUEST_ID: AtomicU64 = AtomicU64::new(1);

impl Problem {
    fn new(kind: Kind, detail: impl Into<String>) -> Self {
        let request_id = NEXT_REQUEST_ID.fetch_add(1, Ordering::Relaxed);
        Self { kind, code: None, detail: detail.into(), errors: Vec::new(), request_id }
    }

    /// A refusal of the runtime: its kind gives the status, its code goes out in lower case, its words stay.
    #[must_use]
    pub fn refused(refusal: &Refusal) -> Self {
        let kind = match refusal.kind {
            RefusalKind::Invalid => Kind::Unprocessable,
            RefusalKind::NotFound => Kind::NotFound,
            RefusalKind::Conflict => Kind::Conflict,
            RefusalKind::Stale => Kind::PreconditionFailed,
            RefusalKind::Unavailable => Kind::Unavailable,
        };
        let problem = Self::new(kind, format!("{}: {}", refusal.code, refusal.detail));
        Self { code: Some(refusal.code.to_ascii_lowercase()), ..problem }
    }

    /// 400.
    #[must_use]
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(Kind::BadRequest, detail)
    }

    /// 401: a good token would help.
    #[must_use]
    pub fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(Kind::Unauthorized, detail)
    }

    /// 403: this caller may not, whatever it sends.
    #[must_use]
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(Kind::Forbidden, detail)
    }

    /// 404.
    #[must_use]
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, detail)
    }

    /// 405, with the verbs that would be right, separated by commas.
    #[must_use]
    pub fn method_not_allowed(used: &Method, allowed: &str) -> Self {
        let detail = format!("{used} is not possible here, use {allowed}");
        Self::new(Kind::MethodNotAllowed { allowed: allowed.to_owned() }, detail)
    }

    /// 408: the body did not come in time.
    #[must_use]
    pub fn request_timeout(detail: impl Into<String>) -> Self {
        Self::new(Kind::RequestTimeout, detail)
    }

    /// 409: it contradicts the present state.
    #[must_use]
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(Kind::Conflict, detail)
    }

    /// 412: the state that the caller acted on is not the present one.
    #[must_use]
    pub fn precondition_failed(detail: impl Into<String>) -> Self {
        Self::new(Kind::PreconditionFailed, detail)
    }

    /// 428: the caller must say which state it acts on.
    #[must_use]
    pub fn precondition_required(detail: impl Into<String>) -> Self {
        Self::new(Kind::PreconditionRequired, detail)
    }

    /// 421: meant for somebody else.
    #[must_use]
    pub fn misdirected(detail: impl Into<String>) -> Self {
        Self::new(Kind::Misdirected, detail)
    }

    /// 422, with every wrong value and where it stands.
    #[must_use]
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = match errors.as_slice() {
            [one] => format!("{}: {}", one.pointer, one.detail),
            many => format!("{} values are wrong, see errors", many.len()),
        };
        Self { errors, ..Self::new(Kind::Unprocessable, detail) }
    }

    /// 413: more bytes than any request needs.
    #[must_use]
    pub fn payload_too_large() -> Self {
        Self::new(Kind::PayloadTooLarge, format!("at most {} bytes", super::BODY_BYTES_MAX))
    }

    /// 415.
    #[must_use]
    pub fn unsupported_media_type() -> Self {
        Self::new(Kind::UnsupportedMediaType, "send Content-Type: application/json")
    }

    /// 429: not before `wait` is over.
    #[must_use]
    pub fn too_many_requests(detail: impl Into<String>, wait: Duration) -> Self {
        let whole = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1);
        Self::new(Kind::TooManyRequests { retry_after: whole }, detail)
    }

    /// 422: one thing is wrong that is no member of the body.
    #[must_use]
    pub fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(Kind::Unprocessable, detail)
    }

    /// 503: not now; `Retry-After` says when.
    #[must_use]
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(Kind::Unavailable, detail)
    }

    /// 500: a bug, or something broken that the log explains.
    #[must_use]
    pub fn internal(detail: impl Into<String>) -> Self {
        Self::new(Kind::Internal, detail)
    }

    /// Every wrong value, with where it stands.
    #[must_use]
    pub fn errors(&self) -> &[FieldError] {
        &self.errors
    }

    /// What the log calls it.
    #[must_use]
    pub fn request_id(&self) -> String {
        format!("r-{}", self.request_id)
    }

    /// The same problem under a code of its own.
    #[must_use]
    pub fn with_code(self, code: &str) -> Self {
        Self { code: Some(code.to_owned()), ..self }
    }

    /// What is wrong, in a sentence.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The stable word for what is wrong.
    #[must_use]
    pub fn code(&self) -> &str {
        if let Some(code) = &self.code {
            return code;
        }
        match self.kind {
            Kind::BadRequest => "bad_request",
            Kind::Unauthorized => "unauthorized",
            Kind::Forbidden => "forbidden",
            Kind::NotFound => "not_found",
            Kind::MethodNotAllowed { .. } => "method_not_allowed",
            Kind::RequestTimeout => "request_timeout",
            Kind::Conflict => "conflict",
            Kind::PreconditionFailed => "precondition_failed",
            Kind::PreconditionRequired => "precondition_required",
            Kind::PayloadTooLarge => "payload_too_large",
            Kind::UnsupportedMediaType => "unsupported_media_type",
            Kind::Misdirected => "misdirected_request",
            Kind::Unprocessable => "unprocessable",
            Kind::TooManyRequests { .. } => "too_many_requests",
            Kind::Internal => "internal",
            Kind::Unavailable => "unavailable",
        }
    }

    /// The kind of it, for people.
    #[must_use]
    pub const fn title(&self) -> &'static str {
        match self.kind {
            Kind::BadRequest => "The request is malformed",
            Kind::Unauthorized => "A good token is needed",
            Kind::Forbidden => "The caller may not do this",
            Kind::NotFound => "There is no such resource",
            Kind::MethodNotAllowed { .. } => "The resource does not know this verb",
            Kind::RequestTimeout => "The request came too slowly",
            Kind::Conflict => "It contradicts the present state",
            Kind::PreconditionFailed => "The state has changed since it was read",
            Kind::PreconditionRequired => "The request must name the state that it acts on",
            Kind::PayloadTooLarge => "The request body is too large",
            Kind::UnsupportedMediaType => "The request body must be JSON",
            Kind::Misdirected => "The request was sent to another name",
            Kind::Unprocessable => "The request has wrong values",
            Kind::TooManyRequests { .. } => "Too many requests",
            Kind::Internal => "Something broke on our side",
            Kind::Unavailable => "Not possible now, try again",
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code(), self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        match self.kind {
            Kind::BadRequest => StatusCode::BAD_REQUEST,
            Kind::Unauthorized => StatusCode::UNAUTHORIZED,
            Kind::Forbidden => StatusCode::FORBIDDEN,
            Kind::NotFound => StatusCode::NOT_FOUND,
            Kind::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Kind::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Kind::Conflict => StatusCode::CONFLICT,
            Kind::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Kind::PreconditionRequired => StatusCode::PRECONDITION_REQUIRED,
            Kind::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Kind::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Kind::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Kind::Unprocessable => StatusCode::UNPROCESSABLE_ENTITY,
            Kind::TooManyRequests { .. } => StatusCode::TOO_MANY_REQUESTS,
            Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let status = self.status_code();
        let body = Body {
            r#type: format!("urn:plimsoll:problem:{}", self.code()),
            title: self.title(),
            status: status.as_u16(),
            detail: &self.detail,
            code: self.code(),
            request_id: self.request_id(),
            errors: &self.errors,
        };
        let mut response = HttpResponse::build(status).json(body);
        let problem_json = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, problem_json);
        let extra = match &self.kind {
            Kind::MethodNotAllowed { allowed } => Some((header::ALLOW, allowed.clone())),
            Kind::Unauthorized => Some((header::WWW_AUTHENTICATE, "Bearer realm=\"plimsoll\"".to_owned())),
            Kind::TooManyRequests { retry_after } => Some((header::RETRY_AFTER, retry_after.to_string())),
            Kind::Unavailable => Some((header::RETRY_AFTER, RETRY_AFTER_SECONDS.to_owned())),
            _ => None,
        };
        if let Some((name, value)) = extra
            && let Ok(value) = HeaderValue::from_str(&value)
        {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

impl Responder for Problem {
    type Body = actix_web::body::BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.error_response()
    }
}

pub(super) fn from_json(error: JsonPayloadError, _: &HttpRequest) -> Error {
    let problem = match &error {
        JsonPayloadError::Overflow { .. } | JsonPayloadError::OverflowKnownLength { .. } => {
            Problem::payload_too_large()
        }
        JsonPayloadError::Deserialize(error) if error.is_data() => {
            let detail = error.to_string();
            Problem::invalid(vec![FieldError { pointer: String::new(), detail }])
        }
        JsonPayloadError::ContentType => Problem::unsupported_media_type(),
        _ => Problem::bad_request(error.to_string()),
    };
    problem.into()
}

pub(super) fn from_query(error: QueryPayloadError, _: &HttpRequest) -> Error {
    Problem::bad_request(error.to_string()).into()
}

pub(super) fn from_path(error: PathError, _: &HttpRequest) -> Error {
    Problem::not_found(error.to_string()).into()
}
