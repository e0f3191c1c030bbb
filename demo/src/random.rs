//! Names that nobody has used and keys that nobody can guess, from the machine's own source.

use std::{fs::File, io::Read};

use crate::trouble::Outcome;

/// `bytes` random bytes, in hexadecimal.
pub(crate) fn hex(bytes: usize) -> Outcome<String> {
    let mut random = vec![0_u8; bytes];
    File::open("/dev/urandom")?.read_exact(&mut random)?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}
