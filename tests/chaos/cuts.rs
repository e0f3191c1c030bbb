//! Where a wire is to be cut: at every byte, or every few, of each kind of question and its answer.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::rng::Rng;

/// Every so many enquiries one meets a cut: whoever asks gets an answer in the end.
const ENQUIRIES: u64 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Request,
    Answer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    Reset,
    Finish,
    /// Nothing more comes, and nobody says so.
    Hang,
}

/// After so many bytes of one side nothing more gets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    pub(crate) side: Side,
    pub(crate) at: usize,
    pub(crate) how: How,
}

/// What is left to cut.
pub(crate) struct Cuts {
    /// Every so many bytes.
    step: usize,
    /// No wire is cut before.
    armed: AtomicBool,
    kinds: Mutex<(Rng, BTreeMap<String, Kind>)>,
}

#[derive(Default)]
struct Kind {
    /// `None` until a whole exchange has shown how long they are.
    left: Option<Vec<Cut>>,
    made: usize,
    seen: u64,
    /// How often each order, or event, was hit.
    hit: BTreeMap<String, u32>,
}

impl Cuts {
    pub(crate) fn every(step: usize, seed: u64) -> Self {
        let kinds = Mutex::new((Rng::new(seed), BTreeMap::new()));
        Self { step, armed: AtomicBool::new(false), kinds }
    }

    pub(crate) fn arm(&self) {
        self.armed.store(true, Ordering::SeqCst);
    }

    /// The cut that an exchange of this kind, about this order or event, is to meet.
    pub(crate) fn next(&self, kind: &str, about: &str) -> Option<Cut> {
        if !self.armed.load(Ordering::SeqCst) {
            return None;
        }
        let mut guard = self.kinds.lock().unwrap();
        let kind_of = guard.1.entry(kind.to_owned()).or_default();
        kind_of.seen += 1;
        if is_enquiry(kind) && !kind_of.seen.is_multiple_of(ENQUIRIES) {
            return None;
        }
        let hit = kind_of.hit.entry(about.to_owned()).or_default();
        let most = match kind {
            // A card is debited so often in a month; a capture and a cancellation are not tried for ever.
            "00053" => 100,
            "00002" | "00005" => 2,
            "00014" | "webhook" => 1,
            _ => u32::MAX,
        };
        if *hit >= most {
            return None;
        }
        let cut = kind_of.left.as_mut()?.pop()?;
        *hit += 1;
        kind_of.made += 1;
        Some(cut)
    }

    /// Looks at a whole exchange, the first of its kind: from now on its kind is cut.
    pub(crate) fn measure(&self, kind: &str, request: &[u8], answer: &[u8]) {
        let mut guard = self.kinds.lock().unwrap();
        let (rng, kinds) = &mut *guard;
        let kind = kinds.entry(kind.to_owned()).or_default();
        if kind.left.is_some() {
            return;
        }
        let mut cuts = Vec::new();
        for (side, bytes) in [(Side::Request, request), (Side::Answer, answer)] {
            let begin = usize::try_from(rng.below(self.step as u64)).unwrap();
            for how in [How::Reset, How::Finish] {
                cuts.extend((begin..=bytes.len()).step_by(self.step).map(|at| Cut { side, at, how }));
            }
            // Between two fields, or a name and its value.
            let is_boundary = |at: &usize| matches!(bytes[at - 1], b'\n' | b'&' | b'=');
            let boundaries = (1..=bytes.len()).filter(is_boundary).step_by(self.step);
            cuts.extend(boundaries.map(|at| Cut { side, at, how: How::Hang }));
        }
        for index in (1..cuts.len()).rev() {
            cuts.swap(index, usize::try_from(rng.below(index as u64 + 1)).unwrap());
        }
        kind.left = Some(cuts);
    }

    /// What is still to be cut, by kind; `None` for a kind that was not seen whole yet.
    pub(crate) fn left(&self) -> BTreeMap<String, Option<usize>> {
        let guard = self.kinds.lock().unwrap();
        guard.1.iter().map(|(kind, of)| (kind.clone(), of.left.as_ref().map(Vec::len))).collect()
    }

    /// How many cuts were made, by kind.
    pub(crate) fn made(&self) -> BTreeMap<String, usize> {
        self.kinds.lock().unwrap().1.iter().map(|(kind, of)| (kind.clone(), of.made)).collect()
    }
}

fn is_enquiry(kind: &str) -> bool {
    matches!(kind, "00011" | "00017")
}
