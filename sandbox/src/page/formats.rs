//! The format of every PBX_ variable, each checked apart. PAYBOX tells the payer nothing but "identification"; this
//! sandbox says which variable is wrong, in a hint that a real page would not show.

use crate::page::retour::Retour;
use crate::switches::Switches;
use jiff::Timestamp;
use url::{Host, Url};

/// Longest return or notification URL, in characters.
const URL_MAX: usize = 150;

/// Where notifications may go when `ipn_ports_restricted` is on.
const IPN_PORTS: [u16; 8] = [80, 443, 8080, 8081, 8082, 8083, 8084, 8085];

const LANGUAGES: [&str; 8] = ["FRA", "GBR", "ESP", "ITA", "DEU", "NLD", "SWE", "PRT"];
const SOURCES: [&str; 5] = ["HTML", "WAP", "IMODE", "XHTML", "RWD"];
const HASHES: [&str; 4] = ["SHA512", "SHA384", "SHA256", "SHA224"];
const CARD_TYPES: [&str; 16] = [
    "CB",
    "VISA",
    "EUROCARD_MASTERCARD",
    "E_CARD",
    "MAESTRO",
    "AMEX",
    "DINERS",
    "JCB",
    "COFINOGA",
    "AURORE",
    "BCMC",
    "SOFINCO",
    "CDGP",
    "24H00",
    "RIVEGAUCHE",
    "UPI",
];

/// Documented variables that this sandbox does not simulate. Saying so beats ignoring them.
const NOT_SIMULATED: [&str; 30] = [
    "PBX_2MONT1",
    "PBX_2MONT2",
    "PBX_2MONT3",
    "PBX_DATE1",
    "PBX_DATE2",
    "PBX_DATE3",
    "PBX_3DS",
    "PBX_TOKEN",
    "PBX_DATEVAL",
    "PBX_IDABT",
    "PBX_EMPREINTE",
    "PBX_ENTITE",
    "PBX_GROUPE",
    "PBX_CUSTOMER",
    "PBX_CK_ONLY",
    "PBX_NBCARTESKDO",
    "PBX_CODEFAMILLE",
    "PBX_OPECOM",
    "PBX_ONEY_DATA",
    "PBX_PAYPAL_DATA",
    "PBX_1EURO_CODEEXTERNE",
    "PBX_1EURO_DATA",
    "PBX_MAXICHEQUE_DATA",
    "PBX_NETRESERVE_DATA",
    "PBX_MODE",
    "PBX_OUTPUT",
    "PBX_PAYBOX",
    "PBX_BACKUP1",
    "PBX_BACKUP2",
    "PBX_WAIT",
];

/// Checks one variable; the error says what was expected. XML variables are read elsewhere.
pub fn check(name: &str, value: &str, switches: &Switches, now: Timestamp) -> Result<(), String> {
    let fits = match name {
        "PBX_SITE" => digits(value, 7, 7),
        "PBX_RANG" => digits(value, 2, 3),
        "PBX_IDENTIFIANT" => digits(value, 1, 9),
        "PBX_TOTAL" => return total(value, switches),
        "PBX_DEVISE" => digits(value, 3, 3) && (!switches.euro_only || value == "978"),
        "PBX_CMD" | "PBX_REFABONNE" => length(value, 1, 250),
        "PBX_PORTEUR" => length(value, 6, 120) && value.contains('@') && value.contains('.') && !value.contains(' '),
        "PBX_RETOUR" => return Retour::parse(value).map(|_| ()),
        "PBX_HASH" => HASHES.contains(&value),
        "PBX_TIME" => return time(value, switches, now),
        "PBX_HMAC" => !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "PBX_EFFECTUE" | "PBX_REFUSE" | "PBX_ANNULE" | "PBX_ATTENTE" => return absolute_url(value).map(|_| ()),
        "PBX_REPONDRE_A" => return notification_url(value, switches),
        "PBX_RUF1" => matches!(value, "GET" | "POST"),
        "PBX_LANGUE" => LANGUAGES.contains(&value),
        "PBX_SOURCE" => SOURCES.contains(&value),
        "PBX_TYPEPAIEMENT" => value == "CARTE",
        "PBX_TYPECARTE" => CARD_TYPES.contains(&value),
        "PBX_AUTOSEULE" => matches!(value, "O" | "N"),
        "PBX_DIFF" => digits(value, 2, 2),
        "PBX_DATEVALMAX" => digits(value, 4, 4) && value.get(2..).is_some_and(is_month),
        "PBX_DISPLAY" => digits(value, 3, 10),
        "PBX_ARCHIVAGE" => length(value, 1, 12) && value.bytes().all(|byte| byte.is_ascii_alphanumeric()),
        "PBX_SOUHAITAUTHENT" => matches!(value, "01" | "02" | "03" | "04"),
        "PBX_ERRORCODETEST" => digits(value, 5, 5),
        "PBX_CURRENCYDISPLAY" => length(value, 3, 23),
        "PBX_NOM_MARCHAND" => length(value, 1, 40),
        "PBX_SHOPPINGCART" | "PBX_BILLING" | "PBX_VERSION" | "PBX_THEME_CSS" | "PBX_CUSTOM_AREA" => true,
        _ if NOT_SIMULATED.contains(&name) => return Err(format!("{name} existe mais n'est pas simulée ici")),
        _ if switches.refuse_unknown_variables => return Err(format!("{name} n'est pas une variable connue")),
        _ => true,
    };
    if fits { Ok(()) } else { Err(format!("Le format de {name} n'est pas accepté")) }
}

fn digits(value: &str, least: usize, most: usize) -> bool {
    (least..=most).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_digit())
}

