//! What the suite needs of a store, and the list of its behaviours.

use std::{process::Command, sync::Arc};

use async_trait::async_trait;
use guichet::ports::Store;

/// One store, empty at first, gone when the harness is dropped.
#[async_trait]
pub(crate) trait Harness: Send + Sync {
    /// A handle on the store. Each call gives another, as another process would have; what was committed through one is
    /// there for all, and stays when all are dropped.
    async fn open(&self) -> Arc<dyn Store>;

    /// A process that opens this store and runs [`crate::endurance::commit_until_killed`].
    fn child(&self) -> Command;
}

/// Runs every behaviour, each as a test of its own on a new store made by `$new`; or, as the one test `$name`, one after
/// the other.
macro_rules! contract {
    ($new:expr) => {
        crate::harness::behaviours! { each $new }
    };
    (as $name:ident, $new:expr) => {
        crate::harness::behaviours! { all $name, $new }
    };
}
pub(crate) use contract;

/// The list.
macro_rules! behaviours {
    ($($how:tt)+) => {
        crate::harness::run! { $($how)+ =>
            commits: a_lost_commit_changes_nothing, a_commit_writes_all_it_carries, a_version_grows_by_one,
                claims_are_for_ever, merchants_and_kinds_are_apart, an_empty_commit_is_no_error;
            lists: a_list_is_in_the_order_of_ids, a_list_has_all_labels, labels_are_replaced, due_is_longest_first,
                a_changed_wake_up_replaces_the_old, a_tally_counts_each_value, a_prefix_is_taken_as_it_is,
                a_tally_follows_the_labels;
            ready: what_is_ready_is_in_the_order_of_ids, ready_days_compare_as_dates,
                ready_is_of_its_merchant_and_kind, a_changed_day_replaces_the_old;
            feeds: the_feed_is_in_the_order_of_commits, a_feed_is_of_its_merchants, a_history_is_of_its_aggregate, a_mark_is_the_last_event,
                positions_are_skipped,
                a_reader_of_the_feed_misses_nothing;
            keeping: an_answer_is_given_again, answers_are_forgotten, callbacks_are_latest_first,
                callbacks_of_nobody_are_bounded, a_counter_gives_blocks, a_counter_refuses_what_it_cannot_give;
            turns: a_lease_is_one_holders, a_lease_lapses, what_is_earned_is_spent_once, turns_are_taken_in_order;
            races: one_racer_wins_each_version, neighbours_of_a_loser_stand, one_racer_gets_a_claim,
                one_racer_answers, numbers_are_given_once, a_run_sees_whole_writes;
            endurance: everything_is_there_after_reopening, texts_come_back_as_they_were,
                numbers_come_back_as_they_were, what_was_acknowledged_survives_a_kill;
        }
    };
}
pub(crate) use behaviours;

macro_rules! run {
    (each $new:expr => $($module:ident: $($behaviour:ident),+;)+) => {
        $($(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $behaviour() {
                crate::$module::$behaviour(&$new).await;
            }
        )+)+
    };
    (all $name:ident, $new:expr => $($module:ident: $($behaviour:ident),+;)+) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            let new = $new;
            $($(
                println!("{}", stringify!($behaviour));
                crate::$module::$behaviour(&new()).await;
            )+)+
        }
    };
}
pub(crate) use run;
