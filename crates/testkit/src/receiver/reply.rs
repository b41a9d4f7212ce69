//! What a receiver can be told to do with a request.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::watch;

/// A piece of a body that has no end.
const CHUNK: &[u8] = &[b'.'; 1_024];

/// What happens to a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// It is answered.
    Answer(Answer),
    /// It is never answered; the connection stays.
    Silence,
    /// The connection is closed without an answer.
    Close,
    /// It waits until the gate is released; then the rest happens.
    Gated(Gate, Box<Reply>),
}

/// An answer: a status, headers and a body, which is empty unless told otherwise.
#[derive(Clone, Debug)]
pub struct Answer {
    status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: AnswerBody,
}

/// Holds answers back until it is released. Clones are the same gate.
#[derive(Clone, Debug, Default)]
pub struct Gate(watch::Sender<bool>);

/// The body of an answer, and what is left of it.
#[derive(Clone, Debug)]
pub(super) enum AnswerBody {
    /// These bytes, then the end.
    Whole(Bytes),
    /// No end, as fast as the client reads.
    Endless,
    /// These bytes, then nothing more, and no end.
    Stalled(Bytes),
    /// These bytes, then the connection breaks.
    Broken(Bytes),
    /// The connection breaks now.
    Breaking,
}

/// Makes the connection break in the middle of a body.
#[derive(Debug, thiserror::Error)]
#[error("the test wants the body to break here")]
pub(super) struct BreakHere;

impl Reply {
    /// The same, once the gate is released.
    #[must_use]
    pub fn after(self, gate: &Gate) -> Reply {
        Reply::Gated(gate.clone(), Box::new(self))
    }
}

impl Answer {
    /// An answer with this status.
    ///
    /// # Panics
    /// Where it is no status.
    pub fn status(status: u16) -> Answer {
        Answer {
            status: StatusCode::from_u16(status).expect("a status is 100 to 999"),
            headers: Vec::new(),
            body: AnswerBody::Whole(Bytes::new()),
        }
    }

    /// With one more header, such as `retry-after`.
    ///
    /// # Panics
    /// Where name or value are none that HTTP allows.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Answer {
        let name = name.parse().expect("a header's name");
        let value = value.parse().expect("a header's value");
        self.headers.push((name, value));
        self
    }

    /// With this body.
    #[must_use]
    pub fn body(self, body: impl Into<Bytes>) -> Answer {
        self.with(AnswerBody::Whole(body.into()))
    }

    /// With a body that has no end, sent as fast as the client reads.
    #[must_use]
    pub fn endless_body(self) -> Answer {
        self.with(AnswerBody::Endless)
    }

    /// With a body that begins so, and then neither goes on nor ends.
    #[must_use]
    pub fn stalled_body(self, beginning: impl Into<Bytes>) -> Answer {
        self.with(AnswerBody::Stalled(beginning.into()))
    }

    /// With a body that begins so, and in the middle of which the connection breaks.
    #[must_use]
    pub fn broken_body(self, beginning: impl Into<Bytes>) -> Answer {
        self.with(AnswerBody::Broken(beginning.into()))
    }

    /// The same, once the gate is released.
    #[must_use]
    pub fn after(self, gate: &Gate) -> Reply {
        Reply::from(self).after(gate)
    }

    fn with(self, body: AnswerBody) -> Answer {
        Answer { body, ..self }
    }

    pub(super) fn into_response(self) -> Response<AnswerBody> {
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status;
        for (name, value) in self.headers {
            response.headers_mut().append(name, value);
        }
        response
    }
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Reply {
        Reply::Answer(answer)
    }
}

impl From<u16> for Reply {
    fn from(status: u16) -> Reply {
        Answer::status(status).into()
    }
}

impl Gate {
    /// Lets through all that wait, and all that come.
    pub fn release(&self) {
        self.0.send_replace(true);
    }

    pub(super) async fn released(&self) {
        // The gate itself holds the sender, so this ends only when it is released.
        let _ = self.0.subscribe().wait_for(|released| *released).await;
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = BreakHere;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BreakHere>>> {
        let bytes = match &mut *self {
            AnswerBody::Endless => Bytes::from_static(CHUNK),
            AnswerBody::Whole(bytes) | AnswerBody::Stalled(bytes) | AnswerBody::Broken(bytes) => {
                std::mem::take(bytes)
            }
            AnswerBody::Breaking => Bytes::new(),
        };
        if !bytes.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        match &*self {
            AnswerBody::Whole(_) => Poll::Ready(None),
            // Nobody is ever woken: it ends when the client closes the connection.
            AnswerBody::Endless | AnswerBody::Stalled(_) => Poll::Pending,
            AnswerBody::Broken(_) => {
                // A fault drops what is not on its way yet; waiting once sends head and beginning first.
                *self = AnswerBody::Breaking;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            AnswerBody::Breaking => Poll::Ready(Some(Err(BreakHere))),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, AnswerBody::Whole(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            AnswerBody::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            _ => SizeHint::default(),
        }
    }
}
