//! One question over HTTP, with the misbehaviour that a test scripted for it. The operation runs in its own task: a
//! client that hangs up changes nothing, as at a real bank.

use crate::direct::answer::{Answer, Echo};
use crate::direct::{question, rules};
use crate::faults::{Action, Event, Host, Script, Target};
use crate::http::{Dropped, Served, broken, latin1, latin1_cut, text};
use crate::journal::Call;
use crate::ledger::Entry;
use crate::wire::form::Fields;
use crate::world::Sandbox;
use hyper::body::Incoming;
use hyper::{Method, Request, StatusCode};
use std::sync::Arc;
use std::time::Duration;

/// The one path of PPPS.
const PATH: &str = "/PPPS.php";

/// Answers everything on a direct host but `/load.html`.
pub async fn answer(sandbox: &Arc<Sandbox>, host: Host, request: Request<Incoming>) -> Served {
    if request.uri().path() != PATH {
        return Ok(broken(StatusCode::NOT_FOUND));
    }
    if request.method() != Method::POST {
        return Ok(broken(StatusCode::METHOD_NOT_ALLOWED));
    }
    let Some(fields) = text(request.into_body()).await.and_then(|body| Fields::parse(&body).ok()) else {
        return Ok(broken(StatusCode::BAD_REQUEST));
    };
    let sandbox = Arc::clone(sandbox);
    let task = tokio::spawn(async move { exchange(&sandbox, host, &fields).await });
    task.await.unwrap_or(Err(Dropped))
}

async fn exchange(sandbox: &Sandbox, host: Host, fields: &Fields) -> Served {
    let kind = fields.text("TYPE");
    let about = About::of(sandbox, fields);
    let (reference, subscriber) = (about.reference.as_str(), about.subscriber.as_str());
    let event = Event { target: Target::Direct, host, kind, reference, subscriber };
    let script = sandbox.world().faults.strike(&event);
    if let Some(script) = script.as_ref().filter(|script| script.action == Action::DelayBeforeCommit) {
        tokio::time::sleep(Duration::from_millis(script.ms)).await;
    }
    let (body, double) = handle(sandbox, host, fields, &about, script.as_ref());
    let Some(script) = script else { return Ok(latin1(body)) };
    match script.action {
        Action::DropBeforeCommit | Action::DropAfterCommit => Err(Dropped),
        Action::Delay => {
            tokio::time::sleep(Duration::from_millis(script.ms)).await;
            Ok(latin1(body))
        }
        Action::Http500 => Ok(broken(StatusCode::INTERNAL_SERVER_ERROR)),
        Action::Garbage => Ok(latin1(b"<html><body>Service momentan\xe9ment indisponible</body></html>\n".to_vec())),
        Action::Truncate => Ok(latin1(body.get(..body.len() / 2).unwrap_or_default().to_vec())),
        Action::Cut => Ok(latin1_cut(body)),
        Action::DoubleBody => Ok(latin1(double)),
        Action::DelayBeforeCommit | Action::WrongEcho | Action::Code => Ok(latin1(body)),
        Action::Lose
        | Action::Double
        | Action::Reverse
        | Action::BadSignature
        | Action::Dead
        | Action::Ko
        | Action::Slow => Ok(latin1(body)),
    }
}

/// Runs the rules (unless the fault keeps them from running), writes the journal, and gives the body once and twice.
fn handle(
    sandbox: &Sandbox,
    host: Host,
    fields: &Fields,
    about: &About,
    script: Option<&Script>,
) -> (Vec<u8>, Vec<u8>) {
    let mut world = sandbox.world();
    world.catch_up();
    let reference = about.reference.as_str();
    let action = script.map(|script| script.action);
    let commits = script.is_none_or(Script::commits);
    // A lying code without commit still authenticates the question and uses its number up.
    let checked = if commits || action == Some(Action::Code) {
        Some(question::read(sandbox, &mut world, host, fields))
    } else {
        None
    };
    let mut applied = false;
    let mut decided = checked.map(|checked| match checked {
        Ok(question) if commits => {
            applied = true;
            rules::apply(&mut world, &question)
        }
        Ok(question) => {
            if script.and_then(|script| script.burns) == Some(false) {
                world.numbers.free(&question.number);
            }
            Answer::bare("00001")
        }
        Err(refused) => refused.into(),
    });
    if action == Some(Action::Code)
        && let Some(code) = script.and_then(|script| script.code.as_ref())
        && decided.as_ref().is_some_and(|answer| answer.code != "00006")
    {
        decided = Some(Answer::bare(code));
    }
    let at = world.clock.now();
    let answered = decided.as_ref().map(|answer| answer.numtrans).filter(|numtrans| *numtrans > 0);
    sandbox.log.line(&format!(
        "direct {host:?}: type {} reference {reference} → {}{}",
        fields.text("TYPE"),
        decided.as_ref().map_or("nothing", |answer| answer.code.as_str()),
        action.map(|action| format!(" ({action:?})")).unwrap_or_default(),
    ));
    world.journal.calls.push(Call {
        host,
        kind: fields.text("TYPE").to_owned(),
        numquestion: fields.text("NUMQUESTION").to_owned(),
        reference: reference.to_owned(),
        subscriber: about.subscriber.clone(),
        activite: fields.text("ACTIVITE").to_owned(),
        numtrans: fields.text("NUMTRANS").to_owned(),
        amount: fields.text("MONTANT").to_owned(),
        code: decided.as_ref().map(|answer| answer.code.clone()),
        applied,
        answered_numtrans: answered,
        fault: action,
        at,
    });
    let mut echo = Echo::of(fields);
    if action == Some(Action::WrongEcho) {
        echo = wrong(&echo);
    }
    let body = decided.unwrap_or_default().on_the_wire(&echo, &world.switches);
    let double = body.repeat(2);
    (body, double)
}

/// The echo of another question.
fn wrong(echo: &Echo) -> Echo {
    let other = echo.numquestion.parse::<u64>().unwrap_or(0) % 2_147_483_646 + 1;
    Echo { numquestion: other.to_string(), ..echo.clone() }
}

/// What a fault can match beside the TYPE: the reference and the subscriber sent, else those of the operation aimed at.
struct About {
    reference: String,
    subscriber: String,
}

impl About {
    fn of(sandbox: &Sandbox, fields: &Fields) -> Self {
        let numtrans: Option<u64> = fields.text("NUMTRANS").parse().ok();
        let world = sandbox.world();
        let aimed = world.ledger.entries().find(|entry| Some(entry.operation.numtrans) == numtrans);
        let sent = |name: &str| Some(fields.text(name).to_owned()).filter(|text| !text.is_empty());
        let known = |text: fn(&Entry) -> Option<String>| aimed.and_then(text).unwrap_or_default();
        Self {
            reference: sent("REFERENCE").unwrap_or_else(|| known(|entry| Some(entry.operation.reference.clone()))),
            subscriber: sent("REFABONNE").unwrap_or_else(|| known(|entry| entry.origin.refabonne.clone())),
        }
    }
}
