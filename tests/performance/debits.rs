//! Runs of debits: with more gateways at a slow bank, and on either store at a fast one.

use crate::{
    ratio::{Took, each},
    rig::{Kept, Rig},
    sized,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_gateways_at_a_slow_bank() {
    let mut rig = Rig::start(Kept::OnRedis, 4).await;
    rig.begin_plans(sized(12, 96)).await;
    rig.slow_down(u64::try_from(sized(60, 250)).unwrap());
    let mut took = [Took::default(), Took::default(), Took::default()];
    let (mut debits, mut enquiries, mut all) = (0, 0, 0);
    for _ in 0..sized(1, 3) {
        for (took, gateways) in took.iter_mut().zip([1, 2, 4]) {
            rig.serve(gateways).await;
            let run = rig.run().await;
            took.note(run.took);
            (debits, all) = (run.debits, all + run.debits);
            enquiries += run.calls.get("00011").unwrap_or(&0) + run.calls.get("00017").unwrap_or(&0);
        }
    }
    for (took, gateways) in took.iter().zip(["one gateway", "two gateways", "four gateways"]) {
        took.show(&format!("debits at a slow bank, {gateways}"), debits);
    }
    // The other way round: by how much faster it is.
    took[0].over(&took[1], "two_gateways_over_one");
    took[0].over(&took[2], "four_gateways_over_one");
    each("enquiries_per_debit", enquiries, all);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn debits_on_either_store() {
    let (file, redis) = (Rig::start(Kept::OnFile, 1).await, Rig::start(Kept::OnRedis, 1).await);
    let plans = sized(8, 96);
    tokio::join!(file.begin_plans(plans), redis.begin_plans(plans));
    let [mut file_took, mut redis_took, mut file_store, mut redis_store]: [Took; 4] = Default::default();
    for _ in 0..sized(1, 5) {
        for (rig, took, store) in
            [(&file, &mut file_took, &mut file_store), (&redis, &mut redis_took, &mut redis_store)]
        {
            let run = rig.run().await;
            took.note(run.took);
            store.note(run.store_took);
        }
    }
    file_took.show("debits at a fast bank, SQLite", plans);
    redis_took.show("debits at a fast bank, Redis", plans);
    file_store.show("a debit's way through the store, SQLite", 1);
    redis_store.show("a debit's way through the store, Redis", 1);
    redis_took.over(&file_took, "redis_debits_over_sqlite");
    redis_store.over(&file_store, "redis_before_a_debit_over_sqlite");
}
