//! The one client for HTTP requests that tell people something.
//!
//! Promises: no redirect is followed, no proxy is taken from the environment, every request ends within its timeout,
//! at most [`ANSWER_BYTES_MAX`] of an answer are read, and no connection is opened to an address outside its reach,
//! whatever a name resolves to. Venues have their own clients: their addresses are judged by the configuration.

mod address;

pub use address::is_allowed;

use crate::config::alerts::Reach;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Certificate, Method, Url};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Most of an answer that is read, bytes. Its status counts however much follows.
pub const ANSWER_BYTES_MAX: usize = 2 << 20;
/// Longest wait that a receiver may ask for.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(3_600);
/// Idle connections are kept this long.
const IDLE: Duration = Duration::from_secs(30);
/// Largest file of certificates.
const CA_BYTES_MAX: u64 = 1 << 20;

/// Why a client or an address could not be made. None of the variants holds an address, which may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetError {
    /// Not an address for HTTP.
    #[error("the address cannot be used: {0}")]
    Address(String),
    /// The file of certificates.
    #[error("the certificates in {file} cannot be used: {why}")]
    Certificates {
        /// The file.
        file: PathBuf,
        /// Why.
        why: String,
    },
    /// The client itself.
    #[error("no client for HTTP: {0}")]
    Client(String),
}

/// How a request ended without an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// No answer within the timeout.
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    /// No connection.
    #[error("no connection: {0}")]
    Connect(String),
    /// The connection broke, or what came was not HTTP.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// The request could not be formed.
    #[error("the request could not be formed: {0}")]
    Request(String),
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// How long the receiver wants us to wait, bounded to an hour.
    pub retry_after: Option<Duration>,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, at most [`ANSWER_BYTES_MAX`]; cut where it is longer.
    pub body: Vec<u8>,
}

/// A client with its reach and its timeout. Clones share their connections.
#[derive(Clone)]
pub struct Outbound {
    client: reqwest::Client,
    reach: Reach,
    timeout: Duration,
}

impl Outbound {
    /// A client. `ca_file` names certificates (PEM) that are trusted besides the public ones.
    ///
    /// # Errors
    /// [`NetError`]: the file of certificates, or the TLS library.
    pub fn new(reach: Reach, timeout: Duration, ca_file: Option<&Path>) -> Result<Self, NetError> {
        let mut builder = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .https_only(reach != Reach::Loopback)
            .dns_resolver(Arc::new(Filtered(reach)))
            .connect_timeout(timeout)
            .timeout(timeout)
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(4)
            .tcp_nodelay(true)
            .user_agent(concat!("plimsoll/", env!("CARGO_PKG_VERSION")));
        if let Some(file) = ca_file {
            let wrong = |why: String| NetError::Certificates { file: file.to_owned(), why };
            let pem = certificates(file).map_err(|error| wrong(error.to_string()))?;
            for one in Certificate::from_pem_bundle(&pem).map_err(|error| wrong(text_of(&error)))? {
                builder = builder.add_root_certificate(one);
            }
        }
        let client = builder.build().map_err(|error| NetError::Client(text_of(&error)))?;
        Ok(Self { client, reach, timeout })
    }

    /// Parses an address and checks what can be checked without resolving its name. A number in any spelling (decimal,
    /// hexadecimal, mapped) is judged here, because resolvers are not asked about numbers.
    ///
    /// # Errors
    /// [`NetError::Address`], without the address.
    pub fn address(&self, url: &str) -> Result<Url, NetError> {
        crate::config::alerts::check_url(url, self.reach)
            .map_err(|(problem, advice)| NetError::Address(format!("{problem}; {advice}")))?;
        let url = Url::parse(url).map_err(|error| NetError::Address(error.to_string()))?;
        let host = url.host_str().unwrap_or("");
        let bare = host.strip_prefix('[').and_then(|v6| v6.strip_suffix(']')).unwrap_or(host);
        match bare.parse::<IpAddr>() {
            Ok(number) if !is_allowed(self.reach, number) => {
                Err(NetError::Address(format!("{number} is not within this channel's reach")))
            }
            _ => Ok(url),
        }
    }

    /// Sends one request and reads the answer.
    ///
    /// # Errors
    /// [`Failure`], without the address, which may be a secret.
    pub async fn send(
        &self,
        method: Method,
        url: Url,
        headers: HeaderMap,
        body: Option<Vec<u8>>,
    ) -> Result<Answer, Failure> {
        let mut request = self.client.request(method, url).headers(headers);
        if let Some(body) = body {
            request = request.body(body);
        }
        // The client's own timeout ends the request; this one also ends a name that is never resolved.
        match tokio::time::timeout(self.timeout, self.exchange(request)).await {
            Ok(answer) => answer,
            Err(_) => Err(Failure::Timeout(self.timeout)),
        }
    }

