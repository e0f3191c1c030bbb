//! PBX_BILLING and PBX_SHOPPINGCART: the two XML variables of 3-D Secure v2. Structure, order, lengths and characters
//! are checked; a complete address is what lets an issuer do without a challenge.

use crate::switches::Switches;
use quick_xml::Reader;
use quick_xml::events::Event;

/// Deepest nesting that is read.
const DEPTH_MAX: usize = 4;

/// An element with its text and its children, in order. Attributes have no meaning here.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Element {
    name: String,
    text: String,
    children: Vec<Element>,
}

impl Element {
    fn only_child(&self, name: &str) -> Result<&Self, String> {
        match self.children.as_slice() {
            [child] if child.name == name => Ok(child),
            _ => Err(format!("<{}> doit contenir un seul <{name}>", self.name)),
        }
    }
}

/// What an address element may hold.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    Name,
    Text,
    Country,
    Prefix,
    Phone,
}

/// The elements in their order, with the largest length and whether they may be empty or absent.
const ADDRESS: [(&str, usize, Content, bool); 9] = [
    ("FirstName", 22, Content::Name, false),
    ("LastName", 22, Content::Name, false),
    ("Address1", 50, Content::Text, false),
    ("Address2", 50, Content::Text, true),
    ("ZipCode", 16, Content::Text, false),
    ("City", 50, Content::Text, false),
    ("CountryCode", 3, Content::Country, false),
    ("CountryCodeMobilePhone", 4, Content::Prefix, false),
    ("MobilePhone", 10, Content::Phone, false),
];

/// Whether an issuer finds in PBX_BILLING all it wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Billing {
    Complete,
    /// No telephone.
    Partial,
}

/// Reads PBX_BILLING.
pub fn billing(xml: &str, switches: &Switches) -> Result<Billing, String> {
    let root = parse(xml, switches)?;
    if root.name != "Billing" {
        return Err("la racine doit être <Billing>".into());
    }
    let address = root.only_child("Address")?;
    let mut place = 0;
    let mut seen: Vec<&str> = Vec::new();
    for element in &address.children {
        let found = ADDRESS
            .iter()
            .position(|(name, ..)| *name == element.name)
            .ok_or_else(|| format!("<{}> n'est pas attendu dans <Address>", element.name))?;
        if seen.contains(&element.name.as_str()) {
            return Err(format!("<{}> est répété", element.name));
        }
        // The two telephone elements come in either order in the field.
        let swapped_phone = found + 1 == place && found == ADDRESS.len() - 2 && !switches.phone_order_enforced;
        if found < place && !swapped_phone {
            return Err(format!("<{}> n'est pas à sa place", element.name));
        }
        place = found.max(place);
        seen.push(&element.name);
        if let Some((name, most, content, optional)) = ADDRESS.get(found) {
            value(name, &element.text, *most, *content, *optional, switches)?;
        }
    }
    for (name, _, content, optional) in &ADDRESS {
        let phone = matches!(content, Content::Prefix | Content::Phone);
        if !optional && !phone && !seen.contains(name) {
            return Err(format!("<{name}> manque"));
        }
    }
    let phones = ["CountryCodeMobilePhone", "MobilePhone"].iter().filter(|name| seen.contains(*name)).count();
    Ok(if phones == 2 { Billing::Complete } else { Billing::Partial })
}

fn value(
    name: &str,
    text: &str,
    most: usize,
    content: Content,
    optional: bool,
    switches: &Switches,
) -> Result<(), String> {
    let size = text.chars().count();
    if size > most || (size == 0 && !optional) {
        return Err(format!("<{name}> : 1 à {most} caractères, reçu {size}"));
    }
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let letters = |character: char| {
        if character.is_ascii() { character.is_ascii_alphanumeric() } else { ('À'..='ÿ').contains(&character) }
    };
    let ascii_enough = text.is_ascii() || !switches.billing_ascii_only;
    let fits = match content {
        Content::Name => ascii_enough && text.chars().all(|c| letters(c) || " -/'".contains(c)),
        Content::Text => ascii_enough && text.chars().all(|c| letters(c) || c == ' ' || c.is_ascii_punctuation()),
        Content::Country => text.len() == 3 && all_digits(text) && text != "000",
        Content::Prefix => text.strip_prefix('+').is_some_and(|rest| all_digits(rest) && rest.len() <= 3),
        Content::Phone => all_digits(text),
    };
    if fits { Ok(()) } else { Err(format!("<{name}> contient des caractères non acceptés")) }
}

/// Reads PBX_SHOPPINGCART and gives the number of articles, 1 to 99.
pub fn shopping_cart(xml: &str, switches: &Switches) -> Result<u32, String> {
    let root = parse(xml, switches)?;
    if root.name != "shoppingcart" {
        return Err("la racine doit être <shoppingcart>".into());
    }
    let quantity = root.only_child("total")?.only_child("totalQuantity")?;
    let count = quantity.text.parse().ok().filter(|_| quantity.text.bytes().all(|byte| byte.is_ascii_digit()));
    count.filter(|count| (1..=99).contains(count)).ok_or_else(|| "<totalQuantity> : de 1 à 99".into())
}

