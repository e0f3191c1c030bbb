//! PAYBOX's own signature over what it sends: RSA PKCS#1 v1.5 with SHA-1, 1024 bits, base64. The bytes signed are the
//! still-encoded text exactly as it stands on the wire.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rsa::RsaPrivateKey;
use rsa::pkcs1v15::SigningKey;
use rsa::pkcs8::DecodePrivateKey;
use rsa::signature::{SignatureEncoding, Signer};
use sha1::Sha1;

/// The private half of the pair whose public half the merchant holds.
#[derive(Clone)]
pub struct BankKey(SigningKey<Sha1>);

impl std::fmt::Debug for BankKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BankKey")
    }
}

impl BankKey {
    /// Reads a PKCS#8 PEM.
    pub fn from_pem(pem: &str) -> Result<Self, rsa::pkcs8::Error> {
        RsaPrivateKey::from_pkcs8_pem(pem).map(|key| Self(SigningKey::new(key)))
    }

    /// The signature of `text`, in standard base64, not yet escaped for a URL.
    pub fn sign(&self, text: &str) -> Result<String, rsa::signature::Error> {
        Ok(STANDARD.encode(self.0.try_sign(text.as_bytes())?.to_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::form;
    use rsa::RsaPublicKey;
    use rsa::pkcs1v15::{Signature, VerifyingKey};
    use rsa::pkcs8::{DecodePublicKey, EncodePrivateKey, LineEnding};
    use rsa::signature::Verifier;

    fn verifies(key: &VerifyingKey<Sha1>, text: &str, base64: &str) -> bool {
        let Ok(bytes) = STANDARD.decode(base64) else { return false };
        Signature::try_from(bytes.as_slice()).is_ok_and(|signature| key.verify(text.as_bytes(), &signature).is_ok())
    }

    /// Genuine signed strings hold under the algorithm that this crate signs with, and our escaping of a signature is
    /// byte for byte theirs.
    #[test]
    fn genuine_samples_use_this_algorithm_and_this_escaping() {
        let vectors: Vec<serde_json::Value> =
            serde_json::from_str(include_str!("../../../contracts/signature-vectors.json")).unwrap();
        for vector in &vectors {
            let public = RsaPublicKey::from_public_key_pem(vector["public_key_pem"].as_str().unwrap()).unwrap();
            let query = vector["query"].as_str().unwrap();
            let (signed, last) = query.rsplit_once('&').unwrap();
            let (_, escaped) = last.split_once('=').unwrap();
            let signature = percent_encoding::percent_decode_str(escaped).decode_utf8().unwrap();
            assert_eq!(signed, vector["signed_bytes"].as_str().unwrap());
            assert!(verifies(&VerifyingKey::new(public), signed, &signature), "{}", vector["name"]);
            assert_eq!(form::signature_value(&signature), escaped, "{}", vector["name"]);
        }
    }

    #[test]
    fn our_signatures_verify_with_the_public_half() {
        let private = RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 1024).unwrap();
        let public = VerifyingKey::<Sha1>::new(private.to_public_key());
        let key = BankKey::from_pem(&private.to_pkcs8_pem(LineEnding::LF).unwrap()).unwrap();
        let signature = key.sign("Mt=1000&Ref=order%201").unwrap();
        assert_eq!(signature.len(), 172);
        assert!(verifies(&public, "Mt=1000&Ref=order%201", &signature));
        assert!(!verifies(&public, "Mt=1000&Ref=order 1", &signature));
    }
}
