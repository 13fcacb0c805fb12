//! What is refused whoever asks: requests to another name, from another site, or with a secret in their address.
//!
//! A page of a stranger can make a browser resolve the stranger's name to the loopback address and then talk to us as
//! if we were the stranger (DNS rebinding): its requests carry the stranger's name in `Host`. Without that trick its
//! requests carry `Origin` or `Sec-Fetch-Site`, and nothing that changes anything is taken from another site. An
//! address is written to logs and histories: a token in it is refused, so that nobody gets used to it.

use super::problem::Problem;
use actix_web::dev::ServiceRequest;
use actix_web::http::header::{HOST, HeaderMap, ORIGIN};
use actix_web::web::Query;
use std::net::{IpAddr, Ipv6Addr};

/// Query parameters that would hold a secret.
const SECRET_PARAMETERS: [&str; 8] =
    ["token", "access_token", "api_key", "apikey", "auth", "authorization", "password", "secret"];

/// The names to which this process answers.
#[derive(Debug, Clone)]
pub struct Names {
    listen: IpAddr,
    allowed: Vec<String>,
}

impl Names {
    /// On loopback every address and `localhost` are ours, because no stranger can be reached at them; elsewhere only
    /// the listen address is. `allowed` names are ours in both cases.
    #[must_use]
    pub fn new(listen: IpAddr, allowed: &[String]) -> Self {
        Self { listen, allowed: allowed.to_vec() }
    }

    fn is_ours(&self, host: &str) -> bool {
        let name = name_of(host);
        if self.allowed.iter().any(|allowed| name_of(allowed).eq_ignore_ascii_case(name)) {
            return true;
        }
        match (self.listen.is_loopback(), name.parse::<IpAddr>()) {
            (true, Ok(_)) => true,
            (true, Err(_)) => name.eq_ignore_ascii_case("localhost"),
            (false, Ok(address)) => address == self.listen && !address.is_unspecified(),
            (false, Err(_)) => false,
        }
    }
}

/// A host without its port and brackets.
fn name_of(host: &str) -> &str {
    match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) if address.parse::<Ipv6Addr>().is_ok() => address,
        Some(_) => "",
        None if host.parse::<Ipv6Addr>().is_ok() => host,
        None => host.split_once(':').map_or(host, |(name, _)| name),
    }
}

/// Refuses what nobody may send.
///
/// # Errors
/// 421, 400 or 403.
pub(super) fn check(request: &ServiceRequest, names: &Names, changes: bool) -> Result<(), Problem> {
    let headers = request.headers();
    let host = text(headers, HOST);
    // HTTP/1.0 clients may leave it out; browsers never do. Beyond loopback it is asked of everybody.
    if !host.map_or(names.listen.is_loopback(), |host| names.is_ours(host)) {
        let detail =
            "the Host header must be the address that this process listens on, or one of web.allowed_hosts";
        return Err(Problem::misdirected(detail));
    }
    let query = request.query_string();
    if !query.is_empty() {
        let parameters = Query::<Vec<(String, String)>>::from_query(query)
            .map_err(|error| Problem::bad_request(format!("the query cannot be read: {error}")))?;
        let secret = |name: &str| SECRET_PARAMETERS.iter().any(|word| name.eq_ignore_ascii_case(word));
        if parameters.iter().any(|(name, _)| secret(name)) {
            let detail = "secrets do not belong in an address; send Authorization: Bearer <token>";
            return Err(Problem::bad_request(detail).with_code("secret_in_url"));
        }
    }
    if changes && is_cross_site(headers, host) {
        return Err(Problem::forbidden("a page of another site may not change anything here")
            .with_code("cross_site_request"));
    }
    Ok(())
}

fn is_cross_site(headers: &HeaderMap, host: Option<&str>) -> bool {
    let foreign_fetch =
        text(headers, "sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none"));
    let foreign_origin = text(headers, ORIGIN).is_some_and(|origin| {
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        authority.is_none() || authority != host
    });
    foreign_fetch || foreign_origin
}

/// A header's value; an unreadable one is the empty text, which fits nothing.
fn text(headers: &HeaderMap, name: impl actix_web::http::header::AsHeaderName) -> Option<&str> {
    headers.get(name).map(|value| value.to_str().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::ResponseError as _;
    use actix_web::test::TestRequest;

    fn names(listen: &str, allowed: &[&str]) -> Names {
        let allowed: Vec<String> = allowed.iter().map(ToString::to_string).collect();
        Names::new(listen.parse().unwrap(), &allowed)
    }

    #[test]
    fn on_loopback_names_of_others_are_refused() {
        let names = names("127.0.0.1", &["ops.example"]);
        for good in ["127.0.0.1:8787", "localhost", "LOCALHOST:1", "[::1]:8787", "10.0.0.7", "Ops.Example:80"]
        {
            assert!(names.is_ours(good), "{good}");
        }
        for bad in
            ["", "evil.example", "evil.example:8787", "127.0.0.1.evil.example", "localhost.evil", "[x]:1"]
        {
            assert!(!names.is_ours(bad), "{bad}");
        }
    }

    #[test]
    fn beyond_loopback_only_the_listed_names_and_the_address_are_ours() {
        let own = names("10.0.0.7", &["ops.example", "[2001:db8::1]"]);
        for good in ["10.0.0.7", "10.0.0.7:8787", "ops.example", "[2001:db8::1]:8787"] {
            assert!(own.is_ours(good), "{good}");
        }
        for bad in ["localhost", "127.0.0.1", "10.0.0.8", "evil.example", "", "[::1]"] {
            assert!(!own.is_ours(bad), "{bad}");
        }
        assert!(!names("0.0.0.0", &[]).is_ours("0.0.0.0"), "no client is reached at it");
    }

    fn refused(request: TestRequest, changes: bool) -> Option<(u16, String)> {
        let request = request.insert_header((HOST, "127.0.0.1:8787")).to_srv_request();
        let problem = check(&request, &names("127.0.0.1", &[]), changes).err()?;
        Some((problem.status_code().as_u16(), problem.code().to_owned()))
    }

    #[test]
    fn secrets_in_addresses_are_refused_however_they_are_spelt() {
        let at = |uri: &str| refused(TestRequest::get().uri(uri), false);
        assert_eq!(at("/x?after=1&tokens=2"), None);
        for uri in ["/x?token=a", "/x?a=1&ACCESS_TOKEN=b", "/x?%74oken=a", "/x?api_key"] {
            assert_eq!(at(uri), Some((400, "secret_in_url".to_owned())), "{uri}");
        }
    }

    #[test]
    fn nothing_is_changed_for_another_site() {
        let with = |name: &'static str, value: &'static str| TestRequest::post().insert_header((name, value));
        for (name, value) in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("origin", "http://127.0.0.1:9999"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            assert_eq!(refused(with(name, value), true), Some((403, "cross_site_request".to_owned())));
            assert_eq!(refused(with(name, value), false), None, "reading fails by itself: nothing allows it");
        }
        for (name, value) in [
            ("origin", "http://127.0.0.1:8787"),
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-site", "none"),
        ] {
            assert_eq!(refused(with(name, value), true), None, "{name}: {value}");
        }
    }
}
