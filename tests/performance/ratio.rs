//! What took how long, and by how much longer that was than something else.

use std::{
    fmt::Write,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};

/// How long a thing took in each round.
#[derive(Default)]
pub(crate) struct Took(Vec<Duration>);

impl Took {
    pub(crate) fn note(&mut self, took: Duration) {
        self.0.push(took);
    }

    /// A line for people: each round, and what that makes in a second.
    pub(crate) fn show(&self, what: &str, count: usize) {
        let mut line = format!("  {what}: {count} in");
        for took in &self.0 {
            let _ = write!(line, " {}ms", fraction(took.as_micros() / 10));
        }
        let median = hundredths(self.0.iter().map(|took| took.as_micros()).collect()).max(1);
        println!("{line}; {} a second", 1_000_000 * count as u128 / median);
    }

    /// The line that is collected: by what this is longer than `base`, round by round: the median, and from where to where.
    pub(crate) fn over(&self, base: &Self, name: &str) {
        let pairs = self.0.iter().zip(&base.0);
        let ratios: Vec<u128> = pairs.map(|(this, base)| 100 * this.as_micros() / base.as_micros().max(1)).collect();
        let (least, most) = (ratios.iter().min().unwrap(), ratios.iter().max().unwrap());
        let rounds = ratios.len();
        println!(
            "ratio {name}={} ({}..{} in {rounds} rounds)",
            fraction(hundredths(ratios.clone())),
            fraction(*least),
            fraction(*most)
        );
    }
}

/// The line that is collected, of what was counted: so many for each.
pub(crate) fn each(name: &str, counted: usize, of: usize) {
    println!("ratio {name}={} ({counted} for {of})", fraction(100 * counted as u128 / of as u128));
}

/// The middle one.
fn hundredths(mut all: Vec<u128>) -> u128 {
    all.sort_unstable();
    all[all.len() / 2]
}

fn fraction(hundredths: u128) -> String {
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// Does all of it, so much at once.
pub(crate) async fn time<F: Future<Output = ()>>(at_once: usize, work: impl IntoIterator<Item = F>) -> Duration {
    let begun = Instant::now();
    stream::iter(work).buffer_unordered(at_once).for_each(|()| async {}).await;
    begun.elapsed()
}
