//! Certificates for the server-to-server hosts: one good set, and three bad ones that a careful client must refuse.

use super::{Existing, KeyDirectory, Secrecy};
use crate::error::SetupError;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use std::path::PathBuf;

/// Which certificate the server-to-server hosts present.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum TlsSet {
    /// Signed by `ca.pem`, for 127.0.0.1, ::1 and localhost.
    #[default]
    Good,
    /// The right names, signed by an authority that is not `ca.pem`.
    WrongCa,
    /// Signed by `ca.pem`, for other.example only.
    WrongName,
    /// Signed by `ca.pem`, right names, validity long past.
    Expired,
}

impl TlsSet {
    /// The certificate and the private key, relative to the key directory.
    #[must_use]
    pub fn files(self) -> (&'static str, &'static str) {
        match self {
            Self::Good => ("server.pem", "server.key"),
            Self::WrongCa => ("wrong-ca/server.pem", "wrong-ca/server.key"),
            Self::WrongName => ("wrong-name/server.pem", "wrong-name/server.key"),
            Self::Expired => ("expired/server.pem", "expired/server.key"),
        }
    }

    fn names(self) -> Vec<String> {
        match self {
            Self::Good | Self::WrongCa | Self::Expired => vec!["127.0.0.1".into(), "::1".into(), "localhost".into()],
            Self::WrongName => vec!["other.example".into()],
        }
    }

    const ALL: [Self; 4] = [Self::Good, Self::WrongCa, Self::WrongName, Self::Expired];
}

/// Makes the authority and every missing server certificate.
pub(super) fn fill(directory: &KeyDirectory, existing: Existing, written: &mut Vec<PathBuf>) -> Result<(), SetupError> {
    let new_authority = directory.wanted(&["ca.pem", "ca.key"], existing);
    if new_authority {
        let key = KeyPair::generate().map_err(|error| SetupError::because("CA key", &error))?;
        let certificate = authority("guichet sandbox test CA")
            .self_signed(&key)
            .map_err(|error| SetupError::because("CA certificate", &error))?;
        directory.write("ca.key", &key.serialize_pem(), Secrecy::Private, written)?;
        directory.write("ca.pem", &certificate.pem(), Secrecy::Public, written)?;
    }
    // The authority is rebuilt from its key and its fixed name, so missing certificates can be issued later.
    let key = KeyPair::from_pem(&directory.read("ca.key")?).map_err(|error| SetupError::because("ca.key", &error))?;
    let known = Issuer::new(authority("guichet sandbox test CA"), key);
    let key = KeyPair::generate().map_err(|error| SetupError::because("CA key", &error))?;
    let stranger = Issuer::new(authority("a stranger's test CA"), key);
    for set in TlsSet::ALL {
        let (certificate_file, key_file) = set.files();
        if !new_authority && !directory.wanted(&[certificate_file, key_file], existing) {
            continue;
        }
        let issuer = if set == TlsSet::WrongCa { &stranger } else { &known };
        let key = KeyPair::generate().map_err(|error| SetupError::because("server key", &error))?;
        let certificate = server(set)
            .and_then(|params| params.signed_by(&key, issuer))
            .map_err(|error| SetupError::because("server certificate", &error))?;
        directory.write(certificate_file, &certificate.pem(), Secrecy::Public, written)?;
        directory.write(key_file, &key.serialize_pem(), Secrecy::Private, written)?;
    }
    Ok(())
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = named(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2049, 12, 31);
    params
}

fn server(set: TlsSet) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(set.names())?;
    params.distinguished_name = named("guichet sandbox PPPS");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = match set {
        TlsSet::Good | TlsSet::WrongCa | TlsSet::WrongName => date_time_ymd(2049, 12, 31),
        TlsSet::Expired => date_time_ymd(2021, 1, 1),
    };
    Ok(params)
}

fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}
