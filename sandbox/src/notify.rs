//! Notifications (IPN): PAYBOX calls the merchant as soon as a try concludes, once, within a deadline, and believes
//! only a 2xx. It never follows a redirect and never tries again.

use crate::faults::{Action, Event, Host, Script, Target};
use crate::journal::Notification;
use crate::page::formats::is_loopback;
use crate::page::request::Method;
use crate::page::retour::{Facts, appended};
use crate::page::session::Attempt;
use crate::world::Sandbox;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::{Request, header};
use hyper_util::rt::TokioIo;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use url::Url;

/// Largest answer of a merchant that is read, in bytes.
const ANSWER_MAX_BYTES: usize = 65_536;

/// How long a reversed notification waits for another one, in milliseconds, unless the fault says otherwise.
const REVERSE_WAIT_DEFAULT_MS: u64 = 30_000;

/// One call ready to be made, as often as a fault wants.
#[derive(Debug, Clone)]
struct Call {
    id: u64,
    method: Method,
    url: String,
    body: String,
}

/// Starts the notification of the page's present state in the background.
pub fn announce(sandbox: &Arc<Sandbox>, host: Host, page: &str, attempt: Option<&Attempt>, code: &str) {
    let prepared = prepare(sandbox, host, page, attempt, code);
    if let Some((call, script)) = prepared {
        let sandbox = Arc::clone(sandbox);
        tokio::spawn(async move { deliver(&sandbox, call, script).await });
    }
}

fn prepare(
    sandbox: &Sandbox,
    host: Host,
    page: &str,
    attempt: Option<&Attempt>,
    code: &str,
) -> Option<(Call, Option<Script>)> {
    let mut world = sandbox.world();
    let at = world.clock.paris();
    let session = world.pages.get(page)?;
    let request = &session.request;
    let base = request.notification_url.clone()?;
    let method = request.notification_method;
    let reference = request.cmd.clone();
    let subscriber = request.refabonne.clone().unwrap_or_default();
    let facts = Facts { request, numappel: session.numappel, attempt, code, at: &at };
    // Only the PBX_RETOUR part is signed, unless the URL counts as set in the back office.
    let own = base.split_once('?').map_or("", |(_, query)| query).to_owned();
    let signed_before = if world.switches.ipn_set_in_back_office { own.as_str() } else { "" };
    let mut facts = facts.on_the_wire(signed_before, &world.switches, &sandbox.bank_key).ok()?;
    let event = Event { target: Target::Ipn, host, kind: code, reference: &reference, subscriber: &subscriber };
    let script = world.faults.strike(&event);
    let fault = script.as_ref().map(|script| script.action);
    if fault == Some(Action::BadSignature) {
        facts = spoiled(&facts);
    }
    let (url, body) = match method {
        Method::Get => (appended(&base, &facts), String::new()),
        Method::Post => (base, facts),
    };
    let id = world.journal.announce(Notification {
        id: 0,
        method: match method {
            Method::Get => "GET",
            Method::Post => "POST",
        },
        url: url.clone(),
        body: body.clone(),
        reference,
        numtrans: attempt.map_or(0, |attempt| attempt.numtrans),
        code: code.to_owned(),
        status: None,
        error: None,
        fault,
        at: at.timestamp(),
        done: false,
    });
    Some((Call { id, method, url, body }, script))
}

/// The last value with one character of it changed.
fn spoiled(facts: &str) -> String {
    let (head, value) = facts.rsplit_once('=').unwrap_or(("", facts));
    let changed = if value.starts_with('A') { "B" } else { "A" };
    format!("{head}={changed}{}", value.get(1..).unwrap_or_default())
}

