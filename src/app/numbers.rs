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
    left: Mutex<BTreeMap<String, Range<u32>>>,
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
        self.left.lock().unwrap_or_else(PoisonError::into_inner).get_mut(site).and_then(Iterator::next)
    }

    /// Two callers may reserve at once; the block that is dropped then is skipped, never given twice.
    fn put(&self, site: &str, block: Range<u32>) {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).insert(site.to_owned(), block);
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
                let first = self.ports.store.reserve(&counter, self.numbers.first, last, BLOCK).await?;
                let next = if planted::is(Bug::NumbersOverlap) { first } else { first.saturating_add(1) };
                self.numbers.put(site, next..first.saturating_add(BLOCK));
                first
            }
        };
        QuestionNumber::new(number).map_err(|error| Error::Defect(error.to_string()))
    }
}
