//! Chance that replays: everything random in the sandbox derives from one seed.

use sha2::{Digest, Sha256};

/// A stream of numbers from a seed (splitmix64: short, well mixed, of no cryptographic use).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

/// A number in `0..100` that depends on the seed and on what it is drawn for, not on the order of the draws: two runs
/// whose requests interleave differently still misbehave in the same places.
#[must_use]
pub fn percent_of(seed: u64, what: &str) -> u32 {
    let digest = Sha256::digest(format!("{seed}/{what}"));
    let number = digest.iter().take(8).fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    u32::try_from(number % 100).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_chance() {
        let (mut a, mut b) = (Random::new(7), Random::new(7));
        assert_eq!((a.number(), a.number()), (b.number(), b.number()));
        assert_eq!(percent_of(7, "ipn/order-1/0"), percent_of(7, "ipn/order-1/0"));
        let low = (0..1000).filter(|n| percent_of(3, &n.to_string()) < 20).count();
        assert!((120..280).contains(&low), "{low} of 1000 below 20");
    }
}
