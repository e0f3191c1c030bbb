//! The architecture, checked: who may import whom, what is pure, what waits for ports only, and a few habits.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its own tree should fail loudly")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// A folder or file of `src/`, and what it may import of this crate and of others. An empty list of crates: anything.
///
/// `planted` is open to the pure rooms too: a defect stands where it would be made, and in a release build it is nothing.
struct Room {
    name: &'static str,
    own: &'static [&'static str],
    crates: &'static [&'static str],
}

const ROOMS: &[Room] = &[
    Room {
        name: "domain",
        own: &["domain", "planted"],
        crates: &["std", "jiff", "rust_decimal", "serde", "sha2", "thiserror"],
    },
    Room {
        name: "paybox",
        own: &["domain", "paybox", "planted"],
        crates: &[
            "std",
            "base64",
            "deunicode",
            "form_urlencoded",
            "hmac",
            "jiff",
            "percent_encoding",
            "quick_xml",
            "rsa",
            "secrecy",
            "serde",
            "sha1",
            "sha2",
            "subtle",
            "thiserror",
            "url",
        ],
    },
    Room { name: "ports", own: &["domain"], crates: &["std", "async_trait", "jiff", "secrecy", "thiserror"] },
    Room {
        name: "app",
        own: &["app", "domain", "failpoint", "paybox", "planted", "ports"],
        crates: &[
            "std",
            "async_trait",
            "base64",
            "futures_util",
            "hmac",
            "jiff",
            "secrecy",
            "serde",
            "serde_json",
            "sha2",
            "subtle",
            "thiserror",
            "url",
        ],
    },
    Room { name: "adapters", own: &["adapters", "domain", "failpoint", "paybox", "ports"], crates: &[] },
    Room { name: "failpoint", own: &[], crates: &["std"] },
    Room { name: "planted", own: &[], crates: &["std"] },
    Room { name: "http", own: &["app", "domain", "http"], crates: &[] },
    Room { name: "config", own: &["app", "config", "domain", "paybox"], crates: &[] },
];

/// What pure code does not know.
const IMPURE: &[&str] = &[
    "async ",
    ".await",
    "tokio::",
    "Timestamp::now",
    "Zoned::now",
    "SystemTime",
    "Instant",
    "std::fs",
    "std::net",
    "std::env",
    "std::thread",
    "std::process",
    "println!",
    "tracing::",
    "HashMap",
    "HashSet",
    "Mutex",
];

/// What use cases get from ports only.
const UNSIMULABLE: &[&str] = &[
    "tokio::",
    "spawn",
    "select!",
    "Timestamp::now",
    "Zoned::now",
    "SystemTime",
    "Instant",
    "std::fs",
    "std::net",
    "std::env",
    "std::thread",
    "HashMap",
    "HashSet",
    "SystemRandom",
    "println!",
];

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect();
    files.sort();
    files
}

fn room_files(room: &str) -> Vec<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = rust_files(&source.join(room));
    files.push(source.join(format!("{room}.rs")));
    files.retain(|path| path.exists() && !is_test(path));
    files
}

/// Tests of a module stand in `tests.rs` beside it, or in the folder of that name.
fn is_test(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "tests" || part.as_os_str() == "tests.rs")
}

/// The code of a file: without its comments, its strings' contents and its tests.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned();
    text.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n")
}

