//! PPPS: questions from server to server. A question of some TYPE (`kind`) is read and checked (`question`, `holder`), its
//! number remembered (`numbers`), its rule applied to the ledger (`rules`, `charge`), its answer written in Latin-1
//! (`answer`); `exchange` adds the misbehaviour that tests script.

pub mod answer;
pub mod charge;
pub mod exchange;
pub mod holder;
pub mod kind;
pub mod numbers;
pub mod question;
pub mod rules;
