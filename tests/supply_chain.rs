//! What we depend on: locked, under licences we may use, and without the crates we do not want.

#![expect(clippy::unwrap_used, reason = "a test that cannot read the tree should fail loudly")]

use std::process::Command;

use serde_json::Value;

/// Any one of these is enough.
const LICENCES: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Each with its reason.
const BANNED: &[(&str, &str)] = &[
    ("openssl-sys", "one TLS library is enough, and it is rustls"),
    ("native-tls", "one TLS library is enough, and it is rustls"),
    ("aws-lc-sys", "builds with more than a C compiler"),
    ("rustls-pemfile", "archived"),
    ("serde_yaml", "archived"),
    ("reqwest", "its pool and retries have no place near money"),
    ("fred", "stale"),
    ("figment", "stale"),
];

/// The most packages that the workspace is made of, sandbox, build and tests included.
const MOST_PACKAGES: usize = 250;

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--offline",
            "--filter-platform",
            "x86_64-unknown-linux-gnu",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Whether an SPDX expression can be met with allowed licences. `OR` and the old `/` choose, `AND` needs both; the
/// expressions in use nest no deeper than one parenthesis.
fn is_allowed(expression: &str) -> bool {
    let flat = expression.replace(['(', ')'], "").replace('/', " OR ");
    flat.split(" AND ").all(|part| part.split(" OR ").any(|licence| LICENCES.contains(&licence.trim())))
}

#[test]
fn every_licence_is_one_we_may_use() {
    let metadata = metadata();
    let wrong: Vec<String> = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|package| !is_allowed(package["license"].as_str().unwrap_or("none")))
        .map(|package| format!("{}: {}", package["name"], package["license"]))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_banned_and_not_too_much() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap();
    for (name, reason) in BANNED {
        assert!(packages.iter().all(|package| package["name"] != *name), "{name}: {reason}");
    }
    assert!(packages.len() <= MOST_PACKAGES, "{} packages: does each earn its place?", packages.len());
}

#[test]
fn expressions_are_read_rightly() {
    for (expression, allowed) in [
        ("MIT", true),
        ("MIT OR Apache-2.0", true),
        ("GPL-3.0", false),
        ("GPL-2.0 OR MIT", true),
        ("MIT/Apache-2.0", true),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
        ("MIT AND GPL-3.0", false),
        ("none", false),
    ] {
        assert_eq!(is_allowed(expression), allowed, "{expression}");
    }
}
