//! What a URL carries: the order in its path, the parameters after it.

use axum::http::{HeaderMap, header};

use jiff::civil::Date;

use super::{
    problem::{Code, Problem},
    single,
};
use crate::domain::ids::OrderId;

/// The longest value of a parameter, in characters.
const MAX_VALUE: usize = 200;

/// An order's id in a path; what is none names nothing.
pub(super) fn order_id(raw: &str) -> Result<OrderId, Problem> {
    raw.parse().map_err(|_| Problem::of(Code::NotFound))
}

/// `20YY-MM-DD`, and nothing else that could be read as a day.
pub(super) fn day(text: &str) -> Option<Date> {
    let fits = text.len() == 10
        && text.bytes().zip(*b"20dd-dd-dd").all(|(byte, form)| match form {
            b'd' => byte.is_ascii_digit(),
            _ => byte == form,
        });
    text.parse().ok().filter(|_| fits)
}

/// The version that the caller looked at, when `If-Match` names one: `"3"`, as `ETag` gave it.
pub(super) fn if_match(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let version = |value: &str| value.strip_prefix('"')?.strip_suffix('"')?.parse().ok();
    single(headers, &header::IF_MATCH)?
        .filter(|value| *value != "*")
        .map(|value| version(value).ok_or_else(|| Problem::header(Code::MalformedRequest, &header::IF_MATCH)))
        .transpose()
}

/// The parameters of a URL, each known and there once.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn parse(raw: Option<&str>, known: &[&str]) -> Result<Self, Problem> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(raw.unwrap_or_default().as_bytes()) {
            let is_double = pairs.iter().any(|(other, _)| *other == name);
            let fits = known.contains(&name.as_ref()) && !is_double && value.chars().count() <= MAX_VALUE;
            if !fits || value.chars().any(char::is_control) {
                return Err(Problem::parameter(&name));
            }
            pairs.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(pairs))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// `limit`, from 1 to `max`; `max` when it is not given.
    pub(super) fn limit(&self, max: usize) -> Result<usize, Problem> {
        match self.get("limit").map(str::parse::<usize>) {
            None => Ok(max),
            Some(Ok(limit)) if (1..=max).contains(&limit) => Ok(limit),
            Some(_) => Err(Problem::parameter("limit")),
        }
    }
}
