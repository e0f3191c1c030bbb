//! A payer: walks PAYBOX's pages as a browser without script does.

use serde_json::Value;

use crate::{
    bench::Bench,
    client::{Answer, Client},
};

pub(crate) const ACCEPTED: &str = "1111222233334444";
pub(crate) const CHALLENGED: &str = "4012001037141112";
pub(crate) const REFUSED_151: &str = "4970100000000154";

/// A payer before an open card page.
pub(crate) struct Payer {
    page: Client,
    path: String,
}

impl Payer {
    /// Posts a checkout's form to PAYBOX.
    pub(crate) async fn open(bench: &Bench, checkout: &Value) -> Self {
        let fields: Vec<(&str, &str)> = checkout["form"]["fields"]
            .as_array()
            .unwrap()
            .iter()
            .map(|field| (field["name"].as_str().unwrap(), field["value"].as_str().unwrap()))
            .collect();
        Self::post_form(bench, &fields).await
    }

    /// Follows a checkout's link, and posts the form there as a browser without script does when its button is pressed.
    pub(crate) async fn follow_link(bench: &Bench, checkout: &Value) -> Self {
        let page = follow(checkout["redirect"].as_str().unwrap()).await;
        assert_eq!(page.status, 200, "{}", page.body);
        Self::press(bench, &page).await
    }

    /// Posts the form that a page of ours holds.
    pub(crate) async fn press(bench: &Bench, page: &Answer) -> Self {
        let fields: Vec<(String, String)> = page
            .body
            .split("<input type=\"hidden\" name=\"")
            .skip(1)
            .map(|input| {
                let (name, rest) = input.split_once("\" value=\"").unwrap();
                (name.to_owned(), unescaped(rest.split_once("\">").unwrap().0))
            })
            .collect();
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        Self::post_form(bench, &fields).await
    }

    async fn post_form(bench: &Bench, fields: &[(&str, &str)]) -> Self {
        let page = Client::new(&bench.sandbox.addresses.page);
        let opened = post(&page, "/php/", fields).await;
        assert_eq!(opened.status, 303, "{}", opened.body);
        Self { path: opened.header("location").unwrap().to_owned(), page }
    }

    /// Types a card; passes the challenge when one is asked. Gives the page that follows.
    pub(crate) async fn pay(&self, card: &str) -> String {
        self.pay_until(card, "12", "40").await
    }

    /// The same, with a card that ends in this month of this year.
    pub(crate) async fn pay_until(&self, card: &str, month: &str, year: &str) -> String {
        let typed = [
            ("NUMERO_CARTE", card),
            ("MOIS_VALIDITE", month),
            ("AN_VALIDITE", year),
            ("CVVX", "123"),
            ("ACTION", "VALIDER"),
        ];
        post(&self.page, &format!("{}/card", self.path), &typed).await;
        let page = self.look().await;
        match between(&page, "id=\"code_attendu\">", "<") {
            Some(code) => {
                self.authenticate(&code, "VALIDER").await;
                self.look().await
            }
            None => page,
        }
    }

    pub(crate) async fn authenticate(&self, code: &str, action: &str) {
        post(&self.page, &format!("{}/authentification", self.path), &[("CODE", code), ("ACTION", action)]).await;
    }

    pub(crate) async fn another_card(&self) {
        post(&self.page, &format!("{}/autre-carte", self.path), &[]).await;
    }

    /// Gives up; the URL that PAYBOX sends the payer to.
    pub(crate) async fn cancel(&self) -> String {
        let cancelled = post(&self.page, &format!("{}/card", self.path), &[("ACTION", "ANNULER")]).await;
        cancelled.header("location").unwrap().to_owned()
    }

    pub(crate) async fn look(&self) -> String {
        self.page.send("GET", &self.path, &[], "").await.body
    }

    /// The link back to the shop on the page now shown.
    pub(crate) async fn way_back(&self) -> String {
        let page = self.look().await;
        let link = between(&page, "id=\"retour_boutique\"", ">").unwrap_or_else(|| panic!("no way back: {page}"));
        between(&link, "href=\"", "\"").unwrap().replace("&amp;", "&")
    }
}

/// Follows a URL of the gateway, without going further.
pub(crate) async fn follow(url: &str) -> Answer {
    let rest = url.trim_start_matches("http://");
    let (host, path) = rest.split_once('/').unwrap();
    Client::new(host).send("GET", &format!("/{path}"), &[], "").await
}

async fn post(page: &Client, path: &str, fields: &[(&str, &str)]) -> Answer {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    page.send("POST", path, &[("content-type", "application/x-www-form-urlencoded")], &body).await
}

fn unescaped(text: &str) -> String {
    let entities = [("&#34;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">"), ("&#38;", "&")];
    entities.iter().fold(text.to_owned(), |text, (entity, character)| text.replace(entity, character))
}

pub(crate) fn between(text: &str, before: &str, after: &str) -> Option<String> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(found, _)| found.to_owned())
}
