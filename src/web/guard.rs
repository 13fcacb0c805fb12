//! Refuses requests that were sent to another name than this machine's.
//!
//! A page of a stranger can make a browser resolve the stranger's name to the loopback address and then talk to us as
//! if we were the stranger (DNS rebinding). Its requests carry the stranger's name in `Host`; those of people and
//! programs here carry an address or `localhost`. Cross-origin requests without that trick fail by themselves: bodies
//! must be JSON, which browsers send to other origins only after asking, and nothing here answers that question.

use super::problem::Problem;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::HOST;
use actix_web::middleware::Next;
use std::net::{IpAddr, Ipv6Addr};

/// The middleware of every route.
pub(super) async fn only_this_machine(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let header = request.headers().get(HOST).map(|value| value.to_str().unwrap_or_default());
    // HTTP/1.0 clients may leave it out; browsers never do.
    if header.is_none_or(is_ours) {
        return next.call(request).await;
    }
    Err(Problem::misdirected("the Host header must be an address or localhost").into())
}

fn is_ours(host: &str) -> bool {
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => return address.parse::<Ipv6Addr>().is_ok(),
        None => host.split_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::is_ours;

    #[test]
    fn names_of_others_are_refused() {
        for good in ["127.0.0.1:8787", "localhost", "LOCALHOST:1", "[::1]:8787", "10.0.0.7"] {
            assert!(is_ours(good), "{good}");
        }
        for bad in
            ["", "evil.example", "evil.example:8787", "127.0.0.1.evil.example", "localhost.evil", "[x]:1"]
        {
            assert!(!is_ours(bad), "{bad}");
        }
    }
}
