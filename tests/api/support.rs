//! A running plimsoll: the real binary on a free port.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The binary under test, with a clean environment but for what it needs.
pub fn plimsoll() -> Command {
    clean(env!("CARGO_BIN_EXE_plimsoll"))
}

fn clean(program: &str) -> Command {
    let mut command = Command::new(program);
    let ours = std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PLIMSOLL"));
    for (name, _) in ours {
        command.env_remove(name);
    }
    command
}

pub struct TestApp {
    child: Child,
    pub url: String,
    data: Arc<tempfile::TempDir>,
    /// What it wrote to stderr so far; read on a thread of its own, or a full pipe would stop it.
    log: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl TestApp {
    /// Starts `demo` with extra environment and waits until it listens.
    pub fn start(environment: &[(&str, &str)]) -> Self {
        Self::start_with(&["demo"], environment)
    }

    pub fn start_with(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        Self::start_on(Arc::new(tempfile::tempdir().unwrap()), arguments, environment)
    }

    /// Starts on a data directory that another process has left.
    pub fn start_on(data: Arc<tempfile::TempDir>, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        Self::start_as(plimsoll(), data, arguments, environment)
    }

    /// Starts as a service manager would that watches: the process is told its own number.
    pub fn start_watched(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = clean("sh");
        let as_itself = "export WATCHDOG_PID=$$; exec \"$0\" \"$@\"";
        command.args(["-c", as_itself, env!("CARGO_BIN_EXE_plimsoll")]);
        Self::start_as(command, Arc::new(tempfile::tempdir().unwrap()), arguments, environment)
    }

    fn start_as(
        mut command: Command,
        data: Arc<tempfile::TempDir>,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let mut child = command
            .args(arguments)
            .args(["--listen", "127.0.0.1:0", "--data-dir"])
            .arg(data.path())
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().rsplit(' ').next().unwrap_or_default().to_owned();
        assert!(url.starts_with("http://127.0.0.1:"), "no address in {line:?}");
        let log = Arc::new(Mutex::new(String::new()));
        let (stderr, sink) = (child.stderr.take().unwrap(), Arc::clone(&log));
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines() {
                let mut log = sink.lock().unwrap();
                log.push_str(&line.unwrap());
                log.push('\n');
            }
        });
        Self { child, url, data, log, reader: Some(reader) }
    }

    /// The data directory; it outlives the process as long as somebody holds it.
    pub fn data(&self) -> Arc<tempfile::TempDir> {
        Arc::clone(&self.data)
    }

    /// Did it write this to stderr?
    pub fn logged(&self, wanted: &str) -> bool {
        self.log.lock().unwrap().contains(wanted)
    }

    pub fn until_log(&self, wanted: &str) {
        self.until(wanted, |app| app.logged(wanted));
    }

    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Waits for the end; answers exit code and stderr.
    pub fn end(mut self, within: Duration) -> (Option<i32>, String) {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                self.reader.take().unwrap().join().unwrap();
                let log = self.log.lock().unwrap().clone();
                return (status.code(), log);
            }
            assert!(start.elapsed() < within, "did not end within {within:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Where it listens, as a socket address.
    pub fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// Sends bytes as they are and reads until the other side closes.
    pub fn raw(&self, request: &str) -> String {
        let mut socket = TcpStream::connect(self.address()).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        socket.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None)
    }

    pub fn send(&self, method: &str, path: &str, body: Option<&str>) -> Answer {
        self.send_with(method, path, body, &[])
    }

    pub fn send_with(
        &self,
        method: &str,
        path: &str,
        body: Option<&str>,
        headers: &[(&str, &str)],
    ) -> Answer {
        self.try_send(method, path, body, headers).unwrap()
    }

    /// The answer, if there is one: a process that restarts does not always listen.
    pub fn try_get(&self, path: &str) -> Option<Answer> {
        self.try_send("GET", path, None, &[]).ok()
    }

    fn try_send(
        &self,
        method: &str,
        path: &str,
        body: Option<&str>,
        headers: &[(&str, &str)],
    ) -> reqwest::Result<Answer> {
        let (url, url_path) = (format!("{}{path}", self.url), path.to_owned());
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let body = body.map(str::to_owned);
        runtime().block_on(async move {
            let client = reqwest::Client::builder().no_proxy().build().unwrap();
            let mut request = client.request(method, url).timeout(Duration::from_secs(10));
            if let Some(body) = body {
                request = request.header("content-type", "application/json").body(body);
            }
            // Controls need a key; a test that is about keys names its own, or an empty one for none.
            let keyed = headers.iter().any(|(name, _)| *name == "idempotency-key");
            if url_path.contains("/controls/") && !keyed {
                request = request.header("idempotency-key", format!("{:016x}", fastrand::u64(..)));
            }
            for (name, value) in headers.iter().filter(|header| **header != ("idempotency-key", "")) {
                request = request.header(*name, *value);
            }
            let response = request.send().await?;
            let status = response.status().as_u16();
            let headers = response.headers().clone();
            let text = response.text().await?;
            Ok(Answer { status, headers, text })
        })
    }

    /// The node at `path` in the snapshot.
    pub fn node(&self, path: &str) -> Value {
        let answer = self.get("/api/v1/supervision").json();
        let nodes = answer["nodes"].as_array().unwrap();
        nodes.iter().find(|node| node["path"] == path).unwrap_or_else(|| panic!("no {path}")).clone()
    }

    /// Asks until `good` likes the answer.
    pub fn until(&self, what: &str, good: impl Fn(&Self) -> bool) {
        let start = Instant::now();
        while !good(self) {
            assert!(start.elapsed() < Duration::from_secs(10), "never: {what}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        // Already gone when the test waited for it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e} in {:?}", self.text))
    }
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

pub fn run(arguments: &[&str], folder: Option<&Path>) -> Output {
    let mut command = plimsoll();
    if let Some(folder) = folder {
        command.current_dir(folder);
    }
    command.args(arguments).output().unwrap()
}
