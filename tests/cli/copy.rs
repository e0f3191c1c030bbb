//! `store copy`: from a file to a server and back, and what is refused.

use std::{fs, path::Path};

use super::{
    Said, folder, run,
    serve::Running,
    shared::{SECRET, Server},
    test_config, write_secret,
};

fn said(arguments: &[&str], config: &Path) -> Said {
    let config = config.display().to_string();
    run(arguments.iter().copied().chain(["--config", &config]), b"")
}

fn copied(arguments: &[&str], config: &Path) -> Said {
    let said = said(&[&["store", "copy"], arguments].concat(), config);
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    assert!(said.out.starts_with("rows=") && said.out.ends_with(" breaches=0\n"), "{}", said.out);
    assert!(said.err.contains("100% ") && !said.err.contains('\r'), "plain lines where nobody watches: {}", said.err);
    said
}

fn refused(arguments: &[&str], config: &Path, sentence: &str) {
    let said = said(&[&["store", "copy"], arguments].concat(), config);
    assert_eq!(said.code, Some(1), "{}", said.err);
    assert!(said.err.contains(sentence), "{sentence}: {}", said.err);
}

#[test]
fn a_school_moves_to_redis_and_back() {
    let folder = folder("copy");
    let server = Server::start(&folder);
    let on_file = test_config(&folder);
    let key = said(&["keys", "new", "--scope", "portal", "--merchant", "ecole", "--name", "portal"], &on_file);
    assert_eq!(key.code, Some(0), "{}", key.err);
    let file = fs::read_to_string(&on_file).unwrap();
    let from = "--from=sqlite:guichet.db";

    let running = Running::start(&on_file, &[]);
    let to = format!("redis://127.0.0.1:{}/0?name=ecole", server.port);
    write_secret(&folder.join("password"), &format!("{SECRET}\n"));
    let on_redis = folder.join("redis.toml");
    let lines = format!(
        "store = \"{to}\"\njournal = \"redis.journal\"\ninstance = \"one\"\n{file}\n[redis]\npassword_file = \"password\"\n"
    );
    fs::write(&on_redis, lines).unwrap();
    refused(&[from], &on_redis, "is served by another process");
    assert_eq!(running.stop("TERM"), Some(0));

    copied(&[from], &on_redis);
    refused(&[from], &on_redis, "it is not empty");
    refused(&[from, "--to=sqlite:third.db", "--journal=third.journal"], &on_redis, "copy from there");
    is_moved(&on_file, "the store ecole at 127.0.0.1:");
    let running = Running::start(&on_redis, &[]);
    let with_key = format!("/v1/events HTTP/1.1\r\nAuthorization: Bearer {}\r\nX-Rest:", key.out.trim());
    assert!(running.get("listen", &with_key).starts_with("HTTP/1.1 200 OK"), "the key has moved along");
    assert!(running.get("ops", "/readyz").contains("200 OK"));
    let back = format!("--from={to}");
    let journal = format!("--from-journal={}", folder.join("redis.journal").display());
    let new = ["--to=sqlite:back.db", "--journal=back.journal"];
    refused(
        &[&[back.as_str(), &journal], &new[..]].concat(),
        &on_redis,
        "is served, or was less than half a minute ago",
    );
    // It is not stopped, but sleeps.
    running.signal("STOP");
    refused(&[&[back.as_str()], &new[..]].concat(), &on_redis, "name each with --from-journal");

    // Gateways are taken to serve for a while after they last said so.
    std::thread::sleep(std::time::Duration::from_secs(21));
    copied(&[&[back.as_str(), &journal], &new[..]].concat(), &on_redis);
    running.signal("CONT");
    let unready = running.get("ops", "/readyz");
    assert!(unready.starts_with("HTTP/1.1 503"), "{unready}");
    let log = || fs::read_to_string(on_redis.with_extension("log")).unwrap();
    let begun = std::time::Instant::now();
    while !log().contains("was moved at") {
        assert!(begun.elapsed() < std::time::Duration::from_secs(30), "{}", log());
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    running.stop("TERM");
    assert!(!log().contains("s3cr3t"), "{}", log());
    is_moved(&on_redis, "back.db");
    let env = [("GUICHET__STORE", "sqlite:back.db"), ("GUICHET__JOURNAL", "back.journal")];
    let running = Running::start(&on_file, &env);
    assert!(running.get("listen", &with_key).starts_with("HTTP/1.1 200 OK"));
    assert_eq!(running.stop("TERM"), Some(0));
    let log = fs::read_to_string(on_file.with_extension("log")).unwrap();
    assert!(!log.contains("store_regressed"), "nothing is frozen: {log}");
}

/// Only looked at, from now on.
fn is_moved(config: &Path, to: &str) {
    for command in
        [&["serve"][..], &["keys", "new", "--scope=ops", "--merchant=ecole", "--name=x"], &["keys", "revoke", "x"]]
    {
        let said = said(command, config);
        assert_eq!(said.code, Some(1), "{command:?}: {}", said.out);
        assert!(said.err.contains("was moved at") && said.err.contains(to), "{command:?}: {}", said.err);
        assert!(!said.err.contains(SECRET), "{}", said.err);
    }
    let checked = said(&["check-config"], config);
    assert!(checked.code == Some(1) && checked.err.contains("was moved at"), "{}", checked.err);
    for command in [&["audit"][..], &["keys", "list"], &["callbacks", "list", "--merchant=ecole"]] {
        let said = said(command, config);
        assert_eq!(said.code, Some(0), "{command:?}: {}", said.err);
    }
}

#[test]
fn a_store_that_was_moved_comes_back_only_on_demand() {
    let folder = folder("unmove");
    let config = test_config(&folder);
    let unmove = ["store", "unmove", "--yes-the-other-is-gone"];
    let none = said(&unmove, &config);
    assert!(none.code == Some(1) && none.err.contains("there is no store"), "{}", none.err);
    assert_eq!(Running::start(&config, &[]).stop("TERM"), Some(0));
    assert_eq!(said(&["keys", "new", "--scope=ops", "--merchant=ecole", "--name=x"], &config).code, Some(0));
    let not = said(&unmove, &config);
    assert!(not.code == Some(1) && not.err.contains("was not moved"), "{}", not.err);
    copied(&["--from=sqlite:guichet.db", "--to=sqlite:other.db", "--journal=other.journal"], &config);
    is_moved(&config, "other.db");
    assert_eq!(said(&["store", "unmove"], &config).code, Some(2), "it is to be said");
    let back = said(&unmove, &config);
    assert!(back.code == Some(0) && back.err.contains("never serve the other"), "{}", back.err);
    assert_eq!(Running::start(&config, &[]).stop("TERM"), Some(0));

    // A copy of one that was moved, to where it was: what was cut off there is begun again.
    fs::remove_file(folder.join("other.db")).unwrap();
    let again = ["--from=sqlite:guichet.db", "--to=sqlite:other.db", "--journal=other.journal"];
    copied(&again, &config);
    fs::remove_file(folder.join("other.db")).unwrap();
    copied(&again, &config);
}
