//! Randomness from the operating system.

use jiff::Timestamp;
use ring::rand::{SecureRandom, SystemRandom};

use crate::ports::Entropy;

/// The random source of the operating system.
#[derive(Clone, Debug)]
pub struct SystemEntropy(SystemRandom);

impl Default for SystemEntropy {
    fn default() -> Self {
        Self(SystemRandom::new())
    }
}

impl SystemEntropy {
    #[expect(clippy::panic, reason = "the port cannot fail, and going on with guessable names and secrets is worse")]
    fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        match self.0.fill(&mut bytes) {
            Ok(()) => bytes,
            Err(ring::error::Unspecified) => panic!("the operating system gives no randomness"),
        }
    }
}

impl Entropy for SystemEntropy {
    fn id(&self, now: Timestamp) -> u128 {
        // A UUID counts from 1970; a clock before that is wrong by decades, and 74 random bits still keep ids apart.
        let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &self.bytes()).into_uuid().as_u128()
    }

    fn secret(&self) -> [u8; 32] {
        self.bytes()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_of_one_millisecond_differ_and_ids_grow_with_time() {
        let entropy = SystemEntropy::default();
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let later = Timestamp::from_millisecond(1_800_000_000_001).unwrap();
        let ids: BTreeSet<u128> = (0..10_000).map(|_| entropy.id(now)).collect();
        assert_eq!(ids.len(), 10_000);
        assert!(ids.last().unwrap() < &entropy.id(later));
    }

    #[test]
    fn an_id_is_a_uuid_of_version_7_with_its_time() {
        let id = uuid::Uuid::from_u128(SystemEntropy::default().id(Timestamp::from_second(1_800_000_000).unwrap()));
        assert_eq!(id.get_version_num(), 7);
        assert_eq!(id.get_timestamp().unwrap().to_unix(), (1_800_000_000, 0));
        let before_1970 = uuid::Uuid::from_u128(SystemEntropy::default().id(Timestamp::MIN));
        assert_eq!(before_1970.get_timestamp().unwrap().to_unix().0, 0);
    }

    #[test]
    fn secrets_differ() {
        let entropy = SystemEntropy::default();
        assert_ne!(entropy.secret(), entropy.secret());
    }
}
