//! From a letter to a message that a transport can send.

use std::time::{Duration, SystemTime};

use domain::letter::Letter;
use domain::time::Moment;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};

use crate::transport::SendFault;
use crate::{render, words};

/// The most characters of a subject: names of 200 characters are allowed, and no list of mails shows more.
const SUBJECT_CHARS_MAX: usize = 120;
/// How a payload is attached that is too long for the body.
pub(crate) const PAYLOAD_FILE: &str = "payload.json";
/// Tells other machines not to answer (RFC 3834 section 5).
pub(crate) const AUTO_SUBMITTED: (&str, &str) = ("Auto-Submitted", "auto-generated");

/// Who sends, and where the links in mails lead.
#[derive(Clone, Debug)]
pub struct Sender {
    from: Mailbox,
    public_url: String,
}

/// A text that is no sender of mails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "is no sender; write for example postrider@example.com or Postrider <postrider@example.com>"
)]
pub struct BadSender;

/// A mail as a transport sends it.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) from: Mailbox,
    pub(crate) to: lettre::Address,
    /// The Message-ID with its brackets; none where the transport may make one.
    pub(crate) message_id: Option<String>,
    pub(crate) date: Moment,
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: String,
    /// Attached as [`PAYLOAD_FILE`].
    pub(crate) payload: Option<String>,
}

impl Sender {
    /// A sender such as `Postrider <postrider@example.com>`, and the address of this server's pages.
    ///
    /// # Errors
    /// [`BadSender`].
    pub fn new(from: &str, public_url: &str) -> Result<Sender, BadSender> {
        let is_one_line = !from.contains(char::is_control);
        let from = from.parse().ok().filter(|_| is_one_line).ok_or(BadSender)?;
        Ok(Sender {
            from,
            public_url: public_url.trim_end_matches('/').to_owned(),
        })
    }

    /// The message for a letter. `message_id` is the part before the @, the same on every attempt.
    ///
    /// # Errors
    /// [`SendFault::Final`] where no mail can be sent to such an address.
    pub(crate) fn message(
        &self,
        letter: &Letter,
        message_id: Option<&str>,
        date: Moment,
    ) -> Result<Message, SendFault> {
        let to = letter.to.parse();
        let to = to.map_err(|_| SendFault::Final("the address cannot be one".to_owned()))?;
        let words = words::of(&letter.about, &self.public_url);
        Ok(Message {
            to,
            message_id: message_id.map(|id| format!("<{id}@{}>", self.from.email.domain())),
            from: self.from.clone(),
            date,
            text: render::text(&words.blocks),
            html: render::html(&words.subject, &words.blocks),
            payload: words.payload,
            subject: one_line(&words.subject),
        })
    }
}

/// A name may hold anything, line breaks too; in a header they would begin another header.
fn one_line(text: &str) -> String {
    let words: Vec<&str> = text
        .split(|c: char| c.is_control() || c.is_whitespace())
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ").chars().take(SUBJECT_CHARS_MAX).collect()
}

impl Message {
    /// The message in the format of the Internet (RFC 5322).
    ///
    /// # Errors
    /// [`SendFault::Final`]; a message that cannot be written today cannot be written tomorrow.
    pub(crate) fn to_mime(&self) -> Result<lettre::Message, SendFault> {
        let fault =
            |error: String| SendFault::Final(format!("the message cannot be written: {error}"));
        let (name, value) = AUTO_SUBMITTED;
        let auto_submitted =
            HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned());
        let builder = lettre::Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, self.to.clone()))
            .subject(self.subject.clone())
            .message_id(self.message_id.clone())
            .date(system_time(self.date))
            .raw_header(auto_submitted);
        let body = MultiPart::alternative()
            .singlepart(SinglePart::plain(self.text.clone()))
            .singlepart(SinglePart::html(self.html.clone()));
        let message = match &self.payload {
            None => builder.multipart(body),
            Some(payload) => {
                let json = ContentType::parse("application/json");
                let json = json.map_err(|error| fault(error.to_string()))?;
                let attached = Attachment::new(PAYLOAD_FILE.to_owned()).body(payload.clone(), json);
                let parts = MultiPart::mixed().multipart(body).singlepart(attached);
                builder.multipart(parts)
            }
        };
        message.map_err(|error| fault(error.to_string()))
    }
}

fn system_time(moment: Moment) -> SystemTime {
    let seconds = u64::try_from(moment.seconds()).unwrap_or(0);
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

#[cfg(test)]
mod tests;
