//! What is wrong with a field: the stable names, and the sentences in French and in English.

use crate::domain::{checkout::Locale, fault::FaultKind, text::TextFault};

/// The stable name of a fault.
pub(super) fn code(kind: &FaultKind) -> &'static str {
    match kind {
        FaultKind::Text(TextFault::Blank) => "blank",
        FaultKind::Text(TextFault::TooLong { .. }) => "too_long",
        FaultKind::Text(TextFault::ControlCharacter) => "control_character",
        FaultKind::Text(TextFault::CardNumber) => "card_number",
        FaultKind::NoLines => "no_lines",
        FaultKind::TooMany { .. } => "too_many",
        FaultKind::DecimalOutOfRange { .. } => "decimal_out_of_range",
        FaultKind::AmountOutOfRange => "amount_out_of_range",
        FaultKind::CurrencyMismatch => "currency_mismatch",
        FaultKind::CurrencyNotAccepted => "currency_not_accepted",
        FaultKind::BelowMinimum { .. } => "below_minimum",
        FaultKind::EmailInvalid => "email_invalid",
        FaultKind::CountryUnknown => "country_unknown",
        FaultKind::PhoneInvalid => "phone_invalid",
        FaultKind::NothingLeft => "nothing_left",
        FaultKind::Unknown => "unknown",
        FaultKind::DuplicateId => "duplicate_id",
        FaultKind::UrlInvalid => "url_invalid",
        FaultKind::UrlNotHttps => "url_not_https",
        FaultKind::UrlTooLong { .. } => "url_too_long",
        FaultKind::UrlOriginNotAllowed => "url_origin_not_allowed",
        FaultKind::UrlNotPublic => "url_not_public",
        FaultKind::NotOneOf(_) => "not_one_of",
        FaultKind::WrongType => "wrong_type",
        FaultKind::UnknownField => "unknown_field",
        FaultKind::Missing => "missing",
        FaultKind::NotWithThis => "not_with_this",
        FaultKind::NotUtf8 => "not_text",
        FaultKind::QuotesOpen => "quotes_open",
        FaultKind::UnevenLine { .. } => "uneven_line",
        FaultKind::NotADay => "not_a_day",
        FaultKind::NotAnAmount { .. } => "not_an_amount",
        FaultKind::DoesNotAddUp => "does_not_add_up",
    }
}

