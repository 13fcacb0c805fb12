//! A mail server on loopback: SMTP with STARTTLS or TLS from the first byte, AUTH PLAIN and LOGIN, and a script that
//! makes it behave badly at a chosen moment.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

/// A mail that was taken.
#[derive(Debug, Clone)]
pub struct Mail {
    pub user: Option<String>,
    pub from: String,
    pub to: Vec<String>,
    pub data: String,
    pub is_encrypted: bool,
    /// Which connection it came over, from 0.
    pub connection: usize,
}

/// At which moment something else is said than usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    Greeting,
    Mail,
    Rcpt,
    /// Before the text of the mail.
    Data,
    /// After the text of the mail.
    Text,
    /// A NOOP, as it is used to see whether a kept connection still lives.
    Noop,
}

/// What is done then.
#[derive(Debug, Clone)]
pub enum Trick {
    /// This line is the answer.
    Say(&'static str),
    /// The connection is closed.
    Drop,
    /// The usual answer, this much later.
    Late(Duration),
    /// Nothing more is ever said.
    Silence,
    /// Words without end.
    Endless,
    /// The mail is taken, then the connection is closed before anything is said about it.
    TakeAndDrop,
}

/// How it is set up.
#[derive(Clone)]
pub struct Setup {
    pub acceptor: TlsAcceptor,
    pub is_implicit: bool,
    /// `user`, `password`; without it nobody has to log in.
    pub login: Option<(&'static str, &'static str)>,
    /// Somebody on the way took the offer of STARTTLS out.
    pub is_stripped: bool,
    /// Somebody on the way put these lines behind the answer to STARTTLS, in the clear.
    pub injected: &'static str,
    pub tricks: Arc<Mutex<Vec<(At, Trick)>>>,
}

impl Setup {
    pub fn new(acceptor: TlsAcceptor) -> Self {
        Self {
            acceptor,
            is_implicit: false,
            login: Some(("robot", "pass word")),
            is_stripped: false,
            injected: "",
            tricks: Arc::default(),
        }
    }

    pub fn trick(self, at: At, trick: Trick) -> Self {
        self.tricks.lock().unwrap().push((at, trick));
        self
    }
}

/// The server. It ends with the test's runtime.
pub struct SmtpSink {
    pub address: SocketAddr,
    mails: Arc<Mutex<Vec<Mail>>>,
    /// Every line that was said in the clear, by whoever connected.
    clear: Arc<Mutex<Vec<String>>>,
    count: watch::Receiver<usize>,
    pub tricks: Arc<Mutex<Vec<(At, Trick)>>>,
}

struct Book {
    mails: Arc<Mutex<Vec<Mail>>>,
    clear: Arc<Mutex<Vec<String>>>,
    told: watch::Sender<usize>,
}

impl SmtpSink {
    pub async fn start(setup: Setup) -> Self {
        Self::start_on(setup, 0).await
    }

    /// On a port that somebody was told before.
    pub async fn start_on(setup: Setup, port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (told, count) = watch::channel(0);
        let (mails, clear) = (Arc::default(), Arc::default());
        let book = Arc::new(Book { mails: Arc::clone(&mails), clear: Arc::clone(&clear), told });
        let tricks = Arc::clone(&setup.tricks);
        tokio::spawn(async move {
            let mut connection = 0;
            while let Ok((stream, _)) = listener.accept().await {
                let (setup, book) = (setup.clone(), Arc::clone(&book));
                // A client that goes away ends its own session only.
                tokio::spawn(async move { connect(stream, setup, &book, connection).await });
                connection += 1;
            }
        });
        Self { address, mails, clear, count, tricks }
    }

    pub fn mails(&self) -> Vec<Mail> {
        self.mails.lock().unwrap().clone()
    }

    pub fn clear(&self) -> Vec<String> {
        self.clear.lock().unwrap().clone()
    }

    /// Waits until so many mails were taken.
    pub async fn until(&self, count: usize) -> Vec<Mail> {
        let mut seen = self.count.clone();
        let wait = seen.wait_for(|seen| *seen >= count);
        tokio::time::timeout(Duration::from_secs(20), wait).await.expect("mails came").unwrap();
        self.mails()
    }
}

async fn connect(stream: TcpStream, setup: Setup, book: &Book, connection: usize) -> Option<()> {
    if setup.is_implicit {
        let stream = setup.acceptor.accept(stream).await.ok()?;
        let mut session = Session::new(stream, &setup, book, connection, true);
        session.greet().await?;
        session.talk().await?;
        return Some(());
    }
    let mut session = Session::new(stream, &setup, book, connection, false);
    session.greet().await?;
    session.talk().await?;
    // The only way out of the plain conversation that is not an end.
    let stream = session.stream.into_inner();
    let stream = setup.acceptor.accept(stream).await.ok()?;
    let mut session = Session::new(stream, &setup, book, connection, true);
    session.talk().await
}

struct Session<'a, S> {
    stream: BufReader<S>,
    setup: &'a Setup,
    book: &'a Book,
    connection: usize,
    is_encrypted: bool,
    user: Option<String>,
    from: String,
    to: Vec<String>,
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin> Session<'a, S> {
    fn new(stream: S, setup: &'a Setup, book: &'a Book, connection: usize, is_encrypted: bool) -> Self {
        let stream = BufReader::new(stream);
        Self {
            stream,
            setup,
            book,
            connection,
            is_encrypted,
            user: None,
            from: String::new(),
            to: Vec::new(),
        }
    }

