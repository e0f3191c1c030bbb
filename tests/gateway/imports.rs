//! PAYBOX's and the bank's files against our ledger, and what a person books of them.

use serde_json::{Value, json};

use crate::{
    bench::fresh_name,
    client::Answer,
    payer::{ACCEPTED, Payer},
    plan_bench::{Plans, after, text},
};

/// Captures are not asked for by night, so that only files tell of remittances.
async fn bench() -> Plans {
    Plans::start().await
}

impl Plans {
    async fn paid(&self, total: i64) -> Value {
        let id = self.bench.place(total).await;
        let page = self.bench.check_out(&id).await;
        Payer::open(&self.bench, &page).await.pay(ACCEPTED).await;
        self.bench.until_settled(&id).await
    }

    async fn file(&self, name: &str) -> String {
        let answer = self.bench.manage.send("GET", &format!("/files/{name}?site=1999888&rang=32"), &[], "").await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }

    async fn import(&self, file: &str, table: &str) -> Answer {
        let bearer = format!("Bearer {}", self.accounting);
        let headers = [
            ("authorization", bearer.as_str()),
            ("guichet-actor", "Mme Durand"),
            ("content-type", "text/csv; charset=utf-8"),
        ];
        self.bench.gateway.send("POST", &format!("/v1/imports?file={file}"), &headers, table).await
    }

    async fn imported(&self, file: &str, table: &str) -> String {
        let answer = self.import(file, table).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        text(&answer.json()["id"]).to_owned()
    }

    async fn drifts(&self, import: &str) -> Value {
        self.asked(&self.accounting, &format!("/v1/imports/{import}/drifts")).await
    }

    async fn ids(&self, import: &str) -> Vec<String> {
        let found = self.drifts(import).await;
        found["items"].as_array().unwrap().iter().map(|drift| text(&drift["id"]).to_owned()).collect()
    }

    async fn enter(&self, import: &str, drift: &str, entry: &str) -> Answer {
        self.enter_as(import, drift, entry, &fresh_name("key")).await
    }

