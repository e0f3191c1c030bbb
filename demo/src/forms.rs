//! Enough of HTML to do what a browser without script does: find forms, fill them in, read links. Tolerant of markup,
//! strict about nothing but what it needs.

use crate::trouble::{Outcome, Trouble};

/// A form as it would be sent untouched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) action: String,
    pub(crate) method: String,
    /// Names and values in the order of the page.
    pub(crate) fields: Vec<(String, String)>,
    /// Every option of every select.
    pub(crate) choices: Vec<(String, String)>,
    /// The named buttons; only the one pressed is sent.
    pub(crate) buttons: Vec<(String, String)>,
}

impl Form {
    /// Types `value` into the field `name`.
    pub(crate) fn fill(&mut self, name: &str, value: &str) -> Outcome<()> {
        let field = self.fields.iter_mut().find(|(known, _)| known == name);
        let (_, field) = field.ok_or_else(|| Trouble::of(format!("the form has no field {name}")))?;
        value.clone_into(field);
        Ok(())
    }

    /// Picks a radio button that may not have been picked before.
    pub(crate) fn pick(&mut self, name: &str, value: &str) {
        self.fields.retain(|(known, _)| known != name);
        self.fields.push((name.to_owned(), value.to_owned()));
    }

    /// Picks the last option of the select `name`.
    pub(crate) fn pick_last(&mut self, name: &str) -> Outcome<()> {
        let last = self.choices.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        let last = last.ok_or_else(|| Trouble::of(format!("the form has no choice {name}")))?;
        self.fill(name, &last)
    }

    pub(crate) fn has_field(&self, name: &str) -> bool {
        self.fields.iter().any(|(known, _)| known == name)
    }

    /// The body that is sent when the button of this value (or the nameless one) is pressed.
    pub(crate) fn pressed(&self, button: Option<&str>) -> Outcome<String> {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(&self.fields);
        if let Some(value) = button {
            let pressed = self.buttons.iter().find(|(_, known)| known == value);
            let (name, value) = pressed.ok_or_else(|| Trouble::of(format!("the form has no button {value}")))?;
            body.append_pair(name, value);
        }
        Ok(body.finish())
    }
}

/// Every form of a page.
pub(crate) fn forms(html: &str) -> Vec<Form> {
    let mut forms: Vec<Form> = Vec::new();
    let mut inside = false;
    let mut select = String::new();
    for tag in tags(html) {
        match tag.name.as_str() {
            "form" => {
                inside = true;
                let method = tag.attribute("method").unwrap_or("get").to_ascii_lowercase();
                let action = tag.attribute("action").unwrap_or_default().to_owned();
                forms.push(Form { action, method, ..Form::default() });
            }
            "/form" => inside = false,
            _ => {
                if let Some(form) = forms.last_mut().filter(|_| inside) {
                    control(form, &tag, &mut select);
                }
            }
        }
    }
    forms
}

fn control(form: &mut Form, tag: &Tag, select: &mut String) {
    let name = tag.attribute("name").unwrap_or_default().to_owned();
    let value = tag.attribute("value").unwrap_or_default().to_owned();
    match tag.name.as_str() {
        "input" => {
            let kind = tag.attribute("type").unwrap_or("text");
            let is_sent = match kind {
                "radio" | "checkbox" => tag.attribute("checked").is_some(),
                "submit" | "button" | "reset" => false,
                _ => true,
            };
            if !name.is_empty() && is_sent {
                form.fields.push((name, value));
            }
        }
        "button" if !name.is_empty() => form.buttons.push((name, value)),
        "select" => name.clone_into(select),
        "option" if !select.is_empty() => {
            form.choices.push((select.clone(), value.clone()));
            if tag.attribute("selected").is_some() {
                form.pick(select, &value);
            } else if !form.has_field(select) {
                form.fields.push((select.clone(), value));
            }
        }
        _ => {}
    }
}

/// The target of the link with this id.
pub(crate) fn link(html: &str, id: &str) -> Option<String> {
    let tag = tags(html).find(|tag| tag.name == "a" && tag.attribute("id") == Some(id))?;
    tag.attribute("href").map(str::to_owned)
}

/// The text of the element with this id, up to its first child or its end.
pub(crate) fn text_of(html: &str, id: &str) -> Option<String> {
    let tag = tags(html).find(|tag| tag.attribute("id") == Some(id))?;
    let rest = html.get(tag.end..)?;
    Some(unescaped(rest.split('<').next().unwrap_or_default()).trim().to_owned())
}

/// One opening or closing tag.
struct Tag {
    /// In lower case; a closing one begins with `/`.
    name: String,
    attributes: Vec<(String, String)>,
    /// Where the page goes on after it, in bytes.
    end: usize,
}

