//! A handler that panics answers 500 with a number that the log knows, and takes nobody else with it.

use super::problem::Problem;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, ResponseError as _};
use futures_util::FutureExt as _;
use std::panic::AssertUnwindSafe;

/// The middleware of every resource.
pub(super) async fn calm(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let kept = request.request().clone();
    // Handlers share state through locks that do not poison and messages; none is left half-written.
    match AssertUnwindSafe(next.call(request)).catch_unwind().await {
        Ok(answered) => Ok(answered?.map_into_boxed_body()),
        Err(panic) => {
            let says = panic.downcast_ref::<&str>().map(ToString::to_string);
            let says = says.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
            let problem = Problem::internal("the request could not be carried out; the log says more");
            let number = problem.request_id();
            tracing::error!(event = "handler_panicked", request_id = number, path = kept.path(), says);
            Ok(ServiceResponse::new(kept, problem.error_response()))
        }
    }
}
