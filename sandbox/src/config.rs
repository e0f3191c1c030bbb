//! The configuration file: which merchants this PAYBOX knows, and how it starts.

use crate::error::SetupError;
use crate::keys::KeyDirectory;
use crate::switches::Switches;
use crate::wire::mac::SharedKey;
use crate::world::LastNumbers;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// How long a silent client is kept, in milliseconds.
const READ_TIMEOUT_DEFAULT_MS: u64 = 30_000;

/// The configuration as written, in JSON. An absent file is the default: two contracts of the public test site.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    pub contracts: Vec<ContractConfig>,
    pub switches: Switches,
    /// The numbers given last, so that a new sandbox can go on after an earlier one.
    pub last_numbers: LastNumbers,
    /// How long a client may take to send its request's head or to finish the TLS handshake, in milliseconds.
    pub read_timeout_ms: u64,
}

/// One merchant contract as written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContractConfig {
    pub site: String,
    pub rang: String,
    pub identifiant: String,
    pub shop_name: String,
    /// The shared key in hexadecimal; without it, `hmac_key_file`; without both, `hmac.key` of the key directory.
    #[serde(default)]
    pub hmac_key: Option<String>,
    /// Relative to the configuration file.
    #[serde(default)]
    pub hmac_key_file: Option<PathBuf>,
    /// The back-office password that PPPS takes instead of a digest.
    #[serde(default)]
    pub cle: Option<String>,
    /// The digests this contract may name in PBX_HASH or HASH; all when absent.
    #[serde(default)]
    pub hashes: Option<Vec<String>>,
}

/// One merchant contract, ready for use.
#[derive(Debug, Clone)]
pub struct Contract {
    pub site: String,
    pub rang: u32,
    pub identifiant: String,
    pub shop_name: String,
    pub key: SharedKey,
    pub cle: Option<String>,
    pub hashes: Option<Vec<String>>,
}

impl Default for Config {
    fn default() -> Self {
        let contract = |rang: &str, identifiant: &str, shop_name: &str| ContractConfig {
            site: "1999888".into(),
            rang: rang.into(),
            identifiant: identifiant.into(),
            shop_name: shop_name.into(),
            hmac_key: None,
            hmac_key_file: None,
            cle: Some("1999888I".into()),
            hashes: None,
        };
        Self {
            contracts: vec![
                contract("32", "110647233", "ECOLE DE DEMONSTRATION"),
                contract("63", "109518543", "AUTRE ECOLE"),
            ],
            switches: Switches::default(),
            last_numbers: LastNumbers::default(),
            read_timeout_ms: READ_TIMEOUT_DEFAULT_MS,
        }
    }
}

impl Config {
    /// Reads a JSON file; file names inside it are relative to it.
    pub fn read(path: &Path) -> Result<Self, SetupError> {
        let text = std::fs::read_to_string(path).map_err(|error| SetupError::file(path, &error))?;
        let mut config: Self = serde_json::from_str(&text).map_err(|error| SetupError::file(path, &error))?;
        let folder = path.parent().unwrap_or(Path::new("."));
        for contract in &mut config.contracts {
            if let Some(file) = &contract.hmac_key_file {
                contract.hmac_key_file = Some(folder.join(file));
            }
        }
        Ok(config)
    }
}

impl ContractConfig {
    /// Resolves the shared key and checks the numbers.
    pub fn resolve(&self, keys: &KeyDirectory) -> Result<Contract, SetupError> {
        let what = format!("contract {}/{}", self.site, self.rang);
        let hex = match (&self.hmac_key, &self.hmac_key_file) {
            (Some(hex), _) => hex.clone(),
            (None, Some(file)) => std::fs::read_to_string(file).map_err(|error| SetupError::file(file, &error))?,
            (None, None) => keys.read("hmac.key")?,
        };
        Ok(Contract {
            site: self.site.clone(),
            rang: self.rang.parse().map_err(|error| SetupError::because(&what, &error))?,
            identifiant: self.identifiant.clone(),
            shop_name: self.shop_name.clone(),
            key: SharedKey::from_hex(&hex)
                .ok_or_else(|| SetupError::because(&what, &"the shared key is not hexadecimal"))?,
            cle: self.cle.clone(),
            hashes: self.hashes.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configurations_are_partial_and_unknown_keys_are_refused() {
        let read = |text: &str| serde_json::from_str::<Config>(text);
        assert_eq!(read("{}").unwrap().contracts.len(), 2);
        let config = read(r#"{"switches": {"page_tries_max": 0}, "last_numbers": {"numtrans": 9}}"#).unwrap();
        assert_eq!((config.switches.page_tries_max, config.last_numbers.numtrans), (0, 9));
        assert_eq!(config.last_numbers.numappel, LastNumbers::default().numappel);
        for text in [r#"{"contract": []}"#, r#"{"switches": {"x": 1}}"#, r#"{"contracts": [{"site": "1"}]}"#] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
