//! The sentences of what happened to a plan, its card and its debits.

use super::{plan_words, story::Teller};
use crate::domain::{checkout::Locale, event::Event, hold::Verdict, money::Money, plan::PlanEnd, subscriber::PlanCard};

/// In French and in English; what stands in them is in the teller's language in both.
#[expect(clippy::wildcard_enum_match_arm, reason = "what is not of plans is told elsewhere")]
pub(super) fn both(event: &Event, teller: &Teller) -> (String, String) {
    match event {
        Event::AttemptDropped { why, .. } => {
            (format!("N'est pas envoyé : {}.", dropped(why)), format!("Not sent: {why}."))
        }
        Event::Released { .. } => {
            ("La somme réservée sur la carte est libérée.".into(), "The sum held on the card is released.".into())
        }
        Event::PlanRequested(plan) => {
            let (count, amounts) = (plan.amounts.len(), amounts(&plan.amounts, teller));
            (
                format!("Paiement en {count} échéances demandé (« {} ») : {amounts}.", plan.template),
                format!("Payment in {count} instalments asked for (\"{}\"): {amounts}.", plan.template),
            )
        }
        Event::PlanApproved { amounts: approved, reason, .. } => {
            let amounts = amounts(approved, teller);
            let reason = reason.as_ref().map(|reason| format!(" ({})", reason.as_str())).unwrap_or_default();
            (format!("Échéancier approuvé : {amounts}{reason}."), format!("Plan approved: {amounts}{reason}."))
        }
        Event::PlanRefused { reason, .. } => {
            (format!("Échéancier refusé : {}.", reason.as_str()), format!("Plan refused: {}.", reason.as_str()))
        }
        Event::PlanWithdrawn { .. } => ("Demande d'échéancier retirée.".into(), "Request for a plan withdrawn.".into()),
        Event::Held(hold) => {
            let (sum, number) = (teller.amount(hold.amount), hold.operation.number);
            (
                format!(
                    "La banque réserve la première échéance, {sum} (opération {number}) ; rien n'est encore débité."
                ),
                format!("The bank holds the first instalment, {sum} (operation {number}); nothing is debited yet."),
            )
        }
        Event::CardJudged { verdict: Verdict::Accepted, .. } => {
            ("La carte convient.".into(), "The card will do.".into())
        }
        Event::CardJudged { verdict: Verdict::Refused { why }, .. } => {
            let words = |locale| plan_words::why_card_refused(why, locale);
            (format!("Carte refusée : {}", words(Locale::Fr)), format!("Card refused: {}", words(Locale::En)))
        }
        Event::PlanActivated { card, .. } => {
            let (french, english) = of_card(card);
            (
                format!("Échéancier en cours : les échéances suivantes seront prélevées sur la carte{french}."),
                format!("Plan active: the later instalments will be debited from the card{english}."),
            )
        }
        Event::PlanPaused { .. } => ("Échéancier suspendu.".into(), "Plan paused.".into()),
        Event::PlanResumed { .. } => ("Échéancier repris.".into(), "Plan resumed.".into()),
        Event::PlanEnded { how: PlanEnd::Completed, .. } => {
            ("Échéancier terminé : tout est payé.".into(), "Plan complete: all is paid.".into())
        }
        Event::PlanEnded { how: PlanEnd::Cancelled, .. } => (
            "Échéancier arrêté : le reste n'est plus prélevé.".into(),
            "Plan cancelled: the rest is not debited any more.".into(),
        ),
        Event::DebitWaits { instalment, until, code } => {
            let (meaning, until) = (teller.meaning(code), teller.day(*until));
            (
                format!("Échéance {instalment} refusée, code {code} : {meaning} Nouvel essai à partir du {until}."),
                format!("Instalment {instalment} refused, code {code}: {meaning} Tried again from {until} on."),
            )
        }
        Event::DebitInArrears { instalment, arrears, single_use } => {
            let meaning = teller.meaning(&arrears.code);
            let (french, english) = if *single_use {
                (" C'est sans doute un numéro à usage unique.", " It is likely a single-use number.")
            } else {
                ("", "")
            };
            (
                format!("Échéance {instalment} impayée, code {} : {meaning}{french}", arrears.code),
                format!("Instalment {instalment} in arrears, code {}: {meaning}{english}", arrears.code),
            )
        }
        Event::DebitRetried { instalment, on, reason } => {
            let on = teller.day(*on);
            (
                format!("Échéance {instalment} : nouvel essai à partir du {on} ({}).", reason.as_str()),
                format!("Instalment {instalment}: tried again from {on} on ({}).", reason.as_str()),
            )
        }
        Event::SubscriberForgotten { .. } => {
            ("PAYBOX ne conserve plus la carte.".into(), "PAYBOX keeps the card no more.".into())
        }
        Event::SubscriberPostponed { until, why, .. } => {
            let until = teller.moment(*until);
            (
                format!("PAYBOX n'a pas encore oublié la carte ({why}) ; nouvelle demande le {until}."),
                format!("PAYBOX has not forgotten the card yet ({why}); asked again on {until}."),
            )
        }
        // Told elsewhere.
        _ => (String::new(), String::new()),
    }
}

fn amounts(amounts: &[Money], teller: &Teller) -> String {
    let written: Vec<String> = amounts.iter().map(|amount| teller.amount(*amount)).collect();
    written.join(" + ")
}

/// What is known of a card, as it goes on after its mention.
fn of_card(card: &PlanCard) -> (String, String) {
    let end = card.facts.end.map(|end| format!("{:02}/{}", end.month(), end.year()));
    match (&card.facts.last2, end) {
        (Some(last2), Some(end)) => (
            format!(" finissant par {last2}, valable jusqu'à fin {end}"),
            format!(" ending in {last2}, good through {end}"),
        ),
        _ => (String::new(), String::new()),
    }
}

/// Why a call was not sent, in French; what is not listed is told as it was noted.
fn dropped(why: &str) -> &str {
    match why {
        "the plan was paused" | "the plan is paused" => "l'échéancier est suspendu",
        "the plan was cancelled" => "l'échéancier a été arrêté",
        "the plan is not active any more" => "l'échéancier n'est plus en cours",
        "the order was paid otherwise" => "la commande a été payée autrement",
        "it is paid" => "l'échéance est payée",
        "it is not due yet" => "elle n'est pas encore due",
        "the payer is paying it" => "le payeur est en train de la régler",
        "the card was debited today" => "la carte a déjà été débitée aujourd'hui",
        "another debit is under way" => "un autre prélèvement est en cours",
        "its run had ended" => "sa série était terminée",
        "its card cannot be read" => "les données de sa carte ne sont pas lisibles",
        "the bank knows of a payment by a page" => "la banque connaît un paiement par une page",
        "the plan does not need it any more" => "l'échéancier n'en a plus besoin",
        other => other,
    }
}
