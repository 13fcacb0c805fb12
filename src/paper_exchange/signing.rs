//! Who signed this request: API keys, HMAC-SHA256 and Ed25519 signatures, the receive window.
//!
//! The signed text of a REST request is its query string followed by its body, exactly as received,
//! without the `signature` pair; of a WebSocket API request, its parameters sorted by name. Secrets
//! are held as keyed MAC state and never printed. Pure: the venue's time is an argument.

use super::errors::ApiError;
use base64::Engine as _;
use ed25519_dalek::pkcs8::DecodePublicKey as _;
use ed25519_dalek::{Signature, VerifyingKey};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The widest receive window a request may ask for, in milliseconds.
pub const MAX_RECV_WINDOW_MS: i64 = 60_000;
/// The receive window of a request that names none, in milliseconds.
pub const DEFAULT_RECV_WINDOW_MS: i64 = 5_000;
/// How far a request's time may lead the venue's, in milliseconds.
pub const MAX_LEAD_MS: i64 = 1_000;
/// The longest API key this exchange looks up.
const MAX_KEY_CHARS: usize = 128;

/// How a key proves itself.
#[derive(Clone)]
pub enum KeyMaterial {
    /// A shared secret; signatures are hexadecimal HMAC-SHA256.
    Hmac(Box<Hmac<Sha256>>),
    /// A public key; signatures are base64 Ed25519.
    Ed25519(Box<VerifyingKey>),
}

impl std::fmt::Debug for KeyMaterial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Hmac(_) => "Hmac([REDACTED])",
            Self::Ed25519(_) => "Ed25519(public key)",
        })
    }
}

/// A key that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The API key is empty, too long or holds characters outside `[A-Za-z0-9_-]`.
    #[error("API key {key:?} must be 1 to {MAX_KEY_CHARS} characters of A-Z, a-z, 0-9, '_' or '-'")]
    BadName {
        /// The key as given.
        key: String,
    },
    /// The shared secret is empty.
    #[error("the secret of API key {key} is empty")]
    EmptySecret {
        /// The key it belongs to.
        key: String,
    },
    /// The text is no PEM public key for Ed25519.
    #[error("the public key of API key {key} is no Ed25519 key in PEM form: {why}")]
    BadPublicKey {
        /// The key it belongs to.
        key: String,
        /// What the decoder said.
        why: String,
    },
    /// Two entries name the same key.
    #[error("API key {key} is configured twice")]
    Duplicate {
        /// The key.
        key: String,
    },
}

impl KeyMaterial {
    /// Key material from a shared secret.
    ///
    /// # Errors
    /// [`KeyError::EmptySecret`].
    pub fn hmac(key: &str, secret: &str) -> Result<Self, KeyError> {
        if secret.is_empty() {
            return Err(KeyError::EmptySecret { key: key.to_owned() });
        }
        Hmac::<Sha256>::new_from_slice(secret.as_bytes())
            .map(|mac| Self::Hmac(Box::new(mac)))
            .map_err(|_| KeyError::EmptySecret { key: key.to_owned() })
    }

    /// Key material from a public key in PEM form (`-----BEGIN PUBLIC KEY-----`).
    ///
    /// # Errors
    /// [`KeyError::BadPublicKey`].
    pub fn ed25519_pem(key: &str, pem: &str) -> Result<Self, KeyError> {
        VerifyingKey::from_public_key_pem(pem.trim())
            .map(|public| Self::Ed25519(Box::new(public)))
            .map_err(|error| KeyError::BadPublicKey { key: key.to_owned(), why: error.to_string() })
    }

    /// Does `signature` belong to the concatenated `parts`? Constant time in the secret.
    #[must_use]
    pub fn verifies(&self, parts: &[&str], signature: &str) -> bool {
        match self {
            Self::Hmac(mac) => {
                let mut claimed = [0_u8; 32];
                if hex::decode_to_slice(signature, &mut claimed).is_err() {
                    return false;
                }
                let mut mac = mac.as_ref().clone();
                for part in parts {
                    mac.update(part.as_bytes());
                }
                mac.verify_slice(&claimed).is_ok()
            }
            Self::Ed25519(public) => {
                let Ok(bytes) = base64::engine::general_purpose::STANDARD.decode(signature) else {
                    return false;
                };
                let Ok(signature) = Signature::from_slice(&bytes) else { return false };
                public.verify_strict(parts.concat().as_bytes(), &signature).is_ok()
            }
        }
    }

    /// Only asymmetric keys may log a session on, as at the venue.
    #[must_use]
    pub fn may_log_on(&self) -> bool {
        matches!(self, Self::Ed25519(_))
    }
}

/// One API key: the account it trades for, and how it proves itself.
#[derive(Debug, Clone)]
pub struct Key {
    /// The account's name.
    pub account: String,
    /// The proof.
    pub material: KeyMaterial,
}

/// All API keys of the exchange. Fixed after start.
#[derive(Debug, Clone, Default)]
pub struct KeyRing {
    keys: BTreeMap<String, Key>,
}

impl KeyRing {
    /// Adds a key.
    ///
    /// # Errors
    /// [`KeyError::BadName`] or [`KeyError::Duplicate`].
    pub fn add(&mut self, api_key: &str, key: Key) -> Result<(), KeyError> {
        if !well_formed(api_key) {
            return Err(KeyError::BadName { key: api_key.to_owned() });
        }
        if self.keys.insert(api_key.to_owned(), key).is_some() {
            return Err(KeyError::Duplicate { key: api_key.to_owned() });
        }
        Ok(())
    }

