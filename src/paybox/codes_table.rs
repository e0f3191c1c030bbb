//! The codes PAYBOX documents, and a few of the card networks it may pass on. `contracts/response-codes.json` has the same
//! rows with where each was read; a test holds the two equal.

use crate::paybox::codes::AnswerClass::{
    self, CardUpdate, ConfigError, Duplicate, HardDecline, NotApplicable, NotFound, OutcomeUnknown, Pending,
    RequestError, ScaRequired, SoftDecline, Success, TechnicalRetry, TokenState,
};

/// Whether a code by itself proves that nothing was debited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Definite,
    NotDefinite,
}
use Refusal::{Definite, NotDefinite};

/// One documented code.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) code: &'static str,
    pub(super) class: AnswerClass,
    pub(super) refusal: Refusal,
    /// PAYBOX's own words; empty for codes that are in none of its tables.
    pub(super) label_fr: &'static str,
}

const fn row(code: &'static str, class: AnswerClass, refusal: Refusal, label_fr: &'static str) -> Row {
    Row { code, class, refusal, label_fr }
}

/// Sorted by code.
#[rustfmt::skip]
pub(super) const ROWS: [Row; 95] = [
    row("00000", Success, NotDefinite, "Opération réussie"),
    row("00001", TechnicalRetry, NotDefinite, "Connexion au centre d'autorisation échouée ou erreur interne"),
    row("00002", RequestError, NotDefinite, "Erreur de cohérence"),
    row("00003", TechnicalRetry, NotDefinite, "Erreur Paybox"),
    row("00004", HardDecline, Definite, "Numéro de porteur invalide (ou cryptogramme)"),
    row("00005", Duplicate, NotDefinite, "Numéro de question invalide"),
    row("00006", ConfigError, NotDefinite, "Accès refusé ou site/rang/identifiant incorrect"),
    row("00007", RequestError, NotDefinite, "Date invalide"),
    row("00008", CardUpdate, Definite, "Date de fin de validité incorrecte"),
    row("00009", RequestError, NotDefinite, "Type d'opération invalide (Direct) / erreur de création d'un abonnement (System)"),
    row("00010", RequestError, NotDefinite, "Devise inconnue"),
    row("00011", RequestError, NotDefinite, "Montant incorrect"),
    row("00012", RequestError, NotDefinite, "Référence commande invalide"),
    row("00013", ConfigError, NotDefinite, "Cette version n'est plus soutenue"),
    row("00014", RequestError, NotDefinite, "Trame reçue incohérente"),
    row("00015", Duplicate, NotDefinite, "Erreur d'accès aux données précédemment référencées (Direct) / paiement déjà effectué (System)"),
    row("00016", TokenState, Definite, "Abonné déjà existant"),
    row("00017", TokenState, Definite, "Abonné inexistant"),
    row("00018", NotFound, NotDefinite, "Transaction non trouvée"),
    row("00019", NotApplicable, NotDefinite, "Réservé"),
    row("00020", RequestError, NotDefinite, "Cryptogramme visuel non présent"),
    row("00021", HardDecline, Definite, "Carte non autorisée"),
    row("00022", SoftDecline, Definite, "Plafond atteint"),
    row("00023", SoftDecline, Definite, "Porteur déjà passé aujourd'hui"),
    row("00024", HardDecline, Definite, "Code pays filtré pour ce commerçant"),
    row("00026", ConfigError, NotDefinite, "Code activité incorrect"),
    row("00029", RequestError, NotDefinite, "Carte non conforme"),
    row("00030", NotApplicable, NotDefinite, "Temps d'attente dépassé sur la page"),
    row("00031", NotApplicable, NotDefinite, "Réservé"),
    row("00032", NotApplicable, NotDefinite, "Réservé"),
    row("00033", NotApplicable, NotDefinite, "Pays de l'adresse IP non autorisé"),
    row("00039", Duplicate, NotDefinite, "(requête déjà traitée)"),
    row("00040", ScaRequired, Definite, "Porteur enrôlé mais non authentifié (Direct) / sans authentification 3DS, bloqué par le filtre (System)"),
    row("00097", OutcomeUnknown, NotDefinite, "Timeout de connexion atteint"),
    row("00098", OutcomeUnknown, NotDefinite, "Erreur de connexion interne"),
    row("00099", OutcomeUnknown, NotDefinite, "Incohérence entre la question et la réponse; refaire ultérieurement"),
    row("00100", Success, NotDefinite, "Approuvée"),
    row("00101", SoftDecline, Definite, "Contacter l'émetteur"),
    row("00102", SoftDecline, Definite, "Contacter l'émetteur"),
    row("00103", ConfigError, NotDefinite, "Commerçant invalide"),
    row("00104", HardDecline, Definite, "Conserver la carte"),
    row("00105", SoftDecline, Definite, "Ne pas honorer"),
    row("00107", HardDecline, Definite, "Conserver la carte, conditions spéciales"),
    row("00108", SoftDecline, Definite, "Approuver après identification"),
    row("00112", HardDecline, Definite, "Transaction invalide"),
    row("00113", RequestError, NotDefinite, "Montant invalide"),
    row("00114", HardDecline, Definite, "Numéro de porteur invalide"),
    row("00115", HardDecline, Definite, "Émetteur de carte inconnu"),
    row("00117", HardDecline, Definite, "Annulation client"),
    row("00119", TechnicalRetry, NotDefinite, "Répéter la transaction ultérieurement"),
    row("00120", TechnicalRetry, NotDefinite, "Réponse erronée (serveur)"),
    row("00124", NotApplicable, NotDefinite, "Mise à jour de fichier non supportée"),
    row("00125", NotApplicable, NotDefinite, "Enregistrement introuvable"),
    row("00126", NotApplicable, NotDefinite, "Enregistrement dupliqué, ancien remplacé"),
    row("00127", NotApplicable, NotDefinite, "Erreur d'édition sur mise à jour fichier"),
    row("00128", NotApplicable, NotDefinite, "Accès interdit au fichier"),
    row("00129", NotApplicable, NotDefinite, "Mise à jour de fichier impossible"),
    row("00130", RequestError, NotDefinite, "Erreur de format"),
    row("00131", ConfigError, NotDefinite, "Identifiant acquéreur inconnu"),
    row("00133", CardUpdate, Definite, "Carte expirée / date dépassée"),
    row("00134", HardDecline, Definite, "Suspicion de fraude"),
    row("00138", HardDecline, Definite, "Nombre d'essais code dépassé"),
    row("00141", HardDecline, Definite, "Carte perdue"),
    row("00143", HardDecline, Definite, "Carte volée"),
    row("00146", HardDecline, Definite, ""),
    row("00151", SoftDecline, Definite, "Provision insuffisante ou crédit dépassé"),
    row("00154", CardUpdate, Definite, "Date de validité dépassée"),
    row("00155", NotApplicable, NotDefinite, "Code confidentiel erroné"),
    row("00156", HardDecline, Definite, "Carte absente du fichier"),
    row("00157", HardDecline, Definite, "Transaction non permise à ce porteur"),
    row("00158", ConfigError, NotDefinite, "Transaction interdite au terminal"),
    row("00159", HardDecline, Definite, "Suspicion de fraude"),
    row("00160", ConfigError, NotDefinite, "L'accepteur doit contacter l'acquéreur"),
    row("00161", SoftDecline, Definite, "Dépasse la limite de montant"),
    row("00162", SoftDecline, Definite, ""),
    row("00163", HardDecline, Definite, "Règles de sécurité non respectées"),
    row("00165", SoftDecline, Definite, ""),
    row("00168", OutcomeUnknown, NotDefinite, "Réponse non parvenue ou reçue trop tard"),
    row("00175", SoftDecline, Definite, "Nombre d'essais code dépassé"),
    row("00176", HardDecline, Definite, "Porteur déjà en opposition"),
    row("00178", SoftDecline, Definite, ""),
    row("00189", ScaRequired, Definite, "Échec de l'authentification"),
    row("00190", TechnicalRetry, NotDefinite, "Arrêt momentané du système"),
    row("00191", TechnicalRetry, NotDefinite, "Émetteur inaccessible"),
    row("00193", SoftDecline, Definite, ""),
    row("00194", Duplicate, NotDefinite, "Demande dupliquée"),
    row("00196", TechnicalRetry, NotDefinite, "Mauvais fonctionnement du système"),
    row("00197", OutcomeUnknown, NotDefinite, "Temporisation globale échue"),
    row("00198", TechnicalRetry, NotDefinite, "Serveur inaccessible"),
    row("00199", TechnicalRetry, NotDefinite, "Incident domaine initiateur"),
    row("001A1", ScaRequired, Definite, ""),
    row("001R0", HardDecline, Definite, ""),
    row("001R1", HardDecline, Definite, ""),
    row("001R3", HardDecline, Definite, ""),
    row("99999", Pending, NotDefinite, "Opération en attente de validation"),
];
