//! The accounting office's files: PAYBOX's operations and the bank's statement are brought, and what does not agree with the
//! ledger is settled by a click.

use hyper::{Request, StatusCode, body::Incoming, header};

use super::{
    Portal,
    accounting::{Refused, field, refused},
    pages::{Frame, Statements},
    parameter,
    serve::{Page, bytes, form, html, see_other},
    visitor::Visitor,
};
use crate::{
    check,
    client::Answer,
    configuration::{ECOLE, SITE},
    document::Document,
    gateway::Idempotency,
    trouble::Outcome,
};
use serde_json::json;

pub(super) const STATEMENTS: &str = "/comptabilite/releves";
/// The largest file with what a form puts around it, in bytes; the gateway takes 1 MiB.
const FILE_MAX_BYTES: usize = 1_100_000;

impl Portal {
    /// The files that were brought, and the drifts of the one that is looked at.
    pub(super) async fn statements(&self, visitor: &Visitor, query: &str) -> Outcome<Page> {
        self.statements_after(visitor, parameter(query, "fichier").as_deref(), None).await
    }

    async fn statements_after(
        &self,
        visitor: &Visitor,
        import: Option<&str>,
        refused: Option<&Refused>,
    ) -> Outcome<Page> {
        let import = import.filter(|id| is_plain(id));
        let here = import.map_or(STATEMENTS.to_owned(), |id| format!("{STATEMENTS}?fichier={id}"));
        let frame = Frame { visitor, here: &here };
        if visitor.clerk.is_empty() {
            return Ok(html(StatusCode::OK, frame.who_is_there()));
        }
        let office = self.office_of(visitor);
        let imports = office.get(&format!("/v1/imports?merchant={}", ECOLE.id)).await?.json_if(200)?;
        let drifts = match import {
            Some(id) => office.get(&format!("/v1/imports/{id}/drifts?limit=200")).await?,
            None => return self.shown(&frame, check::list(&imports, "/items")?, None, refused),
        };
        let drifts = if drifts.status == 404 { None } else { Some((import.unwrap_or_default(), drifts.json_if(200)?)) };
        self.shown(&frame, check::list(&imports, "/items")?, drifts, refused)
    }

    fn shown(
        &self,
        frame: &Frame<'_>,
        imports: &[serde_json::Value],
        drifts: Option<(&str, serde_json::Value)>,
        refused: Option<&Refused>,
    ) -> Outcome<Page> {
        let file = |name: &str| format!("{}/files/{name}.csv?site={SITE}&rang={}", self.manage, ECOLE.rang);
        let content = Statements {
            operations: file("operations"),
            remittances: file("remittances"),
            imports: imports.to_vec(),
            drifts: drifts.map(|(id, drifts)| (id.to_owned(), drifts)),
        };
        let status = refused.map_or(StatusCode::OK, |refused| refused.status);
        Ok(html(status, frame.statements(&content, refused.map(|refused| refused.why.as_str()))))
    }

    /// A file as a browser sends it.
    pub(super) async fn bring(&self, visitor: &Visitor, request: Request<Incoming>) -> Outcome<Page> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or_default().to_owned();
        let body = bytes(request.into_body(), FILE_MAX_BYTES).await?;
        if visitor.clerk.is_empty() {
            return Ok(see_other(STATEMENTS));
        }
        let which = part(&kind, &body, "sorte").unwrap_or_default();
        let which = if which == b"remittances" { "remittances" } else { "operations" };
        let file = part(&kind, &body, "fichier").unwrap_or_default();
        let path = format!("/v1/imports?merchant={}&file={which}", ECOLE.id);
        let answer = self.office_of(visitor).post_file(&path, "text/csv", file).await?;
        let document = answer.json()?;
        match answer.status {
            200 | 201 => Ok(see_other(&format!("{STATEMENTS}?fichier={}", document.said("/id")))),
            _ => self.statements_after(visitor, None, Some(&refused(&answer)?)).await,
        }
    }

    /// One drift is settled.
    pub(super) async fn settle_drift(
        &self,
        visitor: &Visitor,
        (import, drift): (&str, &str),
        body: Incoming,
    ) -> Outcome<Page> {
        let form = form(body).await?;
        if visitor.clerk.is_empty() || !is_plain(import) || !drift.bytes().all(|byte| byte == b'.' || is_name(byte)) {
            return Ok(see_other(STATEMENTS));
        }
        let entry = json!({"entry": field(&form, "ecriture"), "reason": field(&form, "motif")}).to_string();
        let path = format!("/v1/imports/{import}/drifts/{drift}/journal");
        let answer: Answer = self.office_of(visitor).post(&path, Idempotency::Fresh, &entry).await?;
        if answer.status == 200 {
            return Ok(see_other(&format!("{STATEMENTS}?fichier={import}")));
        }
        self.statements_after(visitor, Some(import), Some(&refused(&answer)?)).await
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn is_plain(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(is_name)
}

/// The content of one part of a `multipart/form-data` body.
fn part<'a>(kind: &str, body: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let boundary = kind.split(';').find_map(|each| each.trim().strip_prefix("boundary="))?;
    let boundary = format!("--{}", boundary.trim_matches('"'));
    let wanted = format!("name=\"{name}\"");
    let mut rest = body;
    while let Some(start) = find(rest, boundary.as_bytes()) {
        let after = rest.get(start + boundary.len()..)?;
        let end = find(after, boundary.as_bytes()).unwrap_or(after.len());
        let one = after.get(..end)?;
        let head = find(one, b"\r\n\r\n")?;
        let is_it = find(one.get(..head)?, wanted.as_bytes()).is_some();
        if is_it {
            return one.get(head + 4..)?.strip_suffix(b"\r\n");
        }
        rest = after.get(end..)?;
    }
    None
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_taken_out_of_its_form() {
        let body = b"--x1\r\nContent-Disposition: form-data; name=\"sorte\"\r\n\r\nremittances\r\n\
            --x1\r\nContent-Disposition: form-data; name=\"fichier\"; filename=\"a.csv\"\r\nContent-Type: text/csv\r\n\r\n\
            a;b\r\n\xe9;2\r\n\r\n--x1--\r\n";
        for (kind, name, expected) in [
            ("multipart/form-data; boundary=x1", "sorte", Some(&b"remittances"[..])),
            ("multipart/form-data; boundary=\"x1\"", "fichier", Some(&b"a;b\r\n\xe9;2\r\n"[..])),
            ("multipart/form-data; boundary=x1", "autre", None),
            ("multipart/form-data; boundary=x2", "sorte", None),
            ("application/x-www-form-urlencoded", "sorte", None),
        ] {
            assert_eq!(part(kind, body, name), expected, "{kind} {name}");
        }
        assert_eq!(part("multipart/form-data; boundary=x1", b"--x1", "sorte"), None);
    }
}
