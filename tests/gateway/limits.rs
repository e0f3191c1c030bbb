//! Strangers who are slow, large, many or malformed keep nobody else out.

use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;

use crate::{bench::Bench, client::read_answer};

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
        (
            "length and chunks",
            "POST /paybox/ecole/ipn HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        ),
        ("a wrong version", "GET / HTTP/9.9\r\nhost: x\r\n\r\n"),
        ("no request", "hello\r\n\r\n"),
        ("a NUL", "GET /\0 HTTP/1.1\r\nhost: x\r\n\r\n"),
    ] {
        let answer = bench.gateway.raw(bytes.as_bytes()).await;
        assert!(answer.is_none_or(|answer| (400..500).contains(&answer.status)), "{what}");
    }
    assert_eq!(bench.ops.send("GET", "/livez", &[], "").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn hoarded_connections_make_room_for_notifications() {
    let bench = Bench::start_with(|text| {
        text.replace("header_deadline = \"700ms\"", "header_deadline = \"60s\"\nconnections = 20")
    })
    .await;
    let mut hoard = Vec::new();
    for _ in 0..60 {
        let mut silent = bench.gateway.connect().await;
        let _ = silent.write_all(b"GET /").await;
        hoard.push(silent);
    }
    assert_eq!(bench.notify("ecole", "x=1").await.status, 400, "it got through, and was refused for what it is");
    assert_eq!(bench.get("/v1/orders").await.status, 200);
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
