//! Recorded market data, when the machine has it.

use flate2::read::GzDecoder;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

/// The path of a capture, or `None` with a note when the folder is not set.
pub fn path(name: &str) -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("PLIMSOLL_CAPTURES") else {
        println!("skipped: PLIMSOLL_CAPTURES is not set");
        return None;
    };
    Some(PathBuf::from(folder).join(name))
}

/// The JSON of each line, without the receive time.
pub fn frames(name: &str) -> Option<Vec<String>> {
    let file = std::fs::File::open(path(name)?).unwrap();
    let lines = BufReader::new(GzDecoder::new(file)).lines();
    Some(lines.map(|line| line.unwrap().split_once(' ').unwrap().1.to_owned()).collect())
}

/// The two BTC recordings, which join without a gap at midnight.
pub const BTC: [&str; 2] = ["hft_spot_btcusdt_20240808.gz", "hft_spot_btcusdt_20240809.gz"];
/// The ETH recording.
pub const ETH: &str = "hft_spot_ethusdt_20240808.gz";
