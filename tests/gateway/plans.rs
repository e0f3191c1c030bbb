//! Paying in instalments: asked for, approved, begun by a card, debited by runs.

use serde_json::{Value, json};

use crate::{
    bench::checkout,
    payer::{ACCEPTED, Payer, follow},
    plan_bench::{Plans, VIRTUAL, amounts, kinds, text},
};

#[tokio::test(flavor = "multi_thread")]
async fn from_the_request_to_the_last_debit() {
    let plans = Plans::start().await;
    let bench = &plans.bench;
    let id = bench.place(60_100).await;
    let order = bench.order(&id).await;
    assert_eq!((kinds(&order), &order["plan"]), (vec!["once", "plan"], &Value::Null), "{order:#}");
    assert_eq!(order["ways_to_pay"][1]["needs_approval"], true);
    let path = format!("/v1/orders/{id}/plan");
    assert_eq!(bench.get(&path).await.status, 404);
    let unknown = bench.post(&path, &json!({"template": "4x"})).await;
    assert_eq!((unknown.status, unknown.json()["errors"][0]["pointer"].clone()), (422, json!("/template")));
    let too_small = bench.post(&path, &json!({"template": "5x"})).await;
    assert_eq!((too_small.status, too_small.code().as_str()), (422, "below_minimum"));

    let asked = bench.post(&path, &json!({"template": "3x"})).await.json();
    assert_eq!(asked["plan"]["status"], "requested");
    let listed = plans.asked(&plans.accounting, "/v1/plans?status=requested").await;
    assert_eq!(listed["orders"][0]["plan"], asked["plan"], "{listed:#}");
    let approve = format!("{path}/approve");
    let terms = json!({"terms": asked["plan"]["terms"]});
    assert_eq!(bench.post(&approve, &terms).await.status, 403, "for accounting only");
    let outdated = plans.send(&plans.accounting, "POST", &approve, &terms, &[("if-match", "\"1\"")]).await;
    assert_eq!(outdated.status, 412, "{}", outdated.body);
    let others = plans.send(&plans.accounting, "POST", &approve, &json!({"terms": "x"}), &[]).await;
    assert_eq!((others.status, others.code().as_str()), (409, "terms_changed"));
    let approved = plans.send(&plans.accounting, "POST", &approve, &terms, &[("if-match", "\"2\"")]).await.json();
    assert_eq!(kinds(&approved), ["once", "first_instalment"], "{approved:#}");
    let offer = &approved["plan"]["offer"];
    assert_eq!(amounts(&offer["schedule"]), [20_031, 20_031, 20_038]);
    assert_eq!(offer["later_total"]["amount"], 40_069);

    let mut request = checkout();
    request["accepted_terms"] = json!("0");
    let refused = bench.post(&format!("/v1/orders/{id}/checkout"), &request).await;
    assert_eq!((refused.status, refused.code().as_str()), (409, "terms_changed"));
    let issued = plans.begin(&approved).await;
    assert_eq!((&issued["form"], &issued["begins_plan"]), (&Value::Null, &json!(true)));
    let page = follow(text(&issued["redirect"])).await.body;
    for told in [
        "École de démonstration",
        "Total des paiements qui seront effectués automatiquement",
        "400,69",
        "e-Carte Bleue",
    ] {
        assert!(page.contains(told), "{told}: {page}");
    }
    assert!(!page.contains("<script"), "the payer presses the button: {page}");

    Payer::follow_link(bench, &issued).await.pay(ACCEPTED).await;
    let active = bench.until(&id, "active", |order| order["plan"]["status"] == "active").await;
    assert_eq!(active["plan"]["card"]["expires"], "2040-12", "{active:#}");
    assert_eq!(kinds(&active), ["instalment", "instalment"]);
    let days: Vec<String> =
        active["schedule"].as_array().unwrap().iter().map(|due| text(&due["due"]).to_owned()).collect();
    let early = plans.run(&days[1]).await;
    assert_eq!((early.status, early.code().as_str()), (409, "not_yet_due"));
    let preview = plans.asked(&plans.scheduler, &format!("/v1/debit-runs/preview?date={}", days[1])).await;
    assert_eq!(preview["items"][0]["amount"]["amount"], 20_031, "{preview}");
    assert_eq!((&preview["items"][0]["order"], &preview["items"][0]["left_out"]), (&json!(id), &Value::Null));

    for (number, day, amount) in [(2, &days[1], 20_031), (3, &days[2], 20_038)] {
        plans.come_to(day).await;
        let started = plans.run(day).await;
        assert_eq!(started.status, 202, "{}", started.body);
        assert_eq!(started.header("location"), Some(format!("/v1/debit-runs/ecole.{day}").as_str()));
        assert_eq!(plans.run(day).await.status, 200, "the same run");
        let run = plans.until_run(day, "done").await;
        assert_eq!((&run["counts"]["paid"], &run["counts"]["total"]), (&json!(1), &json!(1)), "{run:#}");
        assert_eq!(run["sums"]["paid"], json!({"amount": amount, "currency": "EUR"}));
        let items = plans.asked(&plans.scheduler, &format!("/v1/debit-runs/ecole.{day}/items?outcome=paid")).await;
        assert_eq!((&items["items"][0]["instalment"], &items["items"][0]["outcome"]), (&json!(number), &json!("paid")));
        let none = plans.asked(&plans.scheduler, &format!("/v1/debit-runs/ecole.{day}/items?outcome=refused")).await;
        assert_eq!(none["items"], json!([]));
    }
    let settled = bench.until_settled(&id).await;
    assert_eq!((&settled["plan"]["status"], &settled["ways_to_pay"]), (&json!("completed"), &json!([])));
    assert_eq!(bench.bank_totals().await["net"], 60_100);
    let path = format!("/v1/debit-runs/ecole.{}/resume", days[1]);
    let resumed = plans.send(&plans.operator, "POST", &path, &Value::Null, &[]).await;
    assert_eq!((resumed.status, resumed.code().as_str()), (409, "run_not_stopped"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_that_the_plan_does_not_take() {
    let plans = Plans::start().await;
    let approved = plans.approved().await;
    let id = text(&approved["id"]);
    let issued = plans.begin(&approved).await;
    Payer::follow_link(&plans.bench, &issued).await.pay(VIRTUAL).await;
    let refused = |order: &Value| order["checkouts"][0]["status"] == "card_refused";
    let order = plans.bench.until(id, "card_refused", refused).await;
    assert_eq!(order["checkouts"][0]["card_refused"]["why"], "virtual_card", "{order:#}");
    let page = follow(text(&issued["redirect"])).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("a pas été acceptée") && page.body.contains("cartes virtuelles"), "{}", page.body);
    Payer::follow_link(&plans.bench, &issued).await.pay(ACCEPTED).await;
    plans.bench.until(id, "active", |order| order["plan"]["status"] == "active").await;
    assert_eq!(plans.bench.bank_totals().await["net"], 20_031);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_debit_run_leaves_in_arrears_is_paid_by_a_link() {
    let plans = Plans::start().await;
    let order = plans.active(ACCEPTED).await;
    let (id, day) = (text(&order["id"]), text(&order["schedule"][1]["due"]));
    let script = json!({"card": ACCEPTED, "type": "00053", "outcomes": ["00141"]});
    let kind = [("content-type", "application/json")];
    let set = plans.bench.manage.send("POST", "/scripts", &kind, &script.to_string()).await;
    assert_eq!(set.status, 200, "{}", set.body);
    plans.come_to(day).await;
    assert_eq!(plans.run(day).await.status, 202);
    plans.until_run(day, "done").await;
    let order = plans.bench.order(id).await;
    assert_eq!(order["plan"]["status"], "past_due", "{order:#}");
    let due = &order["schedule"][1];
    assert_eq!((&due["status"], &due["last_refusal"]["code"]), (&json!("arrears"), &json!("00141")), "{due}");
    let items = plans.asked(&plans.scheduler, &format!("/v1/debit-runs/ecole.{day}/items")).await;
    assert_eq!(items["items"][0]["code"], "00141", "{items}");
    assert!(text(&items["items"][0]["explanation"]["fr"]).len() > 10);
    let retry = format!("/v1/orders/{id}/instalments/2/retry");
    let refused = plans.send(&plans.accounting, "POST", &retry, &json!({"reason": "le payeur appelle"}), &[]).await;
    assert_eq!((refused.status, refused.code().as_str()), (409, "card_unusable"), "{}", refused.body);

    let metrics = plans.bench.ops.send("GET", "/metrics", &[], "").await.body;
    for series in ["guichet_debits_total{outcome=\"refused\"", "guichet_debit_runs_total{state=\"ended\""] {
        assert!(metrics.contains(&format!("{series},merchant=\"ecole\"}} 1\n")), "{series}: {metrics}");
    }

    let mut request = checkout();
    request["instalment"] = json!(2);
    let issued = plans.bench.post(&format!("/v1/orders/{id}/checkout"), &request).await;
    assert_eq!(issued.status, 201, "{}", issued.body);
    Payer::open(&plans.bench, &issued.json()).await.pay(ACCEPTED).await;
    let paid = |order: &Value| order["schedule"][1]["status"] == "paid";
    assert_eq!(plans.bench.until(id, "paid", paid).await["plan"]["status"], "active");

    for (what, status) in [("pause", "paused"), ("resume", "active"), ("cancel", "cancelled")] {
        let answer =
            plans.send(&plans.accounting, "POST", &format!("/v1/orders/{id}/plan/{what}"), &Value::Null, &[]).await;
        assert_eq!((answer.status, &answer.json()["plan"]["status"]), (200, &json!(status)), "{}", answer.body);
    }
    assert_eq!(kinds(&plans.bench.order(id).await), ["instalment"], "what is unpaid stays owed");
    let events = plans.bench.get("/v1/events").await.body;
    for kind in ["plan.activated", "instalment.arrears", "plan.paused", "plan.resumed", "plan.cancelled"] {
        assert!(events.contains(kind), "{kind}");
    }
    let (bearer, path) = (format!("Bearer {}", plans.operator), format!("/v1/orders/{id}/explain"));
    let story = plans.bench.gateway.send("GET", &path, &[("authorization", &bearer)], "").await.body;
    for told in ["3 échéances", "La carte convient", "200,31", "impayée", "finissant par 44"] {
        assert!(story.contains(told), "{told}: {story}");
    }
    assert!(!story.contains("sealed_token"), "{story}");
}
