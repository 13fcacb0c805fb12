//! Request signatures: HMAC-SHA256 (hex) and Ed25519 (base64), over the exact payload that is sent.
//!
//! Keys are `secrecy` types: they are wiped when dropped and print `[REDACTED]`.

use base64::Engine;
use ed25519_dalek::Signer as _;
use ed25519_dalek::pkcs8::DecodePrivateKey;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use std::fmt;

/// A key pair as the configuration gives it.
#[derive(Clone)]
pub enum Secret {
    /// The secret of an HMAC key.
    Hmac(SecretString),
    /// An Ed25519 private key in PKCS#8 PEM.
    Ed25519Pem(SecretString),
}

/// Signs payloads for one API key.
pub struct Signer {
    api_key: SecretString,
    kind: Kind,
}

enum Kind {
    Hmac(Box<Hmac<Sha256>>),
    Ed25519(Box<ed25519_dalek::SigningKey>),
}

/// Why a key cannot be used. Never holds key material.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// An empty key or secret.
    #[error("the {0} is empty")]
    Empty(&'static str),
    /// Bytes that no HTTP header may carry.
    #[error("the API key holds characters outside A-Z a-z 0-9 - _ .")]
    Characters,
    /// Not an Ed25519 key in PKCS#8 PEM.
    #[error("the private key is not an Ed25519 key in PKCS#8 PEM (BEGIN PRIVATE KEY)")]
    NotEd25519,
}

impl Signer {
    /// Checks a key pair.
    ///
    /// # Errors
    /// [`KeyError`] when the key or the secret cannot be used.
    pub fn new(api_key: SecretString, secret: &Secret) -> Result<Self, KeyError> {
        let key = api_key.expose_secret();
        if key.is_empty() {
            return Err(KeyError::Empty("API key"));
        }
        if !key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')) {
            return Err(KeyError::Characters);
        }
        let kind = match secret {
            Secret::Hmac(secret) if secret.expose_secret().is_empty() => {
                return Err(KeyError::Empty("secret"));
            }
            Secret::Hmac(secret) => {
                let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secret.expose_secret().as_bytes());
                Kind::Hmac(Box::new(mac.map_err(|_| KeyError::Empty("secret"))?))
            }
            Secret::Ed25519Pem(pem) => {
                let key = ed25519_dalek::SigningKey::from_pkcs8_pem(pem.expose_secret().trim());
                Kind::Ed25519(Box::new(key.map_err(|_| KeyError::NotEd25519)?))
            }
        };
        Ok(Self { api_key, kind })
    }

    /// The public half, sent with every signed request.
    #[must_use]
    pub fn api_key(&self) -> &str {
        self.api_key.expose_secret()
    }

    /// May the session log on once instead of signing each request? Only Ed25519 keys may.
    #[must_use]
    pub fn can_log_on(&self) -> bool {
        matches!(self.kind, Kind::Ed25519(_))
    }

    /// The signature of a payload: hex for HMAC, base64 for Ed25519.
    #[must_use]
    pub fn sign(&self, payload: &str) -> String {
        match &self.kind {
            Kind::Hmac(mac) => {
                let mut mac = mac.clone();
                mac.update(payload.as_bytes());
                hex::encode(mac.finalize().into_bytes())
            }
            Kind::Ed25519(key) => {
                base64::engine::general_purpose::STANDARD.encode(key.sign(payload.as_bytes()).to_bytes())
            }
        }
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.can_log_on() { "ed25519" } else { "hmac-sha256" };
        write!(f, "Signer({kind}, [REDACTED])")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::pkcs8::EncodePrivateKey;

    fn hmac(secret: &str) -> Signer {
        Signer::new("key".into(), &Secret::Hmac(secret.into())).unwrap()
    }

    /// RFC 4231, test case 2.
    #[test]
    fn hmac_matches_the_rfc() {
        assert_eq!(
            hmac("Jefe").sign("what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn ed25519_signatures_verify() {
        let key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
        let pem = key.to_pkcs8_pem(Default::default()).unwrap();
        let signer = Signer::new("key".into(), &Secret::Ed25519Pem(pem.as_str().into())).unwrap();
        assert!(signer.can_log_on());
        let bytes = base64::engine::general_purpose::STANDARD.decode(signer.sign("a=1&b=2")).unwrap();
        let signature = ed25519_dalek::Signature::from_slice(&bytes).unwrap();
        assert!(key.verifying_key().verify_strict(b"a=1&b=2", &signature).is_ok());
        assert!(key.verifying_key().verify_strict(b"a=1&b=3", &signature).is_err());
    }

    #[test]
    fn bad_keys_are_refused_without_being_shown() {
        let refused = Signer::new("k".into(), &Secret::Ed25519Pem("swordfish".into())).unwrap_err();
        assert_eq!(refused, KeyError::NotEd25519);
        assert!(!refused.to_string().contains("swordfish"));
        assert!(matches!(Signer::new("".into(), &Secret::Hmac("s".into())), Err(KeyError::Empty(_))));
        assert!(matches!(Signer::new("k".into(), &Secret::Hmac("".into())), Err(KeyError::Empty(_))));
        assert!(matches!(
            Signer::new("k\r\nX: y".into(), &Secret::Hmac("s".into())),
            Err(KeyError::Characters)
        ));
        assert!(
            !format!("{:?} {:?}", hmac("swordfish"), Secret::Hmac("swordfish".into())).contains("swordfish")
        );
    }
}
