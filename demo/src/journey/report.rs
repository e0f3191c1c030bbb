//! The table of steps: what was done, and what was seen. A row is printed as soon as it is known.

use std::time::Instant;

use crate::trouble::Outcome;

/// How wide the first column is, in characters.
const TITLE_WIDTH: usize = 46;

/// How much of a failure fits into its row; the rest follows below the table.
const SHORT: usize = 120;

pub(super) struct Report {
    steps: usize,
    failures: Vec<String>,
    began: Instant,
    step_began: Instant,
}

impl Report {
    pub(super) fn begin() -> Self {
        let now = Instant::now();
        Self { steps: 0, failures: Vec::new(), began: now, step_began: now }
    }

    /// Writes down what a step came to.
    pub(super) fn step(&mut self, title: &str, outcome: Outcome<String>) {
        self.steps += 1;
        let (mark, seen) = match outcome {
            Ok(seen) => ("ok", seen),
            Err(trouble) => {
                self.failures.push(format!("step {}, {title}: {trouble}", self.steps));
                ("FAILED", trouble.to_string().chars().take(SHORT).collect())
            }
        };
        let took = self.step_began.elapsed();
        self.step_began = Instant::now();
        let padding = " ".repeat(TITLE_WIDTH.saturating_sub(title.chars().count()));
        println!("{:>2}  {title}{padding}  {mark:<6} {:>5} ms  {seen}", self.steps, took.as_millis());
    }

    /// The last line, and what failed.
    pub(super) fn end(self) -> Vec<String> {
        let good = self.steps - self.failures.len();
        println!("all of it in {} ms", self.began.elapsed().as_millis());
        println!("journey: {} steps, {good} ok", self.steps);
        self.failures
    }
}