fn parse(xml: &str, switches: &Switches) -> Result<Element, String> {
    if switches.xml_single_line && xml.chars().any(|character| matches!(character, '\r' | '\n')) {
        return Err("le XML doit tenir sur une ligne".into());
    }
    let mut reader = Reader::from_str(xml);
    let mut open: Vec<Element> = vec![Element::default()];
    loop {
        match reader.read_event().map_err(|error| format!("XML invalide : {error}"))? {
            Event::Start(start) => {
                if open.len() > DEPTH_MAX {
                    return Err("XML trop profond".into());
                }
                open.push(named(&String::from_utf8_lossy(start.name().as_ref())));
            }
            Event::Empty(start) => close(&mut open, named(&String::from_utf8_lossy(start.name().as_ref())))?,
            Event::End(_) => {
                let done = open.pop().unwrap_or_default();
                close(&mut open, done)?;
            }
            Event::Text(text) => add(&mut open, &text.decode().map_err(|error| error.to_string())?),
            Event::GeneralRef(entity) => {
                let entity = entity.decode().map_err(|error| error.to_string())?;
                let text = quick_xml::escape::unescape(&format!("&{entity};")).map_err(|e| e.to_string())?.into_owned();
                add(&mut open, &text);
            }
            Event::Decl(_) => {}
            Event::CData(_) | Event::Comment(_) | Event::PI(_) | Event::DocType(_) => {
                return Err("XML : ni commentaire, ni CDATA, ni DOCTYPE".into());
            }
            Event::Eof => break,
        }
    }
    match open.as_mut_slice() {
        [document] if document.children.len() == 1 && document.text.trim().is_empty() => {
            document.children.pop().ok_or_else(|| "XML vide".into())
        }
        _ => Err("XML : une seule racine attendue".into()),
    }
}

fn named(name: &str) -> Element {
    Element { name: name.to_owned(), ..Element::default() }
}

fn add(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

fn close(open: &mut [Element], mut done: Element) -> Result<(), String> {
    if !done.children.is_empty() && !done.text.trim().is_empty() {
        return Err(format!("<{}> mêle texte et éléments", done.name));
    }
    if !done.children.is_empty() {
        done.text.clear();
    }
    open.last_mut().map(|parent| parent.children.push(done)).ok_or_else(|| "XML mal fermé".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?><Billing><Address><FirstName>ANNE-MARIE</FirstName>\
        <LastName>D'ARC</LastName><Address1>1 RUE DE LA PAIX</Address1><Address2></Address2><ZipCode>75002</ZipCode>\
        <City>PARIS</City><CountryCode>250</CountryCode><CountryCodeMobilePhone>+33</CountryCodeMobilePhone>\
        <MobilePhone>0612345675</MobilePhone></Address></Billing>";

    fn changed(from: &str, to: &str) -> Result<Billing, String> {
        assert!(GOOD.contains(from), "{from}");
        billing(&GOOD.replace(from, to), &Switches::default())
    }

    #[test]
    fn an_address_in_order_is_taken() {
        assert_eq!(billing(GOOD, &Switches::default()), Ok(Billing::Complete));
        assert_eq!(changed("<Address2></Address2>", ""), Ok(Billing::Complete));
        assert_eq!(changed("<Address2></Address2>", "<Address2/>"), Ok(Billing::Complete));
        assert_eq!(changed("1 RUE DE LA PAIX", "1 RUE &amp; CIE"), Ok(Billing::Complete));
        assert_eq!(changed("<MobilePhone>0612345675</MobilePhone>", ""), Ok(Billing::Partial));
        let phone = "<CountryCodeMobilePhone>+33</CountryCodeMobilePhone><MobilePhone>0612345675</MobilePhone>";
        let swapped = "<MobilePhone>0612345675</MobilePhone><CountryCodeMobilePhone>+33</CountryCodeMobilePhone>";
        assert_eq!(changed(phone, swapped), Ok(Billing::Complete));
        let strict = Switches { phone_order_enforced: true, ..Switches::default() };
        assert!(billing(&GOOD.replace(phone, swapped), &strict).is_err());
    }

    #[test]
    fn wrong_addresses_are_refused() {
        for (from, to) in [
            ("ANNE-MARIE", "ANNE-MARIE-ELISABETH-JEANNE"),
            ("ANNE-MARIE", "Zoé"),
            ("ANNE-MARIE", ""),
            ("<City>PARIS</City>", ""),
            ("<ZipCode>75002</ZipCode><City>PARIS</City>", "<City>PARIS</City><ZipCode>75002</ZipCode>"),
            ("<City>PARIS</City>", "<City>PARIS</City><City>LYON</City>"),
            ("250", "FRA"),
            ("250", "000"),
            ("+33", "33"),
            ("0612345675", "06 12 34 56"),
            ("<City>", "\n<City>"),
            ("<City>PARIS</City>", "<Town>PARIS</Town>"),
            ("</Billing>", ""),
            ("</Billing>", "</Billing><Billing/>"),
            ("Billing", "billing"),
        ] {
            assert!(changed(from, to).is_err(), "{from} → {to}");
        }
    }

    #[test]
    fn a_cart_counts_from_1_to_99() {
        let cart = |count: &str| {
            let xml = format!(
                "<?xml version=\"1.0\" encoding=\"utf-8\"?><shoppingcart><total><totalQuantity>{count}</totalQuantity></total></shoppingcart>"
            );
            shopping_cart(&xml, &Switches::default())
        };
        assert_eq!(cart("1"), Ok(1));
        assert_eq!(cart("99"), Ok(99));
        for count in ["0", "100", "", "-1", "+1", "a"] {
            assert!(cart(count).is_err(), "{count}");
        }
    }
}
