//! `/load.html`, the page by which a merchant learns whether a host may be used. A host whose services are down still
//! answers it with HTTP 200, which is the reason why its text must be read.

use crate::faults::{Action, Event, Host, Target};
use crate::http::{Dropped, Served, html};
use crate::world::Sandbox;
use hyper::StatusCode;
use std::time::Duration;

/// Answers `/load.html`; `service` is `page` or `direct`, and a fault may name it as its `type`.
pub async fn answer(sandbox: &Sandbox, service: &str, host: Host) -> Served {
    let event = Event { target: Target::Load, host, kind: service, reference: "", subscriber: "" };
    let strike = sandbox.world().faults.strike(&event);
    let mut status = "OK";
    if let Some(script) = strike {
        sandbox.log.line(&format!("load {service} {host:?}: {:?}", script.action));
        if script.action == Action::Dead {
            return Err(Dropped);
        }
        if script.action == Action::Slow {
            tokio::time::sleep(Duration::from_millis(script.ms)).await;
        } else {
            status = "KO";
        }
    }
    let page = format!(
        "<!DOCTYPE html>\n<html><head><title>load</title></head><body>\n\
         <div id=\"server_status\" style=\"text-align:center;\">{status}</div>\n</body></html>\n"
    );
    Ok(html(StatusCode::OK, page))
}
