//! `keys`: making, listing, revoking.

use serde_json::Value;

use super::{Said, folder, run, test_config};

fn keys(config: &str, arguments: &[&str]) -> Said {
    let (command, rest) = arguments.split_first().unwrap();
    run(["keys", command, "--config", config].iter().chain(rest), b"")
}

fn listed(config: &str) -> Vec<Value> {
    let said = keys(config, &["list"]);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_key_is_made_listed_and_revoked() {
    let config = test_config(&folder("keys")).display().to_string();
    assert_eq!(listed(&config), Vec::<Value>::new());
    let made = keys(
        &config,
        &[
            "new",
            "--scope=portal",
            "--scope=ops",
            "--merchant=ecole",
            "--name=Portail",
            "--for-people",
            "--expires-in=365d",
        ],
    );
    assert_eq!(made.code, Some(0), "{}", made.err);
    let key = made.out.strip_suffix('\n').unwrap();
    assert!(key.starts_with("gch_test_") && !key.contains(char::is_whitespace), "{key}");
    assert!(!made.err.contains(key), "the key is shown once");
    let (id, secret) = key.strip_prefix("gch_test_").unwrap().split_once('_').unwrap();
    let all = listed(&config);
    let [one] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!(one["id"], id);
    assert_eq!((&one["name"], &one["state"]), (&"Portail".into(), &"valid".into()));
    assert_eq!(one["scopes"], serde_json::json!(["portal", "ops"]));
    assert_eq!(one["merchants"], serde_json::json!(["ecole"]));
    assert_eq!(one["acts_for_people"], true);
    assert!(one["expires_at"].is_string() && one["revoked_at"].is_null());
    assert!(!one.to_string().contains(secret) && one.get("digest").is_none());
    for _ in 0..2 {
        assert_eq!(keys(&config, &["revoke", id]).code, Some(0));
        assert_eq!(listed(&config)[0]["state"], "revoked");
    }
}

#[test]
fn what_cannot_be_made_is_refused() {
    let config = test_config(&folder("keys-refused")).display().to_string();
    for (arguments, code) in [
        (vec!["new", "--scope=portal", "--merchant=other", "--name=x"], 1),
        (vec!["new", "--scope=portal", "--merchant=ecole", "--name="], 1),
        (vec!["new", "--scope=portal", "--merchant=ecole", "--name=x", "--expires-in=soon"], 2),
        (vec!["new", "--scope=portal", "--merchant=ecole", "--name=x", "--expires-in=0s"], 2),
        (vec!["new", "--scope=portal", "--merchant=ecole", "--name=x", "--expires-in=999ms"], 2),
        (vec!["new", "--scope=portal", "--merchant=École", "--name=x"], 2),
        (vec!["new", "--scope=portal", "--name=x"], 2),
        (vec!["new", "--merchant=ecole", "--name=x"], 2),
        (vec!["revoke", "000000000000"], 1),
        (vec!["revoke"], 2),
    ] {
        let said = keys(&config, &arguments);
        assert_eq!((said.code, said.out.as_str()), (Some(code), ""), "{arguments:?}: {}", said.err);
    }
    assert_eq!(listed(&config), Vec::<Value>::new());
}
