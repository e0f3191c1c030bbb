//! What is not known for certain about PAYBOX, each as a named switch: an integrator runs the same journey under both
//! readings. Defaults are the better-attested reading; the README gives the source of each.

use serde::{Deserialize, Serialize};

/// Which operation an enquiry (TYPE 00011) gives when several match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnquiryChoice {
    /// The latest accepted one, else the latest.
    #[default]
    LatestAccepted,
    Latest,
    First,
}

/// Every switch, with its default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    // The hosted page's request.
    /// PBX_TOTAL must exceed 100 minor units.
    pub total_must_exceed_100: bool,
    /// PBX_DEVISE must be 978.
    pub euro_only: bool,
    /// PBX_REPONDRE_A may only name ports 80, 443 and 8080–8085.
    pub ipn_ports_restricted: bool,
    /// A PBX_CMD seen on another page is refused.
    pub cmd_must_be_unique: bool,
    /// A PBX_ variable that PAYBOX does not document is refused.
    pub refuse_unknown_variables: bool,
    /// PBX_BILLING and PBX_SHOPPINGCART must be there.
    pub refuse_missing_billing: bool,
    /// PBX_HASH must be there.
    pub hash_required: bool,
    /// Largest distance between PBX_TIME and the sandbox's clock, in seconds; 0 accepts any.
    pub time_skew_max_s: u64,
    /// XML variables must hold no line break.
    pub xml_single_line: bool,
    /// PBX_BILLING holds ASCII only.
    pub billing_ascii_only: bool,
    /// CountryCodeMobilePhone must come before MobilePhone.
    pub phone_order_enforced: bool,
    /// PBX_REFABONNE must not be in use.
    pub refabonne_must_be_new: bool,
    /// A page that asks for letter U without PBX_REFABONNE registers the card under PBX_CMD.
    pub cmd_stands_for_refabonne: bool,
    /// PBX_TYPECARTE of the CB group takes cards of that group only, else any card.
    pub card_type_enforced: bool,

    // The walk through the pages.
    /// Tries of a card in one page session; 0 sets no limit.
    pub page_tries_max: u32,
    /// The browser goes back to the shop at once, without a receipt page.
    pub immediate_return: bool,
    /// The code of an attempt whose strong authentication failed.
    pub authentication_failed_code: String,
    /// A payment that was not authenticated is refused with 00040.
    pub block_unauthenticated: bool,
    /// The value of letter v after 3-D Secure.
    pub three_ds_version: String,

    // What is sent back to the merchant.
    /// Accepted operations get a six-digit authorisation number instead of `XXXXXX`.
    pub authorisation_numbers: bool,
    /// What letter C tells in place of the card's type; empty tells the type.
    pub letter_c_constant: String,
    /// The two spaces inside letter U travel as `++`, not `%20%20`.
    pub token_spaces_as_plus: bool,
    /// The notification URL counts as set in the back office: all parameters are signed.
    pub ipn_set_in_back_office: bool,
    /// A cancelled page is notified too.
    pub ipn_on_cancel: bool,
    /// A page that timed out is notified too.
    pub ipn_on_timeout: bool,
    /// How long a notification may take, in milliseconds.
    pub ipn_timeout_ms: u64,

    // Server-to-server questions.
    /// Both hosts remember the same NUMQUESTIONs.
    pub numquestion_shared: bool,
    /// Any authenticated question uses up its NUMQUESTION, else only an accepted one.
    pub numquestion_burnt_by_refusals: bool,
    /// Enquiries see refused operations.
    pub enquiry_sees_refused: bool,
    pub enquiry_choice: EnquiryChoice,
    /// REMISE is zeros before settlement, else empty.
    pub remise_zero_before_settlement: bool,
    /// Enquiries see what the subscriber's TYPEs (0005x, 00061) made.
    pub enquiry_sees_subscribers: bool,
    /// RANG is echoed as sent, else as a number.
    pub echo_rang_as_sent: bool,
    /// A line break ends the answers.
    pub answer_ends_with_newline: bool,
    /// CVV must be there in 00001, 00003, 00004 and 00012.
    pub cvv_required: bool,
    /// ACTIVITE must be there where money moves.
    pub activite_required: bool,
    /// 00056 and 00057 take a MONTANT of zero.
    pub register_zero_amount: bool,
    /// The answer of 00058 carries the token, else an empty PORTEUR.
    pub forget_answers_token: bool,
    /// The code of a debit whose stored card is past its expiry.
    pub expired_subscriber_code: String,
    /// One card has one token at all subscribers of a site, else each registration has its own.
    pub token_follows_card: bool,
    /// What TYPECARTE answers in place of the card's type; empty answers the type.
    pub card_type_constant: String,

    // Time.
    /// Authorisations that nobody captured end after so many days; 0 keeps them.
    pub authorisation_lapses_after_days: u32,
    /// What was captured before today is settled as soon as the day changes.
    pub settle_nightly: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            total_must_exceed_100: false,
            euro_only: false,
            ipn_ports_restricted: false,
            cmd_must_be_unique: true,
            refuse_unknown_variables: true,
            refuse_missing_billing: false,
            hash_required: false,
            time_skew_max_s: 0,
            xml_single_line: true,
            billing_ascii_only: true,
            phone_order_enforced: false,
            refabonne_must_be_new: true,
            cmd_stands_for_refabonne: true,
            card_type_enforced: false,
            page_tries_max: 3,
            immediate_return: false,
            authentication_failed_code: "00001".into(),
            block_unauthenticated: false,
            three_ds_version: "2.2.0".into(),
            authorisation_numbers: false,
            letter_c_constant: String::new(),
            token_spaces_as_plus: true,
            ipn_set_in_back_office: false,
            ipn_on_cancel: false,
            ipn_on_timeout: false,
            ipn_timeout_ms: 20_000,
            numquestion_shared: true,
            numquestion_burnt_by_refusals: true,
            enquiry_sees_refused: true,
            enquiry_choice: EnquiryChoice::LatestAccepted,
            remise_zero_before_settlement: true,
            enquiry_sees_subscribers: true,
            echo_rang_as_sent: false,
            answer_ends_with_newline: false,
            cvv_required: true,
            activite_required: false,
            register_zero_amount: false,
            forget_answers_token: false,
            expired_subscriber_code: "00008".into(),
            token_follows_card: false,
            card_type_constant: String::new(),
            authorisation_lapses_after_days: 7,
            settle_nightly: true,
        }
    }
}

impl Switches {
    /// These switches with the named ones changed; an unknown name or a value of the wrong kind changes nothing.
    pub fn changed(&self, changes: &serde_json::Map<String, serde_json::Value>) -> Result<Self, serde_json::Error> {
        let mut all = serde_json::to_value(self)?;
        if let Some(object) = all.as_object_mut() {
            for (name, value) in changes {
                object.insert(name.clone(), value.clone());
            }
        }
        serde_json::from_value(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_switches_change_and_unknown_ones_are_refused() {
        let change = |text: &str| Switches::default().changed(serde_json::from_str(text).as_ref().unwrap());
        assert!(!change(r#"{"cmd_must_be_unique": false}"#).unwrap().cmd_must_be_unique);
        assert_eq!(change(r#"{"enquiry_choice": "first"}"#).unwrap().enquiry_choice, EnquiryChoice::First);
        assert!(change(r#"{"cmd_must_be_uniqe": false}"#).is_err());
        assert!(change(r#"{"page_tries_max": "3"}"#).is_err());
    }
}
