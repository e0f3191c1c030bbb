//! The management port, apart from the protocol: what the bank knows, what it was asked, and how it shall misbehave.
//! JSON in, JSON out; see the README for every route.

use crate::cards::TEST_CARDS;
use crate::faults::{Chaos, Script};
use crate::files;
use crate::http::{Reply, csv, json, text};
use crate::outcomes::Scripted;
use crate::wire::form::{Fields, returned_value, signature_value};
use crate::world::Sandbox;
use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json as value};
use std::fmt::Display;

/// Why a request was refused: 400 and a sentence.
struct Refused(String);

impl<E: Display> From<E> for Refused {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ToSign {
    message: String,
    /// The parameter that carries the signature.
    #[serde(default = "signature_name")]
    name: String,
}

fn signature_name() -> String {
    "K".to_owned()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockSetting {
    /// Absent or null goes back to the machine's time.
    #[serde(default)]
    now: Option<Timestamp>,
}

/// Answers one request of the management port.
pub async fn answer(sandbox: &Sandbox, request: Request<Incoming>) -> Response<Reply> {
    let (parts, body) = request.into_parts();
    let Some(body) = text(body).await else {
        return json(StatusCode::BAD_REQUEST, &value!({"error": "the body is not UTF-8 or too long"}));
    };
    let query = Fields::parse(parts.uri.query().unwrap_or_default()).unwrap_or_default();
    if let ("GET", Some(file)) = (parts.method.as_str(), parts.uri.path().strip_prefix("/files/")) {
        sandbox.world().catch_up();
        return match files::write(&sandbox.world().ledger, file, &query) {
            Some(Ok(table)) => csv(table),
            Some(Err(why)) => json(StatusCode::BAD_REQUEST, &value!({"error": why})),
            None => json(StatusCode::NOT_FOUND, &value!({"error": "no such route"})),
        };
    }
    let result = route(sandbox, &parts.method, parts.uri.path(), &query, &body);
    match result {
        Some(Ok(answer)) => json(StatusCode::OK, &answer),
        Some(Err(Refused(why))) => json(StatusCode::BAD_REQUEST, &value!({"error": why})),
        None => json(StatusCode::NOT_FOUND, &value!({"error": "no such route"})),
    }
}

fn route(sandbox: &Sandbox, method: &Method, path: &str, query: &Fields, body: &str) -> Option<Result<Value, Refused>> {
    let prefix = query.text("reference_prefix");
    sandbox.world().catch_up();
    match (method.as_str(), path) {
        ("GET", "/health") => Some(Ok(value!({"status": "ok"}))),
        ("GET", "/ledger") => Some(Ok(ledger(sandbox, prefix))),
        ("GET", "/calls") => Some(Ok(calls(sandbox, prefix))),
        ("GET", "/notifications") => Some(Ok(notifications(sandbox, prefix))),
        ("GET", "/subscribers") => Some(Ok(subscribers(sandbox, query.text("refabonne_prefix")))),
        ("GET", "/cards") => Some(Ok(value!({"cards": TEST_CARDS}))),
        ("GET", "/pages") => Some(Ok(pages(sandbox))),
        ("GET", "/faults") => Some(Ok(faults(sandbox))),
        ("POST", "/faults") => Some(arm(sandbox, body)),
        ("DELETE", "/faults") => {
            sandbox.world().faults.clear();
            Some(Ok(faults(sandbox)))
        }
        ("GET", "/scripts") => Some(Ok(scripts(sandbox))),
        ("POST", "/scripts") => Some(script(sandbox, body)),
        ("DELETE", "/scripts") => {
            sandbox.world().outcomes.clear();
            Some(Ok(scripts(sandbox)))
        }
        ("POST", "/chaos") => Some(chaos(sandbox, body)),
        ("GET", "/switches") => Some(switches(sandbox)),
        ("POST", "/switches") => Some(switch(sandbox, body)),
        ("GET", "/clock") => Some(Ok(clock(sandbox))),
        ("POST", "/clock") => Some(set_clock(sandbox, body)),
        ("POST", "/sign") => Some(sign(sandbox, body)),
        ("POST", "/settle") => {
            let mut world = sandbox.world();
            let now = world.clock.now();
            let settlement = world.ledger.settle(now);
            Some(Ok(value!({"remise": settlement.remise, "settled": settlement.count})))
        }
        ("POST", "/reset") => {
            sandbox.reset();
            Some(Ok(value!({"status": "reset"})))
        }
        _ => None,
    }
}

fn read<T: DeserializeOwned>(body: &str) -> Result<T, Refused> {
    Ok(serde_json::from_str(if body.trim().is_empty() { "{}" } else { body })?)
}

fn ledger(sandbox: &Sandbox, prefix: &str) -> Value {
    let world = sandbox.world();
    let operations: Vec<_> =
        world.ledger.entries().filter(|entry| entry.operation.reference.starts_with(prefix)).collect();
    let totals = world.ledger.totals(|operation| operation.reference.starts_with(prefix));
    value!({"operations": operations, "totals": totals})
}

/// Every stored card, without its token.
fn subscribers(sandbox: &Sandbox, prefix: &str) -> Value {
    let world = sandbox.world();
    let subscribers: Vec<Value> = world
        .subscribers
        .iter()
        .filter(|(_, refabonne, _)| refabonne.starts_with(prefix))
        .map(|(merchant, refabonne, subscriber)| {
            value!({
                "site": merchant.site,
                "rang": merchant.rang,
                "refabonne": refabonne,
                "token": subscriber.masked_token(),
                "expiry_aamm": subscriber.card.expiry_aamm,
                "card_type": subscriber.card.issuer.card_type,
                "card_last2": subscriber.card.last2,
                "registered_by": subscriber.registered_by,
                "registered_at": subscriber.registered_at,
                "numtrans": subscriber.numtrans,
            })
        })
        .collect();
    value!({"subscribers": subscribers})
}

fn scripts(sandbox: &Sandbox) -> Value {
    value!({"scripts": sandbox.world().outcomes.list()})
}

fn script(sandbox: &Sandbox, body: &str) -> Result<Value, Refused> {
    let scripted: Scripted = serde_json::from_str(body)?;
    let script = sandbox.world().outcomes.add(scripted)?;
    Ok(serde_json::to_value(script)?)
}

fn calls(sandbox: &Sandbox, prefix: &str) -> Value {
    let world = sandbox.world();
    let calls: Vec<_> = world.journal.calls.iter().filter(|call| call.reference.starts_with(prefix)).collect();
    value!({"calls": calls})
}

fn notifications(sandbox: &Sandbox, prefix: &str) -> Value {
    let world = sandbox.world();
    let entries: Vec<_> =
        world.journal.notifications.iter().filter(|entry| entry.reference.starts_with(prefix)).collect();
    value!({"notifications": entries})
}

fn pages(sandbox: &Sandbox) -> Value {
    let world = sandbox.world();
    let pages: Vec<Value> = world
        .pages
        .iter()
        .map(|(id, session)| {
            value!({
                "id": id,
                "reference": session.request.cmd,
                "amount": session.request.total,
                "numappel": session.numappel,
                "stage": session.stage.name(),
                "tries": session.tries,
                "closes_at": session.closes_at,
            })
        })
        .collect();
    value!({"pages": pages})
}

fn faults(sandbox: &Sandbox) -> Value {
    let world = sandbox.world();
    value!({"faults": world.faults.list(), "chaos": world.faults.chaos()})
}

fn arm(sandbox: &Sandbox, body: &str) -> Result<Value, Refused> {
    let script: Script = serde_json::from_str(body)?;
    let armed = sandbox.world().faults.arm(script)?;
    Ok(serde_json::to_value(armed)?)
}

fn chaos(sandbox: &Sandbox, body: &str) -> Result<Value, Refused> {
    let chaos: Chaos = read(body)?;
    sandbox.world().faults.set_chaos(Some(chaos));
    Ok(faults(sandbox))
}

fn switches(sandbox: &Sandbox) -> Result<Value, Refused> {
    Ok(serde_json::to_value(&sandbox.world().switches)?)
}

fn switch(sandbox: &Sandbox, body: &str) -> Result<Value, Refused> {
    let changes: Map<String, Value> = read(body)?;
    {
        let mut world = sandbox.world();
        let changed = world.switches.changed(&changes)?;
        world.switches = changed;
    }
    switches(sandbox)
}

fn clock(sandbox: &Sandbox) -> Value {
    let world = sandbox.world();
    value!({"now": world.clock.now(), "paris": world.clock.paris().strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()})
}

fn set_clock(sandbox: &Sandbox, body: &str) -> Result<Value, Refused> {
    let setting: ClockSetting = read(body)?;
    {
        let mut world = sandbox.world();
        world.clock.set(setting.now);
        world.catch_up();
    }
    Ok(clock(sandbox))
}

/// Signs any string with PAYBOX's key. Real attackers have the same power: a browser return signs whatever stands in
/// the merchant's URL, so a valid signature alone proves little.
fn sign(sandbox: &Sandbox, body: &str) -> Result<Value, Refused> {
    let wanted: ToSign = serde_json::from_str(body)?;
    let signature = sandbox.bank_key.sign(&wanted.message)?;
    let name = returned_value(&wanted.name);
    let query = format!("{}&{name}={}", wanted.message, signature_value(&signature));
    Ok(value!({"signature": signature, "query": query}))
}