async fn deliver(sandbox: &Sandbox, call: Call, script: Option<Script>) {
    let action = script.as_ref().map(|script| script.action);
    let wait_ms = script.as_ref().map_or(0, |script| script.ms);
    if action == Some(Action::Lose) {
        sandbox.log.line(&format!("ipn {}: lost on purpose", call.id));
        sandbox.world().journal.update(call.id, |entry| {
            entry.error = Some("lost on purpose".into());
            entry.done = true;
        });
        return;
    }
    if action == Some(Action::Reverse) {
        hold(sandbox, wait_ms).await;
    }
    if action == Some(Action::Delay) {
        tokio::time::sleep(Duration::from_millis(wait_ms)).await;
    }
    send(sandbox, &call).await;
    if action == Some(Action::Double) {
        tokio::time::sleep(Duration::from_millis(wait_ms)).await;
        send(sandbox, &call).await;
    }
    let mut world = sandbox.world();
    world.journal.update(call.id, |entry| entry.done = true);
    if action != Some(Action::Reverse) {
        for held in world.held.drain(..) {
            held.notify_one();
        }
    }
}

/// Waits until the next notification has gone.
async fn hold(sandbox: &Sandbox, ms: u64) {
    let released = Arc::new(Notify::new());
    sandbox.world().held.push(Arc::clone(&released));
    let wait = Duration::from_millis(if ms == 0 { REVERSE_WAIT_DEFAULT_MS } else { ms });
    let _ = tokio::time::timeout(wait, released.notified()).await;
}

/// One call, with its end written in the journal.
async fn send(sandbox: &Sandbox, call: &Call) {
    let deadline = Duration::from_millis(sandbox.world().switches.ipn_timeout_ms);
    let result = tokio::time::timeout(deadline, exchange(call)).await;
    let (status, error) = match result {
        Ok(Ok(status)) => (Some(status), None),
        Ok(Err(error)) => (None, Some(error)),
        Err(_) => (None, Some(format!("Operation timed out after {} milliseconds", deadline.as_millis()))),
    };
    let taken = status.is_some_and(|status| (200..300).contains(&status));
    sandbox.log.line(&format!(
        "ipn {}: {}{}",
        call.id,
        status.map_or_else(|| error.clone().unwrap_or_default(), |status| format!("HTTP {status}")),
        if taken { "" } else { " — PAYBOX: WARNING!!" }
    ));
    sandbox.world().journal.update(call.id, |entry| {
        entry.status = status;
        entry.error = error;
    });
}

async fn exchange(call: &Call) -> Result<u16, String> {
    let url = Url::parse(&call.url).map_err(|error| error.to_string())?;
    if !is_loopback(&url) {
        return Err("not a loopback address".into());
    }
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = url.port_or_known_default().unwrap_or(80);
    let stream = TcpStream::connect((host.as_str(), port)).await.map_err(|error| error.to_string())?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    let driver = tokio::spawn(connection);
    // The target is cut out of the text as it is: parsing it again could rewrite what was signed.
    let target = path_and_query(&call.url);
    let authority = format!("{}:{port}", url.host_str().unwrap_or_default());
    let request = Request::builder().uri(target).header(header::HOST, authority).header(header::USER_AGENT, "PAYBOX");
    let request = match call.method {
        Method::Get => request.method("GET").body(Full::new(Bytes::new())),
        Method::Post => request
            .method("POST")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Full::new(Bytes::from(call.body.clone()))),
    };
    let request = request.map_err(|error| error.to_string())?;
    let answer = sender.send_request(request).await.map_err(|error| error.to_string());
    let result = match answer {
        Ok(answer) => {
            let status = answer.status().as_u16();
            let read = Limited::new(answer.into_body(), ANSWER_MAX_BYTES).collect().await;
            read.map(|_| status).map_err(|error| error.to_string())
        }
        Err(error) => Err(error),
    };
    driver.abort();
    result
}

/// What follows the authority of an absolute URL.
fn path_and_query(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    match rest.find(['/', '?']) {
        Some(at) if rest.as_bytes().get(at) == Some(&b'?') => format!("/{}", rest.get(at..).unwrap_or_default()),
        Some(at) => rest.get(at..).unwrap_or("/").to_owned(),
        None => "/".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_is_the_text_of_the_url() {
        for (url, target) in [
            ("http://127.0.0.1:80/ipn?a=1&K=x%2B", "/ipn?a=1&K=x%2B"),
            ("http://localhost?a=1", "/?a=1"),
            ("http://localhost", "/"),
        ] {
            assert_eq!(path_and_query(url), target);
        }
    }
}