    async fn exchange(&self, request: reqwest::RequestBuilder) -> Result<Answer, Failure> {
        let mut response = request.send().await.map_err(|error| self.failure(error))?;
        let status = response.status().as_u16();
        let retry_after = retry_after(response.headers());
        let headers = response.headers().clone();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.failure(error))? {
            let room = ANSWER_BYTES_MAX.saturating_sub(body.len());
            body.extend(chunk.iter().take(room));
            if chunk.len() >= room {
                break;
            }
        }
        Ok(Answer { status, retry_after, headers, body })
    }

    fn failure(&self, error: reqwest::Error) -> Failure {
        let error = error.without_url();
        if error.is_timeout() {
            Failure::Timeout(self.timeout)
        } else if error.is_connect() {
            Failure::Connect(text_of(&error))
        } else if error.is_builder() {
            Failure::Request(text_of(&error))
        } else {
            Failure::Broken(text_of(&error))
        }
    }
}

/// Resolves a name to the addresses within reach.
///
/// # Errors
/// No such name, or none of its addresses is within reach.
pub async fn resolve(reach: Reach, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let all: Vec<SocketAddr> = tokio::net::lookup_host((host, port)).await?.collect();
    let within: Vec<SocketAddr> =
        all.iter().copied().filter(|address| is_allowed(reach, address.ip())).collect();
    if within.is_empty() {
        let words = "no address of this host is within the channel's reach";
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, words));
    }
    Ok(within)
}

/// Reads a file of certificates.
///
/// # Errors
/// The system's, or a file that is larger than any such file.
pub fn certificates(file: &Path) -> io::Result<Vec<u8>> {
    let length = std::fs::metadata(file)?.len();
    if length > CA_BYTES_MAX {
        return Err(io::Error::other(format!("larger than {CA_BYTES_MAX} bytes")));
    }
    std::fs::read(file)
}

struct Filtered(Reach);

impl Resolve for Filtered {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.0;
        Box::pin(async move {
            // The client puts in the port of its address.
            let within = resolve(reach, name.as_str(), 0).await?;
            Ok(Box::new(within.into_iter()) as Addrs)
        })
    }
}

/// Seconds, or a date as HTTP writes it.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let at = chrono::DateTime::parse_from_rfc2822(text).ok()?;
            at.signed_duration_since(crate::clock::wall()).to_std().unwrap_or_default()
        }
    };
    Some(wait.min(RETRY_AFTER_MAX))
}

/// An error with all its causes; the library's own words name only the outermost.
fn text_of(error: &(dyn std::error::Error + 'static)) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_words = inner.to_string();
        if !words.contains(&inner_words) {
            words.push_str(": ");
            words.push_str(&inner_words);
        }
        cause = inner.source();
    }
    words.chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(reach: Reach) -> Outbound {
        Outbound::new(reach, Duration::from_secs(1), None).unwrap()
    }

    #[test]
    fn a_number_is_judged_in_every_spelling() {
        let public = client(Reach::Public);
        for inwards in [
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0177.0.0.1/",
            "https://127.1/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:7f00:1]/",
            "https://169.254.169.254/latest/meta-data",
            "https://10.0.0.1/",
            "https://[fd00:ec2::254]/",
            "https://0.0.0.0/",
            "https://localhost/",
            "http://example.org/",
            "https://user:word@example.org/",
            "ftp://example.org/",
            "https://",
            "",
        ] {
            assert!(public.address(inwards).is_err(), "{inwards}");
        }
        assert!(public.address("https://hooks.example.org/x?y=1").is_ok());
        assert!(client(Reach::Private).address("https://10.0.0.1/").is_ok());
        assert!(client(Reach::Private).address("https://169.254.169.254/").is_err());
        assert!(client(Reach::Loopback).address("http://127.0.0.1:9/").is_ok());
        assert!(client(Reach::Loopback).address("https://1.1.1.1/").is_err());
    }

    #[test]
    fn a_receiver_may_ask_for_an_hour_at_most() {
        let asked = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            retry_after(&headers)
        };
        assert_eq!(asked("7"), Some(Duration::from_secs(7)));
        assert_eq!(asked("999999999"), Some(RETRY_AFTER_MAX));
        assert_eq!(asked("soon"), None);
        assert_eq!(asked("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        assert_eq!(asked("Wed, 21 Oct 2099 07:28:00 GMT"), Some(RETRY_AFTER_MAX));
    }

    #[tokio::test]
    async fn a_name_that_points_inwards_is_not_followed() {
        assert!(resolve(Reach::Public, "localhost", 1).await.is_err());
        assert!(!resolve(Reach::Loopback, "localhost", 1).await.unwrap().is_empty());
    }
}
