//! Where the country code of an international telephone number ends.

/// The codes in use of ITU-T E.164, sorted by text. None is the beginning of another.
#[rustfmt::skip]
const CALLING_CODES: [u16; 215] = [
    1, 20, 211, 212, 213, 216, 218, 220, 221, 222, 223, 224, 225, 226, 227, 228, 229, 230, 231, 232, 233, 234, 235,
    236, 237, 238, 239, 240, 241, 242, 243, 244, 245, 246, 247, 248, 249, 250, 251, 252, 253, 254, 255, 256, 257,
    258, 260, 261, 262, 263, 264, 265, 266, 267, 268, 269, 27, 290, 291, 297, 298, 299, 30, 31, 32, 33, 34, 350, 351,
    352, 353, 354, 355, 356, 357, 358, 359, 36, 370, 371, 372, 373, 374, 375, 376, 377, 378, 380, 381, 382, 383, 385,
    386, 387, 389, 39, 40, 41, 420, 421, 423, 43, 44, 45, 46, 47, 48, 49, 500, 501, 502, 503, 504, 505, 506, 507,
    508, 509, 51, 52, 53, 54, 55, 56, 57, 58, 590, 591, 592, 593, 594, 595, 596, 597, 598, 599, 60, 61, 62, 63, 64,
    65, 66, 670, 672, 673, 674, 675, 676, 677, 678, 679, 680, 681, 682, 683, 685, 686, 687, 688, 689, 690, 691, 692,
    7, 800, 808, 81, 82, 84, 850, 852, 853, 855, 856, 86, 870, 878, 880, 881, 882, 883, 886, 888, 90, 91, 92, 93, 94,
    95, 960, 961, 962, 963, 964, 965, 966, 967, 968, 970, 971, 972, 973, 974, 975, 976, 977, 979, 98, 992, 993, 994,
    995, 996, 998,
];

/// Splits the digits of an international number, `33612345678`, into country code and national number.
///
/// No code begins another, so at most one answer exists.
pub fn split(digits: &str) -> Option<(u16, &str)> {
    // No code begins with a zero, and `061` would read as 61.
    if digits.starts_with('0') || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    (1..=3).find_map(|length| {
        let (code, national) = digits.split_at_checked(length)?;
        let code: u16 = code.parse().ok()?;
        CALLING_CODES.contains(&code).then_some((code, national))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_split_after_their_country_code() {
        for (digits, expected) in [
            ("33612345678", Some((33, "612345678"))),
            ("12025550123", Some((1, "2025550123"))),
            ("32470123456", Some((32, "470123456"))),
            ("262692123456", Some((262, "692123456"))),
            ("352621123456", Some((352, "621123456"))),
            ("79161234567", Some((7, "9161234567"))),
            ("2109999", None),
            ("0612345678", None),
            ("33", Some((33, ""))),
            ("", None),
            ("é33", None),
            ("+33612345678", None),
        ] {
            assert_eq!(split(digits), expected, "{digits}");
        }
    }

    #[test]
    fn no_code_begins_another() {
        let codes: Vec<String> = CALLING_CODES.iter().map(u16::to_string).collect();
        for pair in codes.windows(2) {
            assert!(pair[0] < pair[1], "{pair:?} out of order or twice");
            assert!(!pair[1].starts_with(&pair[0]), "{pair:?}: one begins the other");
        }
        assert!(codes.iter().all(|code| code.len() <= 3));
    }
}
