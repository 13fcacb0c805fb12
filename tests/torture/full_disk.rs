//! The kill switch on a disk without room: acknowledged, kept over SIGKILL, and nothing accepted afterwards.
//!
//! The data directory lies on a small file system of its own, in a mount namespace that outlives every process of the
//! runtime; the disk is really full, for every file. Where the system grants no namespaces the test says so.

use super::blows::{Torture, nightly, seed};
use super::desk::{PATIENCE, Process, Runtime};
use super::kill::{accepted_after, lift, over_http};
use serde_json::{Value, json};
use std::fs::{File, remove_file};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Size of the disk. The database of a few rounds takes a part of it, ballast the rest.
const DISK: &str = "size=96m";

/// A namespace with a disk at the data directory, held by a process that does nothing else.
struct Disk {
    holder: Child,
    /// The data directory as others than those in the namespace reach it.
    outside: PathBuf,
}

impl Disk {
    fn mount(at: &Path) -> Result<Self, String> {
        let script = format!("mount -t tmpfs -o {DISK} tmpfs \"$1\" && echo mounted && exec sleep 7200");
        let mut holder = Command::new("unshare")
            .args(["--user", "--map-root-user", "--mount", "sh", "-c", &script, "sh"])
            .arg(at)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("unshare: {error}"))?;
        let mut said = String::new();
        BufReader::new(holder.stdout.take().unwrap()).read_line(&mut said).unwrap();
        if said.trim() != "mounted" {
            let output = holder.wait_with_output().unwrap();
            return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
        }
        let inside = at.strip_prefix("/").unwrap();
        let outside = PathBuf::from(format!("/proc/{}/root", holder.id())).join(inside);
        Ok(Self { holder, outside })
    }

    /// Starts the runtime within.
    fn spawn(&self, torture: &Torture) -> Process {
        let mut command = Command::new("nsenter");
        command.args([
            "--target",
            &self.holder.id().to_string(),
            "--user",
            "--mount",
            "--preserve-credentials",
        ]);
        command.arg(env!("CARGO_BIN_EXE_plimsoll")).args(torture.desk.arguments());
        torture.desk.spawn_as(command)
    }

    fn ballast(&self) -> PathBuf {
        self.outside.join("ballast")
    }

    /// Takes every byte that is left, for as long as others give some back.
    fn fill(&self) -> u64 {
        let mut file = File::create(self.ballast()).unwrap();
        let mut taken = 0;
        for size in [1 << 20, 4096, 1] {
            let piece = vec![0_u8; size];
            while let Ok(written) = file.write(&piece) {
                taken += u64::try_from(written).unwrap();
            }
        }
        taken
    }

    fn make_room(&self) {
        remove_file(self.ballast()).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Gone already, or never there.
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

async fn halted(torture: &Torture, disk: &Disk) -> Runtime {
    let runtime = torture.desk.listening(disk.spawn(torture)).await;
    runtime.until(&torture.desk.http, "/api/v1/status", |_, status| status["state"] == "halted").await;
    runtime
}

/// Waits until an order is refused because nothing can be written any more.
async fn until_refused(torture: &Torture, runtime: &Runtime) {
    let journal_shut =
        |_: u16, body: &Value| body["failing"].as_array().is_some_and(|all| all.contains(&json!("journal")));
    runtime.until(&torture.desk.http, "/readyz", journal_shut).await;
}

#[tokio::test]
async fn a_kill_on_a_full_disk_is_kept() {
    let mut torture = Torture::open(seed()).await;
    std::fs::create_dir_all(torture.desk.data()).unwrap();
    let disk = match Disk::mount(&torture.desk.data()) {
        Ok(disk) => disk,
        Err(why) => return println!("skipped: no namespace with a disk of its own: {why}"),
    };
    let mut runtime = torture.desk.listening(disk.spawn(&torture)).await;
    runtime.until_ready(&torture.desk.http).await;
    for round in 1..=(if nightly() { 40 } else { 4 }) {
        let callers = torture.load(&runtime).await;
        tokio::time::sleep(Duration::from_millis(torture.rng.u64(50..400))).await;
        let taken = disk.fill();
        if round % 2 == 0 {
            until_refused(&torture, &runtime).await;
        }
        let acknowledged = over_http(&torture, &runtime).await;
        let killed = round % 4 >= 2;
        if killed {
            runtime.process.kill();
            runtime = halted(&torture, &disk).await;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        callers.stop().await;
        let late = accepted_after(&torture, acknowledged.at_ms).await;
        println!(
            "round {round}: {taken} bytes taken, {acknowledged:?}, killed {killed}, accepted later: {}",
            late.len()
        );
        assert!(
            late.len() <= usize::try_from(acknowledged.in_flight).unwrap(),
            "{late:?}\n{}",
            runtime.process.log()
        );
        assert!(acknowledged.took < Duration::from_secs(1), "{acknowledged:?}");
        disk.make_room();
        let start = Instant::now();
        lift(&torture, &runtime).await;
        runtime.until_ready(&torture.desk.http).await;
        println!("trading again {:?} after there was room", start.elapsed());
        assert!(start.elapsed() < PATIENCE);
    }
    torture.ask_again(&runtime).await;
    let verdict = torture.compare(&runtime).await;
    assert!(verdict.is_clean(), "{verdict}");
    let _ = torture.close_softly(runtime).await;
}
