use secrecy::ExposeSecret;
use serde::Deserialize;

use super::*;
use crate::paybox::{expiry, rsa::PublicKey};

#[derive(Deserialize)]
struct Contract {
    keys: Keys,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Keys {
    current: Pem,
    next: Pem,
}

#[derive(Deserialize)]
struct Pem {
    public_pem: String,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    scope: String,
    retour: String,
    query: String,
    expect: String,
}

fn contract() -> Contract {
    serde_json::from_str(include_str!("../../../contracts/callback-vectors.json")).unwrap()
}

fn ring(keys: &Keys) -> KeyRing {
    let key = |pem: &Pem| PublicKey::from_pem(&pem.public_pem).unwrap();
    KeyRing::new(key(&keys.current), vec![key(&keys.next)])
}

fn read_with(keys: &KeyRing, raw: &[u8], retour: &str, scope: Scope) -> Result<VerifiedCallback, CallbackError> {
    let retour: Retour = retour.parse().unwrap();
    UnverifiedCallback::parse(raw, &retour, scope)?.verify(keys)
}

/// The contract's word for an answer.
fn word(answer: &Result<VerifiedCallback, CallbackError>) -> &'static str {
    match answer {
        Ok(_) => "verified",
        Err(CallbackError::Empty) => "empty",
        Err(CallbackError::TooLarge) => "too-large",
        Err(CallbackError::TooManyParameters) => "too-many-parameters",
        Err(CallbackError::MissingSignature) => "missing-signature",
        Err(CallbackError::SignatureRepeated) => "signature-repeated",
        Err(CallbackError::SignatureNotLast) => "signature-not-last",
        Err(CallbackError::SignatureMalformed) => "signature-malformed",
        Err(CallbackError::OutsideSignature) => "outside-signature",
        Err(CallbackError::BadSignature) => "bad-signature",
        Err(CallbackError::Malformed) => "malformed",
        Err(CallbackError::UnexpectedName) => "unexpected-name",
        Err(CallbackError::OutOfOrder) => "out-of-order",
        Err(CallbackError::Duplicate) => "duplicate",
        Err(CallbackError::Missing(_)) => "missing",
        Err(CallbackError::BadValue(_)) => "bad-value",
    }
}

fn scope(name: &str) -> Scope {
    match name {
        "notification" => Scope::Notification,
        "whole" => Scope::NotificationSignedWhole,
        "return" => Scope::Return,
        other => panic!("unknown scope {other}"),
    }
}

/// The verified callback of the contract's case `name`.
fn verified(name: &str) -> VerifiedCallback {
    let contract = contract();
    let case = contract.cases.iter().find(|case| case.name == name).unwrap();
    read_with(&ring(&contract.keys), case.query.as_bytes(), &case.retour, scope(&case.scope)).unwrap()
}

#[test]
fn every_case_of_the_contract() {
    let contract = contract();
    let keys = ring(&contract.keys);
    for case in &contract.cases {
        let answer = read_with(&keys, case.query.as_bytes(), &case.retour, scope(&case.scope));
        assert_eq!(word(&answer), case.expect, "{}", case.name);
    }
}

/// Whatever the scope, a case refused for its signature is refused in all of them.
#[test]
fn no_scope_lets_a_forgery_through() {
    let contract = contract();
    let keys = ring(&contract.keys);
    for case in contract.cases.iter().filter(|case| case.expect == "bad-signature") {
        for scope in [Scope::Notification, Scope::NotificationSignedWhole, Scope::Return] {
            let answer = read_with(&keys, case.query.as_bytes(), &case.retour, scope);
            assert!(matches!(&answer, Err(error) if !error.is_signed()), "{} {scope:?} {}", case.name, word(&answer));
        }
    }
}

