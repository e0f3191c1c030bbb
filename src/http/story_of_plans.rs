//! The sentences of what happened to a plan, its card and its debits.

use super::plan_words;
use crate::{
    app::explain,
    domain::{checkout::Locale, event::Event, hold::Verdict, plan::PlanEnd},
};

/// In French and in English; the meaning of a code is in `locale` in both.
pub(super) fn both(event: &Event, locale: Locale) -> (String, String) {
    match event {
        Event::AttemptDropped { why, .. } => (format!("N'est pas envoyé : {why}."), format!("Not sent: {why}.")),
        Event::Released { .. } => {
            ("La somme réservée sur la carte est libérée.".into(), "The sum held on the card is released.".into())
        }
        Event::PlanRequested(plan) => (
            format!("Paiement en {} échéances demandé (« {} »).", plan.amounts.len(), plan.template),
            format!("Payment in {} instalments asked for (\"{}\").", plan.amounts.len(), plan.template),
        ),
        Event::PlanApproved { .. } => ("Échéancier approuvé.".into(), "Plan approved.".into()),
        Event::PlanRefused { reason, .. } => {
            (format!("Échéancier refusé : {}.", reason.as_str()), format!("Plan refused: {}.", reason.as_str()))
        }
        Event::PlanWithdrawn { .. } => ("Demande d'échéancier retirée.".into(), "Request for a plan withdrawn.".into()),
        Event::Held(hold) => (
            format!("La banque réserve la première échéance (opération {}).", hold.operation.number),
            format!("The bank holds the first instalment (operation {}).", hold.operation.number),
        ),
        Event::CardJudged { verdict: Verdict::Accepted, .. } => {
            ("La carte convient.".into(), "The card will do.".into())
        }
        Event::CardJudged { verdict: Verdict::Refused { why }, .. } => {
            let words = |locale| plan_words::why_card_refused(why, locale);
            (format!("Carte refusée : {}", words(Locale::Fr)), format!("Card refused: {}", words(Locale::En)))
        }
        Event::PlanActivated { .. } => (
            "Échéancier en cours : les échéances suivantes seront prélevées.".into(),
            "Plan active: the later instalments will be debited.".into(),
        ),
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
            let meaning = explain(code, locale);
            (
                format!("Échéance {instalment} refusée, code {code} : {meaning} Nouvel essai à partir du {until}."),
                format!("Instalment {instalment} refused, code {code}: {meaning} Tried again from {until} on."),
            )
        }
        Event::DebitInArrears { instalment, arrears, single_use } => {
            let meaning = explain(&arrears.code, locale);
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
        Event::DebitRetried { instalment, on, reason } => (
            format!("Échéance {instalment} : nouvel essai à partir du {on} ({}).", reason.as_str()),
            format!("Instalment {instalment}: tried again from {on} on ({}).", reason.as_str()),
        ),
        Event::SubscriberForgotten { .. } => {
            ("PAYBOX ne conserve plus la carte.".into(), "PAYBOX keeps the card no more.".into())
        }
        Event::SubscriberPostponed { until, why, .. } => (
            format!("PAYBOX n'a pas encore oublié la carte ({why}) ; nouvelle demande le {until}."),
            format!("PAYBOX has not forgotten the card yet ({why}); asked again at {until}."),
        ),
        // Told elsewhere.
        _ => (String::new(), String::new()),
    }
}