    async fn enter_as(&self, import: &str, drift: &str, entry: &str, key: &str) -> Answer {
        let body = json!({"entry": entry, "reason": "relevé du jour"}).to_string();
        let bearer = format!("Bearer {}", self.accounting);
        let headers = [
            ("authorization", bearer.as_str()),
            ("guichet-actor", "Mme Durand"),
            ("content-type", "application/json"),
            ("idempotency-key", key),
        ];
        let path = format!("/v1/imports/{import}/drifts/{drift}/journal");
        self.bench.gateway.send("POST", &path, &headers, &body).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_settled_day_is_booked_from_its_files_by_a_person() {
    let plans = bench().await;
    let order = plans.paid(60_100).await;
    let operation = text(&order["ledger"][0]["operation"]).to_owned();
    // Before the bank has collected anything, both sides agree.
    let early = plans.file("operations.csv").await;
    let first = plans.imported("operations", &early).await;
    assert_eq!(plans.ids(&first).await, Vec::<String>::new());

    plans.tell_sandbox("/settle", &json!({})).await;
    let table = plans.file("operations.csv").await;
    let import = plans.imported("operations", &table).await;
    let again = plans.import("operations", &table).await;
    assert_eq!((again.status, &again.json()["id"]), (200, &json!(import)), "the same bytes are the same import");
    let list = plans.asked(&plans.accounting, "/v1/imports").await;
    assert_eq!(list["items"].as_array().unwrap().len(), 2);
    let shown = plans.asked(&plans.accounting, &format!("/v1/imports/{import}")).await;
    assert_eq!((&shown["lines"], &shown["file"]), (&json!(1), &json!("operations")), "{shown}");

    let drift = format!("not_settled_here.{operation}");
    let found = plans.drifts(&import).await;
    let item = &found["items"][0];
    assert_eq!((&found["open"], &item["id"], &item["status"]), (&json!(1), &json!(drift), &json!("open")), "{found:#}");
    assert_eq!((&item["entries"], &item["order"]), (&json!(["settlement", "note"]), &order["id"]), "{found:#}");
    assert!(text(&item["explanation"]["fr"]).contains("« settlement »"), "{item:#}");

    let refused = plans.enter(&import, &drift, "fees").await;
    assert_eq!((refused.status, refused.code().as_str()), (409, "entry_not_offered"), "{}", refused.body);
    let booked = plans.enter_as(&import, &drift, "settlement", "settle-1").await;
    assert_eq!((booked.status, &booked.json()["status"]), (200, &json!("journalled")), "{}", booked.body);
    let replayed = plans.enter_as(&import, &drift, "settlement", "settle-1").await;
    assert_eq!((replayed.header("idempotency-replayed"), &replayed.body), (Some("true"), &booked.body));
    let twice = plans.enter(&import, &drift, "note").await;
    assert_eq!(twice.code(), "entry_not_offered", "{}", twice.body);
    let order = plans.bench.order(text(&order["id"])).await;
    assert_eq!(
        (&order["ledger"][1]["kind"], &order["ledger"][1]["remittance"], &order["unsettled"]),
        (&json!("settlement"), &json!("1"), &json!([])),
        "{order:#}"
    );
    assert_eq!(plans.drifts(&import).await["journalled"], 1, "it stays to be read");

    // The bank's statement agrees, but for its fees: 0,20 % of 601,00 €.
    let statement = plans.file("remittances.csv").await;
    let bank = plans.imported("remittances", &statement).await;
    assert_eq!(plans.ids(&bank).await, ["fees_not_booked.1"]);
    let fees = plans.enter(&bank, "fees_not_booked.1", "fees").await;
    assert_eq!((fees.status, &fees.json()["file"]["amount"]["amount"]), (200, &json!(120)), "{}", fees.body);
    // Another statement that shows the same remittance: its fees are booked already, and other fees are a drift.
    let same = plans.imported("remittances", &format!("{statement}\r\n")).await;
    assert_eq!(plans.ids(&same).await, Vec::<String>::new());
    let other = statement.replace(";1,20;599,80;", ";1,21;599,79;");
    let other = plans.imported("remittances", &other).await;
    assert_eq!(plans.ids(&other).await, ["fees_differ.1"]);
    let less = statement.replace("601,00;1,20;599,80", "600,00;1,20;598,80");
    let less = plans.imported("remittances", &less).await;
    assert_eq!(plans.ids(&less).await, ["gross_differs.1"]);
    let foreign = statement.replace("\n1;", "\n77;");
    let foreign = plans.imported("remittances", &foreign).await;
    assert_eq!(plans.ids(&foreign).await, ["fees_not_booked.77", "unknown_remittance.77"], "ours is elsewhere");

    let today = &text(&order["ledger"][0]["at"])[..10];
    // In the evening it is the next day already where the merchant is.
    let journal = format!("/v1/journal?from={today}&until={}", after(today, 1));
    let journal = plans.send(&plans.accounting, "GET", &journal, &Value::Null, &[]).await;
    assert_eq!(journal.status, 200, "{}", journal.body);
    let entries: Vec<&str> = journal.body.lines().skip(1).map(|line| line.split(',').nth(1).unwrap()).collect();
    assert_eq!(entries, ["capture", "settlement", "fees"], "{}", journal.body);
    assert!(journal.body.contains(",1.20,EUR,Mme Durand,"), "{}", journal.body);
}

/// A night that only takes refunds out is known by PAYBOX's file, and not before.
#[tokio::test(flavor = "multi_thread")]
async fn a_remittance_of_refunds_alone_is_none_that_nobody_knows() {
    let plans = bench().await;
    let order = plans.paid(60_100).await;
    let id = text(&order["id"]);
    plans.tell_sandbox("/settle", &json!({})).await;
    let refund =
        json!({"amount": {"amount": 10_000, "currency": "EUR"}, "against": "credit_note", "reason": "désistement"});
    plans.correct(id, "refunds", &refund).await;
    plans.until_refunded(id).await;
    plans.tell_sandbox("/settle", &json!({})).await;
    let statement = plans.imported("remittances", &plans.file("remittances.csv").await).await;
    // Nor is the payment known to be collected, while nobody has asked.
    let unknown = ["fees_not_booked.1", "unknown_remittance.1", "unknown_remittance.2"];
    assert_eq!(plans.ids(&statement).await, unknown);
    let import = plans.imported("operations", &plans.file("operations.csv").await).await;
    let settlement = format!("not_settled_here.{}", text(&order["ledger"][0]["operation"]));
    assert_eq!(plans.ids(&import).await, [settlement.as_str()]);
    assert_eq!(plans.ids(&statement).await, ["fees_not_booked.1", "unknown_remittance.1"]);
    assert_eq!(plans.enter(&import, &settlement, "settlement").await.status, 200);
    assert_eq!(plans.ids(&statement).await, ["fees_not_booked.1"]);
}

/// PAYBOX shows a payment of a page of ours of which it never told us: the file only makes us ask.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_never_books_a_payment() {
    let plans = bench().await;
    plans.bench.fault(&json!({"target": "ipn", "action": "lose", "times": 9})).await;
    let id = plans.bench.place(60_100).await;
    let page = plans.bench.check_out(&id).await;
    Payer::open(&plans.bench, &page).await.pay(ACCEPTED).await;
    let table = plans.file("operations.csv").await;
    let foreign = "\r\n999999999;7;BACK-OFFICE;".to_owned()
        + &table.lines().nth(1).unwrap().split(';').skip(3).collect::<Vec<_>>().join(";");
    let import = plans.imported("operations", &(table.trim_end().to_owned() + &foreign)).await;
    let found = plans.drifts(&import).await;
    let items = found["items"].as_array().unwrap();
    assert_eq!(items.len(), 2, "{found:#}");
    let (ours, foreign) = (&items[0], &items[1]);
    assert_eq!((&ours["order"], &ours["entries"]), (&json!(id), &json!(["question", "note"])), "{found:#}");
    assert_eq!((&foreign["order"], &foreign["entries"]), (&Value::Null, &json!(["note"])), "{found:#}");
    assert_eq!(plans.bench.order(&id).await["status"], "open", "nothing is booked from a file");

    plans.bench.manage.send("DELETE", "/faults", &[], "").await;
    let asked = plans.enter(&import, text(&ours["id"]), "question").await;
    assert_eq!((asked.status, &asked.json()["status"]), (200, &json!("asked")), "{}", asked.body);
    let order = plans.bench.until_settled(&id).await;
    assert_eq!(order["paid"]["amount"], 60_100, "the bank's own answer booked it");
    let left = plans.drifts(&import).await;
    assert_eq!((&left["open"], &left["asked"]), (&json!(1), &json!(0)), "{left:#}");
    let noted = plans.enter(&import, text(&foreign["id"]), "note").await;
    assert_eq!(noted.json()["status"], "journalled", "{}", noted.body);
    assert_eq!(plans.drifts(&import).await["open"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chargeback_in_a_file_reopens_its_instalment() {
    let plans = bench().await;
    let order = plans.paid(60_100).await;
    let table = plans.file("operations.csv").await;
    let line = table.lines().nth(1).unwrap();
    let back = line.replace(";paiement;", ";impayé;").replace("Capturé", "Rejet support");
    let import = plans.imported("operations", &format!("{table}{back}\n")).await;
    let drift = format!("unknown_chargeback.{}", text(&order["ledger"][0]["operation"]));
    assert_eq!(plans.ids(&import).await, [drift.as_str()]);
    // Two who click at once: one entry.
    let (one, other) =
        tokio::join!(plans.enter(&import, &drift, "chargeback"), plans.enter(&import, &drift, "chargeback"));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "{} {}", one.body, other.body);
    let order = plans.bench.order(text(&order["id"])).await;
    let kinds: Vec<&str> = order["ledger"].as_array().unwrap().iter().map(|entry| text(&entry["kind"])).collect();
    assert_eq!((kinds, &order["status"]), (vec!["capture", "chargeback"], &json!("open")), "{order:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_files_change_nothing_and_say_where() {
    let plans = bench().await;
    let head = "operation;call;reference;date;type;amount;currency;remittance;status\n";
    let bad = format!("{head}1;2;;2026-11-31;payment;6 01;EUR;;Capturé\n");
    let refused = plans.import("operations", &bad).await;
    let document = refused.json();
    assert_eq!((refused.status, refused.code().as_str()), (422, "file_refused"), "{}", refused.body);
    assert_eq!(document["errors"][0]["pointer"], "/2/date");
    assert!(text(&document["errors"][1]["detail"]).starts_with("ligne 2, colonne amount : "), "{document:#}");
    let empty = plans.import("remittances", "").await;
    assert_eq!((empty.status, empty.code().as_str()), (422, "file_refused"), "{}", empty.body);
    // Beyond the 64 KiB of other requests, and beyond its own limit.
    let line = "1;2;;2026-11-30;payment;601;EUR;;Captur\n";
    let long = head.to_owned() + &line.repeat(3_000);
    assert_eq!(plans.import("operations", &long).await.code(), "file_refused", "read to its end");
    let huge = plans.import("operations", &line.repeat(30_000)).await;
    assert_eq!((huge.status, huge.code().as_str()), (413, "too_large"), "{}", huge.body);
    let list = plans.asked(&plans.accounting, "/v1/imports").await;
    assert_eq!(list["items"], json!([]), "nothing is kept");
    // Neither portals nor operators read or bring files.
    for key in [&plans.operator, &plans.scheduler] {
        let answer = plans.send(key, "GET", "/v1/imports", &Value::Null, &[]).await;
        assert_eq!(answer.status, 403, "{}", answer.body);
    }
}
