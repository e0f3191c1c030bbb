//! TLS to the bank: its answers are not signed, so the certificate is what vouches for them.

use std::sync::Arc;

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring::default_provider,
    pki_types::{CertificateDer, pem::PemObject},
};

/// Why there is no TLS to the bank.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    #[error("the chosen CA is not PEM: {0}")]
    NotPem(String),
    #[error("the chosen CA file has no certificate")]
    NoCertificate,
    #[error("a certificate of the chosen CA cannot be used: {0}")]
    Unusable(String),
    #[error("TLS cannot be set up: {0}")]
    Setup(String),
}

/// TLS 1.2 and 1.3, trusting the public CAs, or the certificates of `ca_pem` and no others.
///
/// # Errors
/// [`TlsError`] when `ca_pem` cannot be used whole.
pub fn tls_config(ca_pem: Option<&[u8]>) -> Result<Arc<ClientConfig>, TlsError> {
    let roots = match ca_pem {
        Some(pem) => chosen(pem)?,
        None => RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() },
    };
    let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsError::Setup(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // What is sent as early data can be replayed by anyone on the way: a replayed debit is a double debit.
    config.enable_early_data = false;
    Ok(Arc::new(config))
}

fn chosen(pem: &[u8]) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| TlsError::NotPem(error.to_string()))?;
        roots.add(certificate).map_err(|error| TlsError::Unusable(error.to_string()))?;
    }
    if roots.is_empty() { Err(TlsError::NoCertificate) } else { Ok(roots) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chosen_ca_must_be_usable_whole() {
        assert!(!tls_config(None).unwrap().enable_early_data);
        assert_eq!(tls_config(Some(b"")).unwrap_err(), TlsError::NoCertificate);
        assert_eq!(tls_config(Some(b"certificate")).unwrap_err(), TlsError::NoCertificate);
        let cut = b"-----BEGIN CERTIFICATE-----\nMIIB\n";
        assert!(matches!(tls_config(Some(cut)), Err(TlsError::NotPem(_))));
        let other = b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
        assert!(matches!(tls_config(Some(other)), Err(TlsError::Unusable(_))));
    }
}
