//! Operator tokens: what they look like, what they may do, and whether one is good now.
//!
//! A token is `plm_<id>_<secret>`: an id of 12 hexadecimal digits that may be shown, and 256 random bits that may
//! not. Only a digest of the secret is kept; computing and comparing digests is the keeper's business, judging what
//! follows from it is this module's. Nothing here prints a secret.

use super::time::WallMs;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Tokens that may be on record, revoked ones included.
pub const TOKENS_MAX: usize = 256;
/// What a token begins with.
const PREFIX: &str = "plm_";
/// Hexadecimal digits of an id.
const ID_DIGITS: usize = 12;
/// Bytes of a secret.
pub const SECRET_BYTES: usize = 32;
/// Names that stand for callers without a token.
const RESERVED: [&str; 3] = ["loopback", "plimsoll", "nobody"];

/// What a caller may do. Every token may read; `admin` may do everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// See everything.
    Read,
    /// Place, cancel, replace and resolve orders.
    Trade,
    /// The safe direction: pause, reduce only, cancel all, disable a strategy.
    Pause,
    /// Engage the kill switch.
    Kill,
    /// The unsafe direction: resume, reset, enable a strategy, override a limit.
    Resume,
    /// Everything, and what only an administrator does, such as a restart.
    Admin,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Read, Self::Trade, Self::Pause, Self::Kill, Self::Resume, Self::Admin];

    /// As it is written.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Trade => "trade",
            Self::Pause => "pause",
            Self::Kill => "kill",
            Self::Resume => "resume",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Scope {
    type Err = TokenError;

    fn from_str(word: &str) -> Result<Self, TokenError> {
        Self::ALL.into_iter().find(|scope| scope.word() == word).ok_or(TokenError::Scope)
    }
}

/// Does holding `held` allow what needs `needed`?
#[must_use]
pub fn allows(held: &[Scope], needed: Scope) -> bool {
    needed == Scope::Read || held.contains(&Scope::Admin) || held.contains(&needed)
}

/// Why a text is not what it should be. The text itself is never part of it: it may hold a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not a token.
    #[error("a token is plm_, twelve hexadecimal digits, _ and 64 hexadecimal digits")]
    Shape,
    /// Not a scope.
    #[error("a scope is one of read, trade, pause, kill, resume, admin")]
    Scope,
    /// Not a name.
    #[error("a token's name has 1 to 32 characters of A-Z a-z 0-9 . _ -")]
    Name,
    /// A name with a meaning of its own.
    #[error("loopback, plimsoll and nobody name callers without a token; choose another name")]
    Reserved,
}

/// Who a token belongs to; the actor of everything that is done with it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TokenName(String);

impl TokenName {
    /// Checks a name.
    ///
    /// # Errors
    /// [`TokenError::Name`], [`TokenError::Reserved`].
    pub fn new(text: &str) -> Result<Self, TokenError> {
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if text.is_empty() || text.len() > 32 || !text.chars().all(legal) {
            return Err(TokenError::Name);
        }
        if RESERVED.iter().any(|word| text.eq_ignore_ascii_case(word)) {
            return Err(TokenError::Reserved);
        }
        Ok(Self(text.to_owned()))
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TokenName {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        Self::new(text)
    }
}

impl TryFrom<String> for TokenName {
    type Error = TokenError;

    fn try_from(text: String) -> Result<Self, TokenError> {
        Self::new(&text)
    }
}

impl From<TokenName> for String {
    fn from(name: TokenName) -> Self {
        name.0
    }
}

impl fmt::Display for TokenName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names a token without giving anything of it away.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TokenId(String);

impl TokenId {
    /// Checks an id.
    ///
    /// # Errors
    /// [`TokenError::Shape`].
    pub fn new(text: &str) -> Result<Self, TokenError> {
        let good = text.len() == ID_DIGITS && text.bytes().all(is_lower_hex);
        if good { Ok(Self(text.to_owned())) } else { Err(TokenError::Shape) }
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for TokenId {
    type Error = TokenError;

    fn try_from(text: String) -> Result<Self, TokenError> {
        Self::new(&text)
    }
}

impl From<TokenId> for String {
    fn from(id: TokenId) -> Self {
        id.0
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

const fn is_lower_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

/// A token as a caller presents it. Its secret is shown in no form.
#[derive(Clone, PartialEq, Eq)]
pub struct Presented {
    /// Which token it claims to be.
    pub id: TokenId,
    /// What proves it.
    pub secret: [u8; SECRET_BYTES],
}

impl fmt::Debug for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "plm_{}_[REDACTED]", self.id)
    }
}

impl Presented {
    /// Reads `plm_<id>_<secret>`.
    ///
    /// # Errors
    /// [`TokenError::Shape`].
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        let (id, secret) =
            text.strip_prefix(PREFIX).and_then(|rest| rest.split_once('_')).ok_or(TokenError::Shape)?;
        let id = TokenId::new(id)?;
        let (pairs, rest) = secret.as_bytes().as_chunks::<2>();
        if pairs.len() != SECRET_BYTES || !rest.is_empty() {
            return Err(TokenError::Shape);
        }
        let mut bytes = [0_u8; SECRET_BYTES];
        for (slot, [high, low]) in bytes.iter_mut().zip(pairs) {
            let (Some(high), Some(low)) = (digit(*high), digit(*low)) else { return Err(TokenError::Shape) };
            *slot = high * 16 + low;
        }
        Ok(Self { id, secret: bytes })
    }

