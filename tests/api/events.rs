//! The event stream: a snapshot, then changes, and honest words at every end.

use crate::orders::{place, trading};
use crate::support::TestApp;
use plimsoll::web::STREAMS_MAX;
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

struct Event {
    name: String,
    id: Option<String>,
    data: Value,
}

struct Stream(BufReader<TcpStream>);

impl Stream {
    /// Asks for the stream; answers the status as well.
    fn open(app: &TestApp, headers: &str) -> (u16, Self) {
        let mut socket = TcpStream::connect(app.address()).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let request = format!("GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
        socket.write_all(request.as_bytes()).unwrap();
        let mut reader = BufReader::new(socket);
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let status = line.split(' ').nth(1).unwrap().parse().unwrap();
        (status, Self(reader))
    }

    /// The next event; `None` at the end. Chunk sizes and headers begin with none of the words of the format.
    fn next(&mut self) -> Option<Event> {
        let (mut name, mut id) = (None, None);
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            let line = line.trim_end();
            if let Some(word) = line.strip_prefix("event: ") {
                name = Some(word.to_owned());
            } else if let Some(word) = line.strip_prefix("id: ") {
                id = Some(word.to_owned());
            } else if let Some(data) = line.strip_prefix("data: ") {
                return Some(Event { name: name?, id, data: serde_json::from_str(data).unwrap() });
            }
        }
    }

    fn until(&mut self, what: impl Fn(&Event) -> bool) -> Event {
        for _ in 0..10_000 {
            let event = self.next().expect("the stream ended");
            if what(&event) {
                return event;
            }
        }
        panic!("not among 10,000 events");
    }
}

fn number(event: &Event) -> u64 {
    event.id.as_deref().unwrap().rsplit('-').next().unwrap().parse().unwrap()
}

#[test]
fn a_snapshot_comes_first_and_changes_follow_in_order() {
    let app = trading();
    assert_eq!(place(&app, "before-1").status, 202);
    let (status, mut stream) = Stream::open(&app, "");
    assert_eq!(status, 200);
    let first = stream.next().unwrap();
    assert_eq!(first.name, "snapshot");
    assert_eq!(first.data["state"], "running");
    let known =
        |id: &str| first.data["orders"].as_array().unwrap().iter().any(|o| o["client_order_id"] == id);
    assert!(known("before-1") && !known("after-1"), "{}", first.data);
    for part in ["positions", "balances", "strategies", "alerts"] {
        assert!(first.data[part].is_array(), "{part}");
    }
    assert_eq!(place(&app, "after-1").status, 202);
    let mut last = 0;
    let mut states = Vec::new();
    while states.last().map(String::as_str) != Some("working") {
        let event = stream.until(|event| event.id.is_some());
        assert!(number(&event) > last, "ids rise");
        last = number(&event);
        assert!(event.data["at"].as_str().unwrap().ends_with('Z'));
        if event.name == "order" && event.data["order"]["client_order_id"] == "after-1" {
            states.push(event.data["order"]["state"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(states.first().map(String::as_str), Some("pending_submit"), "{states:?}");
}

#[test]
fn coming_back_with_an_id_is_answered_with_a_resync_and_a_snapshot() {
    let app = trading();
    let (_, mut stream) = Stream::open(&app, "Last-Event-ID: somewhen-7\r\n");
    let resync = stream.next().unwrap();
    assert_eq!((resync.name.as_str(), resync.data["last_event_id"].as_str()), ("resync", Some("somewhen-7")));
    assert_eq!(stream.next().unwrap().name, "snapshot");
}

#[test]
fn a_stop_is_the_last_word_and_delays_nothing() {
    let app = trading();
    let (_, mut stream) = Stream::open(&app, "");
    assert_eq!(stream.next().unwrap().name, "snapshot");
    app.signal("-TERM");
    stream.until(|event| event.name == "shutdown");
    assert!(stream.next().is_none(), "nothing follows");
    let (code, log) = app.end(Duration::from_secs(20));
    assert_eq!(code, Some(0), "{log}");
}

#[test]
fn the_seats_are_limited_and_given_back() {
    let app = trading();
    let mut streams = Vec::new();
    for _ in 0..STREAMS_MAX {
        let (status, mut stream) = Stream::open(&app, "");
        assert_eq!(status, 200);
        assert_eq!(stream.next().unwrap().name, "snapshot");
        streams.push(stream);
    }
    let refused = app.get("/api/v1/events");
    assert_eq!(refused.status, 503, "{}", refused.text);
    assert_eq!(refused.header("retry-after"), "1");
    drop(streams);
    // A reader that went away is noticed at the next word to it.
    app.until("a seat is free again", |app| Stream::open(app, "").0 == 200);
}
