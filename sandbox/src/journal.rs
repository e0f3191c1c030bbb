//! What was asked of PAYBOX and what PAYBOX sent, for the tests that look at the wire from the other side. No card
//! number ever enters a journal: questions are reduced to the fields named here.

use crate::faults::{Action, Host};
use jiff::Timestamp;
use serde::Serialize;

/// One server-to-server question and what became of it.
#[derive(Debug, Clone, Serialize)]
pub struct Call {
    pub host: Host,
    #[serde(rename = "type")]
    pub kind: String,
    pub numquestion: String,
    pub reference: String,
    /// The REFABONNE sent, else that of the operation aimed at.
    pub subscriber: String,
    /// ACTIVITE as sent.
    pub activite: String,
    /// The operation that the question aimed at, as sent.
    pub numtrans: String,
    /// The amount as sent.
    pub amount: String,
    /// The code of the answer that was written (a fault may still have kept it from arriving), absent when the question
    /// was not handled at all.
    pub code: Option<String>,
    /// Whether the rules were applied, so that the ledger holds what they did.
    pub applied: bool,
    /// The operation that the answer names.
    pub answered_numtrans: Option<u64>,
    pub fault: Option<Action>,
    pub at: Timestamp,
}

/// One notification and how it ended.
#[derive(Debug, Clone, Serialize)]
pub struct Notification {
    pub id: u64,
    pub method: &'static str,
    pub url: String,
    /// The form, when the method is POST.
    pub body: String,
    pub reference: String,
    pub numtrans: u64,
    /// The code it announces.
    pub code: String,
    /// The merchant's HTTP status, once it has answered.
    pub status: Option<u16>,
    /// Why there is no status.
    pub error: Option<String>,
    pub fault: Option<Action>,
    pub at: Timestamp,
    /// Sent for the last time, or given up.
    pub done: bool,
}

/// Both journals, in the order of the events.
#[derive(Debug, Default)]
pub struct Journal {
    pub calls: Vec<Call>,
    pub notifications: Vec<Notification>,
}

impl Journal {
    /// Books a notification and returns its place.
    pub fn announce(&mut self, mut notification: Notification) -> u64 {
        let id = u64::try_from(self.notifications.len()).unwrap_or(u64::MAX) + 1;
        notification.id = id;
        self.notifications.push(notification);
        id
    }

    /// Changes the notification `id`.
    pub fn update(&mut self, id: u64, change: impl FnOnce(&mut Notification)) {
        if let Some(notification) = self.notifications.iter_mut().find(|notification| notification.id == id) {
            change(notification);
        }
    }
}