    async fn say(&mut self, line: &str) -> Option<()> {
        self.stream.write_all(format!("{line}\r\n").as_bytes()).await.ok()?;
        self.stream.flush().await.ok()
    }

    /// Does the trick of this moment, else says the usual. A trick is done once.
    async fn answer(&mut self, at: At, usual: &str) -> Option<()> {
        let trick = {
            let mut tricks = self.setup.tricks.lock().unwrap();
            let found = tricks.iter().position(|(when, _)| *when == at);
            found.map(|index| tricks.remove(index).1)
        };
        match trick {
            None => self.say(usual).await,
            Some(Trick::Say(line)) => self.say(line).await,
            Some(Trick::Late(wait)) => {
                tokio::time::sleep(wait).await;
                self.say(usual).await
            }
            Some(Trick::Drop | Trick::TakeAndDrop) => None,
            Some(Trick::Silence) => std::future::pending().await,
            Some(Trick::Endless) => loop {
                self.stream.write_all(&[b'x'; 65_536]).await.ok()?;
            },
        }
    }

    async fn greet(&mut self) -> Option<()> {
        self.answer(At::Greeting, "220 sink ESMTP").await
    }

    async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let line = line.trim_end().to_owned();
        if !self.is_encrypted {
            self.book.clear.lock().unwrap().push(line.clone());
        }
        Some(line)
    }

    /// Until the client leaves, or wants to go on encrypted.
    async fn talk(&mut self) -> Option<()> {
        loop {
            let line = self.line().await?;
            let (word, rest) = line.split_once(' ').unwrap_or((line.as_str(), ""));
            match word.to_ascii_uppercase().as_str() {
                "EHLO" => self.ehlo().await?,
                "STARTTLS" if !self.is_encrypted => {
                    let injected = self.setup.injected;
                    self.stream.write_all(format!("220 go on\r\n{injected}").as_bytes()).await.ok()?;
                    self.stream.flush().await.ok()?;
                    return Some(());
                }
                "AUTH" => self.auth(rest).await?,
                "NOOP" => self.answer(At::Noop, "250 fine").await?,
                "RSET" => self.say("250 fine").await?,
                "QUIT" => {
                    self.say("221 bye").await?;
                    return None;
                }
                "MAIL" if self.setup.login.is_some() && self.user.is_none() => {
                    self.say("530 5.7.0 log in first").await?;
                }
                "MAIL" => {
                    self.from = rest.to_owned();
                    self.to.clear();
                    self.answer(At::Mail, "250 fine").await?;
                }
                "RCPT" => {
                    self.to.push(rest.to_owned());
                    self.answer(At::Rcpt, "250 fine").await?;
                }
                "DATA" => self.data().await?,
                _ => self.say("502 what").await?,
            }
        }
    }

    async fn ehlo(&mut self) -> Option<()> {
        let mut lines = vec!["250-sink", "250-8BITMIME"];
        if !self.is_encrypted && !self.setup.is_stripped {
            lines.push("250-STARTTLS");
        }
        if self.is_encrypted && self.setup.login.is_some() {
            lines.push("250-AUTH PLAIN LOGIN");
        }
        lines.push("250 SIZE 1000000");
        self.say(&lines.join("\r\n")).await
    }

    async fn auth(&mut self, words: &str) -> Option<()> {
        let (kind, initial) = words.split_once(' ').unwrap_or((words, ""));
        let text =
            |line: &str| String::from_utf8(BASE64.decode(line).unwrap_or_default()).unwrap_or_default();
        let (user, password) = if kind.eq_ignore_ascii_case("PLAIN") {
            let all = text(initial);
            let mut parts = all.split('\0').skip(1).map(str::to_owned);
            (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
        } else {
            self.say("334 VXNlcm5hbWU6").await?;
            let user = text(&self.line().await?);
            self.say("334 UGFzc3dvcmQ6").await?;
            (user, text(&self.line().await?))
        };
        if self.setup.login == Some((user.as_str(), password.as_str())) {
            self.user = Some(user);
            self.say("235 welcome").await
        } else {
            self.say("535 5.7.8 no").await
        }
    }

    async fn data(&mut self) -> Option<()> {
        let refused = {
            let tricks = self.setup.tricks.lock().unwrap();
            tricks.iter().any(|(at, trick)| *at == At::Data && matches!(trick, Trick::Say(_)))
        };
        self.answer(At::Data, "354 go on").await?;
        if refused {
            return Some(());
        }
        let mut data = String::new();
        loop {
            let line = self.line().await?;
            if line == "." {
                break;
            }
            data.push_str(line.strip_prefix('.').unwrap_or(&line));
            data.push('\n');
        }
        let is_refused = {
            let tricks = self.setup.tricks.lock().unwrap();
            tricks.iter().any(|(at, trick)| *at == At::Text && matches!(trick, Trick::Say(_) | Trick::Drop))
        };
        if !is_refused {
            let mail = Mail {
                user: self.user.clone(),
                from: self.from.clone(),
                to: self.to.clone(),
                data,
                is_encrypted: self.is_encrypted,
                connection: self.connection,
            };
            self.book.mails.lock().unwrap().push(mail);
            self.book.told.send_modify(|count| *count += 1);
        }
        self.answer(At::Text, "250 taken").await
    }
}
