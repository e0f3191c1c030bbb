//! Signatures of Standard Webhooks 1.0: `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;

use super::super::{App, Error};
use crate::domain::webhook::{Endpoint, EndpointId, Secret};

/// A secret as a portal keeps it.
pub(super) fn text(secret: &[u8]) -> String {
    format!("whsec_{}", STANDARD.encode(secret))
}

fn signature(secret: &[u8], id: &str, timestamp: i64, body: &str) -> Result<String, Error> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).map_err(|_| Error::Defect("a secret is no key".to_owned()))?;
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    Ok(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

/// A sealed secret opens for its endpoint only.
fn context(id: EndpointId) -> String {
    format!("webhook:{id}")
}

impl App {
    pub(super) fn seal_secret(&self, id: EndpointId, secret: &[u8]) -> Result<String, Error> {
        Ok(STANDARD.encode(self.ports.vault.seal(secret, &context(id))?))
    }

    fn open_secret(&self, id: EndpointId, secret: &Secret) -> Result<Vec<u8>, Error> {
        let sealed = STANDARD.decode(&secret.sealed).map_err(|_| Error::Defect("a secret is not base64".to_owned()))?;
        Ok(self.ports.vault.open(&sealed, &context(id))?)
    }

    /// The headers of a delivery, signed by every secret that still signs.
    pub(super) fn signed_headers(
        &self,
        endpoint: &Endpoint,
        id: &str,
        body: &str,
        now: Timestamp,
    ) -> Result<Vec<(&'static str, String)>, Error> {
        // Receivers hold it against their own clock, which nobody puts forward.
        let timestamp = self.ports.clock.wall().as_second();
        let signatures = endpoint
            .secrets
            .iter()
            .filter(|secret| secret.signs(now))
            .map(|secret| signature(&self.open_secret(endpoint.id, secret)?, id, timestamp, body))
            .collect::<Result<Vec<String>, Error>>()?;
        Ok(vec![
            ("webhook-id", id.to_owned()),
            ("webhook-timestamp", timestamp.to_string()),
            ("webhook-signature", signatures.join(" ")),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector that the libraries of standard-webhooks/standard-webhooks test against.
    #[test]
    fn signatures_are_those_of_the_specification() {
        let secret = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        assert_eq!(text(&secret), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let signed = signature(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signed, Ok("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=".to_owned()));
    }
}
