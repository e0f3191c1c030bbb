//! The sentences of corrections, settlement, what is past due, and what people decided.

use super::story::Teller;
use crate::domain::{
    correction::JournalKind,
    event::Event,
    ledger::EntryKind,
    plan::PlanEnd,
    purpose::{AttemptId, Purpose},
    quarantine::{PeoplesVerdict, Subject},
};

/// In French and in English; what stands in them is in the teller's language in both.
pub(super) fn both(event: &Event, teller: &Teller) -> (String, String) {
    match event {
        Event::PlanEnded { how: PlanEnd::Defaulted, .. } => (
            "Échéancier résilié pour impayé : tout le reste est dû.".into(),
            "Plan given up for non-payment: all the rest is owed.".into(),
        ),
        Event::CardChanged { .. } => (
            "Une autre carte est prélevée désormais ; PAYBOX oublie la précédente.".into(),
            "Another card is debited from now on; PAYBOX forgets the one before.".into(),
        ),
        Event::Credited { note, .. } => {
            let (sum, reason, number) = (teller.amount(note.amount), note.reason.as_str(), note.number);
            let cuts: Vec<(u32, String)> =
                note.cuts.iter().map(|cut| (cut.instalment, teller.amount(cut.amount))).collect();
            let french: String = cuts.iter().map(|(due, sum)| format!(" Échéance {due} : {sum} de moins.")).collect();
            let english: String = cuts.iter().map(|(due, sum)| format!(" Instalment {due}: {sum} less.")).collect();
            (
                format!("Avoir n° {number} : {sum} ({reason}).{french}"),
                format!("Credit note {number}: {sum} ({reason}).{english}"),
            )
        }
        Event::RefundRequested { refund, parts } => {
            let (sum, reason, number) = (teller.amount(refund.amount), refund.reason.as_str(), refund.number);
            let from: Vec<String> = parts
                .iter()
                .map(|part| format!("{} ({})", part.operation.number, teller.amount(part.amount)))
                .collect();
            let from = from.join(", ");
            (
                format!("Remboursement n° {number} demandé : {sum} ({reason}), pris sur l'opération {from}."),
                format!("Refund {number} asked for: {sum} ({reason}), taken from operation {from}."),
            )
        }
        Event::Journalled { entry } => {
            let (sum, due, reason) = (teller.amount(entry.amount), entry.instalment, entry.reason.as_str());
            match &entry.kind {
                JournalKind::PaidElsewhere { on, reference } => {
                    let (on, reference) = (teller.day(*on), reference.as_str());
                    (
                        format!("Échéance {due} payée hors PAYBOX le {on} : {sum}, référence {reference} ({reason})."),
                        format!("Instalment {due} paid elsewhere on {on}: {sum}, reference {reference} ({reason})."),
                    )
                }
                JournalKind::WrittenOff => (
                    format!("Échéance {due} abandonnée : {sum} ({reason})."),
                    format!("Instalment {due} written off: {sum} ({reason})."),
                ),
            }
        }
        Event::Rescheduled { instalment, due, reason } => {
            let (due, reason) = (teller.day(*due), reason.as_str());
            (
                format!("Échéance {instalment} reportée au {due} ({reason})."),
                format!("Instalment {instalment} rescheduled to {due} ({reason})."),
            )
        }
        Event::SettlementAsked { operation, again, why } => {
            let again = teller.moment(*again);
            (
                format!("L'opération {operation} n'est pas encore remise en banque ({why}) ; à revoir le {again}."),
                format!("Operation {operation} has not reached the merchant yet ({why}); looked at again on {again}."),
            )
        }
        Event::EntrySettled { entry } => {
            let (sum, number) = (teller.amount(entry.amount), entry.operation.number);
            let remittance = match entry.kind {
                EntryKind::Settlement { remittance, .. } => remittance.to_string(),
                EntryKind::Capture { .. }
                | EntryKind::Debit { .. }
                | EntryKind::Surplus { .. }
                | EntryKind::GivenBack { .. }
                | EntryKind::Chargeback { .. } => String::new(),
            };
            (
                format!("{sum} (opération {number}) remis sur le compte du marchand, remise {remittance}."),
                format!("{sum} (operation {number}) reached the merchant's account, remittance {remittance}."),
            )
        }
        Event::SettlementOver { operation } => (
            format!("L'opération {operation} a été rendue avant sa remise en banque : rien n'est plus attendu."),
            format!("Operation {operation} went back before it was collected: nothing of it is expected any more."),
        ),
        Event::ChargedBack { entry, reason } => {
            let (sum, number, reason) = (teller.amount(entry.amount), entry.operation.number, reason.as_str());
            (
                format!("La banque du payeur a repris {sum} (opération {number}) : {reason}."),
                format!("The payer's bank took {sum} back (operation {number}): {reason}."),
            )
        }
        Event::Blocked => ("Bloquée : il y a un impayé.".into(), "Blocked: something is past due.".into()),
        Event::Unblocked => {
            ("Débloquée : il n'y a plus d'impayé.".into(), "Unblocked: nothing is past due any more.".into())
        }
        Event::VerdictGiven(given) => {
            let (french, english) = about(given.subject);
            let (verdict, proof) = (decided(given.verdict), given.evidence.as_str());
            (
                format!("Une personne décide, {french} : {}. Preuve : {proof}", verdict.0),
                format!("One person decides, {english}: {}. Evidence: {proof}", verdict.1),
            )
        }
        Event::QuarantineResolved { subject, decision } => {
            let ((french, english), verdict) = (about(*subject), decided(*decision));
            (
                format!("Deux personnes ont décidé, {french} : {}.", verdict.0),
                format!("Two people have decided, {english}: {}.", verdict.1),
            )
        }
        // Told elsewhere.
        Event::Placed(_)
        | Event::Settled
        | Event::Cancelled { .. }
        | Event::CheckoutIssued(_)
        | Event::CheckoutHandedOver { .. }
        | Event::CheckoutClosed { .. }
        | Event::Reported { .. }
        | Event::Prompted { .. }
        | Event::Asked { .. }
        | Event::ReportDoubted { .. }
        | Event::Captured { .. }
        | Event::Quarantined { .. }
        | Event::AttemptPlanned { .. }
        | Event::AttemptPostponed { .. }
        | Event::AttemptSent { .. }
        | Event::AttemptAnswered { .. }
        | Event::AttemptAsked { .. }
        | Event::AttemptDropped { .. }
        | Event::GivenBack { .. }
        | Event::Released { .. }
        | Event::PlanRequested(_)
        | Event::PlanApproved { .. }
        | Event::PlanRefused { .. }
        | Event::PlanWithdrawn { .. }
        | Event::Held(_)
        | Event::CardJudged { .. }
        | Event::PlanActivated { .. }
        | Event::PlanPaused { .. }
        | Event::PlanResumed { .. }
        | Event::PlanEnded { .. }
        | Event::DebitWaits { .. }
        | Event::DebitInArrears { .. }
        | Event::DebitRetried { .. }
        | Event::SubscriberForgotten { .. }
        | Event::SubscriberPostponed { .. } => (String::new(), String::new()),
    }
}