/// No single byte of a genuine callback can change, go, or be added.
#[test]
fn every_byte_counts() {
    let contract = contract();
    let keys = ring(&contract.keys);
    let case = &contract.cases[0];
    let raw = case.query.as_bytes();
    let refused = |bytes: &[u8], what: &str, position: usize| {
        let answer = read_with(&keys, bytes, &case.retour, Scope::Notification);
        assert_ne!(word(&answer), "verified", "{what} at {position}");
    };
    for position in 0..raw.len() {
        let mut changed = raw.to_vec();
        changed[position] ^= 0x01;
        refused(&changed, "changed", position);
        let mut shorter = raw.to_vec();
        shorter.remove(position);
        refused(&shorter, "removed", position);
        refused(&raw[..position], "cut", position);
        let mut longer = raw.to_vec();
        longer.insert(position, b'0');
        refused(&longer, "added", position);
    }
}

#[test]
fn published_signatures_give_their_recorded_results() {
    #[derive(Deserialize)]
    struct Published {
        name: String,
        public_key_pem: String,
        query: String,
        signed_bytes: String,
        verifies_on_raw_bytes: bool,
    }
    // Each integration chose its own names; the letters behind them are read off what they hold.
    const RETOURS: [&str; 10] = [
        "Mt:M;Ref:R;Auto:A;Erreur:E;Sign:K",
        "Mt:M;Ref:R;Auto:A;Erreur:E;Sign:K",
        "amount:M;cmd:R;auto:A;trans:S;type:P;card:C;error:E;country:Y;Sign:K",
        "NumTr:S;Mt:M;Ref:R;Auto:A;Erreur:E;Sign:K",
        "amount:M;maref:R;auto:A;trans:T;idtrans:S;erreur:E;sign:K",
        "amount:M;ref:R;auto:A;error:E;signature:K",
        "amount:M;reference:R;autorization:A;error:E;sign:K",
        "amount:M;reference:R;autorization:A;error:E;sign:K",
        "amount:M;reference:R;autorization:A;error:E;sign:K",
        "Mt:M;Ref:R;Auto:A;RefPbx:T;Erreur:E;sign:K",
    ];
    let vectors: Vec<Published> =
        serde_json::from_str(include_str!("../../../contracts/signature-vectors.json")).unwrap();
    assert_eq!(vectors.len(), RETOURS.len());
    for (vector, retour) in vectors.iter().zip(RETOURS) {
        let keys = KeyRing::new(PublicKey::from_pem(&vector.public_key_pem).unwrap(), vec![]);
        for scope in [Scope::Notification, Scope::Return] {
            let answer = read_with(&keys, vector.query.as_bytes(), retour, scope);
            assert_eq!(answer.is_ok(), vector.verifies_on_raw_bytes, "{} {}", vector.name, word(&answer));
            assert!(vector.query.starts_with(&vector.signed_bytes));
            // No published sample has both numbers: none is a success by our rule but the one that tells them.
            assert_eq!(answer.unwrap().is_success(), retour.contains(":T;idtrans:S"), "{}", vector.name);
        }
    }
}

#[test]
fn limits_come_before_everything() {
    let contract = contract();
    let keys = ring(&contract.keys);
    let retour = Retour::for_payment().wire();
    let answer = |raw: &str| word(&read_with(&keys, raw.as_bytes(), &retour, Scope::Return));
    assert_eq!(answer(&"a".repeat(MAX_RAW_BYTES + 1)), "too-large");
    assert_eq!(answer(&"a=1&".repeat(MAX_PARAMETERS)), "too-many-parameters");
    assert_eq!(answer("K=AAAA"), "empty");
    assert_eq!(answer("&K=AAAA"), "bad-signature");
}

#[test]
fn what_a_payment_says() {
    let paid = verified("paid");
    assert!(paid.is_success());
    assert!(!paid.is_test_authorisation());
    assert_eq!(paid.amount_minor_units(), 377_000);
    assert_eq!(paid.reference(), "UNIV-1.a_b");
    assert_eq!(paid.call_number().map(|number| number.get()), Some(61_548_226));
    assert_eq!(paid.operation_number().map(|number| number.get()), Some(34_813_563));
    assert_eq!(paid.authorisation(), Some("123456"));
    assert_eq!(paid.card_types(), ["CB", "VISA", "EUROCARD_MASTERCARD"]);
    assert!(paid.has_card_type("visa") && !paid.has_card_type("E_CARD"));
    assert_eq!(paid.expiry(), expiry::from_yymm("2709"));
    assert_eq!((paid.first6(), paid.last2(), paid.country()), (Some("497010"), Some("14"), Some("FRA")));
    assert_eq!((paid.authenticated(), paid.guaranteed(), paid.enrolled()), (Some("Y"), Some("O"), Some("Y")));
    assert_eq!((paid.processed_on(), paid.processed_at()), (Some("23112026"), Some("10:20:30")));
    assert_eq!((paid.means(), paid.three_ds_version()), (Some("CARTE"), Some("2.1.0")));
    assert!(paid.card_token().is_none());
}

