//! What happened to an order, in sentences for people: what was signed, what came back, which key matched, what each
//! code means.

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{story_of_plans, written};
use crate::{
    app::explain,
    domain::{
        attempt::{Attempt, AttemptState, Conclusion},
        bank::MoneyCall,
        checkout::{Closed, Locale, Says},
        event::{AskAnswer, Event},
        ledger::EntryKind,
        money::Money,
        purpose::Purpose,
    },
};

/// For whom a story is told.
#[derive(Clone)]
pub(super) struct Teller {
    pub(super) locale: Locale,
    /// Whose clocks the moments are read on.
    pub(super) zone: TimeZone,
}

impl Teller {
    /// The sentence of an event.
    pub(super) fn sentence(&self, event: &Event) -> String {
        let (french, english) = both(event, self);
        match self.locale {
            Locale::Fr => french,
            Locale::En => english,
        }
    }

    pub(super) fn amount(&self, money: Money) -> String {
        written::amount(money, self.locale)
    }

    pub(super) fn day(&self, day: Date) -> String {
        written::day(day, self.locale)
    }

    pub(super) fn moment(&self, at: Timestamp) -> String {
        written::moment(at, &self.zone, self.locale)
    }

    /// What a code of the bank means.
    pub(super) fn meaning(&self, code: &str) -> &'static str {
        explain(code, self.locale)
    }
}

/// In French and in English; what stands in them is in the teller's language in both.
fn both(event: &Event, teller: &Teller) -> (String, String) {
    match event {
        Event::Placed(placed) => {
            let total = teller.amount(placed.totals.including_vat);
            (
                format!("Commande « {} » passée : {total}.", placed.reference.as_str()),
                format!("Order \"{}\" placed: {total}.", placed.reference.as_str()),
            )
        }
        Event::Settled => ("Il n'y a plus rien à payer.".into(), "Nothing is left to pay.".into()),
        Event::Cancelled { replaced_by: Some(by) } => {
            (format!("Annulée et remplacée par {by}."), format!("Cancelled and replaced by {by}."))
        }
        Event::Cancelled { replaced_by: None } => ("Annulée.".into(), "Cancelled.".into()),
        Event::CheckoutIssued(page) => {
            let (number, reference, sum) = (page.number.0, &page.reference, teller.amount(page.amount));
            let until = teller.moment(page.expires_at);
            let (french, english) = match &page.begins {
                Some(_) => (
                    " Elle demande l'accord du payeur pour les prélèvements qui suivent.",
                    " It asks for the payer's consent to the debits that follow.",
                ),
                None => ("", ""),
            };
            (
                format!("Page n° {number} signée : {sum}, référence {reference}, valable jusqu'au {until}.{french}"),
                format!("Page {number} signed: {sum}, reference {reference}, good until {until}.{english}"),
            )
        }
        Event::CheckoutHandedOver { checkout } => (
            format!("Le formulaire de la page n° {} a été donné à un payeur par son lien.", checkout.0),
            format!("The form of page {} was given to a payer by its link.", checkout.0),
        ),
        Event::CheckoutClosed { checkout, cause } => {
            let (french, english) = match cause {
                Closed::Superseded => ("remplacée", "superseded"),
                Closed::Paid => ("close : la somme est réglée", "closed: the sum is paid"),
                Closed::Expired => ("expirée", "expired"),
                Closed::Withdrawn => ("retirée avec la commande", "withdrawn with its order"),
            };
            (format!("Page n° {} {french}.", checkout.0), format!("Page {} {english}.", checkout.0))
        }
        Event::Reported { checkout, key, says, .. } => reported(checkout.0, key, says, teller),
        Event::Prompted { checkout, .. } => (
            format!("Le payeur est revenu de la page n° {} : la banque est interrogée.", checkout.0),
            format!("The payer came back from page {}: the bank is asked.", checkout.0),
        ),
        Event::Asked { checkout, answer, authorised, .. } => asked(checkout.0, answer, !authorised.is_empty()),
        Event::ReportDoubted { operation, .. } => (
            format!(
                "La banque ne confirme pas l'opération {operation}, annoncée payée : elle ne retient plus la commande."
            ),
            format!("The bank does not confirm operation {operation}, reported paid: it no longer holds the order."),
        ),
        Event::Captured { entry } => {
            let (sum, number) = (teller.amount(entry.amount), entry.operation.number);
            match entry.kind {
                EntryKind::Surplus { .. } => (
                    format!("La banque confirme {sum} (opération {number}), en trop : cette somme sera rendue."),
                    format!("The bank confirms {sum} (operation {number}), too much: it will be given back."),
                ),
                EntryKind::Capture { .. } | EntryKind::Debit { .. } | EntryKind::GivenBack { .. } => (
                    format!("La banque confirme {sum} (opération {number}) : payé."),
                    format!("The bank confirms {sum} (operation {number}): paid."),
                ),
            }
        }
        Event::Quarantined { operation, why, .. } => (
            format!("L'opération {operation} attend la décision d'une personne : {why}."),
            format!("Operation {operation} waits for a person's decision: {why}."),
        ),
        Event::AttemptPlanned { purpose, attempt, run } => planned(*purpose, attempt, *run, teller),
        Event::AttemptPostponed { until, why, .. } => {
            let until = teller.moment(*until);
            (format!("Rien n'est envoyé avant le {until} : {why}."), format!("Nothing is sent before {until}: {why}."))
        }
        Event::AttemptSent { sending, .. } => (
            format!("Envoi, question {} ; il n'y en aura pas d'autre.", sending.question.get()),
            format!("Sent, question {}; there will be no other.", sending.question.get()),
        ),
        Event::AttemptAnswered { state, .. } => answered(state, teller),
        Event::AttemptAsked { conclusion, .. } => concluded(conclusion, teller),
        Event::GivenBack { entry, .. } => {
            let (sum, number) = (teller.amount(entry.amount), entry.operation.number);
            (format!("{sum} rendus (opération {number})."), format!("{sum} given back (operation {number})."))
        }
        Event::AttemptDropped { .. }
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
        | Event::SubscriberPostponed { .. } => story_of_plans::both(event, teller),
    }
}

