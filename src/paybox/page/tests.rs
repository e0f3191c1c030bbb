use super::*;
use crate::{
    domain::money::Currency,
    paybox::{country::CountryCode, phone::MobilePhone},
};

fn key() -> HmacKey {
    HmacKey::from_hex(&"0123456789ABCDEF".repeat(8)).unwrap()
}

fn request() -> PageRequest {
    let url = |path: &str| format!("https://pay.univ.example/{path}");
    PageRequest {
        account: Account::new("1999888", "32", "110647233").unwrap(),
        total: Money::new(377_000, Currency::Eur).unwrap(),
        reference: "UNIV-2026.1_a".to_owned(),
        payer_email: "anne@univ.example".to_owned(),
        time: "2026-11-23T09:20:30Z".parse().unwrap(),
        hash: HashName::Sha512,
        language: PageLanguage::French,
        source: PageSource::Responsive,
        urls: PageUrls {
            accepted: url("a"),
            refused: url("r"),
            cancelled: url("c"),
            pending: url("p"),
            notify: url("n"),
        },
        url_policy: UrlPolicy::HttpsOnly,
        display_seconds: 900,
        archive_reference: "ABC123456789".to_owned(),
        capture: PageCapture::Immediate,
        means: PageMeans::Choice,
        challenge: None,
        billing: None,
        cart_quantity: None,
        registration: None,
    }
}

fn value(request: PageRequest, name: &str) -> Option<String> {
    let page = request.sign(&key()).unwrap();
    page.pairs().find(|(field, _)| *field == name).map(|(_, value)| value.to_owned())
}

fn check(change: impl FnOnce(&mut PageRequest), field: FieldName, fault: FieldFault) {
    let mut request = request();
    change(&mut request);
    assert_eq!(request.sign(&key()).map(|_| ()), Err(FieldError { field, fault }));
}

#[test]
fn the_fields_in_order_and_the_signature_last() {
    let page = request().sign(&key()).unwrap();
    let pairs: Vec<(&str, &str)> = page.pairs().collect();
    let names: Vec<&str> = pairs.iter().map(|(name, _)| name.trim_start_matches("PBX_")).collect();
    let expected = "SITE RANG IDENTIFIANT TOTAL DEVISE CMD PORTEUR RETOUR HASH TIME LANGUE SOURCE EFFECTUE REFUSE \
                    ANNULE ATTENTE REPONDRE_A RUF1 DISPLAY ARCHIVAGE HMAC";
    assert_eq!(names.join(" "), expected);
    let (signature, signed) = pairs.split_last().unwrap();
    let message = hmac::message_of_pairs(signed).unwrap();
    assert!(message.contains("&PBX_TIME=2026-11-23T10:20:30+01:00&"), "{message}");
    assert_eq!(hmac::sign(&key(), HashName::Sha512, &message), signature.1);
}

#[test]
fn a_plans_first_page() {
    let mut plan = request();
    plan.registration =
        Some(CardRegistration { subscriber: "sub-1".to_owned(), last_due_month: expiry::from_yymm("2703").unwrap() });
    plan.capture = PageCapture::Later;
    plan.means = PageMeans::Card;
    plan.challenge = Some(Challenge::Required);
    plan.cart_quantity = Some(1);
    plan.billing = Some(billing::placeholder());
    for (name, expected) in [
        ("PBX_AUTOSEULE", "O"),
        ("PBX_TYPEPAIEMENT", "CARTE"),
        ("PBX_TYPECARTE", "CB"),
        ("PBX_SOUHAITAUTHENT", "04"),
        ("PBX_DATEVALMAX", "2703"),
        ("PBX_REFABONNE", "sub-1"),
        ("PBX_RUF1", "POST"),
    ] {
        assert_eq!(value(plan.clone(), name).as_deref(), Some(expected), "{name}");
    }
    assert!(value(plan.clone(), "PBX_RETOUR").unwrap().ends_with(";U:U;K:K"));
    assert!(value(plan, "PBX_BILLING").unwrap().contains("<CountryCode>250</CountryCode>"));
}

#[test]
fn amounts_have_three_digits_at_least() {
    for (minor_units, expected) in [(1, "001"), (25, "025"), (9_999_999_999, "9999999999")] {
        let total = Money::new(minor_units, Currency::Eur).unwrap();
        assert_eq!(value(PageRequest { total, ..request() }, "PBX_TOTAL").as_deref(), Some(expected));
    }
    let total = Money::new(500, Currency::Xof).unwrap();
    assert_eq!(value(PageRequest { total, ..request() }, "PBX_DEVISE").as_deref(), Some("952"));
}

#[test]
fn what_cannot_be_sent_is_named() {
    use FieldFault::{Ampersand, Charset, Control, NotHttps, TooLong, TooShort, ZeroAmount};
    check(|page| page.total = Money::zero(Currency::Eur), FieldName::Total, ZeroAmount);
    check(|page| page.reference = "x&PBX_TOTAL=1".to_owned(), FieldName::Cmd, Ampersand);
    check(|page| page.payer_email = "a\n@b.fr".to_owned(), FieldName::Porteur, Control);
    check(|page| page.urls.refused = "http://a.fr".to_owned(), FieldName::Refuse, NotHttps);
    check(|page| page.urls.refused = "https://a.fr/;x".to_owned(), FieldName::Refuse, Charset);
    check(|page| page.urls.refused = "https://a.fr/?a=1&b=2".to_owned(), FieldName::Refuse, Ampersand);
    let long = format!("https://a.fr/{}", "x".repeat(138));
    check(|page| page.urls.notify = long, FieldName::RepondreA, TooLong { max: 150 });
    check(|page| page.urls.notify = "https://a.fr:9000".to_owned(), FieldName::RepondreA, FieldFault::Port);
    check(|page| page.archive_reference = "ABC1234567890".to_owned(), FieldName::Archivage, TooLong { max: 12 });
    check(|page| page.archive_reference = String::new(), FieldName::Archivage, TooShort { min: 1 });
}

#[test]
fn the_longest_address_fits_its_field() {
    let long = "W".repeat(60);
    let written = billing::BillingAddress {
        first_name: long.clone(),
        last_name: long.clone(),
        address1: long.clone(),
        address2: Some(long.clone()),
        zip_code: long.clone(),
        city: long,
        country: CountryCode::FRANCE,
        mobile: MobilePhone::parse("+262 692 12 34 56").ok(),
    };
    let (address, _) = billing::normalise(&written).unwrap();
    assert!(PageRequest { billing: Some(address), ..request() }.sign(&key()).is_ok());
}
