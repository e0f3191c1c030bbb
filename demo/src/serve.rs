//! The demo that stays: everything is started, and the places to click are printed.

use serde_json::json;
use tokio::net::TcpListener;

use crate::{
    cards,
    configuration::ECOLE,
    portal::{self, Portal},
    setup::Stage,
    trouble::Outcome,
};

/// For whom the addresses are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Announce {
    Words,
    /// One line: `portal`, `accounting`, `gateway`, `ops`, `page`, `manage`, and the `reference_prefix` of what is paid here.
    Json,
}

/// Serves until the future is dropped.
pub(crate) async fn stay(stage: Stage, listener: TcpListener, announce: Announce) -> Outcome<()> {
    let gateway = stage.gateway_for(ECOLE)?;
    let key = gateway.key.clone();
    let portal = Portal::new(&stage, gateway)?;
    match announce {
        Announce::Words => in_words(&stage, &key, &portal.payment_link().await?)?,
        Announce::Json => println!(
            "{}",
            json!({
                "portal": stage.portal_origin(),
                "accounting": format!("{}/comptabilite", stage.portal_origin()),
                "gateway": stage.gateway_url,
                "ops": stage.gateway.address("ops")?,
                "page": stage.sandbox.address("page")?,
                "manage": stage.sandbox.address("manage")?,
                "key": key,
                "reference_prefix": ECOLE.prefix,
            })
        ),
    }
    portal::serve(listener, portal).await;
    Ok(())
}

fn in_words(stage: &Stage, key: &str, link: &str) -> Outcome<()> {
    let (url, ops) = (&stage.gateway_url, stage.gateway.address("ops")?);
    println!("Portail          {}/", stage.portal_origin());
    println!("Comptabilité     {}/comptabilite", stage.portal_origin());
    println!("Guichet          {url}   (exploitation : {ops})");
    println!(
        "PAYBOX simulé    {}/php/   (gestion : {})",
        stage.sandbox.address("page")?,
        stage.sandbox.address("manage")?
    );
    println!("Journaux         {}", stage.folder().display());
    println!("\nPayer 3 770,00 € tout de suite :\n  {link}");
    println!("\nCartes de test (n'importe quelle date à venir, n'importe quels trois chiffres) :");
    for card in cards::ALL {
        println!("  {:<20} {}", card.number, card.note);
    }
    println!("\nL'API, par exemple :\n  GUICHET_KEY={key}");
    println!("  curl -H \"Authorization: Bearer $GUICHET_KEY\" {url}/v1/orders");
    println!("\nCtrl-C arrête tout.");
    Ok(())
}
