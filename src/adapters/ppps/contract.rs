//! What is needed to ask in a merchant's name.

use std::{fmt, sync::Arc};

use http_body_util::Full;
use hyper::{Request, body::Bytes};
use jiff::Timestamp;
use rustls::ClientConfig;

use super::endpoint::Endpoint;
use crate::{
    domain::{attempt::Host, ids::MerchantId, numbers::QuestionNumber},
    paybox::{
        account::Account,
        direct::{CardDetails, Operation, Question, QuestionError},
        direct_answer::Expected,
        hmac::{HashName, HmacKey},
    },
};

/// A merchant's contract with PAYBOX, and the two hosts that serve it.
#[derive(Clone)]
pub struct Contract {
    pub merchant: MerchantId,
    pub account: Account,
    pub key: HmacKey,
    pub hash: HashName,
    pub main: Endpoint,
    pub backup: Endpoint,
    /// From [`super::tls_config`].
    pub tls: Arc<ClientConfig>,
}

/// A question signed and ready to be written, and what its answer must echo.
pub(super) struct Prepared {
    pub(super) request: Request<Full<Bytes>>,
    pub(super) expected: Expected,
}

impl Contract {
    pub(super) fn endpoint(&self, host: Host) -> &Endpoint {
        match host {
            Host::Main => &self.main,
            Host::Backup => &self.backup,
        }
    }

    /// # Errors
    /// [`QuestionError`] when a field cannot be sent.
    pub(super) fn prepare(
        &self,
        host: Host,
        number: QuestionNumber,
        operation: Operation,
        card_details: CardDetails,
        asked_at: Timestamp,
    ) -> Result<Prepared, QuestionError> {
        let account = self.account.clone();
        let question = Question { account, number, asked_at, operation, card_details };
        let signed = question.sign(&self.key, self.hash)?;
        Ok(Prepared {
            request: self.endpoint(host).question_request(signed.encode()),
            expected: Expected { account: question.account, number },
        })
    }
}

impl fmt::Debug for Contract {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Contract")
            .field("merchant", &self.merchant)
            .field("account", &self.account)
            .field("main", &self.main)
            .field("backup", &self.backup)
            .finish_non_exhaustive()
    }
}
