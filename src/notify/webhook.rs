//! The channel `webhook`: signed JSON to any address.
//!
//! The payload is Alertmanager's, version 4, so that whatever understands Alertmanager understands us. With a secret,
//! the header `Plimsoll-Signature: t=SECONDS,v1=HEX` carries HMAC-SHA256 over `SECONDS.BODY`: a receiver checks it
//! over the bytes as they came, and refuses old times to refuse replays. `Idempotency-Key` is the same on a resend.

use super::alertmanager_form::payload;
use super::http::{Call, permanent};
use super::{Channel, ChannelKind, IdempotencyKey, Notice, SendError, Sent};
use crate::config::Secret;
use crate::net::Outbound;
use futures_util::future::BoxFuture;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Method, Url};
use sha2::Sha256;

const SIGNATURE: HeaderName = HeaderName::from_static("plimsoll-signature");

/// See the module's head.
pub(super) struct WebhookChannel {
    pub(super) name: String,
    pub(super) outbound: Outbound,
    pub(super) url: Url,
    pub(super) secret: Option<Secret>,
    pub(super) authorization: Option<HeaderValue>,
}

impl WebhookChannel {
    async fn post(&self, notice: &Notice, key: &IdempotencyKey) -> Result<Sent, SendError> {
        let body = serde_json::to_vec(&payload(&self.name, notice, key))
            .map_err(|error| permanent(format!("not JSON: {error}")))?;
        let mut call = Call::new(&self.outbound, Method::POST, self.url.clone())
            .key(key)
            .authorization(self.authorization.as_ref());
        if let Some(secret) = &self.secret {
            let seconds = crate::clock::wall().timestamp();
            call = call.header(SIGNATURE, signature(secret, seconds, &body)?);
        }
        call.bytes("application/json", body).send().await?;
        Ok(Sent::Delivered)
    }
}

fn signature(secret: &Secret, seconds: i64, body: &[u8]) -> Result<HeaderValue, SendError> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes())
        .map_err(|error| permanent(format!("no signature: {error}")))?;
    mac.update(format!("{seconds}.").as_bytes());
    mac.update(body);
    let text = format!("t={seconds},v1={}", hex::encode(mac.finalize().into_bytes()));
    HeaderValue::from_str(&text).map_err(|error| permanent(format!("no signature: {error}")))
}

impl Channel for WebhookChannel {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> ChannelKind {
        ChannelKind::Webhook
    }

    fn send<'a>(
        &'a self,
        notice: &'a Notice,
        key: &'a IdempotencyKey,
    ) -> BoxFuture<'a, Result<Sent, SendError>> {
        Box::pin(self.post(notice, key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_plain_hmac() {
        // From `printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac secret`.
        let signed = signature(&Secret::new("secret".into()), 1_700_000_000, br#"{"a":1}"#).unwrap();
        assert_eq!(
            signed.to_str().unwrap(),
            "t=1700000000,v1=49f24e537407743fa4a0242bb63b94b9a47ee99cbbe071ccd8a22550ae411686"
        );
    }
}
