//! PBX_RETOUR: which facts go back to the merchant, under which names, in which order, and under PAYBOX's signature.

use crate::page::request::PageRequest;
use crate::page::session::Attempt;
use crate::switches::Switches;
use crate::wire::form::{returned_value, signature_value};
use crate::wire::signature::BankKey;
use jiff::Zoned;

/// The letters that PBX_RETOUR may ask for. `c` is asked for in the field and documented nowhere: never sent.
const LETTERS: &str = "MRTABCDEFGHIJKNOPQSUVWYZovc";

/// `name:letter` pairs in the order asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retour(Vec<(String, char)>);

impl Retour {
    /// Reads `name:letter;name:letter`; one trailing `;` is tolerated, as PAYBOX does.
    pub fn parse(text: &str) -> Result<Self, String> {
        let list = text.strip_suffix(';').unwrap_or(text);
        let mut pairs = Vec::new();
        for part in list.split(';') {
            let (name, letter) = part.split_once(':').ok_or_else(|| format!("« {part} » n'est pas nom:lettre"))?;
            let mut letters = letter.chars();
            let (Some(letter), None) = (letters.next(), letters.next()) else {
                return Err(format!("« {part} » : une seule lettre attendue"));
            };
            if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte)) {
                return Err(format!("« {part} » : nom invalide"));
            }
            if !LETTERS.contains(letter) {
                return Err(format!("« {part} » : lettre inconnue"));
            }
            if pairs.iter().any(|(known, _)| known == name) {
                return Err(format!("« {part} » : nom répété"));
            }
            pairs.push((name.to_owned(), letter));
        }
        Ok(Self(pairs))
    }

    /// Whether the letter is asked for.
    #[must_use]
    pub fn asks(&self, letter: char) -> bool {
        self.0.iter().any(|(_, asked)| *asked == letter)
    }
}

/// What a return or a notification tells.
#[derive(Debug)]
pub struct Facts<'a> {
    pub request: &'a PageRequest,
    pub numappel: u64,
    /// The attempt; none for a cancelled page or one that timed out.
    pub attempt: Option<&'a Attempt>,
    pub code: &'a str,
    pub at: &'a Zoned,
}

impl Facts<'_> {
    /// The PBX_RETOUR part as it stands on the wire. The signature covers `before` (the merchant's own parameters,
    /// where they are signed) and every field that precedes K; what follows K is sent unsigned.
    pub fn on_the_wire(
        &self,
        before: &str,
        switches: &Switches,
        key: &BankKey,
    ) -> Result<String, rsa::signature::Error> {
        let mut sent: Vec<String> = Vec::new();
        for (name, letter) in &self.request.retour.0 {
            let value = if *letter == 'K' {
                let prefix = if before.is_empty() { String::new() } else { format!("{before}&") };
                Some(signature_value(&key.sign(&format!("{prefix}{}", sent.join("&")))?))
            } else {
                self.value(*letter, switches)
            };
            if let Some(value) = value {
                sent.push(format!("{name}={value}"));
            }
        }
        Ok(sent.join("&"))
    }

    /// One value, encoded; nothing when PAYBOX leaves it out.
    fn value(&self, letter: char, switches: &Switches) -> Option<String> {
        let accepted = self.code == "00000";
        let card = self.attempt.and_then(|attempt| attempt.card.as_ref());
        let secure = self.attempt.and_then(|attempt| attempt.three_ds.as_ref());
        let text = match letter {
            'M' => self.request.total.to_string(),
            'R' => self.request.cmd.clone(),
            'T' => self.numappel.to_string(),
            'A' => self.attempt.filter(|_| accepted)?.authorisation.clone(),
            'B' => "0".to_owned(),
            'C' if switches.letter_c_constant.is_empty() => card?.issuer.card_type.to_owned(),
            'C' => card.map(|_| switches.letter_c_constant.clone())?,
            'D' => card.filter(|_| accepted)?.expiry_aamm.clone(),
            'E' => self.code.to_owned(),
            'F' => secure?.authenticated.to_string(),
            'G' => secure?.guaranteed.to_string(),
            'H' => card?.fingerprint.clone(),
            'I' => "FRA".to_owned(),
            'J' => card?.last2.clone(),
            'N' => card.map(|card| card.first6.clone()).unwrap_or_default(),
            'O' => secure?.enrolled.to_string(),
            'P' => "CARTE".to_owned(),
            'Q' => self.at.strftime("%H:%M:%S").to_string(),
            'S' => self.attempt.map_or(0, |attempt| attempt.numtrans).to_string(),
            'U' => return self.handle(switches),
            'v' => secure.filter(|secure| secure.enrolled == 'Y').map(|_| switches.three_ds_version.clone())?,
            'W' => self.at.strftime("%d%m%Y").to_string(),
            'Y' => card?.issuer.country.to_owned(),
            // Cetelem's option, the sigmaplus subscriber, mixed payments, and an undocumented one: never here.
            _ => return None,
        };
        Some(returned_value(&text))
    }

    /// Letter U: the handle of the stored card, its expiry as AAMM, and dashes where a cryptogram would stand.
    fn handle(&self, switches: &Switches) -> Option<String> {
        let attempt = self.attempt.filter(|_| self.code == "00000")?;
        let handle = attempt.token.as_ref()?;
        let expiry = &attempt.card.as_ref()?.expiry_aamm;
        let spaces = if switches.token_spaces_as_plus { "++" } else { "%20%20" };
        Some(format!("{}{spaces}{expiry}{spaces}---", returned_value(handle)))
    }

    /// The merchant's URL with the facts appended. In a browser return all that follows `?` is signed, the merchant's
    /// own parameters included.
    pub fn browser_url(&self, base: &str, switches: &Switches, key: &BankKey) -> Result<String, rsa::signature::Error> {
        let own = base.split_once('?').map_or("", |(_, query)| query);
        let facts = self.on_the_wire(own, switches, key)?;
        Ok(appended(base, &facts))
    }
}

/// `facts` after `base`, with the separator that fits.
#[must_use]
pub fn appended(base: &str, facts: &str) -> String {
    match base.split_once('?') {
        None => format!("{base}?{facts}"),
        Some((_, "")) => format!("{base}{facts}"),
        Some(_) => format!("{base}&{facts}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_documented_lists_are_taken() {
        for text in ["Mt:M;Ref:R;Auto:A;Erreur:E;Sign:K", "a:v;b:o;", "ref_1:R"] {
            assert!(Retour::parse(text).is_ok(), "{text}");
        }
        for text in ["", "Mt", "Mt:", "Mt:MM", "Mt:é", ":M", "Mt:M;;Ref:R", "Mt:M;Mt:R", "a b:M", "Mt:x"] {
            assert!(Retour::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn facts_are_appended_to_any_url() {
        assert_eq!(appended("http://127.0.0.1/a", "E=0"), "http://127.0.0.1/a?E=0");
        assert_eq!(appended("http://127.0.0.1/a?b=1", "E=0"), "http://127.0.0.1/a?b=1&E=0");
        assert_eq!(appended("http://127.0.0.1/a?", "E=0"), "http://127.0.0.1/a?E=0");
    }
}
