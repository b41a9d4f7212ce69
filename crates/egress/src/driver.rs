//! What reads from a connection and writes to it, without a task of its own: whoever waits for something of the
//! connection drives it meanwhile, so that an exchange wakes nobody but itself.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// The part of a connection over HTTP/1.1 that hyper wants polled; nothing once it has ended. Its error is not lost: hyper
/// gives the same one to the request that it concerns. Dropped, the connection is closed, whatever it is in the middle of.
pub struct Driver(Option<Pin<Box<dyn Future<Output = ()> + Send>>>);

impl Driver {
    /// Drives this connection.
    pub fn new(
        connection: impl Future<Output = Result<(), hyper::Error>> + Send + 'static,
    ) -> Driver {
        Driver(Some(Box::pin(async move { drop(connection.await) })))
    }

    /// Waits for something that the connection brings about.
    pub fn during<T>(
        &mut self,
        mut awaited: Pin<&mut impl Future<Output = T>>,
    ) -> impl Future<Output = T> {
        poll_fn(move |context| {
            // Once before, to hand the connection what is to be sent, and once after, to see what it brought.
            if let Poll::Ready(done) = awaited.as_mut().poll(context) {
                return Poll::Ready(done);
            }
            self.run(context);
            awaited.as_mut().poll(context)
        })
    }

    /// Takes in what has come, as a close, and waits for nothing.
    pub fn look(&mut self) {
        self.run(&mut Context::from_waker(Waker::noop()));
    }

    fn run(&mut self, context: &mut Context<'_>) {
        if let Some(connection) = &mut self.0
            && connection.as_mut().poll(context).is_ready()
        {
            self.0 = None;
        }
    }
}
