//! A request's body on its way in. Until all of it is there, the connection idles, however much of it has come: a
//! stranger who sends one byte and waits holds nothing that others need.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};

use super::connections::UnderWay;

/// Begins the request when the last of its body is read; at once, when it has none.
pub(super) struct Arriving {
    body: Incoming,
    request: Arc<UnderWay>,
}

impl Arriving {
    pub(super) fn new(body: Incoming, request: Arc<UnderWay>) -> Self {
        let arriving = Self { body, request };
        arriving.note_end();
        arriving
    }

    fn note_end(&self) {
        if self.body.is_end_stream() {
            self.request.begin();
        }
    }
}

impl Body for Arriving {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        match &polled {
            Poll::Ready(None) => self.request.begin(),
            Poll::Ready(Some(Ok(_))) => self.note_end(),
            Poll::Ready(Some(Err(_))) | Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
