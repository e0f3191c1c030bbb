//! The chain of an order's events: each names the one before it by a digest of its stored bytes, so that none can be
//! changed, put in, or left out unseen.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::plan::hex;

/// SHA-256 of an event as it is stored, in hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link(String);

impl Link {
    /// The link to `event`, as it is stored.
    pub fn to(event: &str) -> Self {
        Self(hex(&Sha256::digest(event)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_the_digest_that_anyone_can_compute() {
        // printf '{}' | sha256sum
        let known = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        assert_eq!(Link::to("{}"), Link(known.to_owned()));
    }
}
