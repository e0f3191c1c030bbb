//! The last place before the socket. A process can be frozen between looking at the clock and writing; so the clock is
//! looked at again here, below TLS, for every byte: after the deadline none leaves, and what has begun stays incomplete.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use crate::{failpoint, ports::Clock};

/// The rule of one connection. Open until it is told its deadline, which never changes afterwards.
pub(super) struct Gate {
    clock: Arc<dyn Clock>,
    not_after: OnceLock<Duration>,
    passed: AtomicBool,
}

impl Gate {
    pub(super) fn open(clock: Arc<dyn Clock>) -> Self {
        Self { clock, not_after: OnceLock::new(), passed: AtomicBool::new(false) }
    }

    /// From now on, bytes leave until `not_after` only. Returns whether that is still to come.
    pub(super) fn close_after(&self, not_after: Duration) -> bool {
        self.clock.since_boot() <= *self.not_after.get_or_init(|| not_after)
    }

    /// Whether anything has left since [`Gate::close_after`].
    pub(super) fn has_passed(&self) -> bool {
        self.passed.load(Ordering::SeqCst)
    }

    fn check(&self) -> io::Result<()> {
        match self.not_after.get() {
            Some(not_after) if self.clock.since_boot() > *not_after => {
                Err(io::Error::new(io::ErrorKind::TimedOut, "the time to send has passed"))
            }
            // Marked before the write, so that "nothing was sent" is never said of a write that may have happened.
            Some(_) => {
                self.passed.store(true, Ordering::SeqCst);
                Ok(())
            }
            None => Ok(()),
        }
    }
}

/// A socket behind its gate.
pub(super) struct Gated {
    pub(super) socket: TcpStream,
    pub(super) gate: Arc<Gate>,
}

impl AsyncRead for Gated {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Gated {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.gate.check()?;
        let is_call = self.gate.has_passed();
        if is_call {
            failpoint::pass("call.first_byte");
        }
        let written = Pin::new(&mut self.socket).poll_write(cx, bytes);
        if is_call && matches!(written, Poll::Ready(Ok(_))) {
            failpoint::pass("call.first_byte_left");
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}