fn planned(purpose: Purpose, attempt: &Attempt, run: Option<Date>, teller: &Teller) -> (String, String) {
    let ((reference, _), sum) = (attempt.call.names(), teller.amount(attempt.call.amount()));
    let (french, english) = match (&attempt.call, purpose, run) {
        (MoneyCall::Cancel { .. }, ..) => ("Annulation préparée".to_owned(), "Cancellation prepared".to_owned()),
        (MoneyCall::Refund { .. }, ..) => ("Remboursement préparé".to_owned(), "Refund prepared".to_owned()),
        (MoneyCall::Capture { .. }, ..) => ("Encaissement préparé".to_owned(), "Capture prepared".to_owned()),
        (MoneyCall::Debit { .. }, Purpose::Debit(number), Some(run)) => (
            format!("Prélèvement de l'échéance {number} préparé par la série du {}", teller.day(run)),
            format!("Debit of instalment {number} prepared by the run of {}", teller.day(run)),
        ),
        (MoneyCall::Debit { .. }, ..) => ("Prélèvement préparé".to_owned(), "Debit prepared".to_owned()),
    };
    (format!("{french} : {sum}, référence {reference}."), format!("{english}: {sum}, reference {reference}."))
}

fn reported(page: u32, key: &str, says: &Says, teller: &Teller) -> (String, String) {
    let key: String = key.chars().take(12).collect();
    match says {
        Says::Paid { operation, .. } => (
            format!(
                "PAYBOX annonce la page n° {page} payée (opération {}, clé {key}…). Ce n'est qu'une annonce.",
                operation.number
            ),
            format!(
                "PAYBOX reports page {page} paid (operation {}, key {key}…). This is a hint only.",
                operation.number
            ),
        ),
        Says::Failed { code } => {
            let meaning = teller.meaning(code);
            (
                format!("PAYBOX annonce un échec de la page n° {page}, code {code} (clé {key}…) : {meaning}"),
                format!("PAYBOX reports a failure of page {page}, code {code} (key {key}…): {meaning}"),
            )
        }
        Says::Pending => (
            format!("PAYBOX annonce que la page n° {page} attend une décision (clé {key}…)."),
            format!("PAYBOX reports that page {page} waits for a decision (key {key}…)."),
        ),
    }
}

