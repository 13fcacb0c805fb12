//! The checksum chain: each row's checksum covers the row and the checksum before it.
//!
//! `checksum = SHA-256(previous || seq || at || len kind || kind || len correlation || correlation || len payload ||
//! payload)`, integers big-endian, lengths as 32 bits of bytes, `previous` of the first row 32 zero bytes. Changing,
//! removing or exchanging a row therefore changes every checksum after it. It protects against accidents and careless
//! hands, not against somebody who can compute it anew.

use super::error::Corruption;
use crate::domain::journal::Seq;
use sha2::{Digest as _, Sha256};
use std::fmt;

/// A SHA-256 value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Checksum(pub [u8; 32]);

impl Checksum {
    /// Of plain bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// From stored bytes; `None` unless there are 32.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// From 64 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Self(bytes))
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Checksum({self})")
    }
}

/// What a row consists of, for its checksum.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts<'a> {
    pub(super) at_ms: i64,
    pub(super) kind: &'a str,
    pub(super) correlation: &'a str,
    pub(super) payload: &'a str,
}

/// A point of the chain: a row and its checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Link {
    /// The row; 0 before the first.
    pub seq: Seq,
    /// Its checksum; zeros before the first.
    pub checksum: Checksum,
}

impl Link {
    /// The point after one more row.
    #[must_use]
    pub(super) fn next(self, parts: Parts<'_>) -> Self {
        let seq = self.seq.0.saturating_add(1);
        let mut hash = Sha256::new();
        hash.update(self.checksum.0);
        hash.update(seq.to_be_bytes());
        hash.update(parts.at_ms.to_be_bytes());
        for text in [parts.kind, parts.correlation, parts.payload] {
            // A text longer than 4 GiB cannot be stored: SQLite's limit is 1 GB.
            hash.update(u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
            hash.update(text);
        }
        Self { seq: Seq(seq), checksum: Checksum(hash.finalize().into()) }
    }

    /// The point after a stored row, if it is the row that belongs there.
    ///
    /// # Errors
    /// [`Corruption::Gap`] and [`Corruption::Checksum`].
    pub(super) fn follow(self, seq: i64, parts: Parts<'_>, stored: &[u8]) -> Result<Self, Corruption> {
        let next = self.next(parts);
        let found = u64::try_from(seq).unwrap_or(0);
        if found != next.seq.0 {
            return Err(Corruption::Gap { expected: next.seq.0, found });
        }
        if Checksum::read(stored) != Some(next.checksum) {
            return Err(Corruption::Checksum { seq: found });
        }
        Ok(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(payload: &str) -> Parts<'_> {
        Parts { at_ms: 5, kind: "k", correlation: "c", payload }
    }

    #[test]
    fn the_formula_is_the_one_that_is_written_down() {
        let mut bytes = vec![0_u8; 32];
        bytes.extend([0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 5]);
        bytes.extend([0, 0, 0, 1, b'k', 0, 0, 0, 1, b'c', 0, 0, 0, 2, b'{', b'}']);
        assert_eq!(Link::default().next(parts("{}")).checksum, Checksum::of(&bytes));
    }

    #[test]
    fn texts_cannot_flow_into_each_other() {
        let one = Parts { kind: "ab", correlation: "c", ..parts("{}") };
        let other = Parts { kind: "a", correlation: "bc", ..parts("{}") };
        assert_ne!(Link::default().next(one), Link::default().next(other));
    }

    #[test]
    fn a_changed_row_and_a_missing_row_are_told_apart() {
        let first = Link::default().next(parts("1"));
        let second = first.next(parts("2"));
        assert_eq!(first.follow(2, parts("2"), &second.checksum.0), Ok(second));
        assert_eq!(first.follow(2, parts("x"), &second.checksum.0), Err(Corruption::Checksum { seq: 2 }));
        assert_eq!(
            first.follow(3, parts("2"), &second.checksum.0),
            Err(Corruption::Gap { expected: 2, found: 3 })
        );
    }

    #[test]
    fn checksums_are_read_back() {
        let sum = Checksum::of(b"x");
        assert_eq!(Checksum::parse(&sum.to_string()), Some(sum));
        assert_eq!(Checksum::parse("00"), None);
        assert_eq!(Checksum::read(&[0; 31]), None);
    }
}
