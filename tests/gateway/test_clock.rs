//! A test clock: days pass in a moment, here and in the sandbox, and nobody else is fooled.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{
    bench::Bench,
    client::Answer,
    payer::{ACCEPTED, Payer},
    receiver::Receiver,
};

const PATH: &str = "/v1/test-clock";
/// How far apart two clocks may be read that are the same.
const AT_ONCE: SignedDuration = SignedDuration::from_secs(20);

async fn put(bench: &Bench, key: &str, body: &str) -> Answer {
    let bearer = format!("Bearer {key}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    bench.gateway.send("POST", PATH, &headers, body).await
}

async fn put_forward(bench: &Bench, key: &str, to: Timestamp) -> Answer {
    put(bench, key, &json!({"now": to}).to_string()).await
}

async fn shown(bench: &Bench, key: &str) -> Value {
    let bearer = format!("Bearer {key}");
    let answer = bench.gateway.send("GET", PATH, &[("authorization", &bearer)], "").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

fn operator(bench: &Bench) -> String {
    bench.make_key(&["--scope", "ops", "--merchant", "ecole"])
}

fn in_hours(hours: i64) -> Timestamp {
    Timestamp::from_second((Timestamp::now() + SignedDuration::from_hours(hours)).as_second()).unwrap()
}

fn is_at(time: &Value, expected: Timestamp, what: &str) {
    let time: Timestamp = time.as_str().unwrap_or_else(|| panic!("{what}: {time}")).parse().unwrap();
    assert!(time.duration_since(expected).abs() < AT_ONCE, "{what}: {time}, not {expected}");
}

async fn sandbox_is_at(bench: &Bench, expected: Timestamp, what: &str) {
    is_at(&bench.manage("/clock").await["now"], expected, what);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_days_pass_in_a_moment() {
    let mut bench = Bench::start().await;
    let key = operator(&bench);
    assert_eq!(shown(&bench, &key).await["ahead_seconds"], 0);
    let id = bench.place(377_000).await;
    let reference = bench.check_out(&id).await["reference"].as_str().unwrap().to_owned();

    let to = in_hours(48);
    let moved = put_forward(&bench, &key, to).await;
    assert_eq!(moved.status, 200, "{}", moved.body);
    let moved = moved.json();
    is_at(&moved["now"], to, "the answer");
    assert_eq!(moved["sandbox"], "moved");
    let ahead = moved["ahead_seconds"].as_i64().unwrap();
    assert!((48 * 3_600 - 60..=48 * 3_600).contains(&ahead), "{ahead}");
    sandbox_is_at(&bench, to, "the sandbox").await;

    let expired = |order: &Value| order["checkouts"][0]["status"] == "expired";
    bench.until(&id, "expired", expired).await;
    // The page is over before the bank is asked about it.
    let asked = async {
        let path = format!("/calls?reference_prefix={reference}");
        while !bench.manage(&path).await["calls"].as_array().unwrap().iter().any(|call| call["type"] == "00011") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(timeout(Duration::from_secs(20), asked).await.is_ok(), "the bank was not asked");

    // What PAYBOX reads is the machine's own time, whatever the rules go by.
    let issued = bench.check_out(&id).await;
    let fields = issued["form"]["fields"].as_array().unwrap();
    let signed = fields.iter().find(|field| field["name"] == "PBX_TIME").unwrap();
    is_at(&signed["value"], Timestamp::now(), "PBX_TIME");
    is_at(&bench.order(&id).await["checkouts"][1]["issued_at"], to, "issued_at");
    Payer::open(&bench, &issued).await.pay(ACCEPTED).await;
    bench.until_settled(&id).await;

    bench.restart();
    is_at(&shown(&bench, &key).await["now"], to, "after a restart");
    let events = bench.get("/v1/events").await.json();
    assert!(!events.to_string().contains("clock"), "portals are not told of it: {events}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_goes_forward_only_and_repeats_tell_the_sandbox_again() {
    let bench = Bench::start().await;
    let key = operator(&bench);
    for past in [Timestamp::now(), in_hours(-1), "2001-01-01T00:00:00Z".parse().unwrap()] {
        let refused = put_forward(&bench, &key, past).await;
        assert_eq!((refused.status, refused.code().as_str()), (409, "clock_only_goes_forward"), "{past}");
    }
    assert_eq!(shown(&bench, &key).await["ahead_seconds"], 0);
    let to = in_hours(3);
    assert_eq!(put_forward(&bench, &key, to).await.status, 200);
    let refused = put_forward(&bench, &key, in_hours(2)).await;
    assert_eq!((refused.status, refused.code().as_str()), (409, "clock_only_goes_forward"));
    is_at(&shown(&bench, &key).await["now"], to, "nothing was changed");
    // The sandbox was started anew, say.
    bench.manage.send("POST", "/clock", &[], "").await;
    sandbox_is_at(&bench, Timestamp::now(), "back at the machine's time").await;
    let repeated = put_forward(&bench, &key, to).await;
    assert_eq!((repeated.status, &repeated.json()["sandbox"]), (200, &json!("moved")), "{}", repeated.body);
    is_at(&repeated.json()["now"], to, "moved once");
    sandbox_is_at(&bench, to, "told again").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_that_does_not_hear_stops_nobody() {
    for (sandbox, told) in [("sandbox = \"http://127.0.0.1:9\"", "not_moved"), ("", "none")] {
        let bench = Bench::start_with(|text| {
            let given = text.lines().find(|line| line.starts_with("sandbox = ")).unwrap().to_owned();
            text.replace(&given, sandbox)
        })
        .await;
        let key = operator(&bench);
        let to = in_hours(1);
        let moved = put_forward(&bench, &key, to).await;
        assert_eq!((moved.status, &moved.json()["sandbox"]), (200, &json!(told)));
        is_at(&shown(&bench, &key).await["now"], to, told);
        assert_eq!(bench.log().contains("the sandbox's was not"), told == "not_moved", "{}", bench.log());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_end_by_the_test_clock_wherever_they_are_made() {
    let bench = Bench::start().await;
    let key = operator(&bench);
    assert_eq!(put_forward(&bench, &key, in_hours(48)).await.status, 200);
    let brief = bench.make_key(&["--scope", "ops", "--merchant", "ecole", "--expires-in", "1h"]);
    is_at(&shown(&bench, &brief).await["now"], in_hours(48), "a key made now is good for an hour");
    assert_eq!(put_forward(&bench, &key, in_hours(50)).await.status, 200);
    assert_eq!(put(&bench, &brief, "").await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_are_signed_at_the_receivers_time() {
    let bench =
        Bench::start_with(|text| text.replacen("[[platform]]", "[webhooks]\nallow_loopback = true\n\n[[platform]]", 1))
            .await;
    let receiver = Receiver::start(|_| 204).await;
    assert_eq!(bench.post("/v1/webhook-endpoints", &json!({"url": receiver.url()})).await.status, 201);
    assert_eq!(put_forward(&bench, &operator(&bench), in_hours(48)).await.status, 200);
    bench.place(377_000).await;
    let heard = receiver.until("told", |heard| !heard.is_empty()).await;
    let signed_at = Timestamp::from_second(heard[0].header("webhook-timestamp").parse().unwrap()).unwrap();
    is_at(&json!(signed_at), Timestamp::now(), "whoever verifies it looks at their own clock");
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_only_and_instants_only() {
    let bench = Bench::start().await;
    let to = json!({"now": in_hours(1)}).to_string();
    assert_eq!(put(&bench, &bench.key, &to).await.code(), "forbidden");
    assert_eq!(bench.get(PATH).await.code(), "forbidden");
    let key = operator(&bench);
    for (body, pointer, fault) in [
        ("{}", "/now", "missing"),
        (r#"{"now": null}"#, "/now", "wrong_type"),
        (r#"{"now": "tomorrow"}"#, "/now", "wrong_type"),
        (r#"{"now": "2101-01-01T00:00:00Z"}"#, "/now", "wrong_type"),
        (r#"{"now": "2027-01-10T07:00:00Z", "back": true}"#, "/back", "unknown_field"),
    ] {
        let refused = put(&bench, &key, body).await;
        let error = &refused.json()["errors"][0];
        assert_eq!(
            (refused.status, &error["pointer"], &error["code"]),
            (422, &json!(pointer), &json!(fault)),
            "{body}"
        );
    }
    assert_eq!(shown(&bench, &key).await["ahead_seconds"], 0);
}
