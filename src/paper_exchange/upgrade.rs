//! From an HTTP upgrade request to a WebSocket session: paths, handshake, refusal.
//!
//! `/ws`, `/ws/<stream>...`, `/stream?streams=a/b` and `/ws-api/v3`. After the handshake the session
//! owns the raw socket.

use super::faults::{Context, SessionKind};
use super::floor::SharedFloor;
use super::params::Params;
use super::ws::{self, Door};
use crate::clock;
use actix_codec::Framed;
use actix_http::ws::{hash_key, verify_handshake};
use actix_http::{HttpMessage as _, Request, h1};
use std::net::{IpAddr, Ipv4Addr};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

/// Serves one upgrade request.
pub(super) async fn serve(
    floor: SharedFloor,
    request: Request,
    framed: Framed<TcpStream, h1::Codec>,
) -> Result<(), actix_web::Error> {
    let parts = framed.into_parts();
    let mut io = parts.io;
    let address = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
    let Some(door) = door(request.path(), request.uri().query().unwrap_or_default()) else {
        return refuse(io, "404 Not Found", "no WebSocket is served at this path").await;
    };
    if let Err(error) = verify_handshake(request.head()) {
        return refuse(io, "400 Bad Request", &error.to_string()).await;
    }
    if refused_by_fault(&floor, &door) {
        drop(io.set_zero_linger());
        return Ok(());
    }
    let key = request.headers().get("sec-websocket-key").map(|key| hash_key(key.as_bytes()));
    let accept = key.as_ref().and_then(|key| std::str::from_utf8(key).ok()).unwrap_or_default();
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    io.write_all(answer.as_bytes()).await?;
    ws::serve(floor, io, parts.read_buf, door, address).await;
    Ok(())
}

fn refused_by_fault(floor: &SharedFloor, door: &Door) -> bool {
    let door = match door {
        Door::Market { .. } => SessionKind::MarketData,
        Door::Api { .. } => SessionKind::WsApi,
    };
    let context = Context { door: Some(door), ..Context::default() };
    floor.borrow_mut().faults.at_handshake(clock::wall_millis(), &context)
}

async fn refuse(mut io: TcpStream, status: &str, why: &str) -> Result<(), actix_web::Error> {
    let body = super::errors::ApiError::new(-1000, why.to_owned()).body();
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    io.write_all(answer.as_bytes()).await?;
    io.shutdown().await?;
    Ok(())
}

fn door(path: &str, query: &str) -> Option<Door> {
    let params = Params::from_query_and_body(query, "").ok()?;
    match path.trim_end_matches('/') {
        "/ws-api/v3" => {
            let rate_limits = params.boolean("returnRateLimits").ok().flatten().unwrap_or(true);
            Some(Door::Api { rate_limits })
        }
        "/stream" => {
            let names = params.text("streams").ok().flatten().unwrap_or_default();
            Some(Door::Market { combined: true, streams: split(names) })
        }
        "/ws" => Some(Door::Market { combined: false, streams: Vec::new() }),
        other => {
            let names = other.strip_prefix("/ws/")?;
            // Some clients number their sockets in the path (`/ws/0`): a name without a stream kind.
            let streams = split(names).into_iter().filter(|name| name.contains('@')).collect();
            Some(Door::Market { combined: false, streams })
        }
    }
}

fn split(names: &str) -> Vec<String> {
    names.split('/').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn market(combined: bool, streams: &[&str]) -> Option<Door> {
        Some(Door::Market { combined, streams: streams.iter().map(|name| (*name).to_owned()).collect() })
    }

    #[test]
    fn paths_lead_to_doors() {
        assert_eq!(door("/ws", ""), market(false, &[]));
        assert_eq!(door("/ws/0", ""), market(false, &[]));
        assert_eq!(
            door("/ws/btcusdt@trade/ethusdt@depth@100ms", ""),
            market(false, &["btcusdt@trade", "ethusdt@depth@100ms"])
        );
        assert_eq!(door("/stream", "streams=btcusdt@trade/a@b"), market(true, &["btcusdt@trade", "a@b"]));
        assert_eq!(door("/stream", "streams=btcusdt%40trade"), market(true, &["btcusdt@trade"]));
        assert_eq!(door("/ws-api/v3", ""), Some(Door::Api { rate_limits: true }));
        assert_eq!(door("/ws-api/v3", "returnRateLimits=false"), Some(Door::Api { rate_limits: false }));
        assert_eq!(door("/api/v3/time", ""), None);
    }
}
