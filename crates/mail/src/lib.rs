//! Mails: the words, the ways out (SMTP, Mandrill, files), and the outbox that sends what waits in the store.
//!
//! A [`domain::letter::Letter`] is a fact; `words` says it in plain language, once for the text and the HTML. The
//! transaction that finds a reason for a mail leaves a row in the store, and [`Outbox`] sends it, again if need be.
//! [`Post`] sends a mail at once, for requests that must know whether it was taken.

mod file;
mod mail_url;
mod mandrill;
mod message;
mod outbox;
mod post;
mod render;
mod smtp;
mod transport;
mod words;

pub use mail_url::{BadMailUrl, MailUrl};
pub use message::{BadSender, Sender};
pub use outbox::Outbox;
pub use post::{Post, SEND_NOW_SECONDS_MAX};
pub use transport::{BadTransport, SendFault, Transport};
