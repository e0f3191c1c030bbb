//! How our values are written in keys and texts of the server.

use std::borrow::Cow;

use jiff::Timestamp;

use crate::{
    adapters::kept::{self, name},
    ports::{Answer, Callback, FeedItem, Key},
};

use super::scripts::{Reply, strange};

/// `text` without the colon that separates it from the next.
pub(super) fn escape(text: &str) -> Cow<'_, str> {
    if text.contains([':', '%']) {
        Cow::Owned(text.replace('%', "%25").replace(':', "%3A"))
    } else {
        Cow::Borrowed(text)
    }
}

/// What [`escape`] wrote.
pub(super) fn unescape(text: &str) -> String {
    if text.contains('%') { text.replace("%3A", ":").replace("%25", "%") } else { text.to_owned() }
}

/// What keys of this kind of the merchant begin with, behind what they are for.
pub(super) fn of(merchant: &str, kind: &str) -> String {
    format!("{}:{}:", escape(merchant), escape(kind))
}

/// An instant in sixteen characters that sort as instants do.
pub(super) fn sorted(micros: i64) -> String {
    format!("{:016x}", micros.cast_unsigned() ^ (1 << 63))
}

/// What [`sorted`] wrote, if anything did.
pub(super) fn from_sorted(text: &str) -> Result<Option<Timestamp>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let micros = u64::from_str_radix(text, 16).map_err(|_| strange())?;
    kept::instant((micros ^ (1 << 63)).cast_signed()).map(Some).ok_or_else(strange)
}

/// Labels as one text, in an order of their own, each once.
pub(super) fn packed(labels: &[(&'static str, String)]) -> String {
    let mut labels: Vec<String> =
        labels.iter().map(|(name, value)| format!("{}:{}:", escape(name), escape(value))).collect();
    labels.sort_unstable();
    labels.dedup();
    labels.concat()
}

/// What [`packed`] wrote, in order.
pub(super) fn unpacked(packed: &str) -> Result<Vec<(&'static str, String)>, String> {
    let mut labels = Vec::new();
    let mut parts = packed.split(':').map(unescape);
    while let Some(first) = parts.next().filter(|first| !first.is_empty()) {
        labels.push((name(first), parts.next().ok_or_else(strange)?));
    }
    labels.sort_unstable();
    Ok(labels)
}

/// A member of what is due: when, and who.
pub(super) fn due(member: &str) -> Result<Key, String> {
    let mut parts = member.splitn(4, ':').skip(1);
    match (parts.next(), parts.next(), parts.next()) {
        (Some(merchant), Some(kind), Some(id)) => {
            Ok(Key { merchant: unescape(merchant), kind: name(unescape(kind)), id: id.to_owned() })
        }
        _ => Err(strange()),
    }
}

pub(super) fn feed_item(mut item: Reply) -> Result<FeedItem, String> {
    let position = item.number()?;
    let (merchant, kind, id) = (unescape(&item.text()?), name(unescape(&item.text()?)), item.text()?);
    Ok(FeedItem { position, key: Key { merchant, kind, id }, version: item.number()?, event: item.text()? })
}

/// An answer as one text: what is known of it, and behind the last colon its bytes.
pub(super) fn pack_answer(answer: &Answer) -> Vec<u8> {
    let version = answer.version.map(|version| version.to_string()).unwrap_or_default();
    let given_at = kept::micros(answer.given_at);
    let header = format!("{}:{version}:{given_at}:{}:", answer.status, escape(&answer.fingerprint));
    [header.as_bytes(), &answer.sealed].concat()
}

pub(super) fn unpack_answer(key: &str, packed: &[u8]) -> Result<Answer, String> {
    let mut parts = packed.splitn(5, |byte| *byte == b':');
    let mut text = || parts.next().and_then(|part| std::str::from_utf8(part).ok()).ok_or_else(strange);
    let (status, version, given_at, fingerprint) = (text()?, text()?, text()?, text()?);
    let version = if version.is_empty() { None } else { Some(version.parse().map_err(|_| strange())?) };
    Ok(Answer {
        key: key.to_owned(),
        fingerprint: unescape(fingerprint),
        status: status.parse().map_err(|_| strange())?,
        version,
        given_at: instant(given_at)?,
        sealed: parts.next().ok_or_else(strange)?.to_vec(),
    })
}

/// What is known of a callback, as one text. A reason or an order that is there begins with `=`.
pub(super) fn header(callback: &Callback) -> String {
    let maybe = |text: &Option<String>| text.as_ref().map(|text| format!("={}", escape(text))).unwrap_or_default();
    let (reason, order) = (maybe(&callback.reason), maybe(&callback.order));
    format!("{}:{}:{reason}:{order}", kept::micros(callback.received_at), escape(callback.verdict))
}

pub(super) fn callback(merchant: &str, header: &str, sealed: Vec<u8>) -> Result<Callback, String> {
    let mut parts = header.split(':');
    let mut text = || parts.next().ok_or_else(strange);
    let (received_at, verdict, reason, order) = (text()?, text()?, text()?, text()?);
    let maybe = |text: &str| text.strip_prefix('=').map(unescape);
    Ok(Callback {
        merchant: merchant.to_owned(),
        received_at: instant(received_at)?,
        verdict: name(unescape(verdict)),
        reason: maybe(reason),
        order: maybe(order),
        sealed,
    })
}

fn instant(micros: &str) -> Result<Timestamp, String> {
    micros.parse().ok().and_then(kept::instant).ok_or_else(strange)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_escaped_comes_back_and_has_no_colon() {
        for text in ["", "a", ":", "%", "%3A", "%253A", "a:b%:", "}\0é"] {
            assert_eq!(unescape(&escape(text)), text);
            assert!(!escape(text).contains(':'));
        }
        assert_ne!(of("a:b", "c"), of("a", "b:c"));
    }

    #[test]
    fn instants_sort_as_texts() {
        let instants = [i64::MIN, -1, 0, 1, 1_800_000_000_000_000, i64::MAX].map(sorted);
        assert!(instants.is_sorted() && instants.iter().all(|text| text.len() == 16));
    }
}
