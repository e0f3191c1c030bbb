//! The sentences of problems, in French and in English.

use super::problem::Code;
use crate::domain::checkout::Locale;

/// The title and the sentence of a problem.
pub(super) fn problem(code: Code, locale: Locale) -> (&'static str, &'static str) {
    let (french, english) = match code {
        Code::MalformedJson => (
            ("JSON illisible", "Le corps de la requête n'est pas du JSON valide."),
            ("Malformed JSON", "The request's body is not valid JSON."),
        ),
        Code::MalformedRequest => (
            ("Requête malformée", "Un paramètre de l'adresse ou un en-tête n'a pas la forme attendue."),
            ("Malformed request", "A parameter of the URL or a header does not have its form."),
        ),
        Code::InvalidRequest => (
            ("Requête refusée", "Certains champs ne peuvent pas être acceptés; rien n'a été modifié."),
            ("Invalid request", "Some fields cannot be accepted; nothing was changed."),
        ),
        Code::Unauthenticated => (
            ("Clé refusée", "L'en-tête Authorization doit porter une clé d'API valide : « Bearer gch_… »."),
            ("Key refused", "The Authorization header must carry a valid API key: \"Bearer gch_…\"."),
        ),
        Code::ActorMissing => (
            ("Acteur absent", "Des personnes agissent par cette clé : l'en-tête Guichet-Actor doit dire laquelle."),
            ("Actor missing", "People act through this key: the header Guichet-Actor must name the one who does."),
        ),
        Code::Forbidden => {
            (("Interdit", "Cette clé n'a pas le droit de faire cela."), ("Forbidden", "This key may not do that."))
        }
        Code::NotFound => (
            ("Introuvable", "Il n'y a rien à cette adresse, ou rien que cette clé puisse voir."),
            ("Not found", "There is nothing at this address, or nothing that this key may see."),
        ),
        Code::MethodNotAllowed => (
            ("Méthode refusée", "Cette adresse ne connaît pas cette méthode HTTP."),
            ("Method not allowed", "This address does not know this HTTP method."),
        ),
        Code::UnsupportedMediaType => (
            (
                "Type de contenu refusé",
                "Le corps doit être envoyé avec « Content-Type: application/json »; un fichier, avec « text/csv ».",
            ),
            (
                "Unsupported media type",
                "The body must be sent as \"Content-Type: application/json\"; a file, as \"text/csv\".",
            ),
        ),
        Code::TooLarge => (
            ("Trop volumineux", "Le corps de la requête dépasse la taille permise."),
            ("Too large", "The request's body is larger than allowed."),
        ),
        Code::TooSlow => (
            ("Trop lent", "Le corps de la requête n'est pas arrivé à temps."),
            ("Too slow", "The request's body did not arrive in time."),
        ),
        Code::RateLimited => (
            ("Trop de requêtes", "Cette clé a fait plus de requêtes qu'il ne lui est permis par minute."),
            ("Too many requests", "This key has made more requests than it may in a minute."),
        ),
        Code::PreconditionFailed => (
            ("Version dépassée", "La commande a changé depuis la version que nomme If-Match; rien n'a été modifié."),
            ("Outdated version", "The order has changed since the version that If-Match names; nothing was changed."),
        ),
        Code::IdempotencyKeyMissing => (
            (
                "Idempotency-Key absente",
                "Cette écriture demande un en-tête Idempotency-Key, nouveau à chaque intention.",
            ),
            ("Idempotency-Key missing", "This write needs an Idempotency-Key header, new for each intention."),
        ),
        Code::IdempotencyKeyInvalid => (
            ("Idempotency-Key refusée", "Une Idempotency-Key a de 1 à 128 caractères ASCII visibles."),
            ("Idempotency-Key invalid", "An Idempotency-Key has 1 to 128 visible ASCII characters."),
        ),
        Code::IdempotencyKeyReused => (
            (
                "Idempotency-Key déjà utilisée",
                "Cette Idempotency-Key a servi pour une autre requête; rien n'a été modifié.",
            ),
            ("Idempotency-Key reused", "This Idempotency-Key was used for another request; nothing was changed."),
        ),
        Code::RequestInProgress => (
            ("Requête en cours", "La même requête est en cours; sa réponse pourra être relue dans un instant."),
            ("Request in progress", "The same request is running; its answer can be read again in a moment."),
        ),
        Code::Busy => (
            ("Occupé", "Cet objet change trop vite; réessayez dans un instant."),
            ("Busy", "This object is changing too fast; try again in a moment."),
        ),
        Code::ReferenceTaken => (
            ("Référence déjà utilisée", "Une autre commande de ce marchand porte cette référence."),
            ("Reference taken", "Another order of this merchant has this reference."),
        ),
        Code::NotReplaceable => (
            ("Commande non remplaçable", "La commande à remplacer est réglée, annulée ou en cours de confirmation."),
            ("Order not replaceable", "The order to replace is settled, cancelled or being confirmed."),
        ),
        Code::BillingRequired => (
            ("Adresse exigée", "Ce marchand n'envoie pas de payeur sans adresse de facturation."),
            ("Billing address required", "This merchant sends no payer without a billing address."),
        ),
        Code::OrderSettled => (
            ("Commande réglée", "Il n'y a plus rien à payer sur cette commande."),
            ("Order settled", "There is nothing left to pay on this order."),
        ),
        Code::OrderCancelled => (
            ("Commande annulée", "Cette commande est annulée ou remplacée."),
            ("Order cancelled", "This order is cancelled or replaced."),
        ),
        Code::OrderPartlyPaid => (
            ("Commande entamée", "Une partie de cette commande est payée; elle ne peut plus être annulée ainsi."),
            ("Order partly paid", "Part of this order is paid; it cannot be cancelled this way any more."),
        ),
        Code::ConfirmationInProgress => (
            (
                "Confirmation en cours",
                "Un paiement de cette commande est en cours de confirmation auprès de la banque.",
            ),
            ("Confirmation in progress", "Money of this order is being confirmed with the bank."),
        ),
        Code::Quarantined => (
            ("En quarantaine", "Une opération de cette commande attend la décision d'une personne."),
            ("Quarantined", "An operation of this order waits for a person's decision."),
        ),
        Code::TooManyCheckouts => (
            ("Trop d'essais", "Cette commande a eu autant de pages de paiement qu'elle peut en avoir."),
            ("Too many checkouts", "This order has had as many payment pages as it may have."),
        ),
        Code::TooManyWebhooks => (
            (
                "Trop de webhooks",
                "Ce marchand a autant de webhooks, ou ce webhook autant de reprises, qu'il peut en avoir.",
            ),
            (
                "Too many webhooks",
                "This merchant has as many webhooks, or this webhook as many replays, as it may have.",
            ),
        ),
        Code::PlanNotApproved => (
            ("Échéancier non approuvé", "La comptabilité n'a pas (encore) approuvé d'échéancier pour cette commande."),
            ("Plan not approved", "Accounting has not approved a plan for this order, or not yet."),
        ),
        Code::PlanUnderWay => (
            ("Échéancier en place", "Un échéancier de cette commande est approuvé, en cours ou terminé."),
            ("Plan under way", "A plan of this order is approved, active or over."),
        ),
        Code::PlanNotRequested => (
            ("Aucune demande en attente", "Aucune demande d'échéancier de cette commande n'attend de réponse."),
            ("No request waiting", "No request for a plan of this order waits for an answer."),
        ),
        Code::PlanNotActive => (
            ("Échéancier inactif", "Aucun échéancier de cette commande n'est en cours."),
            ("Plan not active", "No plan of this order is active."),
        ),
        Code::TermsChanged => (
            (
                "Conditions modifiées",
                "Les conditions ou les dates ne sont plus celles qui ont été lues; relisez l'échéancier.",
            ),
            ("Terms changed", "The terms or the dates are not those that were read any more; read the plan again."),
        ),
        Code::ApproverIsRequester => (
            ("Deux personnes nécessaires", "Qui a demandé l'échéancier ne peut pas l'approuver."),
            ("Two people needed", "Who asked for the plan cannot approve it."),
        ),
        Code::OutsideWindow => (
            ("Hors période", "Cet échéancier ne peut pas être demandé aujourd'hui."),
            ("Outside the window", "This plan cannot be asked for today."),
        ),
        Code::TooManyPlans => (
            ("Trop de demandes", "Cette commande a eu autant de demandes d'échéancier qu'elle peut en avoir."),
            ("Too many plans", "This order has had as many requests for a plan as it may have."),
        ),
        Code::MonthEnds => (
            ("Fin du mois", "Le mois se termine avant que la page de paiement ne le puisse; réessayez après minuit."),
            ("The month ends", "The month ends before the payment page could; try again after midnight."),
        ),
        Code::DebitInProgress => (
            ("Prélèvement en cours", "Cette échéance est en cours de prélèvement; attendez-en l'issue."),
            ("Debit in progress", "This instalment is being debited; wait for the outcome."),
        ),
        Code::NothingPaid => (
            ("Rien n'est payé", "Rien de cette commande n'est payé : remplacez-la plutôt."),
            ("Nothing paid", "Nothing of this order is paid: replace it instead."),
        ),
        Code::NotThatMuch => (
            ("Montant trop élevé", "Il n'y a pas autant à reprendre ou à rendre."),
            ("Not that much", "There is not that much to credit or to give back."),
        ),
        Code::RestNotSaid => (
            ("Sort du reste à préciser", "Un échéancier est en cours : « rest » doit dire s'il est gardé ou annulé."),
            ("The rest is not said", "A plan is active: \"rest\" must say whether it is kept or cancelled."),
        ),
        Code::NoSuchCapture => (
            ("Encaissement introuvable", "Cette commande n'a pas d'encaissement de ce numéro."),
            ("No such capture", "This order has no capture of this number."),
        ),
        Code::TooManyCorrections => (
            ("Trop de corrections", "Cette commande a eu autant de corrections qu'elle peut en avoir."),
            ("Too many corrections", "This order has had as many corrections as it may have."),
        ),
        Code::DateHasCome => (
            ("Date passée", "La nouvelle date doit être à venir."),
            ("Date has come", "The new date must lie in the future."),
        ),
        Code::CardEndsBefore => (
            ("Carte expirée d'ici là", "La carte expire avant cette date."),
            ("Card ends before", "The card expires before that date."),
        ),
        Code::NothingWaits => (
            ("Rien n'attend", "Rien de tel n'attend de décision."),
            ("Nothing waits", "Nothing like that waits for a decision."),
        ),
        Code::VerdictDoesNotFit => (
            ("Verdict inadapté", "Ce verdict ne convient pas à ce qui attend."),
            ("Verdict does not fit", "This verdict does not fit what waits."),
        ),
        Code::SecondPersonNeeded => (
            ("Deuxième personne nécessaire", "Une autre personne, avec une autre clé, doit décider la même chose."),
            ("Second person needed", "Another person, with another key, has to decide the same."),
        ),
        Code::CardUnusable => (
            ("Carte inutilisable", "Cette carte ne doit plus être prélevée; le payeur peut régler par un lien."),
            ("Card unusable", "This card must not be debited again; its payer can pay by a link."),
        ),
        Code::NoSuchInstalment => (
            ("Échéance introuvable", "Cette commande n'a pas d'échéance impayée de ce numéro."),
            ("No such instalment", "This order has no unpaid instalment of this number."),
        ),
        Code::BelowMinimum => (
            ("Montant trop faible", "Le total, ou une échéance, est en dessous du minimum de cet échéancier."),
            ("Below the minimum", "The total, or an instalment, is below this plan's minimum."),
        ),
        Code::AboveMaximum => (
            ("Montant trop élevé", "Le total dépasse le maximum de cet échéancier."),
            ("Above the maximum", "The total is above this plan's maximum."),
        ),
        Code::FirstAmountRefused => (
            ("Premier montant refusé", "Cet échéancier ne permet pas de fixer ce premier montant."),
            ("First amount refused", "This plan does not allow that first amount to be fixed."),
        ),
        Code::NotYetDue => (
            ("Pas encore échu", "Cette date n'est pas encore arrivée; rien n'est prélevé d'avance."),
            ("Not yet due", "That date has not come yet; nothing is debited early."),
        ),
        Code::DateTooOld => (
            (
                "Date trop ancienne",
                "Cette date est passée depuis trop longtemps : seule la comptabilité peut encore lancer ces prélèvements.",
            ),
            ("Date too old", "That date is too long ago: only accounting may still start its debits."),
        ),
        Code::RunNotStopped => (
            ("Série non arrêtée", "Cette série de prélèvements n'est pas arrêtée; il n'y a rien à reprendre."),
            ("Run not stopped", "This debit run is not stopped; there is nothing to resume."),
        ),
        Code::NotReconciling => (
            ("Rien à rapprocher", "Rien n'est en retard dans les données; les prélèvements ne sont pas gelés."),
            ("Nothing to reconcile", "The store lags nothing; debits are not frozen."),
        ),
        Code::StillAsking => (
            (
                "Rapprochement en cours",
                "La banque n'a pas encore répondu à toutes les questions; les prélèvements restent gelés.",
            ),
            ("Still asking", "The bank has not answered all questions yet; debits stay frozen."),
        ),
        Code::InstancesMissing => (
            (
                "Passerelles absentes",
                "Ces passerelles n'ont pas retrouvé les données depuis : ce qu'elles ont envoyé n'est pas encore demandé à \
                 la banque. Les démarrer, ou nommer chacune dans « without » après avoir lu son journal.",
            ),
            (
                "Gateways missing",
                "These gateways have not met the store since: what they have sent is not asked for yet. Have them up, or \
                 name each in \"without\" once its journal was read.",
            ),
        ),
        Code::ClockOnlyGoesForward => (
            (
                "L'horloge ne recule pas",
                "Cet instant n'est pas dans l'avenir de l'horloge d'essai; rien n'a été modifié.",
            ),
            ("Clock only goes forward", "This instant is not in the test clock's future; nothing was changed."),
        ),
        Code::FileRefused => (
            ("Fichier refusé", "Ce fichier n'est pas comme il est documenté; rien n'en a été gardé."),
            ("File refused", "This file is not as documented; nothing of it was kept."),
        ),
        Code::EntryNotOffered => (
            (
                "Écriture non proposée",
                "Cet écart est déjà traité, ou cette écriture n'est pas de celles qu'il propose; rien n'a été modifié.",
            ),
            (
                "Entry not offered",
                "This drift is settled already, or this entry is none that it offers; nothing was changed.",
            ),
        ),
        Code::Unavailable => (
            ("Indisponible", "Le service ne peut pas enregistrer en ce moment; réessayez plus tard."),
            ("Unavailable", "The service cannot record anything now; try again later."),
        ),
        Code::Internal => (
            ("Erreur interne", "Un défaut du guichet a empêché la requête; il est consigné."),
            ("Internal error", "A defect of the gateway prevented the request; it is on record."),
        ),
    };
    match locale {
        Locale::Fr => french,
        Locale::En => english,
    }
}
