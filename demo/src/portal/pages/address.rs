//! The cardholder's address: one of those known, still editable, or a new one, or none. One panel is open at a time,
//! which the style does by itself; where it cannot, all are.

use serde_json::{Map, Value, json};

use super::{Frame, countries::countries};
use crate::{
    document::Document,
    portal::words::{escaped, shown},
};

/// The parts of an address as the API names them: name, words, what browsers fill in, whether they may stay empty.
const FIELDS: [(&str, &str, &str, &str, bool); 8] = [
    ("first_name", "Prénom", "First name", "given-name", false),
    ("last_name", "Nom", "Last name", "family-name", false),
    ("address1", "Adresse", "Address", "address-line1", false),
    ("address2", "Complément d’adresse", "Address, continued", "address-line2", true),
    ("zip_code", "Code postal", "Postal code", "postal-code", false),
    ("city", "Ville", "City", "address-level2", false),
    ("country", "Pays", "Country", "country", false),
    ("mobile_phone", "Téléphone mobile", "Mobile phone", "tel", true),
];
/// More than the API takes, so that it is the API which says what is too long.
const TYPED_MAX: usize = 250;

/// Why a payment was not begun.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::portal) struct Complaint {
    pub(super) summary: String,
    pub(super) fields: Vec<FieldFault>,
    /// What is missing is the payer's agreement.
    pub(super) lacks_consent: bool,
}

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FieldFault {
    /// The field on the page.
    pub(super) id: String,
    /// The field in the API.
    pub(super) name: String,
    pub(super) why: String,
}

impl Complaint {
    /// What the API said against an address that was typed in the panel of `mode`.
    pub(in crate::portal) fn of(problem: &Value, mode: &str) -> Self {
        let panel = panel(mode);
        let faults = problem.items("/errors").iter().filter_map(|fault| {
            let name = fault.said("/pointer").strip_prefix("/billing/address/")?;
            FIELDS.iter().find(|(known, ..)| *known == name)?;
            Some(FieldFault {
                id: format!("{panel}-{name}"),
                name: name.to_owned(),
                why: fault.said("/detail").to_owned(),
            })
        });
        Self { summary: problem.said("/detail").to_owned(), fields: faults.collect(), lacks_consent: false }
    }

    /// The payer did not agree.
    pub(super) fn consent(why: &str) -> Self {
        Self { summary: why.to_owned(), lacks_consent: true, ..Self::default() }
    }

    /// Whether a field of this panel is faulty.
    fn is_about(&self, panel: &str) -> bool {
        self.fields.iter().any(|fault| fault.id.strip_prefix(panel).is_some_and(|rest| rest.starts_with('-')))
    }

    fn about(&self, id: &str) -> Option<&FieldFault> {
        self.fields.iter().find(|fault| fault.id == id)
    }
}

/// How the fields of a choice begin: `a0` for the first known address, `new` for a new one.
fn panel(mode: &str) -> String {
    mode.strip_prefix("known-").map_or_else(|| mode.to_owned(), |index| format!("a{index}"))
}

/// The billing address as the form chose it, for the API.
pub(in crate::portal) fn billing(order: &Value, form: &[(String, String)]) -> Value {
    let value = |name: &str| form.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim());
    let mode = value("mode").unwrap_or_default();
    let panel = panel(mode);
    let address: Map<String, Value> = FIELDS
        .iter()
        .filter_map(|(name, ..)| Some(((*name).to_owned(), json!(value(&format!("{panel}-{name}"))?))))
        .collect();
    match mode {
        "none" => json!({"mode": "none"}),
        "new" => json!({"mode": "new", "address": address}),
        known => {
            let index = known.strip_prefix("known-").unwrap_or("0");
            let id = order.said(&format!("/payer/addresses/{index}/id"));
            json!({"mode": "prefilled", "address_id": id, "address": address})
        }
    }
}

/// The address that is sent where none is chosen: the first that is known.
pub(in crate::portal) fn pay_so(order: &Value) -> Value {
    match order.said("/payer/addresses/0/id") {
        "" => json!({"mode": "none"}),
        id => json!({"mode": "prefilled", "address_id": id}),
    }
}

/// One choice and its panel as the page shows them.
struct Choice<'a> {
    mode: String,
    title: String,
    known: &'a Value,
}

