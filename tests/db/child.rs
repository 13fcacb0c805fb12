//! A process that can be killed: this test binary again, doing what the environment says.

use crate::support::*;
use plimsoll::db::Writer;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

const TASK: &str = "PLIMSOLL_TEST_CHILD";
const DIR: &str = "PLIMSOLL_TEST_CHILD_DIR";

/// What the other process does. Each line that it prints is a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Appends for ever; prints the last row after each append.
    Append,
    /// Prints `ready`, opens the journal, prints `open`, and ends.
    Open,
    /// Opens the journal, prints `open`, and waits until its input is closed.
    Hold,
    /// Appends under a limit of the file size that moves; prints what became of it.
    Limited,
}

/// The process; killed when dropped.
pub struct Process {
    pub child: Child,
    pub lines: BufReader<ChildStdout>,
}

impl Process {
    pub fn start(task: Task, dir: &Path) -> Self {
        let mut command = match task {
            // The signal that comes with the limit would end the process; ignoring it is inherited.
            Task::Limited => {
                let mut shell = Command::new("sh");
                shell.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(std::env::current_exe().unwrap());
                shell
            }
            Task::Append | Task::Open | Task::Hold => Command::new(std::env::current_exe().unwrap()),
        };
        let mut child = command
            .args(["--exact", "child::the_other_process", "--nocapture", "--test-threads", "1"])
            .env(TASK, format!("{task:?}"))
            .env(DIR, dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// The next line that begins with `fact `, without it; `None` at the end.
    pub fn fact(&mut self) -> Option<String> {
        let mut line = String::new();
        loop {
            line.clear();
            if self.lines.read_line(&mut line).unwrap() == 0 || !line.ends_with('\n') {
                return None;
            }
            // The test harness prints beside us, sometimes on the same line.
            if let Some((_, fact)) = line.trim_end().split_once("fact ") {
                return Some(fact.to_owned());
            }
        }
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn fact(text: impl std::fmt::Display) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "fact {text}").unwrap();
    out.flush().unwrap();
}

/// Does nothing unless it was started as the other process.
#[test]
fn the_other_process() {
    let Ok(task) = std::env::var(TASK) else { return };
    let dir = PathBuf::from(std::env::var(DIR).unwrap());
    match task.as_str() {
        "Append" => append(&dir),
        "Open" => {
            fact("ready");
            drop(writer(&dir));
            fact("open");
        }
        "Hold" => {
            let _held = writer(&dir);
            fact("open");
            std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
        }
        "Limited" => limited(&dir),
        other => panic!("{other}"),
    }
}

fn append(dir: &Path) {
    let mut writer = writer(dir);
    for ticket in 1.. {
        let batch = match ticket % 7 {
            0 => with_snapshot(ticket, 3, &"s".repeat(5_000)),
            n => rows(ticket, n * n),
        };
        fact(writer.append(&[batch]).unwrap().last.0);
    }
}

fn limited(dir: &Path) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let whole = getrlimit(Resource::Fsize);
    let limit = |bytes: Option<u64>| {
        setrlimit(Resource::Fsize, Rlimit { current: bytes, maximum: whole.maximum }).unwrap();
    };
    let log = dir.join("plimsoll.db-wal");
    let mut writer: Writer = writer(dir);
    let (mut failed, mut ticket) = (0_u64, 0_u64);
    // Past three checkpoints of the log, a failure at every kilobyte of the first commits.
    while failed < 150 {
        let size = std::fs::metadata(&log).unwrap().len();
        for k in 0.. {
            ticket += 1;
            let before = writer.head();
            limit(Some(size + k * 1_024));
            let written = writer.append(&[rows(ticket, 40)]);
            limit(whole.current);
            match written {
                Ok(appended) => {
                    assert_eq!(appended.last.0, before.seq.0 + 40);
                    break;
                }
                Err(error) => {
                    failed += 1;
                    assert!(error.may_pass(), "{error}");
                    assert_eq!(writer.head(), before, "nothing of it is there");
                }
            }
        }
        let again = writer.append(&[rows(ticket, 1)]).unwrap();
        assert_eq!(again.last, writer.head().seq);
    }
    assert_eq!(writer.verify_from_last().unwrap(), writer.head());
    fact(format!("{failed} {}", writer.head().seq.0));
}
