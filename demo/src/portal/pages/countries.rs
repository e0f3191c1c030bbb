//! The countries that the school's payers live in most often, as a list to choose from.

use crate::portal::words::{Language, escaped};

/// ISO 3166-1 letters and names, in the order of the French ones.
const COUNTRIES: [(&str, &str, &str); 36] = [
    ("DE", "Allemagne", "Germany"),
    ("DZ", "Algérie", "Algeria"),
    ("BE", "Belgique", "Belgium"),
    ("BJ", "Bénin", "Benin"),
    ("BR", "Brésil", "Brazil"),
    ("CM", "Cameroun", "Cameroon"),
    ("CA", "Canada", "Canada"),
    ("CL", "Chili", "Chile"),
    ("CN", "Chine", "China"),
    ("CO", "Colombie", "Colombia"),
    ("KR", "Corée du Sud", "South Korea"),
    ("CI", "Côte d’Ivoire", "Côte d’Ivoire"),
    ("ES", "Espagne", "Spain"),
    ("US", "États-Unis", "United States"),
    ("FR", "France", "France"),
    ("GA", "Gabon", "Gabon"),
    ("GR", "Grèce", "Greece"),
    ("IN", "Inde", "India"),
    ("IE", "Irlande", "Ireland"),
    ("IT", "Italie", "Italy"),
    ("JP", "Japon", "Japan"),
    ("LB", "Liban", "Lebanon"),
    ("LU", "Luxembourg", "Luxembourg"),
    ("MG", "Madagascar", "Madagascar"),
    ("MA", "Maroc", "Morocco"),
    ("MX", "Mexique", "Mexico"),
    ("MC", "Monaco", "Monaco"),
    ("NL", "Pays-Bas", "Netherlands"),
    ("PL", "Pologne", "Poland"),
    ("PT", "Portugal", "Portugal"),
    ("RO", "Roumanie", "Romania"),
    ("GB", "Royaume-Uni", "United Kingdom"),
    ("SN", "Sénégal", "Senegal"),
    ("CH", "Suisse", "Switzerland"),
    ("TN", "Tunisie", "Tunisia"),
    ("VN", "Viêt Nam", "Vietnam"),
];

/// The options of a list, `chosen` (France when nothing is) picked; a country that is not listed stands first.
pub(super) fn countries(chosen: &str, language: Language) -> String {
    let chosen = if chosen.is_empty() { "FR" } else { chosen };
    let mut listed: Vec<(&str, &str)> =
        COUNTRIES.iter().map(|(letters, french, english)| (*letters, language.pick(french, english))).collect();
    if language == Language::English {
        listed.sort_by_key(|(_, name)| *name);
    }
    if !listed.iter().any(|(letters, _)| *letters == chosen) {
        listed.insert(0, (chosen, chosen));
    }
    let option = |(letters, name): &(&str, &str)| {
        let selected = if *letters == chosen { " selected" } else { "" };
        format!("<option value=\"{}\"{selected}>{}</option>", escaped(letters), escaped(name))
    };
    listed.iter().map(option).collect()
}