/// The first names after each `crate::`, those of groups included.
fn own_imports(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (index, _) in code.match_indices("crate::") {
        let rest = &code[index + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut name = String::new();
            for character in group.chars() {
                match character {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    _ if depth > 0 => {}
                    ',' => {
                        found.insert(std::mem::take(&mut name));
                    }
                    other => name.push(other),
                }
            }
            found.insert(name);
        } else {
            found.insert(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
        }
    }
    found
        .iter()
        .map(|name| name.trim().split("::").next().unwrap().trim().to_owned())
        .filter(|n| !n.is_empty())
        .collect()
}

/// The crates that `use` names at the start of a line.
fn foreign_imports(code: &str) -> BTreeSet<String> {
    code.lines()
        .filter_map(|line| line.trim_start().trim_start_matches("pub ").strip_prefix("use "))
        .map(|import| import.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>())
        .filter(|name| !matches!(name.as_str(), "crate" | "super" | "self" | ""))
        // `use Refusal::Definite` names a type of the file itself.
        .filter(|name| name.starts_with(|first: char| first.is_lowercase()))
        .collect()
}

#[test]
fn every_arrow_points_down() {
    let mut wrong = Vec::new();
    for room in ROOMS {
        for path in room_files(room.name) {
            let code = code(&path);
            for import in own_imports(&code) {
                if !room.own.contains(&import.as_str()) {
                    wrong.push(format!("{}: {} may not import crate::{import}", path.display(), room.name));
                }
            }
            // Modules of the same folder are named without `self`, in `pub use` of their parent.
            let siblings: BTreeSet<String> = code
                .lines()
                .filter_map(|line| line.trim().trim_start_matches("pub ").strip_prefix("mod "))
                .map(|name| name.trim_end_matches(';').to_owned())
                .collect();
            for import in foreign_imports(&code) {
                if !room.crates.is_empty() && !room.crates.contains(&import.as_str()) && !siblings.contains(&import) {
                    wrong.push(format!("{}: {} may not import {import}", path.display(), room.name));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn check_banned(rooms: &[&str], banned: &[&str]) {
    let mut wrong = Vec::new();
    for path in rooms.iter().flat_map(|room| room_files(room)) {
        let code = code(&path);
        for word in banned.iter().filter(|word| code.contains(**word)) {
            wrong.push(format!("{}: {word}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_core_is_pure() {
    check_banned(&["domain", "paybox"], IMPURE);
}

#[test]
fn use_cases_wait_for_ports_only() {
    check_banned(&["app", "ports"], UNSIMULABLE);
    // What a use case awaits is a port, or another function of `app`.
    let awaited_elsewhere: Vec<String> = room_files("app")
        .into_iter()
        .flat_map(|path| {
            let code = code(&path);
            code.lines()
                .filter(|line| line.contains(".await"))
                .filter(|line| line.contains("sleep(") || line.contains("timeout(") || line.contains("join"))
                .map(|line| format!("{}: {line}", path.display()))
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(awaited_elsewhere.is_empty(), "{}", awaited_elsewhere.join("\n"));
}

#[test]
fn the_two_sides_of_the_wire_share_no_code() {
    for krate in ["sandbox", "demo"] {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join(krate).join("Cargo.toml");
        let dependencies = fs::read_to_string(manifest).unwrap();
        let dependencies = dependencies.split("[dependencies]").nth(1).unwrap();
        assert!(!dependencies.contains("guichet"), "{krate} depends on the gateway");
    }
}

#[test]
fn files_are_of_one_idea_and_say_which() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut wrong = Vec::new();
    for path in ["src", "sandbox/src", "demo/src"].iter().flat_map(|folder| rust_files(&root.join(folder))) {
        let text = fs::read_to_string(&path).unwrap();
        let is_table_or_test = path.file_name().is_some_and(|name| name == "tests.rs" || name == "codes_table.rs");
        if text.lines().count() > 400 && !is_table_or_test {
            wrong.push(format!("{}: over 400 lines", path.display()));
        }
        if !text.starts_with("//!") && path.file_name().is_some_and(|name| name != "tests.rs") {
            wrong.push(format!("{}: does not begin by saying what it is", path.display()));
        }
        for word in ["todo!(", "unimplemented!(", "FIXME", "#[ignore", "dbg!("] {
            if text.contains(word) {
                wrong.push(format!("{}: {word}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_dependency_has_its_reason_beside_it() {
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    let own = manifest.split("\n[dependencies]").nth(1).unwrap().split("\n[lints]").next().unwrap();
    let bare: Vec<&str> = own
        .lines()
        .filter(|line| line.contains("workspace = true") || line.contains("path ="))
        .filter(|line| !line.contains('#'))
        .collect();
    assert!(bare.is_empty(), "{bare:?}");
}
