//! The keys that seal what must not be readable in the store.

use std::fmt;

use secrecy::SecretBox;

use super::{examples, files::Files, section::Section};
use crate::app::Mode;

/// Bytes in a key.
const KEY_BYTES: usize = 32;

/// A key and what it is called. Never printed, wiped when dropped.
pub struct SealingKey {
    pub id: String,
    pub key: SecretBox<[u8; KEY_BYTES]>,
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SealingKey({})", self.id)
    }
}

/// Reads `[secrets]`; `None` when the keys are missing or unusable, which has been noted.
pub(super) fn read(mut section: Section<'_>, files: &Files<'_>, mode: Option<Mode>) -> Option<Vec<SealingKey>> {
    let path = section.path("sealing_keys_file");
    let keys = section.needed("sealing_keys_file", |name| {
        let text = files.secret(&path, name)?;
        if mode == Some(Mode::Live) && examples::holds_example_sealing_key(&text) {
            return Err("holds a key of keys-example, in live mode: anybody can open what it seals".to_owned());
        }
        parse(&text).map_err(|sentence| format!("{}: {sentence}", files.find(name).display()))
    });
    section.end();
    keys
}

/// One key per line; empty lines and lines that begin with `#` say nothing.
fn parse(text: &str) -> Result<Vec<SealingKey>, String> {
    let mut keys: Vec<SealingKey> = Vec::new();
    for (number, line) in (1..).zip(text.lines().map(str::trim)) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let key =
            key_in(line).ok_or_else(|| format!("line {number} is not a name, a colon and 64 hexadecimal digits"))?;
        if keys.iter().any(|other| other.id == key.id) {
            return Err(format!("two keys are named {}", key.id));
        }
        keys.push(key);
    }
    if keys.is_empty() { Err("holds no key".to_owned()) } else { Ok(keys) }
}

fn key_in(line: &str) -> Option<SealingKey> {
    let (id, hex) = line.split_once(':')?;
    let id = super::platform::name(id).ok()?;
    let digits = hex.bytes().map(|digit| char::from(digit).to_digit(16)).collect::<Option<Vec<u32>>>()?;
    if digits.len() != KEY_BYTES * 2 {
        return None;
    }
    let byte = |pair: &[u32]| u8::try_from(pair.iter().fold(0, |byte, digit| byte * 16 + digit)).ok();
    let mut key = Box::new([0; KEY_BYTES]);
    for (place, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
        *place = byte(pair)?;
    }
    Some(SealingKey { id, key: SecretBox::new(key) })
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn keys_are_read_from_lines() {
        let hex = "0f".repeat(KEY_BYTES);
        let keys = parse(&format!("# keys\n\n b:{}\r\na:{hex}\n", "AB".repeat(KEY_BYTES))).unwrap();
        assert_eq!(format!("{keys:?}"), "[SealingKey(b), SealingKey(a)]");
        assert_eq!(keys[0].key.expose_secret(), &[0xab; KEY_BYTES]);
        assert_eq!(keys[1].key.expose_secret(), &[0x0f; KEY_BYTES]);
        for (text, sentence) in [
            (String::new(), "holds no key"),
            ("# none".to_owned(), "holds no key"),
            (hex.clone(), "line 1 is not a name"),
            (format!("a:{hex}\nb:{hex}0"), "line 2 is not a name"),
            (format!("a:{}", &hex[1..]), "line 1 is not a name"),
            (format!("a:{}+f", &hex[2..]), "line 1 is not a name"),
            (format!("a b:{hex}"), "line 1 is not a name"),
            (format!("{}:{hex}", "a".repeat(33)), "line 1 is not a name"),
            (format!("a:{hex}\na:{hex}"), "two keys are named a"),
        ] {
            assert!(parse(&text).unwrap_err().starts_with(sentence), "{text}");
        }
    }
}
