//! A payer with a browser without script: opens pages, fills in forms, presses buttons, follows links and redirects.

use url::Url;

use crate::{
    cards::Card,
    client::{Answer, Client, FORM, Question, without_query},
    forms::{self, Form},
    trouble::{Outcome, Trouble},
};

/// A walk of more redirects than this goes in circles.
const MAX_HOPS: usize = 10;

#[derive(Clone)]
pub(crate) struct Browser {
    client: Client,
}

/// What the payer sees, and the addresses passed on the way to it.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) url: String,
    pub(crate) answer: Answer,
    /// Every redirect on the way: where it happened, its status, where it led.
    pub(crate) hops: Vec<Hop>,
}

#[derive(Clone, Debug)]
pub(crate) struct Hop {
    pub(crate) from: String,
    pub(crate) status: u16,
    pub(crate) to: String,
}

impl Browser {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    pub(crate) async fn open(&self, url: &str) -> Outcome<Page> {
        self.walk(Question::get(url), url.to_owned()).await
    }

    /// Sends a form of `page` with the button of this value pressed, or the nameless one.
    pub(crate) async fn press(&self, page: &Page, form: &Form, button: Option<&str>) -> Outcome<Page> {
        let to = Url::parse(&page.url)?.join(&form.action)?.to_string();
        let body = form.pressed(button)?;
        match form.method.as_str() {
            "post" => self.walk(Question::post(&to, FORM, body), to).await,
            _ => self.open(&format!("{}?{body}", without_query(&to))).await,
        }
    }

    /// Posts a form that a portal built from fields, without a page of its own.
    pub(crate) async fn post(&self, url: &str, fields: &[(String, String)]) -> Outcome<Page> {
        let form = Form { fields: fields.to_vec(), ..Form::default() };
        self.walk(Question::post(url, FORM, form.pressed(None)?), url.to_owned()).await
    }

    async fn walk(&self, first: Question, at: String) -> Outcome<Page> {
        let (mut question, mut at, mut hops) = (first, at, Vec::new());
        while hops.len() < MAX_HOPS {
            let answer = self.client.ask(question).await?;
            if !matches!(answer.status, 301..=303) {
                return Ok(Page { url: at, answer, hops });
            }
            let to = answer.header("location").ok_or_else(|| Trouble::of("a redirect that leads nowhere"))?;
            let to = Url::parse(&at)?.join(to)?.to_string();
            hops.push(Hop { from: at, status: answer.status, to: to.clone() });
            question = Question::get(&to);
            at = to;
        }
        Err(Trouble::of(format!("redirects without end, last to {}", without_query(&at))))
    }

    /// Types a card on the payment page and presses *Valider*.
    pub(crate) async fn pay(&self, page: &Page, card: Card) -> Outcome<Page> {
        let mut form = page.form_with("NUMERO_CARTE")?;
        form.fill("NUMERO_CARTE", card.number)?;
        form.fill("CVVX", card.code)?;
        form.fill("MOIS_VALIDITE", "12")?;
        form.pick_last("AN_VALIDITE")?;
        self.press(page, &form, Some("VALIDER")).await
    }

    /// *Annuler* on the payment page, which leads straight back.
    pub(crate) async fn give_up(&self, page: &Page) -> Outcome<Page> {
        self.press(page, &page.form_with("NUMERO_CARTE")?, Some("ANNULER")).await
    }

    /// Answers the bank's challenge with the code that its telephone would show.
    pub(crate) async fn authenticate(&self, page: &Page) -> Outcome<Page> {
        let mut form = page.form_with("CODE")?;
        form.fill("CODE", &page.text("code_attendu")?)?;
        self.press(page, &form, Some("VALIDER")).await
    }

    /// Fails the bank's challenge.
    pub(crate) async fn fail_to_authenticate(&self, page: &Page) -> Outcome<Page> {
        self.press(page, &page.form_with("CODE")?, Some("ECHOUER")).await
    }

    /// *Essayer une autre carte* after a refusal.
    pub(crate) async fn try_another_card(&self, page: &Page) -> Outcome<Page> {
        let again = page.forms().into_iter().find(|form| form.action.ends_with("/autre-carte"));
        let again = again.ok_or_else(|| Trouble::of("the page lets nobody try another card"))?;
        self.press(page, &again, None).await
    }

    /// *Retour boutique*.
    pub(crate) async fn return_to_shop(&self, page: &Page) -> Outcome<Page> {
        let link = forms::link(&page.answer.body, "retour_boutique");
        self.open(&link.ok_or_else(|| Trouble::of(format!("no way back to the shop on {}", page.outline())))?).await
    }
}

impl Page {
    pub(crate) fn forms(&self) -> Vec<Form> {
        forms::forms(&self.answer.body)
    }

    /// The first form that has this field.
    pub(crate) fn form_with(&self, field: &str) -> Outcome<Form> {
        let form = self.forms().into_iter().find(|form| form.has_field(field));
        form.ok_or_else(|| Trouble::of(format!("no form with {field} on {}", self.outline())))
    }

    /// The text of the element with this id.
    pub(crate) fn text(&self, id: &str) -> Outcome<String> {
        let text = forms::text_of(&self.answer.body, id);
        text.ok_or_else(|| Trouble::of(format!("nothing called {id} on {}", self.outline())))
    }

    pub(crate) fn shows(&self, text: &str) -> bool {
        self.answer.body.contains(text)
    }

    /// Enough of the page for a message: its address, its status, its heading.
    pub(crate) fn outline(&self) -> String {
        let heading = self.answer.body.split("<h1").nth(1).and_then(|rest| rest.split('<').next()).unwrap_or_default();
        let hint = forms::text_of(&self.answer.body, "hint").unwrap_or_default();
        format!("{} (HTTP {}{heading} {hint})", without_query(&self.url), self.answer.status)
    }
}
