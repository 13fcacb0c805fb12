//! A receiver of webhooks on this host: answers 200 at once and tells when the first line of each request was there.

use crate::clock;
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;

/// See the module's head. Its threads end with the process.
pub(super) struct Sink {
    pub(super) address: SocketAddr,
    /// When each request was read to its end.
    pub(super) arrived: Receiver<Instant>,
}

impl Sink {
    pub(super) fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let (tell, arrived) = channel();
        std::thread::Builder::new().name("webhook-sink".to_owned()).spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                let tell = tell.clone();
                // A receiver that cannot make a thread drops the connection, and the message is sent again.
                let _ = std::thread::Builder::new().spawn(move || serve(socket, &tell));
            }
        })?;
        Ok(Self { address, arrived })
    }
}

/// One connection, kept open, until the other side closes it.
fn serve(socket: TcpStream, tell: &Sender<Instant>) {
    // Answers are small: without this each would wait for more.
    let _ = socket.set_nodelay(true);
    let Ok(mut writer) = socket.try_clone() else { return };
    let mut reader = BufReader::new(socket);
    loop {
        let mut length = 0_usize;
        let mut line = String::new();
        loop {
            line.clear();
            match reader.read_line(&mut line) {
                Ok(0) | Err(_) => return,
                Ok(_) if line == "\r\n" => break,
                Ok(_) => {}
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() || tell.send(clock::monotonic()).is_err() {
            return;
        }
        if writer.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").is_err() {
            return;
        }
    }
}