impl Tag {
    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

fn tags(html: &str) -> impl Iterator<Item = Tag> + '_ {
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = from + html.get(from..)?.find('<')?;
        let (tag, end) = tag(html, start + 1);
        from = end;
        Some(tag)
    })
}

/// Reads the tag whose inside begins at `from`, quotes respected.
fn tag(html: &str, from: usize) -> (Tag, usize) {
    let inside = html.get(from..).unwrap_or_default();
    let mut quote = None;
    let length = inside
        .char_indices()
        .find(|(_, character)| match (quote, character) {
            (Some(open), character) if open == *character => {
                quote = None;
                false
            }
            (None, '"' | '\'') => {
                quote = Some(*character);
                false
            }
            (None, '>') => true,
            (Some(_) | None, _) => false,
        })
        .map_or(inside.len(), |(at, _)| at);
    let inside = inside.get(..length).unwrap_or_default();
    let end = (from + length + 1).min(html.len());
    let (name, rest) = inside.split_once(|c: char| c.is_whitespace()).unwrap_or((inside, ""));
    let name = name.trim_end_matches('/').to_ascii_lowercase();
    (Tag { name, attributes: attributes(rest), end }, end)
}

fn attributes(text: &str) -> Vec<(String, String)> {
    let mut attributes = Vec::new();
    let mut rest = text.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
    while !rest.is_empty() {
        let size = rest.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(rest.len());
        let (name, after) = rest.split_at(size);
        let (value, after) = match after.trim_start().strip_prefix('=') {
            Some(value) => value_of(value.trim_start()),
            None => ("", after),
        };
        attributes.push((name.to_ascii_lowercase(), unescaped(value)));
        rest = after.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
    }
    attributes
}

/// A quoted or bare value, and what follows it.
fn value_of(text: &str) -> (&str, &str) {
    let quoted = text.chars().next().filter(|first| matches!(first, '"' | '\''));
    match quoted.and_then(|quote| text.get(1..)?.split_once(quote)) {
        Some((value, rest)) => (value, rest),
        None => text.split_once(|c: char| c.is_whitespace()).unwrap_or((text, "")),
    }
}

/// Text as it was before it was written into a page.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, entity)) = rest.split_once('&') {
        out.push_str(before);
        let known = entity.split_once(';').and_then(|(name, after)| Some((character(name)?, after)));
        match known {
            Some((character, after)) => {
                out.push(character);
                rest = after;
            }
            None => {
                out.push('&');
                rest = entity;
            }
        }
    }
    out.push_str(rest);
    out
}

fn character(entity: &str) -> Option<char> {
    let code = |digits: &str, radix: u32| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
    match entity {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some('\u{a0}'),
        _ => match entity.strip_prefix('#') {
            Some(number) => match number.strip_prefix(['x', 'X']) {
                Some(digits) => code(digits, 16),
                None => code(number, 10),
            },
            None => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_sent_as_a_browser_sends_it() {
        let page = r#"<p>x < y</p><form method=post action="/a?b=1&amp;c=2">
            <input type="hidden" name="xml" value="&lt;A&gt;&#34;&#x27;&amp;amp;"><input name=n value='1 > 0'>
            <input type="radio" name="r" value="1"><input type="radio" name="r" value="2" checked>
            <select name="m"><option value="01">01</option><option value="02">02</option></select>
            <button name="ACTION" value="GO">Go</button><button>x</button></form><input name="outside" value="1">"#;
        let found = forms(page);
        assert_eq!(found.len(), 1);
        let mut form = found[0].clone();
        assert_eq!((form.action.as_str(), form.method.as_str()), ("/a?b=1&c=2", "post"));
        form.pick_last("m").unwrap();
        assert_eq!(form.pressed(Some("GO")).unwrap(), "xml=%3CA%3E%22%27%26amp%3B&n=1+%3E+0&r=2&m=02&ACTION=GO");
        assert!(form.pressed(Some("STOP")).is_err());
        assert!(form.fill("outside", "1").is_err());
    }

    #[test]
    fn texts_and_links_are_found_by_id() {
        let page = r#"<b id="code">12&nbsp;3</b><a class="x" id="back" href="http://h/?a=1&amp;b=%2B">Retour</a>"#;
        assert_eq!(text_of(page, "code").unwrap(), "12\u{a0}3");
        assert_eq!(link(page, "back").unwrap(), "http://h/?a=1&b=%2B");
        assert_eq!(link(page, "code"), None);
    }

    #[test]
    fn broken_markup_ends() {
        for page in ["<", "<form", "<form action=\"", "<a b=", "&", "<a =\"x\"", "<form><input name='é"] {
            let _ = (forms(page), link(page, "x"), unescaped(page));
        }
    }
}
