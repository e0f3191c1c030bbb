//! `paybox sign` and `paybox verify`, over every vector that is published.

use serde::Deserialize;
use serde_json::Value;

use super::{Said, folder, project, run, write_secret};

#[derive(Deserialize)]
struct HmacVector {
    name: String,
    params: Vec<(String, String)>,
    message: String,
    key_hex: String,
    hash: String,
    expected_hmac: String,
}

fn sign(key: &str, hash: &str, input: &str) -> Said {
    run(["paybox", "sign", "--key-file", key, "--hash", hash], input.as_bytes())
}

#[test]
fn every_hmac_vector_is_reproduced() {
    let folder = folder("sign");
    let key = folder.join("key").display().to_string();
    let vectors: Vec<HmacVector> = serde_json::from_str(include_str!("../../contracts/hmac-vectors.json")).unwrap();
    let mut reproduced = 0;
    for vector in vectors {
        write_secret(&folder.join("key"), &format!("{}\n", vector.key_hex));
        let lines: String = vector.params.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
        let said = sign(&key, &vector.hash, &lines);
        if vector.hash == "RIPEMD160" {
            assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{}", vector.name);
            continue;
        }
        let expected = format!("{}\nPBX_HMAC={}\n", vector.message, vector.expected_hmac.to_uppercase());
        // One manual prints its signature with two digits missing.
        let is_illustration = vector.expected_hmac.len() == 126;
        assert_eq!(said.out == expected, !is_illustration, "{}", vector.name);
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{}", vector.name);
        reproduced += usize::from(!is_illustration);
        // The last line may lack its end.
        assert_eq!(sign(&key, &vector.hash, lines.trim_end_matches('\n')).out, said.out, "{}", vector.name);
    }
    assert_eq!(reproduced, 16);
}

#[test]
fn what_would_be_signed_differently_is_refused() {
    let key = project("keys-example/hmac.key");
    for (input, reason) in [
        ("", "there is nothing to sign"),
        ("\n", "there is nothing to sign"),
        ("A=1\r\nB=2\r\n", "carriage returns"),
        ("A=1\n\nB=2\n", "line 2 is not NAME=value"),
        ("A=1\n\n", "line 2 is not NAME=value"),
        ("A\n", "line 1 is not NAME=value"),
        ("=1\n", "pair 1 has no name"),
        ("A=1\nA=2\n", "`A` is given twice"),
        ("A=1&B=2\n", "pair 1 holds `&`"),
        ("A=1\nPBX_HMAC=00\n", "line 2 is PBX_HMAC, which is not signed"),
        ("A=1\npbx_hmac=00\n", "line 2 is PBX_HMAC, which is not signed"),
    ] {
        let said = sign(&key, "SHA512", input);
        assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{input:?}");
        assert!(said.err.contains(reason), "{input:?}: {}", said.err);
    }
    let said = sign(&key, "SHA256", "A= 1=2 \nB=\n");
    assert_eq!(said.out.lines().next(), Some("A= 1=2 &B="), "values are signed as they stand");
    assert_eq!(run(["paybox", "sign", "--key-file", &project("none")], b"A=1").code, Some(1));
}

/// By hand anything is signed with; how long a merchant's key must be is the configuration's business.
#[test]
fn any_whole_bytes_in_hexadecimal_are_a_key() {
    let path = folder("sign-keys").join("key");
    for (key, refused) in [
        ("0f", None),
        ("0F\n", None),
        ("", Some("the HMAC key is empty")),
        ("abc", Some("odd number of hexadecimal digits")),
        ("0g", Some("not a hexadecimal digit")),
    ] {
        write_secret(&path, key);
        let said = sign(&path.display().to_string(), "SHA512", "A=1\n");
        assert_eq!(said.code, Some(i32::from(refused.is_some())), "{key}: {}", said.err);
        assert!(said.err.contains(refused.unwrap_or_default()), "{key}: {}", said.err);
    }
}

/// Help names the letters that are read, and no other.
#[test]
fn help_has_every_letter() {
    let help = run(["paybox", "verify", "--help"], b"").out;
    let (_, list) = help.split_once("The letters:").unwrap();
    let list = list.split_once("\n\n").unwrap().0;
    let named: Vec<char> =
        list.split([';', '.']).filter_map(|entry| entry.trim().split_once(' ')?.0.parse().ok()).collect();
    for letter in ('A'..='Z').chain('a'..='z') {
        let retour = format!("x:{letter};Sign:K");
        let said = verify(&[], &retour, "ipn", b"");
        let is_read = !said.err.contains("is not a letter this program reads");
        assert_eq!(named.contains(&letter), is_read, "{letter}: {help}");
    }
}

#[derive(Deserialize)]
struct SignatureVector {
    name: String,
    public_key_pem: String,
    query: String,
}

/// The names integrations chose, by the letter they stand for.
fn letter(name: &str) -> &'static str {
    match name.to_ascii_lowercase().as_str() {
        "mt" | "amount" => "M",
        "ref" | "cmd" | "maref" | "reference" => "R",
        "auto" | "autorization" => "A",
        "erreur" | "error" => "E",
        "trans" | "numtr" | "refpbx" => "T",
        "idtrans" => "S",
        "type" => "P",
        "card" => "C",
        "country" => "Y",
        "sign" | "signature" => "K",
        other => panic!("what is {other}?"),
    }
}

