//! Who is looking. Nobody signs in to a demo: each browser is a student of its own, under a number kept in a cookie, and
//! whoever knows an order's unguessable id is its student. A real portal knows its students.

use hyper::{HeaderMap, header};
use url::form_urlencoded;

use super::words::Language;
use crate::{random, trouble::Outcome};

const STUDENT: &str = "etudiant";
const LANGUAGE: &str = "langue";
const CLERK: &str = "agent";
const DESK: &str = "poste";
/// The longest name of a person that the gateway takes, in characters.
const MAX_NAME: usize = 100;
/// The demo is over long before, in seconds.
const COOKIE_MAX_AGE: u32 = 86_400;

/// A student at a browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Visitor {
    /// The school's number of the student: the payer's reference in all that is ordered.
    pub(super) student: String,
    pub(super) language: Language,
    /// The name under which this browser acts at the accounting office; empty before it gave one.
    pub(super) clerk: String,
    /// The office's desk that this browser stands on.
    pub(super) desk: Desk,
}

/// A desk of the accounting office, with an API key of its own: two people decide at two desks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Desk {
    #[default]
    First,
    Second,
}

impl Desk {
    pub(super) const ALL: [Self; 2] = [Self::First, Self::Second];

    pub(super) fn of(number: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|desk| desk.number() == number)
    }

    pub(super) fn number(self) -> &'static str {
        match self {
            Self::First => "1",
            Self::Second => "2",
        }
    }
}

impl Visitor {
    /// Whoever the cookies say; a student that nobody has seen before where they say nothing.
    pub(super) fn of(headers: &HeaderMap) -> Outcome<Self> {
        let student = match cookie(headers, STUDENT).filter(|number| is_student(number)) {
            Some(number) => number.to_owned(),
            None => new_student()?,
        };
        let language = cookie(headers, LANGUAGE).and_then(Language::of).unwrap_or_default();
        let clerk = cookie(headers, CLERK).map(decoded).unwrap_or_default();
        let desk = cookie(headers, DESK).and_then(Desk::of).unwrap_or_default();
        Ok(Self { student, language, clerk, desk })
    }

    /// The cookies that make the next request come from the same student.
    pub(super) fn cookies(&self) -> [String; 4] {
        let clerk: String = form_urlencoded::byte_serialize(self.clerk.as_bytes()).collect();
        [
            (STUDENT, self.student.as_str()),
            (LANGUAGE, self.language.letters()),
            (CLERK, &clerk),
            (DESK, self.desk.number()),
        ]
        .map(|(name, value)| format!("{name}={value}; Path=/; Max-Age={COOKIE_MAX_AGE}; HttpOnly; SameSite=Lax"))
    }
}

/// A student's number that was never used: `E26` and six hexadecimal digits.
pub(super) fn new_student() -> Outcome<String> {
    Ok(format!("E26{}", random::hex(3)?.to_uppercase()))
}

/// Whether a number has the form of those given here.
fn is_student(number: &str) -> bool {
    let digits = number.strip_prefix("E26").unwrap_or_default();
    digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A name as somebody typed it, fit for a header.
pub(super) fn name_of(typed: &str) -> String {
    let name: String = typed.chars().filter(|character| !character.is_control()).take(MAX_NAME).collect();
    name.trim().to_owned()
}

fn decoded(cookie: &str) -> String {
    let parts = form_urlencoded::parse(cookie.as_bytes()).next();
    parts.map(|(name, _)| name_of(&name)).unwrap_or_default()
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_their_cookie() {
        for (typed, name) in [(" Jeanne Éluard\n", "Jeanne Éluard"), ("A=b&c;d", "A=b&c;d"), ("", ""), ("\r\n", "")] {
            let visitor = Visitor {
                student: "E26ABCDEF".to_owned(),
                language: Language::French,
                clerk: name_of(typed),
                desk: Desk::Second,
            };
            let mut headers = HeaderMap::new();
            for cookie in visitor.cookies() {
                let pair = cookie.split(';').next().expect("a cookie");
                headers.append(header::COOKIE, pair.parse().expect("a header"));
            }
            let seen = Visitor::of(&headers).expect("a visitor");
            assert_eq!((seen.clerk.as_str(), &seen.student), (name, &visitor.student), "{typed:?}");
            assert_eq!(seen.desk, Desk::Second);
        }
    }

    #[test]
    fn students_are_known_again_and_nothing_else_is_taken_for_one() {
        for (line, student, language) in [
            ("etudiant=E2600FF1A; langue=en", Some("E2600FF1A"), Language::English),
            ("langue=de; autre=1; etudiant=E26ABCDEF", Some("E26ABCDEF"), Language::French),
            ("etudiant=<script>", None, Language::French),
            ("etudiant=E26ABCDEF0", None, Language::French),
            ("", None, Language::French),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, line.parse().expect("a header"));
            let visitor = Visitor::of(&headers).expect("a visitor");
            assert!(is_student(&visitor.student), "{line}");
            assert!(student.is_none_or(|student| visitor.student == student), "{line}");
            assert_eq!(visitor.language, language, "{line}");
        }
    }
}
