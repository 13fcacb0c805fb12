//! One mail server: connections to it, and what its answers mean.
//!
//! Promises: nothing but greeting, EHLO and STARTTLS is ever said in the clear, and without STARTTLS nothing at all;
//! credentials and messages go only to the server that the certificate names; the address that is connected to is
//! within the channel's reach. A few connections are kept for the next message. One is used only when its last
//! conversation came to an end: a message that was broken off takes its connection with it, since the answer to it
//! could be taken for the answer to the next.

use super::SendError;
use super::http::permanent;
use super::smtp_stream::SmtpStream;
use super::text::clean;
use crate::config::Secret;
use crate::config::alerts::Reach;
use crate::config::alerts::channel_kinds::SmtpTls;
use crate::net;
use lettre::Message;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use parking_lot::Mutex;
use std::error::Error as _;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

/// Connections kept for the next message.
const IDLE_MAX: usize = 2;
/// How long each is kept; servers close them after minutes.
const IDLE: Duration = Duration::from_secs(30);
/// Longest time for connecting to one of several addresses.
const CONNECT: Duration = Duration::from_secs(5);

/// A connection whose last conversation came to an end.
struct Kept {
    connection: AsyncSmtpConnection,
    since: Instant,
}

/// See the module's head.
pub(super) struct Smtp {
    host: String,
    port: u16,
    tls: SmtpTls,
    parameters: TlsParameters,
    credentials: Option<Credentials>,
    reach: Reach,
    timeout: Duration,
    idle: Mutex<Vec<Kept>>,
}

/// Where, and as whom.
pub(super) struct SmtpAccess<'a> {
    pub(super) host: &'a str,
    pub(super) port: u16,
    pub(super) tls: SmtpTls,
    pub(super) login: Option<(&'a str, Secret)>,
    pub(super) reach: Reach,
    pub(super) timeout: Duration,
    pub(super) ca_file: Option<&'a Path>,
}

/// Why an attempt ended.
enum Trouble {
    /// A kept connection turned out to be closed, before anything of the message was said.
    Stale,
    Send(SendError),
}

impl Smtp {
    pub(super) fn new(access: SmtpAccess<'_>) -> Result<Self, String> {
        let mut parameters = TlsParameters::builder(access.host.to_owned());
        if let Some(file) = access.ca_file {
            let wrong = |why: String| format!("the certificates in {} cannot be used: {why}", file.display());
            let pem = net::certificates(file).map_err(|error| wrong(error.to_string()))?;
            let certificate = Certificate::from_pem(&pem).map_err(|error| wrong(words(&error)))?;
            parameters = parameters.add_root_certificate(certificate);
        }
        Ok(Self {
            host: access.host.to_owned(),
            port: access.port,
            tls: access.tls,
            parameters: parameters.build_rustls().map_err(|error| words(&error))?,
            credentials: access.login.map(|(user, word)| Credentials::from((user, word.expose()))),
            reach: access.reach,
            timeout: access.timeout,
            idle: Mutex::new(Vec::new()),
        })
    }

    /// Hands one message over. `Ok` is the server's word that it is responsible for it now.
    pub(super) async fn send(&self, message: &Message) -> Result<(), SendError> {
        match tokio::time::timeout(self.timeout, self.attempt(message)).await {
            Ok(done) => done,
            Err(_) => Err(SendError::Temporary {
                reason: format!("the mail server did not answer within {:?}", self.timeout),
                retry_after: None,
            }),
        }
    }

    async fn attempt(&self, message: &Message) -> Result<(), SendError> {
        let bytes = message.formatted();
        // Taken out, not lent: should this future be dropped, the connection goes with it.
        while let Some(connection) = self.kept() {
            match self.hand_over(connection, message, &bytes, true).await {
                Err(Trouble::Stale) => {}
                Err(Trouble::Send(error)) => return Err(error),
                Ok(()) => return Ok(()),
            }
        }
        let connection = self.connect().await?;
        match self.hand_over(connection, message, &bytes, false).await {
            Ok(()) => Ok(()),
            Err(Trouble::Send(error)) => Err(error),
            Err(Trouble::Stale) => Err(super::http::temporary("the connection closed at once")),
        }
    }

