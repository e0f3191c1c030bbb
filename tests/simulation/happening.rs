//! What happens outside the gateway, each at its time.

use guichet::{
    app::{corrections::Correction, imports::Entering},
    domain::{
        ids::OrderId,
        numbers::OperationNumber,
        order::NewOrder,
        quarantine::{PeoplesVerdict, Subject},
    },
};
use jiff::civil::Date;

use crate::{bank::Card, imports::Fetching, line::Sent};

#[derive(Clone)]
pub(crate) enum Happening {
    /// A portal places an order.
    Place { order: Box<NewOrder>, tries: u32 },
    /// Somebody may do something with an order.
    Move { order: OrderId },
    /// The same, just now and no more.
    MoveOnce { order: OrderId },
    /// A payer follows a link.
    Follow { token: String },
    /// A payer's browser brings a form to the bank's page.
    Open { merchant: String, fields: Vec<(String, String)>, token: String },
    /// A payer pays on a page that is open.
    Pay { page: usize, card: Card },
    /// The payer's browser comes back.
    Return { token: String },
    /// The bank tells what happened on a page.
    Notify { merchant: String, raw: String },
    /// A call that seemed lost is carried out.
    LateCommit { sent: Box<Sent> },
    /// The bank captures what a page has authorised.
    LateCapture { merchant: String, operation: u64 },
    /// Somebody lets go in the back office what a page has authorised.
    LetGo { operation: OperationNumber },
    /// The bank's change of day.
    Settle,
    /// The hour of a day's run has come.
    Daily { process: usize },
    /// A scheduler asks for a run.
    StartRun { merchant: String, date: Date, times: u64 },
    /// A person goes on with a run that stopped.
    ResumeRun { merchant: String, date: Date },
    /// A person says what became of something.
    Judge { order: OrderId, subject: Subject, verdict: PeoplesVerdict, by: (&'static str, &'static str) },
    /// Accounting books what the bank's statements tell.
    Correct { order: OrderId, correction: Correction },
    /// Accounting fetches the files of PAYBOX and of the bank.
    Fetch(Fetching),
    /// It brings one that it fetched.
    Bring { file: usize, tries: u32 },
    /// It settles a drift.
    Enter { entering: Box<Entering>, key: u64, tries: u32 },
    /// The clock of a process is set.
    SetClock { process: usize },
    /// Somebody sends what the bank never said.
    Forge { merchant: String, raw: String, is_signed: bool },
    /// All that the bank ever told comes once more, in another order.
    Echo,
    /// The store is copied, while it is served.
    BackUp,
    /// The copy takes the store's place.
    Restore,
    /// A person lets debits go on; one is impatient.
    EndReconcile { impatient: bool },
    /// The store is there again.
    StoreBack,
    /// From now on nothing fails.
    Calm,
    /// Nothing happens any more.
    End,
}
