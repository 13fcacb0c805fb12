//! Real receivers on loopback: an HTTP server that takes webhooks, and a mail server with TLS that takes mail. Each
//! remembers what came and when.

use anyhow::Context as _;
use parking_lot::Mutex;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// Largest message that is kept.
const MESSAGE_BYTES_MAX: usize = 1 << 20;
/// Most messages that are kept; a drill brings a handful.
const KEPT_MAX: usize = 1_000;

/// What came, and when. Clones are ends of the same box.
#[derive(Debug, Clone, Default)]
pub(super) struct Inbox(Arc<Mutex<Vec<(Instant, String)>>>);

impl Inbox {
    /// When the first message came that holds all of these words.
    pub(super) fn first(&self, since: Instant, words: &[&str]) -> Option<Instant> {
        let all = self.0.lock();
        let found =
            all.iter().find(|(at, text)| *at >= since && words.iter().all(|word| text.contains(word)));
        found.map(|(at, _)| *at)
    }

    /// How many came.
    pub(super) fn count(&self) -> usize {
        self.0.lock().len()
    }

    fn take(&self, text: String) {
        let mut all = self.0.lock();
        if all.len() < KEPT_MAX {
            all.push((crate::clock::monotonic(), text));
        }
    }
}

/// Takes webhooks; answers 200 to everything.
pub(super) async fn http() -> anyhow::Result<(SocketAddr, Inbox)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let (address, inbox) = (listener.local_addr()?, Inbox::default());
    let own = inbox.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let inbox = own.clone();
            // A client that goes away ends its own conversation only.
            tokio::spawn(async move { requests(stream, &inbox).await });
        }
    });
    Ok((address, inbox))
}

async fn requests(stream: TcpStream, inbox: &Inbox) -> Option<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut length = 0_usize;
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.ok()? == 0 {
                return None;
            }
            let line = line.trim_end().to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().ok().filter(|length| *length <= MESSAGE_BYTES_MAX)?;
            }
            if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.ok()?;
        inbox.take(String::from_utf8_lossy(&body).into_owned());
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").await.ok()?;
        stream.flush().await.ok()?;
    }
}

/// Takes mail over TLS from the first byte. The authority of its certificate is written to a file in `folder`.
pub(super) async fn mail(folder: &Path) -> anyhow::Result<(SocketAddr, PathBuf, Inbox)> {
    let (acceptor, ca_file) = certificate(folder)?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let (address, inbox) = (listener.local_addr()?, Inbox::default());
    let own = inbox.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (inbox, acceptor) = (own.clone(), acceptor.clone());
            tokio::spawn(async move { conversation(stream, acceptor, &inbox).await });
        }
    });
    Ok((address, ca_file, inbox))
}

fn certificate(folder: &Path) -> anyhow::Result<(TlsAcceptor, PathBuf)> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "an authority of this drill");
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    let ca_file = folder.join("drill-ca.pem");
    std::fs::write(&ca_file, authority.pem()).with_context(|| ca_file.display().to_string())?;
    let key = KeyPair::generate()?;
    let leaf = CertificateParams::new(vec!["localhost".to_owned()])?.signed_by(&key, &authority)?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)?;
    Ok((TlsAcceptor::from(Arc::new(config)), ca_file))
}

async fn conversation(stream: TcpStream, acceptor: TlsAcceptor, inbox: &Inbox) -> Option<()> {
    let mut stream = BufReader::new(acceptor.accept(stream).await.ok()?);
    let mut say = "220 drill ESMTP";
    loop {
        stream.write_all(format!("{say}\r\n").as_bytes()).await.ok()?;
        stream.flush().await.ok()?;
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let word = line.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
        say = match word.as_str() {
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await.ok()?;
                stream.flush().await.ok()?;
                let mut text = String::new();
                loop {
                    let mut line = String::new();
                    let read = stream.read_line(&mut line).await.ok()?;
                    if read == 0 || text.len() > MESSAGE_BYTES_MAX {
                        return None;
                    }
                    if line.trim_end() == "." {
                        break;
                    }
                    text.push_str(&line);
                }
                inbox.take(text);
                "250 taken"
            }
            "EHLO" => "250 drill",
            "QUIT" => {
                stream.write_all(b"221 bye\r\n").await.ok()?;
                stream.flush().await.ok()?;
                return None;
            }
            _ => "250 fine",
        };
    }
}
