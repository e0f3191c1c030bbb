//! Throw-away keys. Nothing made here is worth anything outside one machine; private files are still written so that
//! only their owner reads them, because a demo directory has a way of being copied.

mod tls;

use crate::error::SetupError;
use crate::wire::mac::hex_of_bytes;
use rsa::RsaPrivateKey;
use rsa::pkcs8::{EncodePrivateKey, EncodePublicKey, LineEnding};
use rsa::rand_core::{OsRng, RngCore};
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

pub use tls::TlsSet;

/// Bits of PAYBOX's signature key, as the real one.
const BANK_KEY_BITS: usize = 1024;

/// Bytes of a merchant's shared key: 128 hexadecimal digits.
const SHARED_KEY_BYTES: usize = 64;

/// Whether a file of an earlier run is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    Keep,
    Replace,
}

/// A directory of keys, with the names of its files.
#[derive(Debug, Clone)]
pub struct KeyDirectory {
    root: PathBuf,
}

impl KeyDirectory {
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Makes every key that is missing (or all of them) and returns the files that were written.
    pub fn fill(&self, existing: Existing) -> Result<Vec<PathBuf>, SetupError> {
        fs::create_dir_all(&self.root).map_err(|error| SetupError::file(&self.root, &error))?;
        // Two processes that fill one directory at once would each write half of a pair.
        let lock = self.root.join(".lock");
        let lock = fs::File::create(&lock)
            .and_then(|file| file.lock().map(|()| file))
            .map_err(|error| SetupError::file(&lock, &error))?;
        let mut written = Vec::new();
        self.fill_shared_key(existing, &mut written)?;
        self.fill_bank_pair(existing, &mut written)?;
        tls::fill(self, existing, &mut written)?;
        drop(lock);
        Ok(written)
    }

    fn fill_shared_key(&self, existing: Existing, written: &mut Vec<PathBuf>) -> Result<(), SetupError> {
        if !self.wanted(&["hmac.key"], existing) {
            return Ok(());
        }
        let mut bytes = [0_u8; SHARED_KEY_BYTES];
        OsRng.fill_bytes(&mut bytes);
        self.write("hmac.key", &format!("{}\n", hex_of_bytes(&bytes)), Secrecy::Private, written)
    }

    /// Both halves or neither: half a pair of another run would make every signature wrong.
    fn fill_bank_pair(&self, existing: Existing, written: &mut Vec<PathBuf>) -> Result<(), SetupError> {
        if !self.wanted(&["paybox-private.pem", "paybox-public.pem"], existing) {
            return Ok(());
        }
        let key =
            RsaPrivateKey::new(&mut OsRng, BANK_KEY_BITS).map_err(|error| SetupError::because("RSA key", &error))?;
        let private = key.to_pkcs8_pem(LineEnding::LF).map_err(|error| SetupError::because("RSA key", &error))?;
        let public = key
            .to_public_key()
            .to_public_key_pem(LineEnding::LF)
            .map_err(|error| SetupError::because("RSA public key", &error))?;
        self.write("paybox-private.pem", &private, Secrecy::Private, written)?;
        self.write("paybox-public.pem", &public, Secrecy::Public, written)
    }

    /// Whether any of `names` has to be made.
    fn wanted(&self, names: &[&str], existing: Existing) -> bool {
        existing == Existing::Replace || names.iter().any(|name| !self.root.join(name).exists())
    }

    /// The text of one file.
    pub fn read(&self, name: &str) -> Result<String, SetupError> {
        let path = self.root.join(name);
        fs::read_to_string(&path).map_err(|error| SetupError::file(&path, &error))
    }

    fn write(&self, name: &str, text: &str, secrecy: Secrecy, written: &mut Vec<PathBuf>) -> Result<(), SetupError> {
        let path = self.root.join(name);
        write_file(&path, text, secrecy).map_err(|error| SetupError::file(&path, &error))?;
        written.push(path);
        Ok(())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Secrecy {
    Private,
    Public,
}

/// Replaces the file rather than truncating it, so that its mode is the one asked for here.
fn write_file(path: &Path, text: &str, secrecy: Secrecy) -> std::io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    match fs::remove_file(path) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let mode = match secrecy {
        Secrecy::Private => 0o600,
        Secrecy::Public => 0o644,
    };
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn keys_are_private_and_kept_unless_replaced() {
        let root = std::env::temp_dir().join(format!("guichet-sandbox-keys-{}", std::process::id()));
        let directory = KeyDirectory::new(&root);
        let first = directory.fill(Existing::Keep).unwrap();
        assert_eq!(first.len(), 13, "{first:?}");
        for name in ["hmac.key", "paybox-private.pem", "ca.key", "server.key", "expired/server.key"] {
            let mode = fs::metadata(root.join(name)).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{name}");
        }
        assert_eq!(directory.read("hmac.key").unwrap().trim().len(), 128);
        assert!(directory.read("paybox-public.pem").unwrap().contains("BEGIN PUBLIC KEY"));
        let key = directory.read("hmac.key").unwrap();
        assert_eq!(directory.fill(Existing::Keep).unwrap(), Vec::<PathBuf>::new());
        assert_eq!(directory.read("hmac.key").unwrap(), key);
        directory.fill(Existing::Replace).unwrap();
        assert_ne!(directory.read("hmac.key").unwrap(), key);
        fs::remove_dir_all(root).unwrap();
    }
}
