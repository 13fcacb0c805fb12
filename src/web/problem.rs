//! The one error shape: RFC 9457 problem details with a stable code.

use actix_web::error::{JsonPayloadError, PathError, QueryPayloadError};
use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{Error, HttpRequest, HttpResponse, Responder, ResponseError};
use serde::Serialize;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// What can be wrong with a request. Each has one status and one code, by exhaustive matches below.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    BadRequest,
    NotFound,
    MethodNotAllowed { allowed: Method },
    PayloadTooLarge,
    Unprocessable,
    Internal,
}

/// A refused request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    kind: Kind,
    detail: String,
    request_id: u64,
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    code: &'static str,
    request_id: String,
}

/// Numbers the problems of this process, so that a report can be found in the log.
static NEXT_REQUEST_ID: AtomicU64 = AtomicU64::new(1);

impl Problem {
    fn new(kind: Kind, detail: impl Into<String>) -> Self {
        let request_id = NEXT_REQUEST_ID.fetch_add(1, Ordering::Relaxed);
        Self { kind, detail: detail.into(), request_id }
    }

    /// 400.
    #[must_use]
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(Kind::BadRequest, detail)
    }

    /// 404.
    #[must_use]
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, detail)
    }

    /// 405, with the verb that would be right.
    #[must_use]
    pub fn method_not_allowed(used: &Method, allowed: &Method) -> Self {
        let detail = format!("{used} is not possible here, use {allowed}");
        Self::new(Kind::MethodNotAllowed { allowed: allowed.clone() }, detail)
    }

    /// 422.
    #[must_use]
    pub fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(Kind::Unprocessable, detail)
    }

    /// 500: a bug, or something broken that the log explains.
    #[must_use]
    pub fn internal(detail: impl Into<String>) -> Self {
        Self::new(Kind::Internal, detail)
    }

    const fn code(&self) -> &'static str {
        match self.kind {
            Kind::BadRequest => "bad_request",
            Kind::NotFound => "not_found",
            Kind::MethodNotAllowed { .. } => "method_not_allowed",
            Kind::PayloadTooLarge => "payload_too_large",
            Kind::Unprocessable => "unprocessable",
            Kind::Internal => "internal",
        }
    }

    const fn title(&self) -> &'static str {
        match self.kind {
            Kind::BadRequest => "The request is malformed",
            Kind::NotFound => "There is no such resource",
            Kind::MethodNotAllowed { .. } => "The resource does not know this verb",
            Kind::PayloadTooLarge => "The request body is too large",
            Kind::Unprocessable => "The request has wrong values",
            Kind::Internal => "Something broke on our side",
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
            Kind::NotFound => StatusCode::NOT_FOUND,
            Kind::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Kind::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Kind::Unprocessable => StatusCode::UNPROCESSABLE_ENTITY,
            Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
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
            request_id: format!("r-{}", self.request_id),
        };
        let mut response = HttpResponse::build(status).json(body);
        let problem_json = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, problem_json);
        if let Kind::MethodNotAllowed { allowed } = &self.kind
            && let Ok(allow) = HeaderValue::from_str(allowed.as_str())
        {
            response.headers_mut().insert(header::ALLOW, allow);
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
            Problem::new(Kind::PayloadTooLarge, format!("at most {} bytes", super::BODY_BYTES_MAX))
        }
        JsonPayloadError::Deserialize(error) if error.is_data() => Problem::unprocessable(error.to_string()),
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
