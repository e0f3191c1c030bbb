//! Strangers who are slow, large, many or malformed keep nobody else out.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::{
    bench::{Bench, fresh_name, order},
    client::read_answer,
};

#[tokio::test(flavor = "multi_thread")]
async fn slow_headers_and_slow_bodies_are_ended() {
    let bench = Bench::start().await;
    // A header that never ends: the connection is closed, with or without a last word.
    let begun = Instant::now();
    let mut slow = bench.gateway.connect().await;
    slow.write_all(b"GET /v1/orders HTTP/1.1\r\nhost: x\r\n").await.unwrap();
    let _ = read_answer(&mut slow).await;
    assert!(begun.elapsed() < Duration::from_secs(20), "the header's deadline does not work");
    // A body that never comes.
    let mut slow = bench.gateway.connect().await;
    let head = format!(
        "POST /v1/orders HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: {}\r\nidempotency-key: s\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{{",
        bench.bearer()
    );
    slow.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(read_answer(&mut slow).await.unwrap().status, 408);
}

#[tokio::test(flavor = "multi_thread")]
async fn large_requests_are_refused() {
    let bench = Bench::start().await;
    let large = format!("{{\"reference\":\"{}\"}}", "x".repeat(70_000));
    let answer = bench.post_with_key("/v1/orders", "large", &large).await;
    assert_eq!((answer.status, answer.code().as_str()), (413, "too_large"));
    let headers = format!("GET / HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "y".repeat(40_000));
    let answer = bench.gateway.raw(headers.as_bytes()).await;
    assert!(answer.is_none_or(|answer| answer.status == 431), "a huge header");
    assert_eq!(bench.notify("ecole", &"x".repeat(70_000)).await.status, 413);
}

#[tokio::test(flavor = "multi_thread")]
async fn smuggled_and_mangled_requests_are_refused() {
    let bench = Bench::start().await;
    for (what, bytes) in [
        ("two lengths", "POST /v1/orders HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab"),
        ("a wrong version", "GET / HTTP/9.9\r\nhost: x\r\n\r\n"),
        ("no request", "hello\r\n\r\n"),
        ("a NUL", "GET /\0 HTTP/1.1\r\nhost: x\r\n\r\n"),
    ] {
        let answer = bench.gateway.raw(bytes.as_bytes()).await;
        assert!(answer.is_none_or(|answer| (400..500).contains(&answer.status)), "{what}");
    }
    assert_eq!(bench.ops.send("GET", "/livez", &[], "").await.status, 200);
}

/// hyper takes the length away before we could see it; what it does instead is what RFC 9112 allows: only the chunks
/// count, and nothing that follows them on this connection is a request.
#[tokio::test(flavor = "multi_thread")]
async fn a_length_beside_chunks_is_not_believed_and_ends_the_connection() {
    let bench = Bench::start().await;
    let (length, chunks) = ("content-length: 3\r\n", "transfer-encoding: chunked\r\n");
    for (first, second) in [(length, chunks), (chunks, length)] {
        let request = format!(
            "POST /paybox/ecole/ipn HTTP/1.1\r\nhost: x\r\n{first}{second}\r\n3\r\nx=1\r\n0\r\n\r\nGET /v1/orders HTTP/1.1\r\nhost: x\r\n\r\n"
        );
        let answer = bench.gateway.raw(request.as_bytes()).await.unwrap();
        assert_eq!((answer.status, answer.header("connection")), (400, Some("close")), "{first}");
        assert_eq!(answer.body, "", "{first}: what follows was answered");
    }
}

/// Twenty places, and sixty strangers who have each begun to say something.
async fn hoard(beginning: &str) -> (Bench, Vec<TcpStream>) {
    let bench = Bench::start_with(|text| {
        text.replace("header_deadline = \"700ms\"", "header_deadline = \"60s\"\nconnections = 20")
            .replace("body_deadline = \"700ms\"", "body_deadline = \"60s\"")
    })
    .await;
    let mut hoard = Vec::new();
    for _ in 0..60 {
        let mut stranger = bench.gateway.connect().await;
        let _ = stranger.write_all(beginning.as_bytes()).await;
        hoard.push(stranger);
    }
    // Long enough for all that was said to have been heard.
    tokio::time::sleep(Duration::from_millis(300)).await;
    (bench, hoard)
}

#[tokio::test(flavor = "multi_thread")]
async fn hoarded_connections_make_room_for_notifications() {
    for beginning in [
        "GET /",
        "POST /paybox/ecole/ipn HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nx",
        "POST /paybox/ecole/ipn HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n",
    ] {
        let (bench, _hoard) = hoard(beginning).await;
        let headers = "content-length: 3\r\nconnection: close\r\n\r\nx=1";
        let request = format!("POST /paybox/ecole/ipn HTTP/1.1\r\nhost: x\r\n{headers}");
        let answer = bench.gateway.raw(request.as_bytes()).await;
        let answer = answer.unwrap_or_else(|| panic!("no notification gets through {beginning}"));
        assert_eq!(answer.status, 400, "it got through, and was refused for what it is");
        assert_eq!(bench.get("/v1/orders").await.status, 200);
    }
}

/// Asks without end and reads nothing, until nothing more can be asked.
async fn deaf(bench: &Bench) -> TcpStream {
    let mut stream = bench.gateway.connect().await;
    let asked = "GET /v1/orders HTTP/1.1\r\nhost: x\r\n\r\n".repeat(1_000);
    while let Ok(written) = timeout(Duration::from_millis(300), stream.write_all(asked.as_bytes())).await {
        written.unwrap();
    }
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_read_is_cut() {
    let mut bench = Bench::start_with(|text| {
        text.replace("shutdown_grace = \"2s\"", "shutdown_grace = \"60s\"\nwrite_deadline = \"3s\"")
    })
    .await;
    let mut stranger = deaf(&bench).await;
    let cut = timeout(Duration::from_secs(20), async { while stranger.write_all(b"GET /").await.is_ok() {} }).await;
    assert!(cut.is_ok(), "the connection stays open");
    // One who reads slowly is not cut.
    let mut slow = deaf(&bench).await;
    let mut some = vec![0; 1 << 20];
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_millis(400)).await;
        assert!(slow.read(&mut some).await.unwrap() > 0);
    }
    let _stranger = deaf(&bench).await;
    let took = bench.terminate();
    assert!(took < Duration::from_secs(20), "stopping waited {took:?} for somebody who does not read");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_takes_nothing_more_is_told_to_operators() {
    let bench = Bench::start_on_a_failing_disk().await;
    let series = "guichet_alarms_total{kind=\"store_failed\",merchant=\"\"}";
    let metrics = bench.ops.send("GET", "/metrics", &[], "").await.body;
    assert!(metrics.contains(&format!("{series} 0")), "it is there before it is needed: {metrics}");
    assert_eq!(bench.ops.send("GET", "/readyz", &[], "").await.status, 200);
    let mut large = order(1_000);
    for _ in 0..50 {
        let line = large["lines"][0].clone();
        large["lines"].as_array_mut().unwrap().push(line);
    }
    let mut placed = 0;
    let refused = loop {
        large["reference"] = json!(fresh_name("INS"));
        let answer = bench.post("/v1/orders", &large).await;
        if answer.status != 201 {
            break answer;
        }
        placed += 1;
        assert!(placed < 1_000, "the disk does not fail");
    };
    assert_eq!((refused.status, refused.code().as_str()), (503, "unavailable"));
    assert_eq!(bench.ops.send("GET", "/readyz", &[], "").await.status, 503);
    assert_eq!(bench.notify("ecole", "x=1").await.status, 503);
    for _ in 0..10 {
        assert_eq!(bench.post("/v1/orders", &order(1_000)).await.status, 503);
    }
    assert_eq!(bench.get("/v1/orders?limit=1").await.status, 200, "reading goes on");
    let metrics = bench.ops.send("GET", "/metrics", &[], "").await.body;
    assert!(metrics.contains(&format!("{series} 1")), "one alarm, not one for each request: {metrics}");
    assert!(bench.log().contains("store_failed"), "{}", bench.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_see_life_and_metrics_and_nobody_else_does() {
    let bench = Bench::start().await;
    for path in ["/livez", "/readyz"] {
        assert_eq!(bench.ops.send("GET", path, &[], "").await.status, 200, "{path}");
        assert_eq!(bench.gateway.send("GET", path, &[], "").await.status, 404, "{path} on the public address");
    }
    let metrics = bench.ops.send("GET", "/metrics", &[], "").await.body;
    assert!(metrics.contains("guichet_alarms_total"), "{metrics}");
    assert!(metrics.trim_end().ends_with("# EOF"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_gone_wild_keeps_neither_others_nor_paybox_out() {
    let bench = Bench::start_with(|text| text.replace("[log]", "requests_per_minute = 5\n[log]")).await;
    let mut statuses = Vec::new();
    for _ in 0..7 {
        statuses.push(bench.get("/v1/orders").await.status);
    }
    assert_eq!(statuses, [200, 200, 200, 200, 200, 429, 429]);
    let refused = bench.get("/v1/orders").await;
    assert_eq!(refused.code(), "rate_limited");
    assert_eq!(refused.header("ratelimit-policy"), Some("\"key\";q=5;w=60"));
    assert_eq!(refused.header("ratelimit"), Some("\"key\";r=0;t=60"), "a minute until all is there again");
    assert!(refused.header("retry-after").is_some());
    let other = format!("Bearer {}", bench.make_key(&["--scope", "portal", "--merchant", "ecole"]));
    let answer = bench.gateway.send("GET", "/v1/orders", &[("authorization", &other)], "").await;
    assert_eq!((answer.status, answer.header("ratelimit")), (200, Some("\"key\";r=4;t=12")));
    assert_eq!(bench.notify("ecole", "x=1").await.status, 400, "PAYBOX is no portal");
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_neither_shut_paybox_out_nor_wake_anybody_all_night() {
    let bench = Bench::start_with(|text| text.replace("[log]", "stray_notifications_per_minute = 3\n[log]")).await;
    for _ in 0..20 {
        assert_eq!(bench.notify("ecole", "x=1").await.status, 400);
    }
    let stray = bench.signed("M=100&R=nobody&T=1&S=2&A=123456&E=00000").await;
    for _ in 0..20 {
        assert_eq!(bench.notify("ecole", &stray).await.status, 200);
    }
    let metrics = bench.ops.send("GET", "/metrics", &[], "").await.body;
    let raised: u32 = metrics
        .lines()
        .filter(|line| line.contains("callback_un") && line.contains("merchant=\"ecole\""))
        .filter_map(|line| line.rsplit(' ').next()?.parse::<u32>().ok())
        .sum();
    assert_eq!(raised, 3, "{metrics}");
    let id = bench.place(377_000).await;
    let payer = crate::payer::Payer::open(&bench, &bench.check_out(&id).await).await;
    payer.pay(crate::payer::ACCEPTED).await;
    bench.until_settled(&id).await;
}