    /// The token as its owner keeps it: the one place that writes the secret out.
    #[must_use]
    pub fn reveal(&self) -> String {
        let mut text = format!("{PREFIX}{}_", self.id);
        for byte in self.secret {
            text.push_str(&format!("{byte:02x}"));
        }
        text
    }
}

const fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

/// A token on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenRecord {
    /// Which.
    pub id: TokenId,
    /// Whose.
    pub name: TokenName,
    /// SHA-256 of the secret's bytes, in hexadecimal.
    pub secret_sha256: String,
    /// The last four characters of the token, so that its owner can tell it from others.
    pub last_four: String,
    /// What it may do; `read` goes without saying.
    pub scopes: Vec<Scope>,
    /// When it was made (wall clock).
    pub created_at: WallMs,
    /// From when on it is no longer good.
    pub expires_at: Option<WallMs>,
    /// When it was revoked.
    pub revoked_at: Option<WallMs>,
}

impl TokenRecord {
    /// Neither revoked nor expired.
    #[must_use]
    pub fn is_live(&self, now: WallMs) -> bool {
        self.judge(true, now) == Verdict::Good
    }

    /// What follows from a comparison of secrets.
    #[must_use]
    pub fn judge(&self, secret_matches: bool, now: WallMs) -> Verdict {
        match (secret_matches, self.revoked_at, self.expires_at) {
            (false, _, _) => Verdict::Wrong,
            (true, Some(_), _) => Verdict::Revoked,
            (true, None, Some(end)) if now >= end => Verdict::Expired,
            (true, None, _) => Verdict::Good,
        }
    }
}

/// Whether a presented token is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is.
    Good,
    /// No such token, or another secret: the two are not told apart.
    Wrong,
    /// It was taken back.
    Revoked,
    /// Its time is over.
    Expired,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text() -> String {
        format!("plm_0123456789ab_{}", "5a".repeat(SECRET_BYTES))
    }

    #[test]
    fn a_token_is_read_and_written_and_never_printed() {
        let token = Presented::parse(&text()).unwrap();
        assert_eq!((token.id.as_str(), token.secret), ("0123456789ab", [0x5a; SECRET_BYTES]));
        assert_eq!(token.reveal(), text());
        assert!(!format!("{token:?}").contains("5a5a"), "{token:?}");
    }

    #[test]
    fn other_shapes_are_refused_without_repeating_them() {
        let long = text() + "0";
        let upper = text().to_uppercase();
        let other = text().replace("5a5a", "5z5a");
        let short: String = text().chars().take(80).collect();
        let accent = format!("plm_0123456789ab_{}é", "5a".repeat(SECRET_BYTES - 1));
        for bad in ["", "plm_", "plm_x_y", "0123", &long, &upper, &other, &accent, &short] {
            let error = Presented::parse(bad).unwrap_err();
            assert_eq!(error, TokenError::Shape, "{bad}");
            assert!(!error.to_string().contains("5a5a"));
        }
    }

    #[test]
    fn every_token_reads_and_admin_does_everything() {
        for needed in Scope::ALL {
            assert!(allows(&[Scope::Admin], needed), "{needed}");
            assert_eq!(allows(&[], needed), needed == Scope::Read, "{needed}");
            for held in [Scope::Read, Scope::Trade, Scope::Pause, Scope::Kill, Scope::Resume] {
                let expected = held == needed || needed == Scope::Read;
                assert_eq!(allows(&[held], needed), expected, "{held} for {needed}");
            }
            assert_eq!(needed.word().parse(), Ok(needed));
        }
        assert_eq!("Admin".parse::<Scope>(), Err(TokenError::Scope));
    }

    #[test]
    fn names_are_short_and_not_those_of_others() {
        for good in ["ops", "ci-1", "a.b_c", &"x".repeat(32)] {
            assert!(TokenName::new(good).is_ok(), "{good}");
        }
        for bad in ["", " ", "a b", "a/b", "loopback", "PLIMSOLL", "é", &"x".repeat(33)] {
            assert!(TokenName::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_the_right_secret_of_a_living_token_is_good() {
        let record = TokenRecord {
            id: TokenId::new("0123456789ab").unwrap(),
            name: TokenName::new("ops").unwrap(),
            secret_sha256: String::new(),
            last_four: "5a5a".to_owned(),
            scopes: vec![Scope::Kill],
            created_at: WallMs(0),
            expires_at: Some(WallMs(100)),
            revoked_at: None,
        };
        assert_eq!(record.judge(true, WallMs(99)), Verdict::Good);
        assert_eq!(record.judge(true, WallMs(100)), Verdict::Expired, "the end is not within");
        assert_eq!(record.judge(false, WallMs(0)), Verdict::Wrong);
        let revoked = TokenRecord { revoked_at: Some(WallMs(1)), ..record.clone() };
        assert_eq!(revoked.judge(true, WallMs(0)), Verdict::Revoked);
        assert_eq!(revoked.judge(false, WallMs(0)), Verdict::Wrong, "a wrong secret learns nothing");
        assert!(record.is_live(WallMs(0)) && !revoked.is_live(WallMs(0)));
    }
}
