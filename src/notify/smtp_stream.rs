//! A TCP connection to a mail server, as far as it is not encrypted.
//!
//! While the conversation is plain, it is read one byte at a time: whatever somebody on the way put behind the answer
//! to STARTTLS then reaches the TLS library, which refuses it, and not the buffer in which the mail library would take
//! it for the encrypted server's words. And a server that talks without end is cut off.

use lettre::transport::smtp::client::AsyncTokioStream;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Most that a server may say between two commands, bytes.
const UNASKED_BYTES_MAX: usize = 128 * 1024;
/// First byte of a TLS handshake. No command begins with it.
const HANDSHAKE: u8 = 0x16;

/// See the module's head.
#[derive(Debug)]
pub(super) struct SmtpStream {
    inner: TcpStream,
    is_plain: bool,
    unasked: usize,
}

impl SmtpStream {
    pub(super) fn new(inner: TcpStream) -> Self {
        Self { inner, is_plain: true, unasked: 0 }
    }
}

impl AsyncRead for SmtpStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.unasked > UNASKED_BYTES_MAX {
            let words = "the server talks without end";
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, words)));
        }
        if !self.is_plain {
            let before = buf.filled().len();
            ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
            self.unasked = self.unasked.saturating_add(buf.filled().len().saturating_sub(before));
            return Poll::Ready(Ok(()));
        }
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let mut one = [0_u8; 1];
        let mut small = ReadBuf::new(&mut one);
        ready!(Pin::new(&mut self.inner).poll_read(cx, &mut small))?;
        buf.put_slice(small.filled());
        self.unasked = self.unasked.saturating_add(small.filled().len());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for SmtpStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if buf.first() == Some(&HANDSHAKE) {
            self.is_plain = false;
        }
        self.unasked = 0;
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

impl AsyncTokioStream for SmtpStream {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.inner.peer_addr()
    }
}
