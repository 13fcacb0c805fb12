//! The tokens on record, and who they admit: digests are compared in constant time, an unknown id like a known one.

use crate::domain::time::WallMs;
use crate::domain::token::{Presented, SECRET_BYTES, TokenId, TokenRecord, Verdict};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// The tokens on record, as last read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TokenBook {
    pub(super) tokens: Vec<TokenRecord>,
}

impl TokenBook {
    /// Was any token ever made? A book of revoked tokens is not an open door.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// All of them, oldest first.
    #[must_use]
    pub fn records(&self) -> &[TokenRecord] {
        &self.tokens
    }

    /// Is this id on record?
    #[must_use]
    pub fn knows(&self, id: &TokenId) -> bool {
        self.tokens.iter().any(|token| token.id == *id)
    }

    /// Judges a presented token. The comparison takes as long for an unknown id as for a wrong secret.
    ///
    /// # Errors
    /// Any [`Verdict`] but the good one.
    pub fn admit(&self, presented: &Presented, now: WallMs) -> Result<&TokenRecord, Verdict> {
        let digest = digest(&presented.secret);
        let known = self.tokens.iter().find(|token| token.id == presented.id);
        let expected = known.map_or("", |token| token.secret_sha256.as_str());
        // Of an unknown id, something of the same length is compared, and never matches.
        let against = if expected.len() == digest.len() { expected } else { NOTHING };
        let same = bool::from(digest.as_bytes().ct_eq(against.as_bytes())) && known.is_some();
        let token = known.ok_or(Verdict::Wrong)?;
        match token.judge(same, now) {
            Verdict::Good => Ok(token),
            other => Err(other),
        }
    }
}

/// As long as a digest, and no digest.
const NOTHING: &str = "----------------------------------------------------------------";

/// SHA-256 of a secret, in hexadecimal.
pub(super) fn digest(secret: &[u8; SECRET_BYTES]) -> String {
    hex::encode(Sha256::digest(secret))
}