#[test]
fn what_refusals_and_cancellations_say() {
    let refused = verified("refused, A and D missing");
    assert!(!refused.is_success());
    assert_eq!((refused.authorisation(), refused.expiry()), (None, None));
    let cancelled = verified("cancelled, S zero, N empty");
    assert!(!cancelled.is_success());
    assert_eq!((cancelled.operation_number(), cancelled.first6()), (None, None));
    assert_eq!(cancelled.identity().operation_number.as_deref(), Some("0"));
    assert_ne!(refused.identity(), cancelled.identity());
}

#[test]
fn success_needs_code_and_all_three_numbers() {
    let row = |text: &str, success: bool| {
        let retour = Retour::for_payment();
        let values = read(text.as_bytes(), &retour, Scope::Notification).unwrap();
        let callback = VerifiedCallback::new(values, [0; 32], String::new()).unwrap();
        assert_eq!(callback.is_success(), success, "{text}");
    };
    row("M=1&R=a&T=1&S=1&A=1&E=00000", true);
    row("M=1&R=a&T=1&S=1&A=XXXXXX&E=00000", true);
    row("M=1&R=a&T=1&S=1&E=00000", false);
    row("M=1&R=a&T=1&S=1&A=&E=00000", false);
    row("M=1&R=a&T=1&S=1&A=000000&E=00000", false);
    row("M=1&R=a&T=0&S=1&A=1&E=00000", false);
    row("M=1&R=a&T=1&S=0000000000&A=1&E=00000", false);
    row("M=1&R=a&T=1&S=x&A=1&E=00000", false);
    row("M=1&R=a&S=1&A=1&E=00000", false);
    row("M=1&R=a&T=1&A=1&E=00000", false);
    row("M=1&R=a&T=1&S=1&A=1&E=00100", false);
    row("M=1&R=a&T=1&S=1&A=1&E=99999", false);
    row("M=1&R=a&T=1&S=1&A=1&E=O0000", false);
}

#[test]
fn the_kept_card_is_read_in_both_spellings_and_never_shown() {
    for name in ["plan, handle with plus signs", "plan, handle with encoded blanks"] {
        let callback = verified(name);
        let token = callback.card_token().unwrap();
        assert_eq!(token.handle.expose_secret(), "SLDLrcsLMPC", "{name}");
        assert_eq!(expiry::to_mmyy(token.end), "0927");
        let shown = format!("{callback:?} {token:?}");
        assert!(!shown.contains("SLDL") && shown.contains("(hidden)"), "{shown}");
    }
}

#[test]
fn texts_are_utf8_or_latin1() {
    for (raw, text) in [("Caf%C3%A9", "Café"), ("Caf%E9", "Café"), ("a+b", "a+b"), ("a%2Bb", "a+b"), ("a%zz", "a%zz")]
    {
        assert_eq!(decode_text(raw.as_bytes()), text, "{raw}");
    }
}

#[test]
fn digests_are_of_the_bytes_as_they_came() {
    let contract = contract();
    let case = &contract.cases[0];
    let retour: Retour = case.retour.parse().unwrap();
    let unverified = UnverifiedCallback::parse(case.query.as_bytes(), &retour, Scope::Notification).unwrap();
    let digest = unverified.digest();
    assert!(!format!("{unverified:?}").contains("UNIV"));
    let callback = unverified.verify(&ring(&contract.keys)).unwrap();
    assert_eq!(callback.digest(), digest);
    assert_eq!(callback.key_fingerprint(), ring(&contract.keys).keys().next().unwrap().fingerprint());
}
