//! A disk that keeps what it was told to keep, and of the rest what chance lets it: a store's files as a power cut leaves
//! them, made anew from a trace.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use crate::{rng::Rng, trace::Call};

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;

#[derive(Clone, Debug)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Truncate(usize),
}

#[derive(Clone, Default)]
struct File {
    /// Its name is on the disk.
    is_named: bool,
    durable: Vec<u8>,
    /// Changes that no flush has reached yet.
    pending: Vec<Change>,
}

/// The files beside a store's, as of some line of a trace.
#[derive(Clone)]
pub(crate) struct Disk {
    folder: String,
    /// The store's own, and its log; an index in shared memory is made anew after a crash.
    files: BTreeMap<String, File>,
    /// Where a descriptor writes next.
    offsets: BTreeMap<u32, usize>,
}

impl Disk {
    /// As it was before a gateway was started.
    pub(crate) fn of(database: &Path) -> Self {
        let mut files = BTreeMap::new();
        for suffix in ["", "-wal", "-journal"] {
            let path = format!("{}{suffix}", database.to_str().unwrap());
            if let Ok(durable) = fs::read(&path) {
                files.insert(path, File { is_named: true, durable, pending: Vec::new() });
            }
        }
        Self { folder: database.parent().unwrap().to_str().unwrap().to_owned(), files, offsets: BTreeMap::new() }
    }

    /// Whether a path is one of the store's that outlive it.
    fn keeps(&self, path: &str) -> bool {
        path.starts_with(&self.folder)
            && path.contains("guichet.db")
            && !path.ends_with("-shm")
            && !path.ends_with("lock")
    }

    /// Takes note of a call that is over; whether it made something durable.
    pub(crate) fn note(&mut self, call: &Call) -> bool {
        let Some(gave) = call.gave() else { return false };
        let path = if call.name == "openat" || call.name == "unlink" { call.opened().0 } else { call.of() };
        if matches!(call.name.as_str(), "fsync" | "fdatasync") && path == self.folder {
            self.files.values_mut().for_each(|file| file.is_named = true);
            return true;
        }
        if !self.keeps(&path) {
            return false;
        }
        match call.name.as_str() {
            "openat" => {
                self.offsets.insert(u32::try_from(gave).unwrap(), 0);
                self.files.entry(path).or_default();
            }
            "lseek" => drop(self.offsets.insert(call.descriptor(), usize::try_from(gave).unwrap())),
            "write" => {
                let offset = self.offsets.entry(call.descriptor()).or_default();
                let (at, bytes) = (*offset, call.data());
                *offset += bytes.len();
                self.files.entry(path).or_default().pending.push(Change::Write { at, bytes });
            }
            "pwrite64" => {
                let (at, bytes) = (usize::try_from(call.number(3)).unwrap(), call.data());
                self.files.entry(path).or_default().pending.push(Change::Write { at, bytes });
            }
            "ftruncate" => {
                let length = usize::try_from(call.number(1)).unwrap();
                self.files.entry(path).or_default().pending.push(Change::Truncate(length));
            }
            "fsync" | "fdatasync" => {
                let file = self.files.entry(path).or_default();
                for change in std::mem::take(&mut file.pending) {
                    change.apply(&mut file.durable);
                }
                return true;
            }
            "unlink" => drop(self.files.remove(&path)),
            _ => {}
        }
        false
    }

    /// Puts into `folder` what a power cut leaves now: all that is durable, and of the rest, when there is a chance, each
    /// sector or not.
    pub(crate) fn cut_power(&self, folder: &Path, mut chance: Option<&mut Rng>) -> PathBuf {
        let _ = fs::remove_dir_all(folder);
        fs::create_dir_all(folder).unwrap();
        for (path, file) in &self.files {
            let mut bytes = file.durable.clone();
            if let Some(rng) = chance.as_deref_mut() {
                for change in &file.pending {
                    change.apply_perhaps(&mut bytes, rng);
                }
            }
            if file.is_named || chance.as_deref_mut().is_some_and(|rng| rng.chance(500)) {
                fs::write(folder.join(Path::new(path).file_name().unwrap()), bytes).unwrap();
            }
        }
        folder.join("guichet.db")
    }
}

impl Change {
    fn apply(&self, to: &mut Vec<u8>) {
        match self {
            Self::Truncate(length) => to.resize(*length, 0),
            Self::Write { at, bytes } => put(to, *at, bytes),
        }
    }

    fn apply_perhaps(&self, to: &mut Vec<u8>, rng: &mut Rng) {
        match self {
            Self::Truncate(_) if rng.chance(500) => {}
            Self::Truncate(_) => self.apply(to),
            Self::Write { at, bytes } => {
                for (index, sector) in bytes.chunks(SECTOR).enumerate() {
                    if rng.chance(500) {
                        put(to, at + index * SECTOR, sector);
                    }
                }
            }
        }
    }
}

fn put(to: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let end = at + bytes.len();
    if to.len() < end {
        to.resize(end, 0);
    }
    to[at..end].copy_from_slice(bytes);
}
