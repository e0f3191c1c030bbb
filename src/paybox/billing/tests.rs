use super::*;

fn address() -> BillingAddress {
    BillingAddress {
        first_name: "Anne".to_owned(),
        last_name: "Dupont-Noel".to_owned(),
        address1: "1 rue de la Paix".to_owned(),
        address2: None,
        zip_code: "75002".to_owned(),
        city: "Paris".to_owned(),
        country: CountryCode::FRANCE,
        mobile: MobilePhone::parse("+33612345678").ok(),
    }
}

#[test]
fn the_exact_elements_in_their_order() {
    let (clean, changes) = normalise(&address()).unwrap();
    assert_eq!(changes, []);
    assert_eq!(
        billing_xml(&clean),
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><Billing><Address><FirstName>Anne</FirstName>\
         <LastName>Dupont-Noel</LastName><Address1>1 rue de la Paix</Address1><ZipCode>75002</ZipCode>\
         <City>Paris</City><CountryCode>250</CountryCode><CountryCodeMobilePhone>+33</CountryCodeMobilePhone>\
         <MobilePhone>0612345678</MobilePhone></Address></Billing>"
    );
    let second = BillingAddress { address2: Some("Bat 2".to_owned()), mobile: None, ..address() };
    let xml = billing_xml(&normalise(&second).unwrap().0);
    assert!(xml.contains("</Address1><Address2>Bat 2</Address2><ZipCode>"), "{xml}");
    assert!(xml.ends_with("<CountryCode>250</CountryCode></Address></Billing>"), "{xml}");
}

#[test]
fn the_cart_has_1_to_99_things() {
    for (quantity, sent) in [(0, 1), (1, 1), (99, 99), (100, 99), (u32::MAX, 99)] {
        assert_eq!(
            shopping_cart_xml(quantity),
            format!(
                "<?xml version=\"1.0\" encoding=\"utf-8\"?><shoppingcart><total><totalQuantity>{sent}\
                 </totalQuantity></total></shoppingcart>"
            )
        );
    }
}

fn check(field: BillingField, written: &str, sent: &str, reasons: &[ChangeReason]) {
    let mut changes = Vec::new();
    assert_eq!(clean(field, written, &mut changes).as_deref(), Ok(sent), "{written:?}");
    let reported: Vec<ChangeReason> = changes.iter().flat_map(|change| change.reasons.clone()).collect();
    assert_eq!(reported, reasons, "{written:?}");
    assert_eq!(changes.is_empty(), written == sent, "{written:?}");
}

#[test]
fn what_people_write_becomes_what_paybox_takes() {
    use BillingField::{Address1, City, FirstName, LastName};
    use ChangeReason::{BlanksCollapsed, CharactersRemoved, Cut, Transliterated};
    check(FirstName, "Jean-Noel", "Jean-Noel", &[]);
    check(FirstName, "Zoé", "Zoe", &[Transliterated]);
    check(FirstName, "Zoe\u{301}", "Zoe", &[CharactersRemoved]);
    check(FirstName, "Łukasz Œdipe", "Lukasz OEdipe", &[Transliterated]);
    check(FirstName, "Анна", "Anna", &[Transliterated]);
    check(LastName, "O'Brien", "O Brien", &[CharactersRemoved]);
    check(LastName, "O’Brien", "O Brien", &[CharactersRemoved]);
    check(LastName, "<b>&\"X", "b X", &[CharactersRemoved]);
    check(LastName, "]]><!--x", "--x", &[CharactersRemoved]);
    check(LastName, "  De  la\tTour\r\n", "De la Tour", &[BlanksCollapsed]);
    check(LastName, "Marie-Antoinette de Habsbourg", "Marie-Antoinette de Ha", &[Cut]);
    check(LastName, "abcdefghijklmnopqrstu vwxyz", "abcdefghijklmnopqrstu", &[Cut]);
    check(LastName, "Zoé 😀", "Zoe", &[Transliterated, CharactersRemoved]);
    check(City, "Saint-Étienne", "Saint Etienne", &[Transliterated, CharactersRemoved]);
    check(
        Address1,
        "12, rue\nde l'Église",
        "12 rue de l Eglise",
        &[Transliterated, CharactersRemoved, BlanksCollapsed],
    );
    check(Address1, "a\0b\u{7f}c", "a b c", &[CharactersRemoved]);
    check(Address1, "1\u{a0}rue", "1 rue", &[BlanksCollapsed]);
    check(Address1, &"x".repeat(60), &"x".repeat(50), &[Cut]);
}

#[test]
fn mandatory_texts_are_not_empty() {
    let row = |change: fn(&mut BillingAddress), expected| {
        let mut address = address();
        change(&mut address);
        assert_eq!(normalise(&address).map(|_| ()), Err(expected));
    };
    row(|address| address.first_name = " ".to_owned(), BillingError::Empty(BillingField::FirstName));
    row(|address| address.last_name = "😀".to_owned(), BillingError::Empty(BillingField::LastName));
    row(|address| address.address1 = "'".to_owned(), BillingError::Empty(BillingField::Address1));
    row(|address| address.zip_code = String::new(), BillingError::Empty(BillingField::ZipCode));
    row(|address| address.city = "<>".to_owned(), BillingError::Empty(BillingField::City));
    row(|address| address.city = "x".repeat(1_001), BillingError::TooLong(BillingField::City));
    let blank = BillingAddress { address2: Some(" ' ".to_owned()), ..address() };
    assert!(!billing_xml(&normalise(&blank).unwrap().0).contains("Address2"));
}

#[test]
fn changes_are_reported_in_our_own_names() {
    let changes = normalise(&BillingAddress { city: "Évry".to_owned(), ..address() }).unwrap().1;
    let json = serde_json::to_string(&changes).unwrap();
    assert_eq!(json, r#"[{"field":"city","sent":"Evry","reasons":["transliterated"]}]"#);
}

#[test]
fn the_placeholder_passes_its_own_rules() {
    let placeholder = placeholder();
    let again = BillingAddress {
        first_name: placeholder.first_name.clone(),
        last_name: placeholder.last_name.clone(),
        address1: placeholder.address1.clone(),
        address2: None,
        zip_code: placeholder.zip_code.clone(),
        city: placeholder.city.clone(),
        country: placeholder.country,
        mobile: None,
    };
    assert_eq!(normalise(&again), Ok((placeholder, vec![])));
}
