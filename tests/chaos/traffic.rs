//! What goes on beside the debits while a gateway dies again and again: payments, plans that begin, cards that are
//! refused, refunds. It can be held, so that the clock is put forward between two payers and not under one.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

use futures_util::future::join_all;

use crate::{
    bench::Bench,
    payer::ACCEPTED,
    portal::{Portal, VIRTUAL},
};

/// Between two payers of one kind.
const PAUSE: Duration = Duration::from_millis(250);
const SHORT_PAUSE: Duration = Duration::from_millis(20);
/// Refunds of one payment.
const PARTS: usize = 3;

#[derive(Default)]
pub(crate) struct Traffic {
    is_held: AtomicBool,
    is_over: AtomicBool,
    under_way: AtomicUsize,
}

impl Traffic {
    /// Lets nobody begin any more, for now; whether nobody is under way.
    pub(crate) fn hold(&self) -> bool {
        self.is_held.store(true, Ordering::SeqCst);
        self.under_way.load(Ordering::SeqCst) == 0
    }

    pub(crate) fn release(&self) {
        self.is_held.store(false, Ordering::SeqCst);
    }

    /// Everybody finishes what they have begun.
    pub(crate) fn end(&self) {
        self.is_over.store(true, Ordering::SeqCst);
        self.release();
    }

    /// Payers of every kind, until the end; how many there were.
    pub(crate) async fn flow(&self, bench: &Bench) -> usize {
        self.flow_after(bench, PAUSE).await
    }

    async fn flow_after(&self, bench: &Bench, pause: Duration) -> usize {
        let portal = Portal { bench };
        let paying = self.again_and_again(pause, async || {
            let id = portal.pay_once(50_000).await;
            // In full: a refund in part that is in doubt may end before people.
            portal.refund(&id, 50_000).await;
        });
        let beginning = self.again_and_again(pause, async || {
            portal.begin_plan("2x", 40_000, &[ACCEPTED]).await;
        });
        let refused = self.again_and_again(pause, async || {
            portal.begin_plan("2x", 30_000, &[VIRTUAL, ACCEPTED]).await;
        });
        let (paying, beginning, refused) = tokio::join!(paying, beginning, refused);
        paying + beginning + refused
    }

    /// The same, so many at once, and refunds in part, which nobody waits for.
    pub(crate) async fn flow_broad(&self, bench: &Bench, width: usize) -> usize {
        let portal = &Portal { bench };
        let flows = (0..width).map(|_| async move {
            let in_part = self.again_and_again(SHORT_PAUSE, async || {
                let id = portal.pay_once(50_000).await;
                for _ in 0..PARTS {
                    portal.ask_refund(&id, 1_000).await;
                }
            });
            let (others, in_part) = tokio::join!(self.flow_after(bench, SHORT_PAUSE), in_part);
            others + in_part
        });
        join_all(flows).await.into_iter().sum()
    }

    async fn again_and_again(&self, pause: Duration, walk: impl AsyncFn()) -> usize {
        let mut walked = 0;
        while !self.is_over.load(Ordering::SeqCst) {
            // Counted before it looks, so that whoever holds sees either nobody or somebody who has begun.
            self.under_way.fetch_add(1, Ordering::SeqCst);
            if !self.is_held.load(Ordering::SeqCst) {
                walk().await;
                walked += 1;
            }
            self.under_way.fetch_sub(1, Ordering::SeqCst);
            tokio::time::sleep(pause).await;
        }
        walked
    }
}