fn asked(page: u32, answer: &AskAnswer, is_authorised: bool) -> (String, String) {
    match answer {
        AskAnswer::Nothing => (
            format!("La banque ne connaît aucune opération de la page n° {page}."),
            format!("The bank knows of no operation of page {page}."),
        ),
        AskAnswer::Operations { .. } if is_authorised => (
            format!("La banque a autorisé la page n° {page} et ne l'a pas encore débitée."),
            format!("The bank has authorised page {page} and not captured it yet."),
        ),
        AskAnswer::Operations { seen } => {
            let numbers: Vec<String> = seen.iter().map(|operation| operation.number.to_string()).collect();
            let numbers = numbers.join(", ");
            (
                format!("La banque répond au sujet de la page n° {page} : opération {numbers}."),
                format!("The bank answers about page {page}: operation {numbers}."),
            )
        }
        AskAnswer::Silence { why } => (
            format!("La banque n'a pas répondu au sujet de la page n° {page} : {why}."),
            format!("The bank did not answer about page {page}: {why}."),
        ),
    }
}

fn answered(state: &AttemptState, teller: &Teller) -> (String, String) {
    match state {
        AttemptState::Accepted { operation, .. } => (
            format!("La banque l'a fait (opération {}).", operation.number),
            format!("The bank did it (operation {}).", operation.number),
        ),
        AttemptState::Refused { code, .. } => {
            let meaning = teller.meaning(code);
            (format!("La banque refuse, code {code} : {meaning}"), format!("The bank refuses, code {code}: {meaning}"))
        }
        AttemptState::InDoubt(doubt) => (
            format!("L'issue n'est pas connue ({}) : la banque sera interrogée, rien n'est renvoyé.", doubt.why),
            format!("The outcome is not known ({}): the bank will be asked, nothing is sent again.", doubt.why),
        ),
        AttemptState::Quarantined { why } => {
            (format!("Une personne doit décider : {why}."), format!("A person has to decide: {why}."))
        }
        AttemptState::Ready { .. } | AttemptState::Sent(_) | AttemptState::NotExecuted => {
            ("Sans effet.".into(), "No effect.".into())
        }
    }
}

fn concluded(conclusion: &Conclusion, teller: &Teller) -> (String, String) {
    match conclusion {
        Conclusion::Accepted { operation } => (
            format!("La banque montre que c'est fait (opération {}).", operation.number),
            format!("The bank shows that it was done (operation {}).", operation.number),
        ),
        Conclusion::Refused { .. } => {
            ("La banque montre qu'elle l'a refusé.".into(), "The bank shows that it refused.".into())
        }
        Conclusion::NotExecuted => (
            "La banque montre que cela n'a pas été fait ; un autre essai peut suivre.".into(),
            "The bank shows that it was not done; another attempt may follow.".into(),
        ),
        Conclusion::AskAgain { at, .. } => (
            format!("Pas encore de certitude ; nouvelle question le {}.", teller.moment(*at)),
            format!("Not certain yet; asked again on {}.", teller.moment(*at)),
        ),
        Conclusion::Silence { at } => (
            format!("La banque n'a pas répondu ; nouvelle question le {}.", teller.moment(*at)),
            format!("The bank did not answer; asked again on {}.", teller.moment(*at)),
        ),
        Conclusion::Quarantined { why } => {
            (format!("Une personne doit décider : {why}."), format!("A person has to decide: {why}."))
        }
    }
}