/// Two digits from 01 to 12.
#[must_use]
pub fn is_month(text: &str) -> bool {
    digits(text, 2, 2) && ("01"..="12").contains(&text)
}

fn length(value: &str, least: usize, most: usize) -> bool {
    (least..=most).contains(&value.chars().count()) && !value.chars().any(char::is_control)
}

fn total(value: &str, switches: &Switches) -> Result<(), String> {
    let amount: Option<u64> = value.parse().ok().filter(|_| digits(value, 3, 10));
    match amount {
        None | Some(0) => Err("Le format de PBX_TOTAL n'est pas accepté (3 à 10 chiffres, en centimes)".into()),
        Some(amount) if switches.total_must_exceed_100 && amount <= 100 => Err("PBX_TOTAL doit dépasser 100".into()),
        Some(_) => Ok(()),
    }
}

fn time(value: &str, switches: &Switches, now: Timestamp) -> Result<(), String> {
    let at: Timestamp =
        value.parse().map_err(|_| "Le format de PBX_TIME n'est pas accepté (ISO 8601 avec décalage)".to_owned())?;
    let apart = at.duration_since(now).unsigned_abs().as_secs();
    if switches.time_skew_max_s > 0 && apart > switches.time_skew_max_s {
        return Err(format!("PBX_TIME est à {apart} s de l'heure du serveur"));
    }
    Ok(())
}

/// An absolute http(s) URL that fits in the merchant's record. `;` must be escaped because of the META refresh.
fn absolute_url(value: &str) -> Result<Url, String> {
    let refused =
        || format!("URL « {value} » : absolue, http ou https, {URL_MAX} caractères au plus, sans ; ni espace");
    let plain = value.bytes().all(|byte| byte.is_ascii_graphic() && !b";\"<>#".contains(&byte));
    if value.len() > URL_MAX || !plain {
        return Err(refused());
    }
    Url::parse(value).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host()).ok_or_else(refused)
}

/// A sandbox calls nobody outside its own machine.
fn notification_url(value: &str, switches: &Switches) -> Result<(), String> {
    let url = absolute_url(value)?;
    if url.scheme() != "http" || !is_loopback(&url) {
        return Err(format!("PBX_REPONDRE_A « {value} » : ce bac à sable n'appelle que http:// sur la boucle locale"));
    }
    let port = url.port_or_known_default().unwrap_or_default();
    if switches.ipn_ports_restricted && !IPN_PORTS.contains(&port) {
        return Err(format!("PBX_REPONDRE_A : le port {port} n'est pas autorisé"));
    }
    Ok(())
}

/// Whether the host of `url` is this machine, without asking any name server.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_rows(rows: &[(&str, &str, bool)]) {
        let now = "2026-11-23T10:00:00Z".parse().unwrap();
        for (name, value, taken) in rows {
            let result = check(name, value, &Switches::default(), now);
            assert_eq!(result.is_ok(), *taken, "{name}={value}: {result:?}");
        }
    }

    #[test]
    fn formats_are_those_of_the_fact_sheet() {
        let long_url = format!("http://127.0.0.1/{}", "a".repeat(140));
        check_rows(&[
            ("PBX_TOTAL", "025", true),
            ("PBX_TOTAL", "25", false),
            ("PBX_TOTAL", "12345678901", false),
            ("PBX_TOTAL", "10.00", false),
            ("PBX_TOTAL", "000", false),
            ("PBX_DEVISE", "EUR", false),
            ("PBX_RANG", "032", true),
            ("PBX_RANG", "3", false),
            ("PBX_CMD", "", false),
            ("PBX_PORTEUR", "a@b.fr", true),
            ("PBX_PORTEUR", "ab.fr.", false),
            ("PBX_TIME", "2011-02-28T11:01:50+01:00", true),
            ("PBX_TIME", "2022-12-13T14:37:08.447Z", true),
            ("PBX_TIME", "2022-12-13T14:37:08", false),
            ("PBX_EFFECTUE", "http://127.0.0.1:8080/retour?x=1", true),
            ("PBX_EFFECTUE", "/retour", false),
            ("PBX_EFFECTUE", "http://127.0.0.1/a;b", false),
            ("PBX_ANNULE", &long_url, false),
            ("PBX_REPONDRE_A", "http://localhost:9/ipn", true),
            ("PBX_REPONDRE_A", "http://example.com/ipn", false),
            ("PBX_RUF1", "post", false),
            ("PBX_LANGUE", "FR", false),
            ("PBX_AUTOSEULE", "1", false),
            ("PBX_DISPLAY", "90", false),
            ("PBX_ARCHIVAGE", "ABC123456789", true),
            ("PBX_ARCHIVAGE", "A-1", false),
            ("PBX_SOUHAITAUTHENT", "4", false),
            ("PBX_DATEVALMAX", "2613", false),
            ("PBX_DATEVALMAX", "2612", true),
            ("PBX_2MONT1", "1000", false),
            ("PBX_TOTALE", "1000", false),
        ]);
    }

    #[test]
    fn single_source_formats_follow_their_switch() {
        let now = "2026-11-23T10:00:00Z".parse().unwrap();
        let strict = Switches {
            total_must_exceed_100: true,
            ipn_ports_restricted: true,
            time_skew_max_s: 60,
            euro_only: true,
            ..Switches::default()
        };
        for (name, value) in [
            ("PBX_TOTAL", "100"),
            ("PBX_DEVISE", "840"),
            ("PBX_TIME", "2026-11-23T10:01:01Z"),
            ("PBX_REPONDRE_A", "http://127.0.0.1:9000/ipn"),
        ] {
            assert!(check(name, value, &Switches::default(), now).is_ok(), "{name} by default");
            assert!(check(name, value, &strict, now).is_err(), "{name} when strict");
        }
    }
}