/// What was decided on.
fn about(subject: Subject) -> (String, String) {
    match subject {
        Subject::Operation { operation, .. } => (format!("opération {operation}"), format!("operation {operation}")),
        Subject::Attempt { of: AttemptId { purpose, attempt } } => {
            let (french, english) = of_purpose(purpose);
            (format!("{french}, essai {attempt}"), format!("{english}, attempt {attempt}"))
        }
        Subject::Stuck { purpose } => of_purpose(purpose),
    }
}

fn of_purpose(purpose: Purpose) -> (String, String) {
    match purpose {
        Purpose::GiveBack(number) => (format!("restitution n° {number}"), format!("give-back {number}")),
        Purpose::Capture(number) => (format!("encaissement n° {number}"), format!("capture {number}")),
        Purpose::Debit(number) => {
            (format!("prélèvement de l'échéance {number}"), format!("debit of instalment {number}"))
        }
    }
}

fn decided(verdict: PeoplesVerdict) -> (String, String) {
    match verdict {
        PeoplesVerdict::Executed { operation } => {
            (format!("faite, opération {}", operation.number), format!("carried out, operation {}", operation.number))
        }
        PeoplesVerdict::NotExecuted => ("pas faite".into(), "not carried out".into()),
        PeoplesVerdict::Closed => ("classée".into(), "closed".into()),
    }
}