fn verify(keys: &[&str], retour: &str, scope: &str, query: &[u8]) -> Said {
    let mut arguments = vec!["paybox", "verify", "--retour", retour, "--scope", scope];
    for key in keys {
        arguments.extend(["--public-key", key]);
    }
    arguments.push("-");
    run(arguments, query)
}

#[test]
fn every_published_signature_verifies_and_none_that_was_tampered_with() {
    let folder = folder("verify");
    let vectors: Vec<SignatureVector> =
        serde_json::from_str(include_str!("../../contracts/signature-vectors.json")).unwrap();
    assert_eq!(vectors.len(), 10);
    for vector in vectors {
        let key = folder.join("key.pem");
        std::fs::write(&key, &vector.public_key_pem).unwrap();
        let key = key.display().to_string();
        let names = vector.query.split('&').map(|pair| pair.split_once('=').unwrap().0);
        let retour = names.map(|name| format!("{name}:{}", letter(name))).collect::<Vec<_>>().join(";");
        let said =
            run(["paybox", "verify", "--public-key", &key, "--retour", &retour, "--scope", "ipn", &vector.query], b"");
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{}", vector.name);
        let answer: Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!((&answer["signature"], &answer["usable"]), (&"valid".into(), &true.into()), "{}", vector.name);
        let amount = vector.query.split('&').find_map(|pair| {
            pair.split_once('=')
                .filter(|(name, _)| letter(name) == "M")
                .and_then(|(_, value)| value.parse::<i64>().ok())
        });
        assert_eq!(answer["amount"].as_i64(), amount, "{}", vector.name);
        let (signed, signature) = vector.query.rsplit_once('&').unwrap();
        let (first, rest) = vector.query.split_once('&').unwrap();
        for tampered in [
            vector.query.replacen('=', "=1", 1),
            format!("{rest}&{first}"),
            format!("{signed}&x=1&{signature}"),
            format!("{signed}&{}", signature.replacen("%3D", "", 1)),
            format!("{}&x=1", vector.query),
            signed.to_owned(),
            String::new(),
        ] {
            let said = verify(&[&key], &retour, "ipn", tampered.as_bytes());
            assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{}: {tampered}", vector.name);
            assert!(!said.err.is_empty());
        }
    }
}

#[derive(Deserialize)]
struct Contract {
    keys: Value,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    scope: String,
    retour: String,
    query: String,
    expect: String,
}

/// Signed and usable: 0. Signed and not usable: 0, and it says so. Anything else: 1, and nothing on stdout.
#[test]
fn every_case_of_the_contract() {
    let folder = folder("callbacks");
    let contract: Contract = serde_json::from_str(include_str!("../../contracts/callback-vectors.json")).unwrap();
    let keys = ["current", "next"].map(|name| {
        let path = folder.join(name);
        std::fs::write(&path, contract.keys[name]["public_pem"].as_str().unwrap()).unwrap();
        path.display().to_string()
    });
    for case in &contract.cases {
        let scope = match case.scope.as_str() {
            "notification" => "ipn",
            "whole" => "ipn-whole",
            "return" => "return",
            other => panic!("{other}"),
        };
        // A line's end would be taken off stdin.
        let query = format!("{}\n", case.query);
        let said = verify(&[&keys[0], &keys[1]], &case.retour, scope, query.as_bytes());
        match case.expect.as_str() {
            "empty"
            | "too-large"
            | "too-many-parameters"
            | "missing-signature"
            | "signature-repeated"
            | "signature-not-last"
            | "signature-malformed"
            | "outside-signature"
            | "bad-signature" => {
                assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{}", case.name);
            }
            expected => {
                assert_eq!(said.code, Some(0), "{}: {}", case.name, said.err);
                let answer: Value = serde_json::from_str(&said.out).unwrap();
                assert_eq!(answer["signature"], "valid", "{}", case.name);
                assert_eq!(answer["usable"], expected == "verified", "{}", case.name);
                assert_eq!(answer["reason"].is_string(), expected != "verified", "{}", case.name);
            }
        }
    }
}

#[test]
fn a_kept_card_is_never_shown() {
    let contract: Contract = serde_json::from_str(include_str!("../../contracts/callback-vectors.json")).unwrap();
    let case = contract.cases.iter().find(|case| case.name == "plan, handle with plus signs").unwrap();
    let handle = case.query.split('&').find_map(|pair| pair.strip_prefix("U=")).unwrap().split('+').next().unwrap();
    let key = folder("kept-card").join("key.pem");
    std::fs::write(&key, contract.keys["current"]["public_pem"].as_str().unwrap()).unwrap();
    let said = verify(&[&key.display().to_string()], &case.retour, "ipn", case.query.as_bytes());
    let answer: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(answer["card_kept"], true);
    assert!(!handle.is_empty() && !said.out.contains(handle));
}
