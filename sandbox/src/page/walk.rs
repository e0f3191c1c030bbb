//! The payer's walk over HTTP: open, card, challenge, receipt, and the way back to the shop. Every step answers a POST
//! with a redirect to the page's one address, which shows whatever stage the session is in: a reload is harmless.

use crate::faults::{Event, Host, Target};
use crate::http::{Served, broken, html, see_other, text};
use crate::notify;
use crate::page::html as pages;
use crate::page::payment::{self, Challenged};
use crate::page::request::{self, Denied};
use crate::page::retour::Facts;
use crate::page::session::{Attempt, PageSession, Stage};
use crate::wire::form::Fields;
use crate::world::{Sandbox, World};
use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode};
use std::sync::Arc;
use std::time::Duration;

/// The two entry points that this sandbox answers alike.
const ENTRANCES: [&str; 3] = ["/php/", "/php", "/cgi/MYchoix_pagepaiement.cgi"];

/// Answers everything on a page host but `/load.html`.
pub async fn answer(sandbox: &Arc<Sandbox>, host: Host, request: Request<Incoming>) -> Served {
    let strike =
        sandbox.world().faults.strike(&Event { target: Target::Page, host, kind: "", reference: "", subscriber: "" });
    if let Some(script) = strike {
        tokio::time::sleep(Duration::from_millis(script.ms)).await;
    }
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    if ENTRANCES.contains(&path) {
        let form = match parts.method {
            Method::GET => Some(parts.uri.query().unwrap_or_default().to_owned()),
            Method::POST => text(body).await,
            _ => return Ok(broken(StatusCode::METHOD_NOT_ALLOWED)),
        };
        return Ok(open(sandbox, form.as_deref()));
    }
    let Some(rest) = path.strip_prefix("/page/") else { return Ok(broken(StatusCode::NOT_FOUND)) };
    let (page, step) = rest.split_once('/').unwrap_or((rest, ""));
    let form = if parts.method == Method::POST {
        Fields::parse(&text(body).await.unwrap_or_default()).unwrap_or_default()
    } else {
        Fields::default()
    };
    time_out(sandbox, host, page);
    let done = match (&parts.method, step) {
        (&Method::GET, "") => return Ok(show(sandbox, page)),
        (&Method::POST, "card") => card(sandbox, host, page, &form),
        (&Method::POST, "authentification") => challenge(sandbox, host, page, &form),
        (&Method::POST, "autre-carte") => another_card(sandbox, page),
        _ => return Ok(broken(StatusCode::NOT_FOUND)),
    };
    Ok(done.unwrap_or_else(|| see_other(&format!("/page/{page}"))))
}

/// Checks the merchant's request and opens a page, or denies access.
fn open(sandbox: &Sandbox, form: Option<&str>) -> Response<crate::http::Reply> {
    let opened = form
        .and_then(|form| Fields::parse(form).ok())
        .ok_or_else(|| Denied("le formulaire n'est pas lisible en UTF-8".into()))
        .and_then(|fields| open_page(sandbox, &fields));
    match opened {
        Ok(page) => see_other(&format!("/page/{page}")),
        Err(Denied(hint)) => {
            sandbox.log.line(&format!("page: denied: {hint}"));
            html(StatusCode::FORBIDDEN, pages::denied(&hint))
        }
    }
}

fn open_page(sandbox: &Sandbox, fields: &Fields) -> Result<String, Denied> {
    let mut world = sandbox.world();
    let now = world.clock.now();
    let switches = world.switches.clone();
    let (request, contract) = request::read(sandbox, fields, &switches, now)?;
    let command = (request.merchant.clone(), request.cmd.clone());
    if !world.commands.insert(command) && switches.cmd_must_be_unique {
        return Err(Denied(
            "PBX_CMD déjà utilisée : An error occurred while creating or updating row in fappel".into(),
        ));
    }
    let page = format!("{:016x}{:016x}", world.random.number(), world.random.number());
    let numappel = world.numappel();
    sandbox.log.line(&format!("page: opened for {} ({} minor units), call {numappel}", request.cmd, request.total));
    let session = PageSession {
        shop_name: contract.shop_name.clone(),
        numappel,
        closes_at: now.checked_add(request.display).unwrap_or(now),
        tries: 0,
        stage: Stage::Card,
        request,
    };
    world.pages.insert(page.clone(), session);
    Ok(page)
}

/// Closes a page whose time is over.
fn time_out(sandbox: &Arc<Sandbox>, host: Host, page: &str) {
    let notified = {
        let mut world = sandbox.world();
        let now = world.clock.now();
        let notified = world.switches.ipn_on_timeout;
        let Some(session) = world.pages.get_mut(page) else { return };
        let open = matches!(session.stage, Stage::Card | Stage::Challenge(_) | Stage::Refused { final_one: false, .. });
        if !open || now < session.closes_at {
            return;
        }
        session.stage = Stage::TimedOut;
        notified
    };
    sandbox.log.line("page: timed out (00030)");
    if notified {
        notify::announce(sandbox, host, page, None, "00030");
    }
}

fn card(sandbox: &Arc<Sandbox>, host: Host, page: &str, form: &Fields) -> Option<Response<crate::http::Reply>> {
    if form.get("ACTION") == Some("ANNULER") {
        return cancel(sandbox, host, page);
    }
    concluding(sandbox, host, page, |world| payment::submit_card(world, page, form));
    immediate(sandbox, page)
}