    /// Finds a key.
    ///
    /// # Errors
    /// -2014 for an impossible key, -2015 for an unknown one.
    pub fn find(&self, api_key: &str) -> Result<&Key, ApiError> {
        if !well_formed(api_key) {
            return Err(ApiError::bad_api_key_format());
        }
        self.keys.get(api_key).ok_or_else(ApiError::unknown_api_key)
    }
}

fn well_formed(api_key: &str) -> bool {
    (1..=MAX_KEY_CHARS).contains(&api_key.len())
        && api_key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

/// The signed text of one part of a REST request: the part without its `signature` pair.
#[must_use]
pub fn without_signature(text: &str) -> Cow<'_, str> {
    if !text.split('&').any(is_signature) {
        return Cow::Borrowed(text);
    }
    let kept: Vec<&str> = text.split('&').filter(|piece| !is_signature(piece)).collect();
    Cow::Owned(kept.join("&"))
}

fn is_signature(piece: &str) -> bool {
    piece.starts_with("signature=")
}

/// Is a request of this `timestamp_ms` acceptable at `now_ms`? Both since the epoch.
///
/// # Errors
/// -1021 outside the window or ahead of the venue, -1131 for a window above 60 s or below zero.
pub fn check_window(now_ms: i64, timestamp_ms: i64, recv_window_ms: Option<i64>) -> Result<(), ApiError> {
    let window = recv_window_ms.unwrap_or(DEFAULT_RECV_WINDOW_MS);
    if !(0..=MAX_RECV_WINDOW_MS).contains(&window) {
        return Err(ApiError::bad_recv_window());
    }
    if timestamp_ms >= now_ms.saturating_add(MAX_LEAD_MS) {
        return Err(ApiError::ahead_of_server());
    }
    if now_ms.saturating_sub(timestamp_ms) > window {
        return Err(ApiError::outside_recv_window());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::pkcs8::EncodePublicKey as _;
    use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
    use ed25519_dalek::{Signer as _, SigningKey};

    /// The example pair that the venue publishes with its signing rules.
    const SECRET: &str = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j";
    const QUERY: &str = "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559";
    const SIGNATURE: &str = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71";

    #[test]
    fn the_published_example_verifies() {
        let key = KeyMaterial::hmac("k", SECRET).unwrap();
        assert!(key.verifies(&[QUERY], SIGNATURE));
        let (query, body) = QUERY.split_at(40);
        assert!(key.verifies(&[query, body], SIGNATURE), "split between query and body");
        assert!(key.verifies(&[QUERY], &SIGNATURE.to_uppercase()));
    }

    #[test]
    fn one_changed_byte_does_not_verify() {
        let key = KeyMaterial::hmac("k", SECRET).unwrap();
        assert!(!key.verifies(&[&QUERY.replace("0.1", "0.2")], SIGNATURE));
        assert!(!key.verifies(&[QUERY], &SIGNATURE.replace('c', "d")));
        for junk in ["", "zz", SIGNATURE.split_at(62).0, &format!("{SIGNATURE}00")] {
            assert!(!key.verifies(&[QUERY], junk), "{junk}");
        }
    }

    #[test]
    fn ed25519_signatures_verify_and_only_they_log_on() {
        let private = SigningKey::from_bytes(&[7; 32]);
        let pem = private.verifying_key().to_public_key_pem(LineEnding::LF).unwrap();
        let key = KeyMaterial::ed25519_pem("k", &pem).unwrap();
        let signature = base64::engine::general_purpose::STANDARD.encode(private.sign(b"a=1&b=2").to_bytes());
        assert!(key.verifies(&["a=1", "&b=2"], &signature));
        assert!(!key.verifies(&["a=1&b=3"], &signature));
        assert!(!key.verifies(&["a=1&b=2"], "AAAA"));
        assert!(key.may_log_on());
        assert!(!KeyMaterial::hmac("k", "s").unwrap().may_log_on());
    }

    #[test]
    fn the_signature_pair_is_cut_wherever_it_stands() {
        assert_eq!(without_signature("a=1&signature=x&b=2"), "a=1&b=2");
        assert_eq!(without_signature("signature=x"), "");
        assert_eq!(without_signature("a=1&mysignature=x"), "a=1&mysignature=x");
    }

    #[test]
    fn the_window_has_two_edges() {
        assert!(check_window(10_000, 5_000, None).is_ok());
        assert_eq!(check_window(10_001, 5_000, None).unwrap_err().code, -1021);
        assert!(check_window(10_000, 10_999, None).is_ok());
        assert_eq!(check_window(10_000, 11_000, None).unwrap_err().code, -1021);
        assert_eq!(check_window(10_000, 10_000, Some(60_001)).unwrap_err().code, -1131);
        assert_eq!(check_window(i64::MAX, i64::MIN, Some(1)).unwrap_err().code, -1021);
    }

    #[test]
    fn keys_are_found_by_exact_name() {
        let mut ring = KeyRing::default();
        let key = Key { account: "demo".into(), material: KeyMaterial::hmac("demo", "demo-secret").unwrap() };
        ring.add("demo", key.clone()).unwrap();
        assert!(matches!(ring.add("demo", key.clone()), Err(KeyError::Duplicate { .. })));
        assert!(matches!(ring.add("a b", key), Err(KeyError::BadName { .. })));
        assert_eq!(ring.find("demo").unwrap().account, "demo");
        assert_eq!(ring.find("Demo").unwrap_err().code, -2015);
        assert_eq!(ring.find("de mo").unwrap_err().code, -2014);
        assert!(!format!("{ring:?}").contains("demo-secret"));
    }
}
