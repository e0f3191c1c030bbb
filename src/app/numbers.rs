//! Numbers for questions to the bank, taken from the store in blocks: a crash skips some and repeats none.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{Mutex, PoisonError},
};

use super::{App, Error, Merchant};
use crate::{
    domain::numbers::QuestionNumber,
    planted::{self, Bug},
};

/// How many numbers one write to the store reserves.
const BLOCK: u32 = 50;

/// What is left of the blocks reserved so far, by SITE.
pub(super) struct Numbers {
    first: u32,
    left: Mutex<BTreeMap<String, Vec<Range<u32>>>>,
}

impl Numbers {
    pub(super) fn new(first: u32) -> Self {
        Self { first, left: Mutex::new(BTreeMap::new()) }
    }

    /// What a new counter begins with.
    pub(super) fn first(&self) -> u32 {
        self.first
    }

    fn take(&self, site: &str) -> Option<u32> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let blocks = left.get_mut(site)?;
        blocks.retain(|block| !block.is_empty());
        blocks.first_mut().and_then(Iterator::next)
    }

    /// Beside those that are left: many who ask at once reserve at once, and a block that was dropped would be skipped.
    fn put(&self, site: &str, block: Range<u32>) {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).entry(site.to_owned()).or_default().push(block);
    }
}

impl App {
    /// A number that this SITE has not used.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the store cannot reserve.
    pub(super) async fn question_number(&self, merchant: &Merchant) -> Result<QuestionNumber, Error> {
        let site = merchant.account.site();
        let number = match self.numbers.take(site) {
            Some(number) => number,
            None => {
                let counter = format!("question:{site}");
                let last = QuestionNumber::MAX;
                let first = self.reserve(&counter, self.numbers.first, last, BLOCK).await?;
                let next = if planted::is(Bug::NumbersOverlap) { first } else { first.saturating_add(1) };
                self.numbers.put(site, next..first.saturating_add(BLOCK));
                first
            }
        };
        QuestionNumber::new(number).map_err(|error| Error::Defect(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_that_were_reserved_at_once_are_used_up_each() {
        let numbers = Numbers::new(1);
        assert_eq!(numbers.take("1999888"), None);
        numbers.put("1999888", 2..4);
        numbers.put("1999888", 5..7);
        numbers.put("1999889", 2..3);
        let taken: Vec<u32> = std::iter::from_fn(|| numbers.take("1999888")).collect();
        assert_eq!(taken, [2, 3, 5, 6]);
        assert_eq!((numbers.take("1999889"), numbers.take("1999889")), (Some(2), None));
    }
}
