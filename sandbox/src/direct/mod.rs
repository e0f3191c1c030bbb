//! PPPS: questions from server to server. A question is read and checked (`question`), its number remembered
//! (`numbers`), its rule applied to the ledger (`rules`), its answer written in Latin-1 (`answer`); `exchange` adds the
//! misbehaviour that tests script.

pub mod answer;
pub mod exchange;
pub mod numbers;
pub mod question;
pub mod rules;
