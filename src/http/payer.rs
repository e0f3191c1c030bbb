//! The payer's two stops: the page that hands them to PAYBOX, and the way back to the portal. Both work without script.

use std::sync::Arc;

use askama::Template;
use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderValue, Response, StatusCode, header},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

use super::{Gateway, plan_words, problem::Problem, written};
use crate::{
    app::{
        checkout::Form,
        page::{PageContent, PagePlan, PayerPage},
    },
    domain::{
        checkout::{CheckoutStatus, Locale},
        schedule::Instalment,
    },
};

/// Submits the form at once where scripts run; the button does it where they do not.
const SCRIPT: &str = "document.forms[0].submit();";
const STYLE: &str = include_str!("payer.css");

#[derive(Template)]
#[template(path = "hand_over.html")]
struct HandOver<'a> {
    style: &'a str,
    /// What submits the form by itself; a payer who has to agree to something does it.
    script: Option<&'a str>,
    lang: &'a str,
    merchant: &'a str,
    amount: String,
    plan: Option<Terms>,
    form: &'a Form,
    back: &'a str,
    french: bool,
}

/// What the payer of a plan agrees to by going on.
struct Terms {
    /// Why the card before did not do.
    refused: Option<&'static str>,
    count: usize,
    /// Day and amount of each instalment.
    first: (String, String),
    later: Vec<(String, String)>,
    later_total: String,
    consent: String,
}

#[derive(Template)]
#[template(path = "notice.html")]
struct Notice<'a> {
    style: &'a str,
    lang: &'a str,
    merchant: &'a str,
    title: &'a str,
    text: &'a str,
    back: Option<&'a str>,
    back_label: &'a str,
}

pub(super) async fn pay(
    State(gateway): State<Arc<Gateway>>,
    Path(token): Path<String>,
) -> Result<Response<Body>, Problem> {
    let page = gateway.app.payer_page(&token).await?;
    Ok(match &page.content {
        PageContent::Form(form) => hand_over(&page, form),
        PageContent::Over(status) => over(&page, *status),
    })
}

/// Asks the bank, waits a little for its answer, and sends the payer on. The query is not read: it proves nothing.
pub(super) async fn back(
    State(gateway): State<Arc<Gateway>>,
    Path((token, _outcome)): Path<(String, String)>,
) -> Result<Response<Body>, Problem> {
    let (back, merchant, order) = gateway.app.payer_returned(&token).await?;
    if let Some(attending) = gateway.attend_soon(merchant, order) {
        // The portal will ask the API next; most often the answer is there by then. It goes on without us.
        let _ = tokio::time::timeout(gateway.limits.return_wait, attending).await;
    }
    Ok(see_other(&back))
}

fn hand_over(page: &PayerPage, form: &Form) -> Response<Body> {
    let terms = page.plan.as_ref().and_then(|plan| terms(&page.merchant, plan, page.locale));
    let script = if page.plan.is_none() { Some(SCRIPT) } else { None };
    let template = HandOver {
        style: STYLE,
        script,
        lang: page.locale.letters(),
        merchant: &page.merchant,
        amount: written::amount(page.amount, page.locale),
        plan: terms,
        form,
        back: &page.back,
        french: page.locale == Locale::Fr,
    };
    let target =
        url::Url::parse(&form.action).map_or_else(|_| "'none'".to_owned(), |url| url.origin().ascii_serialization());
    html(StatusCode::OK, template.render(), page.locale, script, &target)
}

fn terms(merchant: &str, plan: &PagePlan, locale: Locale) -> Option<Terms> {
    let row = |due: &Instalment| (written::day(due.due, locale), written::amount(due.amount, locale));
    let (first, later) = plan.schedule.split_first()?;
    Some(Terms {
        refused: plan.refused.as_ref().map(|why| plan_words::why_card_refused(why, locale)),
        count: plan.schedule.len(),
        first: row(first),
        later: later.iter().map(row).collect(),
        later_total: written::amount(plan_words::later_total(&plan.schedule)?, locale),
        consent: plan_words::consent(merchant, &plan.schedule, locale),
    })
}