/// The sentence of a fault.
pub(super) fn sentence(kind: &FaultKind, locale: Locale) -> String {
    let (french, english): (String, String) = match kind {
        FaultKind::Text(TextFault::Blank) => ("le texte est vide".into(), "the text is blank".into()),
        FaultKind::Text(TextFault::TooLong { max }) => {
            (format!("le texte dépasse {max} caractères"), format!("the text is longer than {max} characters"))
        }
        FaultKind::Text(TextFault::ControlCharacter) => (
            "le texte contient un caractère de contrôle ou un saut de ligne".into(),
            "the text holds a control character or a line break".into(),
        ),
        FaultKind::Text(TextFault::CardNumber) => (
            "le texte contient ce qui ressemble à un numéro de carte; n'envoyez jamais de numéro de carte ici".into(),
            "the text holds what looks like a card number; never send card numbers here".into(),
        ),
        FaultKind::NoLines => (
            "le récapitulatif de paiement ne contient pas de ligne à payer; une catégorie gratuite est une ligne de 0,00"
                .into(),
            "the order has no lines; a free category is a line of 0.00".into(),
        ),
        FaultKind::TooMany { max } => (format!("il y en a plus de {max}"), format!("there are more than {max}")),
        FaultKind::DecimalOutOfRange { min, max, decimals } => (
            format!("le nombre doit être entre {min} et {max}, avec {decimals} décimales au plus"),
            format!("the number must be from {min} to {max}, with at most {decimals} decimals"),
        ),
        FaultKind::AmountOutOfRange => (
            "le montant doit être entre 0 et 9999999999 plus petites unités, ce que PAYBOX peut porter".into(),
            "the amount must be from 0 to 9999999999 minor units, which is what PAYBOX can carry".into(),
        ),
        FaultKind::CurrencyMismatch => (
            "une commande n'a qu'une devise, et cette ligne en a une autre".into(),
            "an order has one currency, and this line has another".into(),
        ),
        FaultKind::CurrencyNotAccepted => (
            "ce marchand n'est pas payé dans cette devise".into(),
            "this merchant is not paid in this currency".into(),
        ),
        FaultKind::BelowMinimum { minimum } => (
            format!("le total est inférieur au minimum payable par carte ({minimum} en plus petites unités)"),
            format!("the total is below the minimum payable by card ({minimum} in minor units)"),
        ),
        FaultKind::EmailInvalid => (
            "ce n'est pas une adresse électronique de 6 à 120 caractères ASCII".into(),
            "this is not an e-mail address of 6 to 120 ASCII characters".into(),
        ),
        FaultKind::CountryUnknown => (
            "ce n'est pas un code de pays ISO 3166-1 à deux lettres".into(),
            "this is not an ISO 3166-1 country code of two letters".into(),
        ),
        FaultKind::PhoneInvalid => (
            "ce n'est pas un téléphone mobile, international (+33612345678) ou français (0612345678)".into(),
            "this is not a mobile telephone, international (+33612345678) or French (0612345678)".into(),
        ),
        FaultKind::NothingLeft => (
            "il n'en reste rien dans les caractères que PAYBOX accepte".into(),
            "nothing is left of it in the characters that PAYBOX takes".into(),
        ),
        FaultKind::Unknown => ("cela n'existe pas".into(), "it does not exist".into()),
        FaultKind::DuplicateId => ("cet identifiant est donné deux fois".into(), "this id is given twice".into()),
        FaultKind::UrlInvalid => (
            "ce n'est pas une URL absolue, sans identifiants ni fragment".into(),
            "this is not an absolute URL without credentials and fragment".into(),
        ),
        FaultKind::UrlNotHttps => ("l'URL doit être en https".into(), "the URL must be https".into()),
        FaultKind::UrlTooLong { max } => {
            (format!("l'URL dépasse {max} caractères"), format!("the URL is longer than {max} characters"))
        }
        FaultKind::UrlOriginNotAllowed => (
            "ce marchand ne renvoie pas ses payeurs vers cette origine".into(),
            "this merchant does not send its payers to this origin".into(),
        ),
        FaultKind::UrlNotPublic => (
            "l'URL ne mène pas à une adresse publique".into(),
            "the URL does not lead to a public address".into(),
        ),
        FaultKind::NotOneOf(values) => (
            format!("la valeur doit être l'une de : {}", values.join(", ")),
            format!("the value must be one of: {}", values.join(", ")),
        ),
        FaultKind::WrongType => (
            "la valeur n'a pas le type ou la forme attendus".into(),
            "the value does not have the expected type or form".into(),
        ),
        FaultKind::UnknownField => ("ce champ n'existe pas".into(), "this field does not exist".into()),
        FaultKind::Missing => ("ce champ est obligatoire".into(), "this field is required".into()),
        FaultKind::NotUtf8 => ("ce n'est pas du texte en UTF-8".into(), "this is not text in UTF-8".into()),
        FaultKind::QuotesOpen => (
            "les guillemets d'une cellule ne sont pas fermés, ou sont suivis d'autre chose".into(),
            "a cell's quotes are not closed, or something follows them".into(),
        ),
        FaultKind::UnevenLine { cells } => (
            format!("la ligne n'a pas les {cells} cellules de l'en-tête"),
            format!("the line does not have the {cells} cells of the header"),
        ),
        FaultKind::NotADay => (
            "ce n'est pas une date : 2026-11-23 ou 23/11/2026".into(),
            "this is not a day: 2026-11-23 or 23/11/2026".into(),
        ),
        FaultKind::NotAnAmount { decimals } => (
            format!("ce n'est pas un montant : des chiffres sans espaces, avec {decimals} décimales au plus"),
            format!("this is not an amount: digits without blanks, with at most {decimals} decimals"),
        ),
        FaultKind::DoesNotAddUp => (
            "le brut moins les frais ne fait pas le net".into(),
            "gross less fees does not make the net".into(),
        ),
        FaultKind::NotWithThis => (
            "cela ne va pas avec le reste de la requête".into(),
            "it does not go with the rest of the request".into(),
        ),
    };
    match locale {
        Locale::Fr => french,
        Locale::En => english,
    }
}
