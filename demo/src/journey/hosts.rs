//! The payment page's main host is out of service for a while.

use std::time::{Duration, Instant};

use serde_json::json;

use super::walk::{Handed, Journey, Placed, SOON};
use crate::{
    cards, check, orders,
    trouble::{Outcome, Trouble},
};

/// Looks at the main host that find it out of service: a few seconds' worth.
const LOOKS: u32 = 15;

/// Payers are sent to the second host meanwhile, and to the main one again afterwards.
pub(super) async fn main_out_of_service(journey: &Journey) -> Outcome<String> {
    let main = journey.stage.sandbox.address("page")?;
    let backup = journey.stage.sandbox.address("page_backup")?;
    let order = journey.register(&journey.ecole).await?;
    let fault = json!({"target": "load", "host": "main", "type": "page", "action": "ko", "times": LOOKS});
    journey.bank().misbehave(fault).await?;
    let handed = until_sent_to(journey, &order, &backup).await?;
    let page = journey.go_by_link(&handed).await?;
    journey.pay(&page, cards::ORDINARY).await?;
    let settled = journey.settled(&journey.ecole, &order).await?;
    let later = journey.register(&journey.ecole).await?;
    until_sent_to(journey, &later, &main).await?;
    Ok(format!("sent to the second host, paid there by {}; then to the main one again", settled.operation))
}

async fn until_sent_to(journey: &Journey, order: &Placed, host: &str) -> Outcome<Handed> {
    let begun = Instant::now();
    loop {
        let handed = journey.check_out(&journey.ecole, order, &orders::known_address()).await?;
        let action = check::text(&handed.document, "/form/action")?;
        if action.starts_with(host) {
            return Ok(handed);
        }
        if begun.elapsed() > SOON {
            return Err(Trouble::of(format!("payers are sent to {action} and not to {host}")));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