impl Frame<'_> {
    pub(super) fn address_choice(
        &self,
        order: &Value,
        typed: Option<&[(String, String)]>,
        complaint: Option<&Complaint>,
    ) -> String {
        let known = order.items("/payer/addresses");
        let usual = if known.is_empty() { "new" } else { "known-0" };
        let mode = typed.and_then(|typed| of(typed, "mode")).unwrap_or(usual);
        let mut choices: Vec<Choice<'_>> = known
            .iter()
            .enumerate()
            .map(|(index, address)| Choice {
                mode: format!("known-{index}"),
                title: format!(
                    "{}, {} {} <span class=\"quiet\">{}</span>",
                    shown(address, "/address1"),
                    shown(address, "/zip_code"),
                    shown(address, "/city"),
                    self.say("(adresse connue)", "(known address)"),
                ),
                known: address,
            })
            .collect();
        let new = self.say("Saisir une nouvelle adresse", "Enter a new address").to_owned();
        choices.push(Choice { mode: "new".to_owned(), title: new, known: &Value::Null });
        let choices: String = choices.iter().map(|choice| self.choice_of(choice, mode, typed, complaint)).collect();
        format!(
            "<fieldset class=\"addresses\"><legend>{}</legend>\n<p class=\"quiet\">{}</p>\n{choices}\
             <div class=\"option\"><label class=\"choice\"><input type=\"radio\" name=\"mode\" value=\"none\"{} \
             aria-describedby=\"sans-adresse\"><span>{}</span></label>\n\
             <p class=\"quiet panel-note\" id=\"sans-adresse\">{}</p></div>\n</fieldset>",
            self.say("Adresse postale du titulaire de la carte", "Cardholder’s postal address"),
            self.say(
                "Elle est transmise à la plateforme de paiement pour faciliter l’authentification 3-D Secure.",
                "It is sent to the payment platform so that 3-D Secure goes smoothly.",
            ),
            if mode == "none" { " checked" } else { "" },
            self.say("Ne transmettre aucune adresse", "Send no address"),
            self.say(
                "Votre banque vous demandera alors sans doute une authentification forte.",
                "Your bank will then probably ask for strong authentication.",
            ),
        )
    }

    fn choice_of(
        &self,
        choice: &Choice<'_>,
        mode: &str,
        typed: Option<&[(String, String)]>,
        complaint: Option<&Complaint>,
    ) -> String {
        let panel = panel(&choice.mode);
        let fields: String = FIELDS
            .iter()
            .map(|(name, _, _, fill, is_optional)| {
                let id = format!("{panel}-{name}");
                let value = typed.and_then(|typed| of(typed, &id)).unwrap_or_else(|| {
                    choice.known.pointer(&format!("/{name}")).and_then(Value::as_str).unwrap_or_default()
                });
                self.field(&id, name, value, &format!("section-{panel} billing {fill}"), *is_optional, complaint)
            })
            .collect();
        let panel_of_fields = format!("<div class=\"panel\">\n{fields}</div>");
        let has_fault = complaint.is_some_and(|complaint| complaint.is_about(&panel));
        format!(
            "<div class=\"option\"><label class=\"choice\"><input type=\"radio\" name=\"mode\" value=\"{}\"{}>\
             <span>{}</span></label>\n{}</div>\n",
            choice.mode,
            if choice.mode == mode { " checked" } else { "" },
            choice.title,
            // A known address is seldom edited; a new one is nothing but its fields.
            if choice.known.is_null() {
                panel_of_fields
            } else {
                format!(
                    "<details class=\"edit\"{}><summary>{}</summary>\n{panel_of_fields}</details>",
                    if has_fault { " open" } else { "" },
                    self.say("Modifier cette adresse", "Edit this address"),
                )
            },
        )
    }

    fn field(
        &self,
        id: &str,
        name: &str,
        value: &str,
        fill: &str,
        is_optional: bool,
        complaint: Option<&Complaint>,
    ) -> String {
        let fault = complaint.and_then(|complaint| complaint.about(id));
        let (state, why) = match fault {
            Some(fault) => (
                format!(" aria-invalid=\"true\" aria-describedby=\"{id}-refus\""),
                format!("<span class=\"complaint\" id=\"{id}-refus\">{}</span>", escaped(&fault.why)),
            ),
            None => (String::new(), String::new()),
        };
        let optional = match (is_optional, name) {
            (false, _) => String::new(),
            // PAYBOX takes an address without it, and then counts the address as incomplete.
            (true, "mobile_phone") => {
                format!(" <span class=\"quiet\">{}</span>", self.say("(recommandé)", "(recommended)"))
            }
            (true, _) => format!(" <span class=\"quiet\">{}</span>", self.say("(facultatif)", "(optional)")),
        };
        let attributes = format!("id=\"{id}\" name=\"{id}\" autocomplete=\"{fill}\"{state}");
        let control = if name == "country" {
            format!("<select {attributes}>{}</select>", countries(value, self.language()))
        } else {
            let kind = if name == "mobile_phone" { "tel" } else { "text" };
            format!("<input type=\"{kind}\" {attributes} value=\"{}\" maxlength=\"{TYPED_MAX}\">", escaped(value))
        };
        format!(
            "<div class=\"field {name}\"><label for=\"{id}\">{}{optional}</label>{control}{why}</div>\n",
            self.field_label(name)
        )
    }

    /// The words beside a field.
    pub(super) fn field_label(&self, name: &str) -> &'static str {
        let field = FIELDS.iter().find(|(known, ..)| *known == name);
        field.map_or("", |(_, french, english, ..)| self.language().pick(french, english))
    }
}

fn of<'a>(typed: &'a [(String, String)], name: &str) -> Option<&'a str> {
    typed.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_choice_sends_its_own_panel() {
        let order = json!({"payer": {"addresses": [{"id": "domicile"}, {"id": "residence"}]}});
        let form = |mode: &str| {
            [("mode", mode), ("a0-city", "Rennes"), ("a1-city", " Nice "), ("new-city", "Le Havre")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
        };
        for (mode, expected) in [
            ("known-0", json!({"mode": "prefilled", "address_id": "domicile", "address": {"city": "Rennes"}})),
            ("known-1", json!({"mode": "prefilled", "address_id": "residence", "address": {"city": "Nice"}})),
            ("new", json!({"mode": "new", "address": {"city": "Le Havre"}})),
            ("none", json!({"mode": "none"})),
        ] {
            assert_eq!(billing(&order, &form(mode)), expected, "{mode}");
        }
    }

    #[test]
    fn a_fault_finds_its_field() {
        let problem = json!({"detail": "non", "errors": [
            {"pointer": "/billing/address/zip_code", "detail": "le texte est vide"},
            {"pointer": "/return_url", "detail": "ailleurs"},
        ]});
        let complaint = Complaint::of(&problem, "known-1");
        assert_eq!(complaint.about("a1-zip_code").map(|fault| fault.why.as_str()), Some("le texte est vide"));
        assert_eq!(complaint.fields.len(), 1);
        assert!(complaint.is_about("a1") && !complaint.is_about("a") && !complaint.is_about("new"));
    }
}
