//! The school's fee categories, and how a choice becomes an order. A category is a line's `code`.

use serde_json::{Value, json};

use super::words::Language;

/// A category as students choose it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Category {
    pub(super) code: &'static str,
    name: (&'static str, &'static str),
    about: (&'static str, &'static str),
    /// What is ordered, as it stands on the recap and on the invoice.
    product: &'static str,
    /// In cents.
    pub(super) fee: i64,
}

/// Those that this student's training allows.
pub(super) const CATEGORIES: [Category; 7] = [
    Category {
        code: "D1",
        name: ("Normal", "Standard"),
        about: ("Année complète à l’école.", "A full year at the school."),
        product: "Droits de scolarité",
        fee: 377_000,
    },
    Category {
        code: "D2",
        name: ("Cotutelle", "Joint supervision"),
        about: ("Année partagée avec un établissement partenaire.", "A year shared with a partner school."),
        product: "Droits de scolarité, cotutelle",
        fee: 188_500,
    },
    Category {
        code: "D3",
        name: ("Bourse de mobilité", "Mobility grant"),
        about: ("Semestre à l’étranger avec une bourse de mobilité.", "A term abroad with a mobility grant."),
        product: "Droits de scolarité, mobilité",
        fee: 251_300,
    },
    Category {
        code: "D4",
        name: ("Césure", "Gap year"),
        about: ("Année de césure accordée par l’école.", "A gap year granted by the school."),
        product: "Droits de scolarité, césure",
        fee: 61_800,
    },
    Category {
        code: "D5",
        name: ("Exonéré", "Exempt"),
        about: ("Exonération accordée, apprentissage.", "Exempted by decision, or an apprentice."),
        product: "Droits de scolarité, exonération",
        fee: 0,
    },
    Category {
        code: "D6",
        name: ("Boursier", "Government-grant holder"),
        about: ("Bourse sur critères sociaux.", "A grant on social criteria."),
        product: "Droits de scolarité, boursier",
        fee: 0,
    },
    Category {
        code: "D8",
        name: ("Seconde inscription", "Second registration"),
        about: ("Droits principaux réglés ailleurs.", "Main fees paid elsewhere."),
        product: "Droits de scolarité, seconde inscription",
        fee: 41_200,
    },
];

impl Category {
    pub(super) fn of(code: &str) -> Option<Self> {
        CATEGORIES.into_iter().find(|category| category.code == code)
    }

    pub(super) fn name(self, language: Language) -> &'static str {
        language.pick(self.name.0, self.name.1)
    }

    pub(super) fn about(self, language: Language) -> &'static str {
        language.pick(self.about.0, self.about.1)
    }

    /// The order that registers a student in this category: their `number`th one, in the place of `replaces`.
    pub(super) fn order(self, student: &str, number: usize, replaces: Option<&str>, language: Language) -> Value {
        json!({
            // Two tabs that choose at once choose the same number, and the gateway takes one of them.
            "reference": format!("{student}-{number}"),
            "currency": "EUR",
            "locale": language.letters(),
            "payer": {
                "reference": student,
                "email": "anais.lefevre@example.org",
                "first_name": FIRST_NAME,
                "last_name": LAST_NAME,
                "addresses": [
                    {
                        "id": "domicile",
                        "address1": "12 rue de l’Église",
                        "zip_code": "35000",
                        "city": "Rennes",
                        "country": "FR",
                        "mobile_phone": "0612345678",
                    },
                    {
                        "id": "residence",
                        "address1": "Résidence des Pins, ch. 214",
                        "address2": "3 allée des Cigales",
                        "zip_code": "06560",
                        "city": "Valbonne",
                        "country": "FR",
                        "mobile_phone": "0612345678",
                    },
                ],
            },
            "lines": [{
                "code": self.code,
                "label": self.product,
                "beneficiary": format!("{FIRST_NAME} {LAST_NAME}"),
                "quantity": "1",
                "unit_price": {"amount": self.fee, "currency": "EUR"},
                "vat_rate": "0",
            }],
            "replaces": replaces,
        })
    }
}

/// Every demo student is called so.
pub(super) const FIRST_NAME: &str = "Anaïs";
pub(super) const LAST_NAME: &str = "Lefèvre";
