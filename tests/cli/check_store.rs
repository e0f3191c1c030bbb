//! `check-config`: which stores could not be served, told without making or changing one.

use std::{fs, path::Path};

use super::{Said, folder, guichet, run, test_config};

fn check_with_store(config: &Path, store: &str) -> Said {
    let mut command = guichet();
    command.args(["check-config", "--config"]).arg(config).env("GUICHET__STORE", format!("sqlite:{store}"));
    command.output().unwrap().into()
}

#[test]
fn a_store_that_could_not_be_served_is_refused() {
    let folder = folder("stores");
    let config = test_config(&folder);
    let path = config.display().to_string();
    let made = run(["keys", "new", "--config", &path, "--scope=ops", "--merchant=ecole", "--name=x"], b"");
    assert_eq!(made.code, Some(0), "{}", made.err);
    fs::write(folder.join("empty.db"), "").unwrap();
    fs::create_dir(folder.join("a folder.db")).unwrap();
    let store = |name: &str| {
        let bytes = fs::read(folder.join("guichet.db")).unwrap();
        fs::write(folder.join(name), &bytes).unwrap();
        rusqlite::Connection::open(folder.join(name)).unwrap()
    };
    store("live?#%20.db").execute("UPDATE meta SET value = 'live'", []).unwrap();
    store("newer.db").pragma_update(None, "user_version", 99).unwrap();
    store("foreign.db").pragma_update(None, "application_id", 1).unwrap();
    let names = || {
        let names = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name());
        names.collect::<std::collections::BTreeSet<_>>()
    };
    let before = names();
    for (store, expected) in [
        ("guichet.db", None),
        ("empty.db", None),
        ("none yet.db", None),
        ("/proc/x.db", Some("cannot be made in /proc: ")),
        ("none/x.db", Some("cannot be made in ")),
        ("hmac.key/x.db", Some("cannot be made in ")),
        ("a folder.db", Some("a folder.db cannot be opened: ")),
        ("guichet.toml", Some("guichet.toml cannot be used: file is not a database")),
        ("foreign.db", Some("foreign.db is not a store of guichet")),
        ("newer.db", Some("newer.db has schema 99, this program knows up to 3: run a newer one")),
        ("live?#%20.db", Some("is a store of live mode, not of test mode")),
    ] {
        let said = check_with_store(&config, store);
        match expected {
            None => assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (Some(0), "ok\n", ""), "{store}"),
            Some(sentence) => {
                assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{store}");
                assert!(said.err.starts_with("store: ") && said.err.contains(sentence), "{store}: {}", said.err);
            }
        }
        assert_eq!(names(), before, "{store}");
    }
}

/// A primary that stands alone after a failover shows no replica.
#[test]
fn behind_sentinels_and_in_a_cluster_replicas_must_be_said() {
    let folder = folder("replicas");
    let config = test_config(&folder);
    let check = |mode: &str, store: &str| -> Said {
        let mut command = guichet();
        command.args(["check-config", "--config"]).arg(&config).env("GUICHET__MODE", mode).env("GUICHET__STORE", store);
        command.output().unwrap().into()
    };
    let unsaid = "write \"?name=x&replicas=1\", with two \"?name=x&replicas=2\"";
    for store in ["redis+sentinel://127.0.0.1:1/main?name=x", "redis+cluster://127.0.0.1:1?name=x&replicas=0"] {
        let said = check("live", store);
        assert_eq!(said.code, Some(1));
        assert!(
            said.err.contains("store: does not say how many replicas") && said.err.contains(unsaid),
            "{}",
            said.err
        );
        // A test need not say it; what it is refused for is that nobody is there.
        let said = check("test", store);
        assert!(said.err.contains("store: 127.0.0.1:1: ") && !said.err.contains("replicas"), "{}", said.err);
    }
    let said = check("live", "redis+sentinel://127.0.0.1:1/main?name=x&replicas=1");
    assert!(said.err.contains("store: 127.0.0.1:1: ") && !said.err.contains("replicas"), "{}", said.err);
}
