//! `load.html`, by which PAYBOX says whether a host may be used: the element of id `server_status` holds `OK`.
//!
//! Strict on purpose. A host out of service answers the same page with other words, a captive portal answers another, and
//! the price of not understanding is only that the other host is tried.

/// Whether the page has exactly one element of id `server_status`, whose text is exactly `OK`.
pub fn is_in_service(page: &[u8]) -> bool {
    status(&String::from_utf8_lossy(page)).is_some_and(|text| text == "OK")
}

/// The text of the one element of that id; `None` when there is none, more than one, or something unreadable.
fn status(page: &str) -> Option<&str> {
    let mut rest = page;
    let mut found = None;
    while let Some((_, after)) = rest.split_once('<') {
        rest = if let Some(comment) = after.strip_prefix("!--") {
            comment.split_once("-->")?.1
        } else if after.starts_with(['!', '/', '?']) {
            after.split_once('>')?.1
        } else {
            let tag = Tag::read(after)?;
            if tag.is_the_status && found.replace(tag.text()?).is_some() {
                return None;
            }
            // What a script holds is no page.
            if tag.name.eq_ignore_ascii_case("script") { tag.inside.split_once("</script")?.1 } else { tag.inside }
        };
    }
    found
}

/// An opening tag.
struct Tag<'a> {
    name: &'a str,
    is_the_status: bool,
    /// All that follows it.
    inside: &'a str,
}

impl<'a> Tag<'a> {
    /// Reads what follows a `<`.
    fn read(text: &'a str) -> Option<Self> {
        let (name, mut rest) =
            split_where(text, |character| character == '>' || character == '/' || is_blank(character));
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return None;
        }
        let mut id = None;
        loop {
            rest = rest.trim_start_matches(|character| character == '/' || is_blank(character));
            if let Some(inside) = rest.strip_prefix('>') {
                return Some(Self { name, is_the_status: id == Some("server_status"), inside });
            }
            let (attribute, after) = split_where(rest, |character| "=/>".contains(character) || is_blank(character));
            if attribute.is_empty() {
                return None;
            }
            let (value, after) = match after.trim_start_matches(is_blank).strip_prefix('=') {
                Some(value) => attribute_value(value.trim_start_matches(is_blank))?,
                None => ("", after),
            };
            if attribute.eq_ignore_ascii_case("id") && id.replace(value).is_some() {
                return None;
            }
            rest = after;
        }
    }

    /// The element's text, when it holds nothing else.
    fn text(&self) -> Option<&'a str> {
        let (text, end) = self.inside.split_once("</")?;
        let (name, _) = end.split_once('>')?;
        let closes = name.trim_end_matches(is_blank).eq_ignore_ascii_case(self.name);
        (closes && !text.contains('<')).then(|| text.trim_matches(is_blank))
    }
}

/// The value at the start of `text`, and what follows it.
fn attribute_value(text: &str) -> Option<(&str, &str)> {
    for quote in ['"', '\''] {
        if let Some(value) = text.strip_prefix(quote) {
            return value.split_once(quote);
        }
    }
    let (value, after) = split_where(text, |character| character == '>' || is_blank(character));
    (!value.is_empty()).then_some((value, after))
}

fn split_where(text: &str, ends: impl Fn(char) -> bool) -> (&str, &str) {
    text.find(ends).and_then(|place| text.split_at_checked(place)).unwrap_or((text, ""))
}

fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n' | '\u{c}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ok_in_the_right_place_is_in_service() {
        for (page, expected) in [
            ("<html><body><div id=\"server_status\" style=\"text-align:center;\">OK</div></body></html>", true),
            ("<!DOCTYPE html>\n<DIV class=x\n ID = 'server_status' hidden>\r\n OK\t</div >", true),
            ("<span id=server_status>OK</span>", true),
            ("<p>caf\u{e9}</p><br/><div id=\"server_status\">OK</div>", true),
            ("<div id=\"server_status\">KO</div>", false),
            ("<div id=\"server_status\">ok</div>", false),
            ("<div id=\"server_status\">OK, almost</div>", false),
            ("<div id=\"server_status\">O<!-- -->K</div>", false),
            ("<div id=\"server_status\"><b>OK</b></div>", false),
            ("<div id=\"server_status\">OK", false),
            ("<div id=\"server_status\">OK</span>", false),
            ("<div id=\"server_status\"></div>OK", false),
            ("<div id=\"server_status2\">OK</div>", false),
            ("<div data-id=\"server_status\">OK</div>", false),
            ("<div class='id=\"server_status\"'>OK</div>", false),
            ("<div title='<div id=\"server_status\">OK</div>'>KO</div>", false),
            ("<!-- <div id=\"server_status\">OK</div> -->", false),
            ("<!-- KO --><div id=\"server_status\">OK</div>", true),
            ("<script>'<div id=\"server_status\">OK</div>'</script>", false),
            ("<div id=\"server_status\">OK</div><div id=\"server_status\">KO</div>", false),
            ("<div id=\"server_status\">OK</div><div id=\"server_status\">OK</div>", false),
            ("<div id=\"server_status\" id=\"other\">OK</div>", false),
            ("<div id=\"server_status>OK</div>", false),
            ("OK", false),
            ("", false),
            ("<", false),
            ("< div id=\"server_status\">OK</div>", false),
        ] {
            assert_eq!(is_in_service(page.as_bytes()), expected, "{page}");
        }
    }

    #[test]
    fn no_beginning_of_a_page_is_in_service() {
        let page = b"<html><div id=\"server_status\">OK</div>";
        for length in 0..page.len() {
            assert!(!is_in_service(&page[..length]), "{length}");
        }
        assert!(is_in_service(page));
    }
}
