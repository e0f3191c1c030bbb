//! A portal's side of webhooks, small enough to trust: it takes what is posted, answers as it is told, and checks
//! signatures by itself.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

const PATIENCE: Duration = Duration::from_secs(20);

/// What came, as it came.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    /// What it was answered.
    pub(crate) status: u16,
}

/// How one is answered; 0 for never.
type Answers = dyn Fn(&Heard) -> u16 + Send + Sync;

pub(crate) struct Receiver {
    pub(crate) address: String,
    heard: Arc<Mutex<Vec<Heard>>>,
    task: JoinHandle<()>,
}

impl Receiver {
    pub(crate) async fn start(answers: impl Fn(&Heard) -> u16 + Send + Sync + 'static) -> Self {
        Self::start_at("127.0.0.1:0", answers).await
    }

    pub(crate) async fn start_at(address: &str, answers: impl Fn(&Heard) -> u16 + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let heard: Arc<Mutex<Vec<Heard>>> = Arc::default();
        let (list, answers): (_, Arc<Answers>) = (Arc::clone(&heard), Arc::new(answers));
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(take(stream, Arc::clone(&list), Arc::clone(&answers)));
            }
        });
        Self { address, heard, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hooks", self.address)
    }

    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    /// Those that were answered by 2xx.
    pub(crate) fn taken(&self) -> Vec<Heard> {
        self.heard().into_iter().filter(|heard| (200..300).contains(&heard.status)).collect()
    }

    /// What was taken, once `is_enough`.
    pub(crate) async fn until(&self, what: &str, is_enough: impl Fn(&[Heard]) -> bool) -> Vec<Heard> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let heard = self.taken();
            if is_enough(&heard) {
                return heard;
            }
            assert!(Instant::now() < deadline, "never {what}: {:#?}", self.heard());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn take(mut stream: TcpStream, list: Arc<Mutex<Vec<Heard>>>, answers: Arc<Answers>) {
    let mut bytes = Vec::new();
    let (head, body) = loop {
        let mut piece = [0; 4_096];
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return,
            Ok(length) => bytes.extend_from_slice(&piece[..length]),
        }
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length =
            head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0_usize) {
            break (head.to_owned(), body.to_owned());
        }
    };
    let mut lines = head.lines();
    let path = lines.next().unwrap().split(' ').nth(1).unwrap().to_owned();
    let headers = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let mut heard = Heard { path, headers, body, status: 0 };
    heard.status = answers(&heard);
    let status = heard.status;
    list.lock().unwrap().push(heard);
    if status == 0 {
        tokio::time::sleep(PATIENCE).await;
        return;
    }
    let location = if (300..400).contains(&status) { "location: /elsewhere\r\n" } else { "" };
    let answer = format!("HTTP/1.1 {status} Said\r\n{location}content-length: 2\r\nconnection: close\r\n\r\nok");
    let _ = stream.write_all(answer.as_bytes()).await;
}

impl Heard {
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn kind(&self) -> String {
        self.json()["type"].as_str().unwrap().to_owned()
    }

    pub(crate) fn order(&self) -> String {
        self.json()["order"].as_str().unwrap_or_default().to_owned()
    }

    /// Whether one of the signatures is `secret`'s.
    pub(crate) fn is_signed_by(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        assert_eq!(key.len(), 32);
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        let message = format!("{}.{}.{}", self.header("webhook-id"), self.header("webhook-timestamp"), self.body);
        mac.update(message.as_bytes());
        let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        self.header("webhook-signature").split(' ').any(|signature| signature == expected)
    }
}
