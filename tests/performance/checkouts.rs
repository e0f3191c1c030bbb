//! Orders placed and pages made for them: on either store, by one client and by several at once.

use crate::{
    ratio::{Took, time},
    rig::{Kept, Rig},
    sized,
};

const CLIENTS: usize = 16;

/// Places orders, each with its page.
async fn sell(rig: &Rig, count: usize, clients: usize) -> std::time::Duration {
    let one = |_| async {
        let issued = rig.check_out(&rig.place("E2026001").await).await;
        assert_eq!(issued["form"]["fields"][0]["name"], "PBX_SITE", "{issued:#}");
    };
    time(clients, (0..count).map(one)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn checkouts_on_either_store() {
    let (file, redis) = (Rig::start(Kept::OnFile, 1).await, Rig::start(Kept::OnRedis, 1).await);
    let count = sized(24, 320);
    let mut took: [Took; 4] = Default::default();
    for _ in 0..sized(1, 5) {
        for (took, (rig, clients)) in
            took.iter_mut().zip([(&file, 1), (&redis, 1), (&file, CLIENTS), (&redis, CLIENTS)])
        {
            took.note(sell(rig, count, clients).await);
        }
    }
    let [file_alone, redis_alone, file_many, redis_many] = took;
    file_alone.show("checkouts, SQLite, one client", count);
    redis_alone.show("checkouts, Redis, one client", count);
    file_many.show(&format!("checkouts, SQLite, {CLIENTS} clients"), count);
    redis_many.show(&format!("checkouts, Redis, {CLIENTS} clients"), count);
    redis_alone.over(&file_alone, "redis_checkouts_over_sqlite");
    redis_many.over(&file_many, "redis_checkouts_over_sqlite_at_once");
    file_alone.over(&file_many, "sqlite_checkouts_at_once_over_alone");
    redis_alone.over(&redis_many, "redis_checkouts_at_once_over_alone");
}