fn challenge(sandbox: &Arc<Sandbox>, host: Host, page: &str, form: &Fields) -> Option<Response<crate::http::Reply>> {
    concluding(sandbox, host, page, |world| {
        let expected = match world.pages.get(page).map(|session| &session.stage) {
            Some(Stage::Challenge(challenge)) => challenge.expected.clone(),
            Some(_) | None => return,
        };
        let outcome = match form.get("ACTION") {
            Some("ECHOUER") => Challenged::Failed,
            Some("ABANDONNER") => Challenged::Abandoned,
            Some(_) | None if form.text("CODE").trim() == expected => Challenged::Passed,
            Some(_) | None => Challenged::WrongCode,
        };
        payment::submit_challenge(world, page, outcome);
    });
    immediate(sandbox, page)
}

/// Runs a step, and notifies the merchant when it concluded a try.
fn concluding(sandbox: &Arc<Sandbox>, host: Host, page: &str, step: impl FnOnce(&mut World)) {
    let concluded: Option<Attempt> = {
        let mut world = sandbox.world();
        let tries = |world: &World| world.pages.get(page).map(|session| session.tries);
        let before = tries(&world);
        step(&mut world);
        let changed = tries(&world) != before;
        world.pages.get(page).filter(|_| changed).and_then(|session| match &session.stage {
            Stage::Accepted(attempt) | Stage::Refused { attempt, .. } => Some(attempt.clone()),
            Stage::Card | Stage::Challenge(_) | Stage::Cancelled | Stage::TimedOut => None,
        })
    };
    if let Some(attempt) = concluded {
        sandbox.log.line(&format!("page: try {} ended with {}", attempt.numtrans, attempt.code));
        notify::announce(sandbox, host, page, Some(&attempt), &attempt.code);
    }
}

fn another_card(sandbox: &Sandbox, page: &str) -> Option<Response<crate::http::Reply>> {
    let mut world = sandbox.world();
    if let Some(session) = world.pages.get_mut(page)
        && matches!(session.stage, Stage::Refused { final_one: false, .. })
    {
        session.stage = Stage::Card;
    }
    None
}

/// *Annuler* leads straight back to the shop.
fn cancel(sandbox: &Arc<Sandbox>, host: Host, page: &str) -> Option<Response<crate::http::Reply>> {
    let notified = {
        let mut world = sandbox.world();
        let notified = world.switches.ipn_on_cancel;
        let session = world.pages.get_mut(page)?;
        if !matches!(session.stage, Stage::Card | Stage::Refused { final_one: false, .. }) {
            return None;
        }
        session.stage = Stage::Cancelled;
        notified
    };
    sandbox.log.line("page: cancelled");
    if notified {
        notify::announce(sandbox, host, page, None, "00001");
    }
    back(sandbox, page).map(|url| see_other(&url))
}

/// The redirect of an account whose payers are sent back without a receipt.
fn immediate(sandbox: &Sandbox, page: &str) -> Option<Response<crate::http::Reply>> {
    let world = sandbox.world();
    let ended = world.pages.get(page).is_some_and(|session| matches!(session.stage, Stage::Accepted(_)));
    let redirect = ended && world.switches.immediate_return;
    drop(world);
    if redirect { back(sandbox, page).map(|url| see_other(&url)) } else { None }
}

/// The shop's URL for the present stage, with the signed facts.
fn back(sandbox: &Sandbox, page: &str) -> Option<String> {
    let world = sandbox.world();
    back_of(sandbox, &world, page)
}

fn back_of(sandbox: &Sandbox, world: &World, page: &str) -> Option<String> {
    let session = world.pages.get(page)?;
    let request = &session.request;
    let (base, attempt, code) = match &session.stage {
        Stage::Accepted(attempt) => (request.accepted_url.as_ref(), Some(attempt), attempt.code.as_str()),
        Stage::Refused { attempt, .. } => (request.refused_url.as_ref(), Some(attempt), attempt.code.as_str()),
        Stage::Cancelled => (request.cancelled_url.as_ref(), None, "00001"),
        Stage::TimedOut => (request.refused_url.as_ref().or(request.cancelled_url.as_ref()), None, "00030"),
        Stage::Card | Stage::Challenge(_) => return None,
    };
    let at = world.clock.paris();
    let facts = Facts { request, numappel: session.numappel, attempt, code, at: &at };
    facts.browser_url(base?, &world.switches, &sandbox.bank_key).ok()
}

/// The page's present stage.
fn show(sandbox: &Sandbox, page: &str) -> Response<crate::http::Reply> {
    let world = sandbox.world();
    let Some(session) = world.pages.get(page) else { return html(StatusCode::NOT_FOUND, pages::unknown()) };
    let back = back_of(sandbox, &world, page);
    let back = back.as_deref();
    let content = match &session.stage {
        Stage::Card => pages::card(page, session, &world.clock.paris()),
        Stage::Challenge(challenge) => pages::challenge(page, session, challenge),
        Stage::Accepted(attempt) => pages::receipt(session, attempt.numtrans, attempt.card.as_ref(), back),
        Stage::Refused { attempt, final_one } => pages::refused(page, session, &attempt.code, *final_one, back),
        Stage::Cancelled => pages::ended(session, "Paiement annulé", back),
        Stage::TimedOut => pages::ended(session, "Temps d'attente dépassé", back),
    };
    html(StatusCode::OK, content)
}
