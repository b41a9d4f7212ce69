//! Mails that wait to be sent.

use async_trait::async_trait;
use domain::id::MailId;
use domain::letter::{About, Letter};
use domain::notification::{NewNotification, NotificationKind};
use domain::time::Moment;
use rand::RngExt;
use rusqlite::{Connection, Row, params};
use store::{
    DueMails, MAILS_WAITING_MAX, MailStep, MailWaker, Mails, SecretKey, StoreError, WaitingMail,
};

use crate::fault::Fault;
use crate::list_query::{all, moment, one};
use crate::notifications;
use crate::open::SqliteStore;
use crate::writing::Writing;

// primary key
pub(crate) const INSERT_LETTER: &str = "insert into letters (about) values (?1)";
// primary key
pub(crate) const INSERT_MAIL: &str = "insert into mails (letter_id, address, message_id, attempts, next_attempt_at, created_at) \
     values (?1, ?2, ?3, 0, ?4, ?4)";
// mails_due
pub(crate) const DUE: &str = "select m.id, m.address, m.message_id, m.attempts, m.created_at, l.about \
     from mails m join letters l on l.id = m.letter_id where m.next_attempt_at <= ?1 \
     order by m.next_attempt_at, m.id limit ?2";
// mails_due
pub(crate) const NEXT_DUE_AT: &str =
    "select min(next_attempt_at) from mails where next_attempt_at > ?1";
// primary keys
pub(crate) const BY_ID: &str = "select m.address, m.letter_id, l.about from mails m join letters l on l.id = m.letter_id where m.id = ?1";
// primary key
pub(crate) const RETRY: &str =
    "update mails set attempts = attempts + 1, next_attempt_at = ?2 where id = ?1";
// primary key
pub(crate) const DELETE: &str = "delete from mails where id = ?1";
// primary key, mails_by_letter
pub(crate) const DELETE_LETTER: &str =
    "delete from letters where id = ?1 and not exists (select 1 from mails where letter_id = ?1)";
// all of them: at most a few thousand, and only when one more is written
pub(crate) const COUNT: &str = "select count(*) from mails";
// primary key
pub(crate) const OLDEST: &str = "select id from mails order by id limit ?1";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[
    INSERT_LETTER,
    INSERT_MAIL,
    DUE,
    NEXT_DUE_AT,
    BY_ID,
    RETRY,
    DELETE,
    DELETE_LETTER,
    COUNT,
    OLDEST,
];

/// The place that letters are sealed for.
const PLACE: &str = "letters.about";

#[async_trait]
impl Mails for SqliteStore {
    async fn own_mails(&self, waker: MailWaker) -> Result<(), StoreError> {
        let owned = self.write(move |writing| {
            writing.mail_waker = waker;
            Ok(())
        });
        owned.await.map_err(StoreError::from)
    }

    async fn due_mails(&self, now: Moment, limit: usize) -> Result<DueMails, StoreError> {
        let key = self.key.clone();
        self.read(move |connection| due(connection, &key, now, limit))
            .await
    }

    async fn record_mail(&self, id: MailId, step: MailStep) -> Result<(), StoreError> {
        let recorded = self.write(move |writing| match step {
            MailStep::Sent => remove(&writing.connection, id),
            MailStep::Retry { at } => {
                let params = params![id.0, at.microseconds()];
                writing.connection.prepare_cached(RETRY)?.execute(params)?;
                Ok(())
            }
            MailStep::GiveUp { reason, at } => give_up(writing, id, &reason, at),
        });
        recorded.await.map_err(StoreError::from)
    }
}

/// Writes a mail to each address, in the transaction of what it tells.
pub(crate) fn write<'a>(
    writing: &mut Writing,
    about: &About,
    addresses: impl Iterator<Item = &'a str>,
    at: Moment,
) -> Result<(), Fault> {
    let sealed = writing.key.seal(PLACE, &serde_json::to_vec(about)?)?;
    let connection = &writing.connection;
    connection
        .prepare_cached(INSERT_LETTER)?
        .execute([sealed])?;
    let letter = connection.last_insert_rowid();
    for address in addresses {
        let message_id = format!("{:032x}", writing.chance.random::<u128>());
        let params = params![letter, address, message_id, at.microseconds()];
        connection.prepare_cached(INSERT_MAIL)?.execute(params)?;
    }
    drop_oldest(writing, at)?;
    writing.mailed();
    Ok(())
}

