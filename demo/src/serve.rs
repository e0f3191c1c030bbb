//! The demo that stays: everything is started, and the places to click are printed.

use tokio::net::TcpListener;

use crate::{
    cards,
    configuration::ECOLE,
    portal::{self, Portal},
    setup::Stage,
    trouble::Outcome,
};

/// Serves until the future is dropped.
pub(crate) async fn stay(stage: Stage, listener: TcpListener) -> Outcome<()> {
    let gateway = stage.gateway_for(ECOLE)?;
    let key = gateway.key.clone();
    let portal = Portal::new(gateway, stage.portal_origin().to_owned());
    let link = portal.payment_link().await?;
    let (url, ops) = (&stage.gateway_url, stage.gateway.address("ops")?);
    println!("Portail          {}/", stage.portal_origin());
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
    portal::serve(listener, portal).await;
    Ok(())
}