    async fn hand_over(
        &self,
        mut connection: AsyncSmtpConnection,
        message: &Message,
        bytes: &[u8],
        was_kept: bool,
    ) -> Result<(), Trouble> {
        if was_kept && !connection.test_connected().await {
            return Err(Trouble::Stale);
        }
        connection.send(message.envelope(), bytes).await.map_err(|error| Trouble::Send(judge(&error)))?;
        self.keep(connection);
        Ok(())
    }

    fn kept(&self) -> Option<AsyncSmtpConnection> {
        let now = crate::clock::monotonic();
        let mut idle = self.idle.lock();
        idle.retain(|kept| now.saturating_duration_since(kept.since) < IDLE);
        idle.pop().map(|kept| kept.connection)
    }

    fn keep(&self, connection: AsyncSmtpConnection) {
        let mut idle = self.idle.lock();
        if !connection.has_broken() && idle.len() < IDLE_MAX {
            idle.push(Kept { connection, since: crate::clock::monotonic() });
        }
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, SendError> {
        let addresses = net::resolve(self.reach, &self.host, self.port)
            .await
            .map_err(|error| again(&format!("the mail server's name: {error}")))?;
        let mut last = again("the mail server has no address");
        for address in addresses {
            match tokio::time::timeout(CONNECT, self.open(address)).await {
                Ok(Ok(connection)) => return self.log_in(connection).await,
                Ok(Err(error)) => last = error,
                Err(_) => last = again(&format!("no connection to the mail server within {CONNECT:?}")),
            }
        }
        Err(last)
    }

    async fn open(&self, address: SocketAddr) -> Result<AsyncSmtpConnection, SendError> {
        let me = ClientId::default();
        let parameters = self.parameters.clone();
        match self.tls {
            SmtpTls::Implicit => {
                AsyncSmtpConnection::connect_tokio1(address, None, &me, Some(parameters), None)
                    .await
                    .map_err(|error| judge(&error))
            }
            SmtpTls::Starttls => {
                let stream = TcpStream::connect(address).await.map_err(|error| again(&error.to_string()))?;
                let stream = Box::new(SmtpStream::new(stream));
                let mut connection = AsyncSmtpConnection::connect_with_transport(stream, &me)
                    .await
                    .map_err(|error| judge(&error))?;
                if !connection.can_starttls() {
                    // Perhaps somebody on the way took the offer out: nothing is sent, and it is tried again.
                    return Err(again("the mail server offers no STARTTLS; nothing is sent in the clear"));
                }
                connection.starttls(parameters, &me).await.map_err(|error| judge(&error))?;
                Ok(connection)
            }
        }
    }

    async fn log_in(&self, mut connection: AsyncSmtpConnection) -> Result<AsyncSmtpConnection, SendError> {
        if !connection.is_encrypted() {
            return Err(permanent("the connection to the mail server is not encrypted"));
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await.map_err(|error| judge(&error))?;
        }
        Ok(connection)
    }
}

fn again(reason: &str) -> SendError {
    SendError::Temporary { reason: clean(reason, 300), retry_after: None }
}

/// 5xx is the server's last word. All else may pass: also a certificate, which somebody renews.
fn judge(error: &Error) -> SendError {
    let reason = clean(&words(error), 300);
    if error.is_permanent() {
        SendError::Permanent { reason }
    } else {
        SendError::Temporary { reason, retry_after: None }
    }
}

fn words(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_words = inner.to_string();
        if !text.contains(&inner_words) {
            text = format!("{text}: {inner_words}");
        }
        cause = inner.source();
    }
    text
}
