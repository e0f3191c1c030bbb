//! What a commit is sent as, and what became of it.

use super::{
    scripts::{Arguments, Reply, strange},
    words::{escape, header, of, pack_answer, packed, sorted},
};
use crate::{
    adapters::kept::{days, micros, micros_after},
    ports::{Commit, CommitError, Write},
};

/// In the order in which the script takes it, behind what it takes of the server.
pub(super) fn commit(mut arguments: Arguments, commit: &Commit) -> Arguments {
    match &commit.answer {
        None => arguments.push("0"),
        Some(answer) => {
            arguments.push("1");
            arguments.push(&answer.key);
            arguments.push(sorted(micros(answer.given_at)));
            arguments.push(pack_answer(answer));
        }
    }
    arguments.push(commit.writes.len().to_string());
    for write in &commit.writes {
        push_write(&mut arguments, write);
    }
    arguments.push(commit.claims.len().to_string());
    for claim in &commit.claims {
        arguments.push(of(&claim.merchant, claim.kind));
        arguments.push(&claim.value);
        arguments.push(&claim.owner);
    }
    arguments.push(commit.callbacks.len().to_string());
    for callback in &commit.callbacks {
        arguments.push(escape(&callback.merchant).as_ref());
        arguments.push(if callback.order.is_some() { "1" } else { "" });
        arguments.push(header(callback));
        arguments.push(&callback.sealed);
    }
    arguments
}

fn push_write(arguments: &mut Arguments, write: &Write) {
    arguments.push(escape(&write.key.merchant).as_ref());
    arguments.push(escape(write.key.kind).as_ref());
    arguments.push(&write.key.id);
    arguments.push(write.expected_version.to_string());
    // Of the last number there is, no aggregate ever has the one before.
    arguments.push(write.expected_version.saturating_add(1).to_string());
    arguments.push(&write.state);
    arguments.push(write.wake_at.map(|at| sorted(micros_after(at))).unwrap_or_default());
    arguments.push(write.ready_on.map(|day| days(day).to_string()).unwrap_or_default());
    arguments.push(packed(&write.labels));
    arguments.push(write.events.len().to_string());
    for event in &write.events {
        arguments.push(event);
    }
}

/// What the script says became of `commit`; `None` when the server is not one to make it.
pub(super) fn outcome(commit: &Commit, reply: &mut Reply) -> Result<Option<Result<(), CommitError>>, String> {
    let status = reply.text()?;
    let detail = reply.text()?;
    let place = || detail.parse::<usize>().ok().and_then(|number| number.checked_sub(1)).ok_or_else(strange);
    Ok(Some(match status.as_str() {
        "another" | "alone" => return Ok(None),
        "done" => Ok(()),
        "answered" => Err(CommitError::Answered),
        "conflict" => Err(CommitError::Conflict(commit.writes.get(place()?).ok_or_else(strange)?.key.clone())),
        "taken" => {
            let claim = commit.claims.get(place()?).ok_or_else(strange)?.clone();
            Err(CommitError::Taken { claim, owner: reply.text()? })
        }
        _ => return Err(strange()),
    }))
}
