//! Notifications that are genuine, and those that strangers send: the latter must not be dearer.

use serde_json::{Value, json};

use crate::{
    client::Client,
    portal::text,
    ratio::{Took, time},
    rig::{Kept, Rig},
    sized,
};

const CLIENTS: usize = 4;

/// Anything, signed by PAYBOX's key.
async fn signed(rig: &Rig, message: &str) -> String {
    let manage = Client::new(&rig.bench().sandbox.addresses.manage);
    let body = json!({"message": message, "name": "K"}).to_string();
    let signed = manage.send("POST", "/sign", &[("content-type", "application/json")], &body).await;
    text(&signed.json()["query"]).to_owned()
}

/// The notification of a page's success.
async fn genuine(rig: &Rig, number: usize) -> String {
    let order = rig.place("E2026001").await;
    rig.check_out(&order).await;
    let shown = rig.ask("GET", &format!("/v1/orders/{order}"), &Value::Null, 200).await.json();
    let reference = text(&shown["checkouts"][0]["reference"]).to_owned();
    signed(rig, &format!("M=60000&R={reference}&T={number}&S={number}&A=123456&E=00000")).await
}

async fn notify(rig: &Rig, bodies: &[String], status: u16) -> std::time::Duration {
    let one = |body: &String| {
        let body = body.clone();
        async move {
            let headers = [("content-type", "application/x-www-form-urlencoded")];
            let answer = rig.bench().gateway.send("POST", "/paybox/ecole/ipn", &headers, &body).await;
            assert_eq!(answer.status, status, "{body}");
        }
    };
    time(CLIENTS, bodies.iter().map(one)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forged_notifications_are_no_dearer_than_genuine_ones() {
    // The bank is asked about them when this is over.
    let later = |text: &str| {
        let text = text.replace("hold_for_report = \"1500ms\"", "hold_for_report = \"1h\"");
        let at_once = "ask_after_news = [\"0s\", \"100ms\", \"400ms\", \"1s\", \"2s\"]";
        assert!(text.contains(at_once) && text.contains("\"1h\""), "{text}");
        text.replace(at_once, "ask_after_news = [\"30m\"]")
    };
    let rig = Rig::start_with(Kept::OnFile, 1, later).await;
    let (count, mut number) = (sized(16, 300), 0);
    let [mut genuine_took, mut replayed_took, mut forged_took, mut unsigned_took, mut foreign_took]: [Took; 5] =
        Default::default();
    for _ in 0..sized(1, 5) {
        let (mut all, mut foreign) = (Vec::new(), Vec::new());
        for _ in 0..count {
            number += 1;
            all.push(genuine(&rig, number).await);
            foreign.push(signed(&rig, &format!("M=60000&R=AUTRE-{number}&T=1&S={number}&A=123456&E=00000")).await);
        }
        let forged: Vec<String> = all.iter().map(|body| body.replace("M=60000", "M=60001")).collect();
        let unsigned: Vec<String> = all.iter().map(|body| body.split("&K=").next().unwrap().to_owned()).collect();
        genuine_took.note(notify(&rig, &all, 200).await);
        forged_took.note(notify(&rig, &forged, 400).await);
        replayed_took.note(notify(&rig, &all, 200).await);
        foreign_took.note(notify(&rig, &foreign, 200).await);
        unsigned_took.note(notify(&rig, &unsigned, 400).await);
    }
    genuine_took.show("notifications, genuine", count);
    replayed_took.show("notifications, genuine, once more", count);
    forged_took.show("notifications, signature wrong", count);
    unsigned_took.show("notifications, no signature", count);
    foreign_took.show("notifications, signed, of no order", count);
    forged_took.over(&genuine_took, "forged_notification_over_genuine");
    foreign_took.over(&genuine_took, "foreign_notification_over_genuine");
    unsigned_took.over(&genuine_took, "unsigned_notification_over_genuine");
    replayed_took.over(&genuine_took, "replayed_notification_over_genuine");
}
