//! An HTTP receiver on loopback: remembers every request as it came, and answers as its script says.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// One request, byte for byte.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The fields of a form, decoded.
    pub fn form(&self) -> Vec<(String, String)> {
        let text = String::from_utf8(self.body.clone()).unwrap();
        let base = reqwest::Url::parse(&format!("http://x/?{text}")).unwrap();
        base.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
    }
}

/// What is done about a request.
#[derive(Debug, Clone)]
pub enum Reply {
    Answer {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: Vec<u8>,
    },
    /// The answer comes this much later.
    After(Duration, Box<Reply>),
    /// Nothing is ever said.
    Silence,
    /// The connection is closed without a word.
    Drop,
    /// A success whose body never ends.
    Endless,
}

impl Reply {
    pub fn status(status: u16) -> Self {
        Self::json(status, "")
    }

    pub fn json(status: u16, body: &str) -> Self {
        Self::Answer { status, headers: Vec::new(), body: body.as_bytes().to_vec() }
    }
}

type Script = dyn Fn(&Request) -> Reply + Send + Sync;

/// The server. It ends with the test's runtime.
pub struct HttpSink {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Request>>>,
    count: watch::Receiver<usize>,
}

impl HttpSink {
    /// A server that answers by this script.
    pub async fn start(script: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (told, count) = watch::channel(0);
        let (script, told): (Arc<Script>, _) = (Arc::new(script), Arc::new(told));
        let book = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (script, book, told) = (Arc::clone(&script), Arc::clone(&book), Arc::clone(&told));
                // A client that goes away ends its own session only.
                tokio::spawn(async move {
                    let _ = serve(stream, &*script, &book, &told).await;
                });
            }
        });
        Self { address, seen, count }
    }

    /// A server that always answers like this.
    pub async fn always(reply: Reply) -> Self {
        Self::start(move |_| reply.clone()).await
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }

    /// Waits until so many requests came.
    pub async fn until(&self, count: usize) -> Vec<Request> {
        let mut seen = self.count.clone();
        let wait = seen.wait_for(|seen| *seen >= count);
        tokio::time::timeout(Duration::from_secs(20), wait).await.expect("requests came").unwrap();
        self.seen()
    }
}

async fn serve(
    stream: TcpStream,
    script: &Script,
    book: &Mutex<Vec<Request>>,
    told: &watch::Sender<usize>,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read(&mut stream).await? {
        let mut reply = script(&request);
        book.lock().unwrap().push(request);
        told.send_modify(|count| *count += 1);
        while let Reply::After(wait, then) = reply {
            tokio::time::sleep(wait).await;
            reply = *then;
        }
        match reply {
            Reply::Answer { status, headers, body } => {
                let mut head = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\n", body.len());
                for (name, value) in headers {
                    head.push_str(&format!("{name}: {value}\r\n"));
                }
                stream.write_all(format!("{head}\r\n").as_bytes()).await?;
                stream.write_all(&body).await?;
            }
            Reply::Silence => std::future::pending().await,
            Reply::Drop | Reply::After(..) => return Ok(()),
            Reply::Endless => {
                stream.write_all(b"HTTP/1.1 200 x\r\ntransfer-encoding: chunked\r\n\r\n").await?;
                let chunk = [b"10000\r\n".as_slice(), &[b'x'; 0x10000], b"\r\n"].concat();
                loop {
                    stream.write_all(&chunk).await?;
                }
            }
        }
    }
    Ok(())
}

async fn read(stream: &mut BufReader<TcpStream>) -> std::io::Result<Option<Request>> {
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.map_or(0, |(_, value)| value.parse().unwrap())];
    stream.read_exact(&mut body).await?;
    Ok(Some(Request { method, target, headers, body }))
}
