//! Deliberate defects of `src/planted.rs`, one at a time: each has to be caught by a numbered rule of the design.
//!
//! As many lives are lived with each as it takes until it is caught, or `LIVES` if that is more. `BUG` is the only one to
//! be planted, and with `SEED` its life is shown.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use guichet::planted::{Bug, during};

use crate::{campaign::variable, nature::Nature, rng::Rng, run::live};

/// In how many lives a defect has to show itself.
const LIVES: usize = 3_000;
/// Lives that are lived side by side.
const AT_ONCE: usize = 2;

/// How a defect fared.
#[derive(Default)]
struct Fate {
    lives: usize,
    /// The first life in which a rule caught it, with all that was violated.
    first: Option<(u64, Vec<String>)>,
    /// In how many lives each rule did.
    rules: BTreeMap<String, u64>,
    /// What else was noticed, by no rule of a number.
    others: BTreeMap<String, u64>,
}

fn label(violation: &str) -> &str {
    violation.split(':').next().unwrap()
}

/// A rule of the design has a letter and a number.
fn is_rule(label: &str) -> bool {
    label.starts_with(['I', 'S', 'A', 'C', 'F', 'R']) && label[1..].starts_with(|digit: char| digit.is_ascii_digit())
}

/// Whether a defect can show itself in a world of this nature.
fn suits(bug: Bug, nature: &Nature) -> bool {
    match bug {
        Bug::NotFoundNeedsNoControl => nature.blind_to_debits && nature.weather > 0,
        Bug::NotFoundOnceIsEnough => !nature.blind_to_debits && nature.weather > 0,
        Bug::RegressionUnheeded
        | Bug::RefundsNotFrozen
        | Bug::NumbersNotSkipped
        | Bug::NumbersSkippedAlike
        | Bug::PositionsNotSkipped
        | Bug::PositionsSkippedAlike
        | Bug::OtherAmountPays => nature.restores,
        Bug::CallsNotNoted | Bug::LostCallSentAgain | Bug::DroppedTakenForSent => {
            nature.restores && nature.blind_to_debits
        }
        Bug::CaptureAwaitedForEver => nature.captures_late,
        Bug::CancelledBesideADebit => nature.weather >= 10,
        _ => true,
    }
}

fn hunt(bug: Bug, lives: usize) -> Fate {
    let mut fate = Fate::default();
    let seeds = (0..).filter(|seed| suits(bug, &Nature::new(&mut Rng::new(*seed))));
    for seed in seeds.take(LIVES.max(lives)) {
        let violations = during(bug, || live(seed, false)).violations;
        fate.lives += 1;
        let mut labels: Vec<&str> = violations.iter().map(|violation| label(violation)).collect();
        labels.sort_unstable();
        labels.dedup();
        for label in &labels {
            let noticed = if is_rule(label) { &mut fate.rules } else { &mut fate.others };
            *noticed.entry((*label).to_owned()).or_default() += 1;
        }
        let is_caught = fate.first.is_none() && labels.into_iter().any(is_rule);
        // Without the defect that life has to be in order, or it would be caught by accident.
        if is_caught && live(seed, false).violations.is_empty() {
            fate.first = Some((seed, violations));
        }
        if fate.first.is_some() && fate.lives >= lives {
            break;
        }
    }
    fate
}

fn counted(noticed: &BTreeMap<String, u64>) -> String {
    let counted: Vec<String> = noticed.iter().map(|(label, lives)| format!("{label}({lives})")).collect();
    if counted.is_empty() { "nothing".to_owned() } else { counted.join(",") }
}

/// Hunts all defects, a few at once; how many there were, and those that no rule caught.
fn hunt_all(bugs: &[Bug], lives: usize) -> Vec<Bug> {
    let (begun, next) = (Instant::now(), AtomicUsize::new(0));
    let (at_large, lived) = (Mutex::new(Vec::new()), Mutex::new(0));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(bug) = bugs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let began = Instant::now();
                    let fate = hunt(*bug, lives);
                    let seconds = began.elapsed().as_secs_f32();
                    let (rules, others) = (counted(&fate.rules), counted(&fate.others));
                    let (seed, first) = fate.first.clone().map_or(("none".to_owned(), String::new()), |(seed, all)| {
                        (seed.to_string(), all.first().cloned().unwrap_or_default())
                    });
                    let lives = fate.lives;
                    println!(
                        "{bug:?}: by {rules} beside {others}, lives={lives} seed={seed} seconds={seconds:.1} {first:.160}"
                    );
                    *lived.lock().unwrap() += fate.lives;
                    if fate.first.is_none() {
                        at_large.lock().unwrap().push(*bug);
                    }
                }
            });
        }
    });
    let (at_large, planted) = (at_large.into_inner().unwrap(), bugs.len());
    let (caught, lives) = (planted - at_large.len(), lived.into_inner().unwrap());
    println!("planted={planted} caught={caught} lives={lives} seconds={:.0}", begun.elapsed().as_secs_f32());
    at_large
}

fn show(bug: Bug, seed: u64) {
    let life = during(bug, || live(seed, true));
    for line in &life.lines {
        println!("{line}");
    }
    println!("BUG={bug:?} SEED={seed} {:?}", life.violations);
}

#[test]
fn every_planted_bug_is_caught() {
    let named = std::env::var("BUG").ok().map(|name| *Bug::ALL.iter().find(|bug| format!("{bug:?}") == name).unwrap());
    match (named, variable("SEED")) {
        (Some(bug), Some(seed)) => show(bug, seed),
        (None, Some(_)) => {}
        (bug, None) => {
            let bugs = bug.map_or(Bug::ALL.to_vec(), |bug| vec![bug]);
            let lives = variable("LIVES").map_or(1, |lives| usize::try_from(lives).unwrap());
            let at_large = hunt_all(&bugs, lives);
            assert!(at_large.is_empty(), "nothing caught {at_large:?}");
        }
    }
}

/// What is planted is planted for one thread, and for as long as it was wanted.
#[test]
fn nobody_else_meets_a_planted_bug() {
    let seed = 3;
    let before = live(seed, false);
    let beside = during(Bug::SendsBeforeTheCommit, || std::thread::spawn(move || live(seed, false)).join().unwrap());
    assert_eq!((beside.hash, beside.violations), (before.hash, before.violations));
}
