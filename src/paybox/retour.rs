//! `PBX_RETOUR`: which facts PAYBOX is asked to report, under which names, in which order.

use std::str::FromStr;

/// The longest parameter name we ask for.
const MAX_NAME_BYTES: usize = 32;

/// The facts we know how to read, by PAYBOX's letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Letter {
    /// Amount, minor units.
    M,
    /// Our reference.
    R,
    /// Call number.
    T,
    /// Operation number.
    S,
    /// Authorisation number; missing on refusals.
    A,
    /// Result code.
    E,
    /// Day of processing.
    W,
    /// Time of processing.
    Q,
    /// Means of payment.
    P,
    /// Types of the card, `CB,VISA,…`.
    C,
    /// The card's expiry, `YYMM`; missing on refusals.
    D,
    /// First six digits of the card.
    N,
    /// Last two digits of the card.
    J,
    /// Country of the card's bank, three letters.
    Y,
    /// 3-D Secure: authenticated.
    F,
    /// 3-D Secure: guaranteed.
    G,
    /// 3-D Secure: enrolled.
    O,
    /// 3-D Secure: version.
    V3ds,
    /// The card's handle for later debits.
    U,
    /// The signature, always last.
    K,
}

impl Letter {
    const ALL: [Self; 20] = [
        Self::M,
        Self::R,
        Self::T,
        Self::S,
        Self::A,
        Self::E,
        Self::W,
        Self::Q,
        Self::P,
        Self::C,
        Self::D,
        Self::N,
        Self::J,
        Self::Y,
        Self::F,
        Self::G,
        Self::O,
        Self::V3ds,
        Self::U,
        Self::K,
    ];

    /// The letter itself; capitals matter.
    pub fn wire(self) -> &'static str {
        match self {
            Self::M => "M",
            Self::R => "R",
            Self::T => "T",
            Self::S => "S",
            Self::A => "A",
            Self::E => "E",
            Self::W => "W",
            Self::Q => "Q",
            Self::P => "P",
            Self::C => "C",
            Self::D => "D",
            Self::N => "N",
            Self::J => "J",
            Self::Y => "Y",
            Self::F => "F",
            Self::G => "G",
            Self::O => "O",
            Self::V3ds => "v",
            Self::U => "U",
            Self::K => "K",
        }
    }
}

/// A list of facts to report: `name:letter;name:letter`, the signature last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retour {
    entries: Vec<(String, Letter)>,
}

/// Why a list cannot be asked for. Without the signature, or with something after it, PAYBOX says nothing and sends
/// unsigned facts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RetourError {
    #[error("`{0}` is not `name:letter` with a name of letters, digits and `_`")]
    Malformed(String),
    #[error("`{0}` is not a letter this program reads")]
    UnknownLetter(String),
    #[error("the name or the letter of `{0}` is used twice")]
    Duplicate(String),
    #[error("the signature `K` must be there, last")]
    SignatureNotLast,
    #[error("the letters M, R and E are always needed")]
    Incomplete,
}

/// Everything one payment may tell, in the order we ask; names are the letters themselves, to keep the text short.
const PAYMENT: [Letter; 19] = [
    Letter::M,
    Letter::R,
    Letter::T,
    Letter::S,
    Letter::A,
    Letter::E,
    Letter::W,
    Letter::Q,
    Letter::P,
    Letter::C,
    Letter::D,
    Letter::N,
    Letter::J,
    Letter::Y,
    Letter::F,
    Letter::G,
    Letter::O,
    Letter::V3ds,
    Letter::K,
];

impl Retour {
    /// What a single payment asks for.
    pub fn for_payment() -> Self {
        Self { entries: PAYMENT.iter().map(|letter| (letter.wire().to_owned(), *letter)).collect() }
    }

    /// What the first payment of a plan asks for: the card's handle too, before the signature.
    pub fn for_plan() -> Self {
        let facts = PAYMENT.iter().filter(|letter| **letter != Letter::K);
        let letters = facts.chain([&Letter::U, &Letter::K]);
        Self { entries: letters.map(|letter| (letter.wire().to_owned(), *letter)).collect() }
    }

