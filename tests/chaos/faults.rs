//! What befalls the servers of a shared store.

use std::{
    fs,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use futures_util::future::{join, join_all};
use jiff::civil::Date;

use crate::{
    gateways::{Gateway, Gateways},
    redis_servers::Server,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// The primary is killed, and comes back with all it had.
    Restarted,
    /// It is killed, and its replica takes its place.
    Promoted,
    /// It stands still past all deadlines, and goes on when the replica has taken its place.
    StoodStill,
    /// The same, and it answers what it was asked before, after the replica has been heard.
    Thawed,
    /// Half of the gateways stay with it while the others go to its replica, and it knows.
    Split,
    /// The same, and it does not know.
    SplitUnseen,
    /// It is killed, and comes back with nothing, until its files are back.
    Emptied,
    /// It is killed, and what it wrote last is gone.
    Truncated,
    /// It is killed, and the replica which takes its place has not heard its last words.
    Unheard,
}

pub(crate) const FAULTS: [Fault; 9] = [
    Fault::Promoted,
    Fault::Unheard,
    Fault::SplitUnseen,
    Fault::Truncated,
    Fault::StoodStill,
    Fault::Thawed,
    Fault::Split,
    Fault::Restarted,
    Fault::Emptied,
];

impl Fault {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Restarted => "restarted",
            Self::Promoted => "promoted",
            Self::StoodStill => "stood_still",
            Self::Thawed => "thawed",
            Self::Split => "split",
            Self::SplitUnseen => "split_unseen",
            Self::Emptied => "emptied",
            Self::Truncated => "truncated",
            Self::Unheard => "unheard",
        }
    }

    /// Has it happen; when it returns, the primary is one that lags what was there before.
    pub(crate) async fn befall(self, gateways: &mut Gateways, day: Date) {
        match self {
            Self::Restarted => {
                let primary = gateways.primary;
                gateways.servers[primary].kill();
                gateways.servers[primary].start_again();
            }
            Self::Promoted => {
                let old = gateways.primary;
                gateways.servers[old].kill();
                gateways.promote();
                gateways.servers[old].start_again();
            }
            Self::StoodStill => {
                let old = gateways.primary;
                gateways.servers[old].freeze(true);
                thread::sleep(Duration::from_millis(1_300));
                gateways.promote();
                gateways.servers[old].freeze(false);
            }
            Self::Thawed => thawed(gateways).await,
            Self::Split | Self::SplitUnseen => self.split(gateways, day).await,
            Self::Emptied => emptied(gateways, day).await,
            Self::Truncated => {
                let primary = gateways.primary;
                gateways.servers[primary].kill();
                assert!(gateways.servers[primary].truncate(4_096) > 0);
                gateways.servers[primary].start_again();
            }
            Self::Unheard => {
                gateways.following.hold(true);
                some_leave(gateways, day, Duration::from_millis(1_500)).await;
                let old = gateways.primary;
                gateways.servers[old].kill();
                gateways.following.cut();
                gateways.promote();
                gateways.servers[old].start_again();
            }
        }
    }

    async fn split(self, gateways: &mut Gateways, day: Date) {
        let (old, new) = (gateways.primary, 1 - gateways.primary);
        gateways.following.hold(self == Self::SplitUnseen);
        if self == Self::SplitUnseen {
            some_leave(gateways, day, Duration::from_millis(500)).await;
        }
        gateways.servers[new].tell("REPLICAOF NO ONE");
        let port = gateways.servers[new].port;
        let half = gateways.all.len() / 2;
        gateways.all[half..].iter().for_each(|gateway| gateway.wire.lead_to(port));
        some_leave(gateways, day, Duration::from_millis(1_500)).await;
        // The side with the replica is the one that stays.
        assert_eq!(gateways.primary, old);
        gateways.primary = new;
        gateways.all[..half].iter().for_each(|gateway| gateway.wire.lead_to(port));
    }
}

impl Server {
    /// Puts the files it keeps out of its sight, or back.
    pub(crate) fn hide(&self, is_hidden: bool) {
        let (kept, aside) = (self.folder.join("appendonlydir"), self.folder.join("aside"));
        let (from, to) = if is_hidden { (kept, aside) } else { (aside, kept) };
        let _ = fs::remove_dir_all(&to);
        fs::rename(from, to).unwrap();
    }

    /// Has it stand still, or go on.
    pub(crate) fn freeze(&self, is_frozen: bool) {
        let signal = if is_frozen { "STOP" } else { "CONT" };
        let id = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &id]).status().unwrap().success());
    }
}

async fn thawed(gateways: &mut Gateways) {
    let old = gateways.primary;
    gateways.servers[old].freeze(true);
    gateways.promote_for_new();
    // Asked all the while, so that some wait for the old one when others have been given up, and the new one is heard.
    let asked = (0..20).map(|number| {
        let gateways = &*gateways;
        async move {
            tokio::time::sleep(Duration::from_millis(60) * number).await;
            join_all(gateways.all.iter().map(Gateway::ready)).await;
        }
    });
    let thaw = async {
        tokio::time::sleep(Duration::from_millis(1_000)).await;
        gateways.servers[old].freeze(false);
    };
    join(join_all(asked), thaw).await;
    gateways.lead_all();
}

async fn emptied(gateways: &mut Gateways, day: Date) {
    let primary = gateways.primary;
    // A replica of an emptied primary would forget all too.
    gateways.servers[1 - primary].tell("REPLICAOF NO ONE");
    gateways.servers[primary].kill();
    gateways.servers[primary].hide(true);
    gateways.servers[primary].start_again();
    let before = gateways.debited();
    for gateway in &gateways.all {
        let begun = Instant::now();
        while gateway.ready().await.starts_with("ok") {
            assert!(begun.elapsed() < Duration::from_secs(10), "an empty store is well\n{}", gateways.tail());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    gateways.trigger(day).await;
    assert!(gateways.debited() <= before + 1, "nothing but what was under way leaves an empty store");
    gateways.servers[primary].kill();
    gateways.servers[primary].hide(false);
    gateways.servers[primary].start_again();
}

/// Waits until two debits more have left, or so long.
pub(crate) async fn some_leave(gateways: &Gateways, day: Date, longest: Duration) {
    let (begun, before) = (Instant::now(), gateways.debited());
    while gateways.debited() < before + 2 && begun.elapsed() < longest {
        gateways.trigger(day).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
