//! `plimsoll venue` as a command: what it prints, what it refuses, how it ends.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Output, Stdio};

fn venue(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_plimsoll")).arg("venue").args(arguments).output().unwrap()
}

#[test]
fn wrong_arguments_are_refused_with_what_would_be_right() {
    let mut accounts = tempfile::NamedTempFile::new().unwrap();
    accounts.write_all(b"{\"accounts\":[{\"name\":\"a\",\"keys\":[{\"api_key\":\"k\"}]}]}").unwrap();
    let accounts = accounts.path().to_str().unwrap();
    let cases: [(&[&str], i32, &str); 6] = [
        (&["--listen", "0.0.0.0:0"], 2, "--allow-remote"),
        (&["--listen", "nowhere"], 2, "--listen"),
        (&["--listen", "127.0.0.1:0", "--speed", "fast"], 2, "0.001 to 1000"),
        (&["--listen", "127.0.0.1:0", "--market", "/nonexistent.gz"], 1, "/nonexistent.gz"),
        (&["--listen", "127.0.0.1:0", "--market", accounts], 1, "receive time"),
        (&["--listen", "127.0.0.1:0", "--accounts", accounts], 3, "accounts[0].keys[0]"),
    ];
    for (arguments, code, fragment) in cases {
        let output = venue(arguments);
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}");
        assert!(told.contains(fragment), "{arguments:?}: {told}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_port_in_use_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let output = venue(&["--listen", &addr]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains(&addr));
}

#[test]
fn a_market_that_breaks_ends_the_exchange_with_the_reason() {
    let mut capture = tempfile::NamedTempFile::new().unwrap();
    let line = |at: u64, id: u64| {
        format!(
            "{at} {{\"stream\":\"btcusdt@trade\",\"data\":{{\"s\":\"BTCUSDT\",\"t\":{id},\"p\":\"60000\",\"q\":\"1\",\"m\":true}}}}\n"
        )
    };
    // Sound for longer than the start looks ahead, then broken.
    for id in 1..=20_500 {
        capture.write_all(line(id * 1_000, id).as_bytes()).unwrap();
    }
    capture.write_all(b"20501 broken\n").unwrap();
    let output =
        venue(&["--listen", "127.0.0.1:0", "--speed", "max", "--market", capture.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains(":20501: "));
}

#[test]
fn the_first_line_is_the_address_and_sigterm_ends_it_in_order() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
        .args(["venue", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let addr: std::net::SocketAddr = line.trim().parse().unwrap();
    assert!(std::net::TcpStream::connect(addr).is_ok());
    let told = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(told.success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
