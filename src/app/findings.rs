//! What the bank says of a call, whether it has left or not.

use super::{App, Error, merchant::Merchant};
use crate::domain::{
    attempt::{Attempt, Host},
    bank::Finding,
};

/// Why a question is without an answer.
pub(super) enum Unheard {
    /// The bank does not answer.
    Silence(String),
    /// It has answered what tells nothing about what was asked.
    Unclear,
}

impl App {
    /// All answers to the questions about an attempt, by this host or else by the other.
    pub(super) async fn findings_of_either(
        &self,
        merchant: &Merchant,
        host: Host,
        attempt: &Attempt,
    ) -> Result<Result<Vec<Finding>, Unheard>, Error> {
        let unheard = match self.findings(merchant, host, attempt).await? {
            Ok(findings) => return Ok(Ok(findings)),
            Err(unheard) => unheard,
        };
        let other = self.findings(merchant, host.other(), attempt).await?;
        Ok(other.map_err(|other| if let Unheard::Silence(_) = other { unheard } else { other }))
    }

    /// All answers to the questions about an attempt; why there are none when one stayed without.
    pub(super) async fn findings(
        &self,
        merchant: &Merchant,
        host: Host,
        attempt: &Attempt,
    ) -> Result<Result<Vec<Finding>, Unheard>, Error> {
        let mut findings = Vec::new();
        while let Some(question) = attempt.question(&findings) {
            match self.question(merchant, host, &question).await? {
                Ok(Finding::Unclear(_)) => return Ok(Err(Unheard::Unclear)),
                Err(silence) => return Ok(Err(Unheard::Silence(silence.to_string()))),
                Ok(finding) => findings.push(finding),
            }
        }
        Ok(Ok(findings))
    }
}
