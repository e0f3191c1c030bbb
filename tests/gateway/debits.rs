//! Debits of one order: refused, lost, in doubt, paid otherwise meanwhile; and the token, which nobody reads.

use serde_json::{Value, json};

use crate::{
    bench::checkout,
    payer::{ACCEPTED, Payer, follow},
    plan_bench::{Plans, after, due, text},
};

fn status(order: &Value, instalment: usize) -> &str {
    text(&order["schedule"][instalment - 1]["status"])
}

/// A page of one instalment.
async fn page_of(plans: &Plans, order: &Value, instalment: u32) -> crate::client::Answer {
    let mut request = checkout();
    request["instalment"] = json!(instalment);
    plans.bench.post(&format!("/v1/orders/{}/checkout", text(&order["id"])), &request).await
}

/// Nobody asks for a run here: each day's begins by itself.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_refused_for_now_is_debited_some_days_later() {
    let daily = |text: String| text.replace("daily = false", "daily = true\ndaily_at = \"00:00\"");
    let plans = Plans::start_with(daily).await;
    let order = plans.active(ACCEPTED).await;
    let (id, day) = (text(&order["id"]), due(&order, 2));
    plans.tell_sandbox("/scripts", &json!({"card": ACCEPTED, "type": "00053", "outcomes": ["00151"]})).await;
    plans.come_to(&day).await;
    let refused = plans.bench.until(id, "refused", |order| status(order, 2) == "retry_wait").await;
    let next = text(&refused["schedule"][1]["next_attempt_on"]);
    assert_eq!((next, &refused["plan"]["status"]), (after(&day, 3).as_str(), &json!("past_due")), "{refused:#}");
    assert_eq!(refused["schedule"][1]["last_refusal"]["code"], "00151");
    plans.come_to(next).await;
    let paid = plans.bench.until(id, "paid", |order| status(order, 2) == "paid").await;
    assert_eq!((&paid["plan"]["status"], &paid["schedule"][1]["attempts"]), (&json!("active"), &json!(2)));
    let booked = plans.booked(&order).await;
    let seen: Vec<(&str, &str)> = booked.iter().map(|each| (text(&each["status"]), text(&each["code"]))).collect();
    assert_eq!(seen, [("refused", "00151"), ("captured", "00000")]);
    assert_ne!(booked[0]["reference"], booked[1]["reference"], "each try has a name of its own");
    assert_eq!(plans.agreed(&order).await, 40_062);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_asked_for_and_the_card_is_debited_once() {
    let plans = Plans::start().await;
    let order = plans.active(ACCEPTED).await;
    let (id, day) = (text(&order["id"]), due(&order, 2));
    plans.bench.fault(&json!({"target": "direct", "type": "00053", "action": "drop_after_commit"})).await;
    plans.come_to(&day).await;
    plans.run(&day).await;
    plans.bench.until(id, "paid", |order| status(order, 2) == "paid").await;
    plans.until_run(&day, "done").await;
    assert_eq!((plans.sent(&order).await, plans.agreed(&order).await), (1, 40_062));
    assert!(plans.bench.log().contains("in_doubt"), "in doubt is never silent");
}

