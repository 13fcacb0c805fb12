//! The HTTP door: `/api/v3/*` through actix-web, translated to and from the gate.
//!
//! Takes the query and the body exactly as received, because signatures cover those bytes. Bodies are
//! capped before they are read. A lost answer keeps its connection open for a while, then cuts it.

use super::gate::{Answer, Caller, Proof, Served, serve};
use super::routes::by_path;
use crate::clock;
use crate::paper_exchange::errors::ApiError;
use crate::paper_exchange::faults::{Context, SessionKind};
use crate::paper_exchange::floor::SharedFloor;
use crate::paper_exchange::params::Params;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

/// Handles every path that no other route claims.
pub(crate) async fn handle(
    request: HttpRequest,
    body: Result<web::Bytes, actix_web::Error>,
    floor: web::ThinData<SharedFloor>,
) -> Result<HttpResponse, actix_web::Error> {
    let floor = floor.0;
    let now_ms = clock::wall_millis();
    let Ok(body) = body else {
        let cap = floor.borrow().wire.max_body_bytes;
        return Ok(refuse(&ApiError::body_too_large(cap)));
    };
    let Ok(body) = std::str::from_utf8(&body) else {
        return Ok(refuse(&ApiError::new(-1100, "The request body is not UTF-8.")));
    };
    let address = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
    let session = floor.borrow_mut().registry.next_id();
    let caller = Caller { address, door: SessionKind::Rest, session };
    let context = Context { session: Some(session), door: Some(caller.door), ..Context::default() };
    if floor.borrow_mut().faults.at_session_cut(now_ms, &context) {
        return Err(cut("the connection is cut by a fault"));
    }
    if floor.borrow_mut().faults.at_session_silence(now_ms, &context) {
        wait_while_silent(&floor, session).await;
        return Err(cut("the silent connection ends"));
    }
    let route = match by_path(request.method().as_str(), request.path()) {
        Ok(route) => route,
        Err(true) => {
            return Ok(refuse(&ApiError::new(-1000, "Request method is not supported.").with_status(405)));
        }
        Err(false) => return Ok(refuse(&ApiError::no_such_path(request.path()))),
    };
    let query = request.query_string();
    let params = match Params::from_query_and_body(query, body) {
        Ok(params) => params,
        Err(error) => return Ok(refuse(&error)),
    };
    let api_key = request.headers().get("X-MBX-APIKEY").and_then(|value| value.to_str().ok());
    let proof = Proof::Rest { api_key, query, body };
    let (served, hold) = {
        let mut floor = floor.borrow_mut();
        let served = serve(&mut floor, now_ms, caller, route, &params, proof);
        floor.publish(now_ms);
        (served, floor.wire.lost_answer_hold)
    };
    match served {
        Served::Answer(answer) => {
            if answer.delay_ms > 0 {
                tokio::time::sleep(Duration::from_millis(answer.delay_ms)).await;
            }
            Ok(response(answer))
        }
        Served::Silence => {
            tokio::time::sleep(hold).await;
            Err(cut("the answer is lost by a fault"))
        }
    }
}

async fn wait_while_silent(floor: &SharedFloor, session: u64) {
    let context = Context { session: Some(session), door: Some(SessionKind::Rest), ..Context::default() };
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    while floor.borrow_mut().faults.silence_holds(clock::wall_millis(), &context) {
        ticks.tick().await;
    }
}

/// A connection that ends without an answer: the body fails before its first byte was sent.
fn cut(why: &'static str) -> actix_web::Error {
    CutConnection(why).into()
}

/// The error that the connection layer turns into a closed socket.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct CutConnection(&'static str);

impl actix_web::ResponseError for CutConnection {
    fn error_response(&self) -> HttpResponse {
        // No head leaves before the first chunk, and there is none: the peer sees a closed socket.
        let failing = futures_util::stream::once(std::future::ready(Err::<web::Bytes, _>(
            std::io::Error::from(std::io::ErrorKind::ConnectionReset),
        )));
        HttpResponse::Ok().force_close().streaming(failing)
    }
}

fn response(answer: Answer) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut builder = HttpResponse::build(status);
    builder.content_type("application/json;charset=UTF-8");
    let used = answer.used_weight.to_string();
    builder.insert_header(("X-MBX-USED-WEIGHT", used.as_str()));
    builder.insert_header(("X-MBX-USED-WEIGHT-1M", used));
    if let Some(counts) = answer.order_counts {
        builder.insert_header(("X-MBX-ORDER-COUNT-10S", counts.ten_seconds.to_string()));
        builder.insert_header(("X-MBX-ORDER-COUNT-1D", counts.day.to_string()));
    }
    match answer.outcome {
        Ok(body) => builder.body(body),
        Err(error) => {
            if let Some(seconds) = error.retry_after_seconds {
                builder.insert_header(("Retry-After", seconds.to_string()));
            }
            builder.body(error.body())
        }
    }
}

/// An answer to a request that never reached the gate.
pub(crate) fn refuse(error: &ApiError) -> HttpResponse {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    HttpResponse::build(status).content_type("application/json;charset=UTF-8").body(error.body())
}