    /// The value of `PBX_RETOUR`.
    pub fn wire(&self) -> String {
        let pairs: Vec<String> =
            self.entries.iter().map(|(name, letter)| format!("{name}:{}", letter.wire())).collect();
        pairs.join(";")
    }

    /// The name under which `letter` is reported, when it is asked for.
    pub fn name_of(&self, letter: Letter) -> Option<&str> {
        self.entries.iter().find(|(_, asked)| *asked == letter).map(|(name, _)| name.as_str())
    }

    /// Where `name` stands in the list, and the letter it reports.
    pub(super) fn position(&self, name: &str) -> Option<(usize, Letter)> {
        self.entries
            .iter()
            .enumerate()
            .find(|(_, (asked, _))| asked == name)
            .map(|(position, (_, letter))| (position, *letter))
    }
}

impl FromStr for Retour {
    type Err = RetourError;

    fn from_str(text: &str) -> Result<Self, RetourError> {
        let mut entries: Vec<(String, Letter)> = Vec::new();
        for pair in text.split(';') {
            let (name, letter) = pair.split_once(':').ok_or_else(|| RetourError::Malformed(pair.to_owned()))?;
            let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            if name.is_empty() || name.len() > MAX_NAME_BYTES || !plain {
                return Err(RetourError::Malformed(pair.to_owned()));
            }
            let letter = Letter::ALL
                .into_iter()
                .find(|known| known.wire() == letter)
                .ok_or_else(|| RetourError::UnknownLetter(letter.to_owned()))?;
            if entries.iter().any(|(used, asked)| used == name || *asked == letter) {
                return Err(RetourError::Duplicate(pair.to_owned()));
            }
            entries.push((name.to_owned(), letter));
        }
        if entries.last().map(|(_, letter)| *letter) != Some(Letter::K) {
            return Err(RetourError::SignatureNotLast);
        }
        let retour = Self { entries };
        let complete = [Letter::M, Letter::R, Letter::E].into_iter().all(|letter| retour.name_of(letter).is_some());
        if complete { Ok(retour) } else { Err(RetourError::Incomplete) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_we_ask_for() {
        let payment = "M:M;R:R;T:T;S:S;A:A;E:E;W:W;Q:Q;P:P;C:C;D:D;N:N;J:J;Y:Y;F:F;G:G;O:O;v:v;K:K";
        let plan = "M:M;R:R;T:T;S:S;A:A;E:E;W:W;Q:Q;P:P;C:C;D:D;N:N;J:J;Y:Y;F:F;G:G;O:O;v:v;U:U;K:K";
        assert_eq!(Retour::for_payment().wire(), payment);
        assert_eq!(Retour::for_plan().wire(), plan);
        assert_eq!(payment.parse(), Ok(Retour::for_payment()));
        assert_eq!(plan.parse(), Ok(Retour::for_plan()));
    }

    #[test]
    fn lists_that_would_not_be_signed_are_refused() {
        for (text, expected) in [
            ("M:M;R:R;E:E", RetourError::SignatureNotLast),
            ("M:M;R:R;K:K;E:E", RetourError::SignatureNotLast),
            ("M:M;R:R;K:K", RetourError::Incomplete),
            ("M:M;M:R;E:E;K:K", RetourError::Duplicate("M:R".to_owned())),
            ("M:M;R:R;E:E;K:K;L:K", RetourError::Duplicate("L:K".to_owned())),
            ("M:M;R:R;E:E;X:X;K:K", RetourError::UnknownLetter("X".to_owned())),
            ("M:M;R:R;E:E;Mt[]:A;K:K", RetourError::Malformed("Mt[]:A".to_owned())),
            ("M:M;R:R;E:E;K:K;", RetourError::Malformed(String::new())),
            ("", RetourError::Malformed(String::new())),
        ] {
            assert_eq!(text.parse::<Retour>(), Err(expected), "{text}");
        }
    }
}