/// A bank that never shows debits when it is asked for them: then "not found" proves nothing.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_bank_cannot_show_becomes_a_persons_and_is_never_sent_again() {
    let ladder = r#"doubt_ladder = ["50ms", "200ms", "500ms", "800ms"]"#;
    let plans = Plans::start_with(|text| {
        text.replace(r#"doubt_ladder = ["50ms", "200ms", "600ms", "1s", "2s", "4s"]"#, ladder)
    })
    .await;
    plans.tell_sandbox("/switches", &json!({"enquiry_sees_subscribers": false})).await;
    let order = plans.active(ACCEPTED).await;
    let (id, day, next) = (text(&order["id"]), due(&order, 2), due(&order, 3));
    plans.bench.fault(&json!({"target": "direct", "type": "00053", "action": "drop_after_commit"})).await;
    plans.come_to(&day).await;
    plans.run(&day).await;
    let doubted = plans.bench.until(id, "quarantined", |order| status(order, 2) == "quarantined").await;
    assert_eq!(doubted["paid"]["amount"], 20_031, "what nobody knows is not paid: {doubted:#}");
    let run = plans.until_run(&day, "done_with_doubt").await;
    assert_eq!((&run["counts"]["quarantined"], &run["counts"]["total"]), (&json!(1), &json!(1)), "{run:#}");
    assert_eq!(page_of(&plans, &order, 2).await.code(), "quarantined", "it may be paid already");

    for later in [after(&day, 1), after(&day, 3)] {
        plans.come_to(&later).await;
        plans.run(&later).await;
        let run = plans.until_run(&later, "done").await;
        assert_eq!(run["counts"]["total"], 0, "{run:#}");
    }
    plans.come_to(&next).await;
    plans.run(&next).await;
    plans.until_run(&next, "done").await;
    let order = plans.bench.order(id).await;
    assert_eq!((status(&order, 2), status(&order, 3)), ("quarantined", "paid"), "the next goes on its own day");
    let references: Vec<Value> = plans.booked(&order).await.iter().map(|each| each["reference"].clone()).collect();
    assert_eq!((references.len(), plans.sent(&order).await), (2, 2), "{references:?}");
    assert!(plans.bench.log().contains("quarantined"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_its_payer_is_paying_is_not_debited() {
    let plans = Plans::start().await;
    let order = plans.active(ACCEPTED).await;
    let (id, day) = (text(&order["id"]), due(&order, 2));
    plans.come_to(&day).await;
    let issued = page_of(&plans, &order, 2).await;
    assert_eq!(issued.status, 201, "{}", issued.body);
    let payer = Payer::open(&plans.bench, &issued.json()).await;
    let preview = plans.asked(&plans.scheduler, &format!("/v1/debit-runs/preview?date={day}")).await;
    assert_eq!(preview["items"][0]["left_out"], "payer_paying", "{preview}");
    plans.run(&day).await;
    assert_eq!(plans.until_run(&day, "done").await["counts"]["total"], 0);
    payer.pay(ACCEPTED).await;
    plans.bench.until(id, "paid", |order| status(order, 2) == "paid").await;
    let next = after(&day, 1);
    plans.come_to(&next).await;
    plans.run(&next).await;
    assert_eq!(plans.until_run(&next, "done").await["counts"]["total"], 0);
    assert_eq!((plans.sent(&order).await, plans.agreed(&order).await), (0, 40_062));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_being_debited_is_not_paid_by_a_page_as_well() {
    let plans = Plans::start().await;
    let order = plans.active(ACCEPTED).await;
    let (id, day) = (text(&order["id"]), due(&order, 2));
    plans.bench.fault(&json!({"target": "direct", "type": "00053", "action": "delay", "ms": 900})).await;
    plans.come_to(&day).await;
    plans.run(&day).await;
    plans.bench.until(id, "being debited", |order| status(order, 2) == "in_attempt").await;
    let refused = page_of(&plans, &order, 2).await;
    assert_eq!((refused.status, refused.code().as_str()), (409, "debit_in_progress"));
    plans.bench.until(id, "paid", |order| status(order, 2) == "paid").await;
    assert_eq!(page_of(&plans, &order, 2).await.code(), "no_such_instalment");
    assert_eq!((plans.sent(&order).await, plans.agreed(&order).await), (1, 40_062));
}

/// Page and run at the same moment, over and over: whoever is first, the instalment is paid once.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_and_a_run_at_once_take_the_money_once() {
    let plans = Plans::start().await;
    let orders = plans.several(4, ACCEPTED).await;
    let day = due(&orders[0], 2);
    plans.come_to(&day).await;
    let pay = async |order: &Value| {
        let issued = page_of(&plans, order, 2).await;
        if issued.status == 201 {
            Payer::open(&plans.bench, &issued.json()).await.pay(ACCEPTED).await;
        } else {
            assert!(["debit_in_progress", "no_such_instalment"].contains(&issued.code().as_str()), "{}", issued.body);
        }
    };
    let (_, _, _, started) =
        tokio::join!(pay(&orders[0]), pay(&orders[1]), async { pay(&orders[2]).await }, plans.run(&day));
    assert_eq!(started.status, 202, "{}", started.body);
    plans.until_run(&day, "done").await;
    for order in &orders {
        plans.bench.until(text(&order["id"]), "paid", |order| status(order, 2) == "paid").await;
        assert!(plans.sent(order).await <= 1);
        assert_eq!(plans.agreed(order).await, 40_062);
    }
    assert_eq!(plans.sent(&orders[3]).await, 1, "nobody paid the fourth");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cards_token_is_nowhere_in_clear() {
    let plans = Plans::start().await;
    let approved = plans.approved().await;
    let id = text(&approved["id"]);
    let payer = Payer::follow_link(&plans.bench, &plans.begin(&approved).await).await;
    payer.pay(ACCEPTED).await;
    let order = plans.bench.until(id, "active", |order| order["plan"]["status"] == "active").await;
    let day = due(&order, 2);
    let token = {
        let world = plans.bench.sandbox.sandbox.world();
        let (_, _, subscriber) = world.subscribers.iter().next().unwrap();
        subscriber.token.clone()
    };
    // PAYBOX puts it into the URL that the browser comes back with; from there it goes no further.
    let way_back = payer.way_back().await;
    assert!(way_back.contains(&token), "{way_back}");
    let back = follow(&way_back).await;
    assert_eq!(back.status, 303, "{}", back.body);
    plans.bench.fault(&json!({"target": "direct", "type": "00053", "action": "truncate"})).await;
    plans.come_to(&day).await;
    plans.run(&day).await;
    plans.bench.until(id, "paid", |order| status(order, 2) == "paid").await;
    let mut told = plans.bench.log() + &format!("{back:?}") + &plans.bench.order(id).await.to_string();
    told += &plans.bench.get("/v1/events").await.body;
    told += &plans.asked(&plans.operator, &format!("/v1/orders/{id}/explain")).await.to_string();
    told += &plans.bench.ops.send("GET", "/metrics", &[], "").await.body;
    let mut stored = Vec::new();
    for file in std::fs::read_dir(&plans.bench.folder).unwrap() {
        let path = file.unwrap().path();
        if path.file_name().unwrap().to_string_lossy().starts_with("guichet.db") {
            stored.extend(std::fs::read(path).unwrap());
        }
    }
    let holds = |secret: &str| stored.windows(secret.len()).any(|bytes| bytes == secret.as_bytes());
    assert!(holds(id) && told.contains(id), "what is searched is what is meant");
    for secret in [token.as_str(), ACCEPTED] {
        assert!(!holds(secret) && !told.contains(secret), "{secret} is in clear");
    }
}