fn over(page: &PayerPage, status: CheckoutStatus) -> Response<Body> {
    let french = page.locale == Locale::Fr;
    let (title, text) = match (status, french) {
        (CheckoutStatus::Captured, true) => ("C’est réglé", "Cette somme est payée : il n’y a plus rien à faire ici."),
        (CheckoutStatus::Captured, false) => ("All paid", "This sum is paid: there is nothing left to do here."),
        (CheckoutStatus::Confirming | CheckoutStatus::Quarantined, true) => (
            "Confirmation en cours",
            "Un paiement est en cours de confirmation auprès de la banque. Ne payez pas une seconde fois.",
        ),
        (CheckoutStatus::Confirming | CheckoutStatus::Quarantined, false) => {
            ("Being confirmed", "A payment is being confirmed with the bank. Please do not pay again.")
        }
        (_, true) => (
            "Ce lien n’est plus valable",
            "Il a expiré, ou un lien plus récent le remplace. Revenez au portail pour en obtenir un nouveau.",
        ),
        (_, false) => (
            "This link is no longer valid",
            "It has expired, or a newer one has taken its place. Go back to the portal to get a new one.",
        ),
    };
    let back_label = if french { "Retour au portail" } else { "Back to the portal" };
    let (merchant, lang) = (page.merchant.as_str(), page.locale.letters());
    let notice = Notice { style: STYLE, lang, merchant, title, text, back: Some(&page.back), back_label };
    html(StatusCode::GONE, notice.render(), page.locale, None, "'none'")
}

/// A problem as a payer can read it. What cannot even be a link is a link that does not exist.
pub(super) fn notice(problem: &Problem, locale: Locale) -> Response<Body> {
    let status = match problem.code.status() {
        StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST => StatusCode::NOT_FOUND,
        StatusCode::METHOD_NOT_ALLOWED => StatusCode::METHOD_NOT_ALLOWED,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    let (title, text) = match (status, locale) {
        (StatusCode::NOT_FOUND, Locale::Fr) => {
            ("Lien inconnu", "Ce lien de paiement n’existe pas. Vérifiez qu’il est complet, ou revenez au portail.")
        }
        (StatusCode::NOT_FOUND, Locale::En) => {
            ("Unknown link", "This payment link does not exist. Check that it is complete, or go back to the portal.")
        }
        (StatusCode::METHOD_NOT_ALLOWED, Locale::Fr) => {
            ("Rien à envoyer ici", "Cette page s’ouvre par son lien, et ne reçoit rien. Revenez au portail.")
        }
        (StatusCode::METHOD_NOT_ALLOWED, Locale::En) => {
            ("Nothing to send here", "This page is opened by its link, and takes nothing. Go back to the portal.")
        }
        (_, Locale::Fr) => (
            "Service indisponible",
            "Le service de paiement ne répond pas pour le moment. Cette page n’a rien débité ; réessayez plus tard.",
        ),
        (_, Locale::En) => (
            "Service unavailable",
            "The payment service does not answer just now. This page has debited nothing; please try again later.",
        ),
    };
    let notice =
        Notice { style: STYLE, lang: locale.letters(), merchant: "guichet", title, text, back: None, back_label: "" };
    html(status, notice.render(), locale, None, "'none'")
}

fn see_other(to: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    match HeaderValue::from_str(to) {
        Ok(to) => {
            *response.status_mut() = StatusCode::SEE_OTHER;
            response.headers_mut().insert(header::LOCATION, to);
        }
        Err(_) => *response.status_mut() = StatusCode::NOT_FOUND,
    }
    response
}

/// A page that can do nothing but what it is for: its own style, its one script, its one form.
fn html(
    status: StatusCode,
    rendered: askama::Result<String>,
    locale: Locale,
    script: Option<&str>,
    form_action: &str,
) -> Response<Body> {
    let Ok(body) = rendered else {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        return response;
    };
    let hash = |content: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(content.as_bytes())));
    let script = script.map_or_else(|| "'none'".to_owned(), hash);
    let policy = format!(
        "default-src 'none'; style-src {}; script-src {script}; form-action {form_action}; frame-ancestors 'none'; base-uri 'none'",
        hash(STYLE)
    );
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(locale.letters()));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}