/// Keeps to [`MAILS_WAITING_MAX`].
fn drop_oldest(writing: &Writing, at: Moment) -> Result<(), Fault> {
    let count = one(&writing.connection, COUNT, [], |row| {
        Ok(row.get::<_, i64>(0)?)
    })?;
    let max = i64::try_from(MAILS_WAITING_MAX).unwrap_or(i64::MAX);
    let surplus = count.unwrap_or(0) - max;
    if surplus <= 0 {
        return Ok(());
    }
    let oldest = all(&writing.connection, OLDEST, [surplus], |row| {
        Ok(MailId(row.get(0)?))
    })?;
    for id in oldest {
        remove(&writing.connection, id)?;
    }
    let new = NewNotification {
        kind: NotificationKind::MailFailed,
        about: "outbox".to_owned(),
        integration_id: None,
        webhook_out_sub_id: None,
        message: format!(
            "More than {MAILS_WAITING_MAX} mails wait to be sent; the oldest were dropped. Is the mail server down?"
        ),
        request_id: None,
        at,
    };
    notifications::raise(&writing.connection, &new)
}

fn due(
    connection: &Connection,
    key: &SecretKey,
    now: Moment,
    limit: usize,
) -> Result<DueMails, Fault> {
    let now = now.microseconds();
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = all(connection, DUE, [now, limit], |row| read(key, row))?;
    let next_due_at = one(connection, NEXT_DUE_AT, [now], |row| {
        Ok(row.get::<_, Option<i64>>(0)?)
    })?;
    let mut due = DueMails {
        next_due_at: next_due_at.flatten().map(Moment::from_microseconds),
        ..DueMails::default()
    };
    for row in rows {
        match row {
            Ok(mail) => due.mails.push(mail),
            Err(id) => due.unreadable.push(id),
        }
    }
    Ok(due)
}

/// A mail, or which one cannot be read.
fn read(key: &SecretKey, row: &Row<'_>) -> Result<Result<WaitingMail, MailId>, Fault> {
    let id = MailId(row.get("id")?);
    let Some(about) = open(key, row.get("about")?) else {
        return Ok(Err(id));
    };
    Ok(Ok(WaitingMail {
        id,
        message_id: row.get("message_id")?,
        letter: Letter {
            to: row.get("address")?,
            about,
        },
        attempts: row.get("attempts")?,
        created_at: moment(row, "created_at")?,
    }))
}

fn open(key: &SecretKey, sealed: Vec<u8>) -> Option<About> {
    let json = key.open(PLACE, &sealed).ok()?;
    serde_json::from_slice(&json).ok()
}

fn remove(connection: &Connection, id: MailId) -> Result<(), Fault> {
    let letter = one(connection, BY_ID, [id.0], |row| {
        Ok(row.get::<_, i64>("letter_id")?)
    })?;
    connection.prepare_cached(DELETE)?.execute([id.0])?;
    if let Some(letter) = letter {
        connection
            .prepare_cached(DELETE_LETTER)?
            .execute([letter])?;
    }
    Ok(())
}

fn give_up(writing: &Writing, id: MailId, reason: &str, at: Moment) -> Result<(), Fault> {
    let found = one(&writing.connection, BY_ID, [id.0], |row| {
        let address: String = row.get("address")?;
        Ok((address, open(&writing.key, row.get("about")?)))
    })?;
    let Some((address, about)) = found else {
        return Ok(());
    };
    remove(&writing.connection, id)?;
    let sub = about.as_ref().and_then(About::sub);
    let new = NewNotification {
        kind: NotificationKind::MailFailed,
        about: address,
        integration_id: sub.map(|sub| sub.integration_id),
        webhook_out_sub_id: sub.and_then(|sub| sub.id),
        message: format!("A mail could not be sent and was given up: {reason}"),
        request_id: None,
        at,
    };
    notifications::raise(&writing.connection, &new)
}
