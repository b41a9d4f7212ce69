//! Mails that wait to be sent.

use async_trait::async_trait;
use domain::id::{IntegrationId, MailId};
use domain::letter::{About, Letter};
use domain::notification::{NewNotification, NotificationKind};
use domain::time::Moment;
use futures_util::FutureExt;
use store::{
    DueMails, MAILS_WAITING_MAX, MailStep, MailWaker, Mails, SecretKey, StoreError, WaitingMail,
};
use tokio_postgres::Row;

use crate::connection::{Connection, Params};
use crate::fault::Fault;
use crate::list_query::{all, moment, number, one};
use crate::notifications;
use crate::open::PostgresStore;
use crate::writing::Writing;

pub(crate) const INSERT_LETTER: &str =
    "insert into letters (integration_id, about) values ($1, $2) returning id";
pub(crate) const INSERT_MAILS: &str = "insert into mails (integration_id, letter_id, address, message_id, attempts, next_attempt_at, created_at) \
     select $1, $2, m.address, m.message_id, 0, $5, $5 from unnest($3::text[], $4::text[]) with ordinality \
     as m (address, message_id, place) order by m.place";
// mails_due
pub(crate) const DUE: &str = "select m.id, m.address, m.message_id, m.attempts, m.created_at, l.about \
     from mails m join letters l on l.id = m.letter_id where m.next_attempt_at <= $1 \
     order by m.next_attempt_at, m.id limit $2";
// mails_due
pub(crate) const NEXT_DUE_AT: &str =
    "select min(next_attempt_at) from mails where next_attempt_at > $1";
// primary keys
pub(crate) const BY_ID: &str = "select m.address, m.letter_id, l.about from mails m join letters l on l.id = m.letter_id where m.id = $1";
// primary key
pub(crate) const RETRY: &str =
    "update mails set attempts = attempts + 1, next_attempt_at = $2 where id = $1";
// primary key
pub(crate) const DELETE: &str = "delete from mails where id = any($1) returning letter_id";
// primary key, mails_by_letter
pub(crate) const DELETE_LETTERS: &str = "delete from letters l where id = any($1) and not exists (select 1 from mails where letter_id = l.id)";
// all of them: at most a few thousand, and only when one more is written
pub(crate) const COUNT: &str = "select count(*) from mails";
// primary key; what others drop at this moment is left to them
pub(crate) const OLDEST: &str = "select id from mails order by id limit $1 for update skip locked";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[
    INSERT_LETTER,
    INSERT_MAILS,
    DUE,
    NEXT_DUE_AT,
    BY_ID,
    RETRY,
    DELETE,
    DELETE_LETTERS,
    COUNT,
    OLDEST,
];

/// The place that letters are sealed for.
const PLACE: &str = "letters.about";

#[async_trait]
impl Mails for PostgresStore {
    async fn own_mails(&self, waker: MailWaker) -> Result<(), StoreError> {
        self.shared.lanes.wake_by(waker);
        Ok(())
    }

    async fn due_mails(&self, now: Moment, limit: usize) -> Result<DueMails, StoreError> {
        let connection = self.connection().await?;
        Ok(due(&connection, &self.shared.key, now, limit).await?)
    }

    async fn record_mail(&self, id: MailId, step: MailStep) -> Result<(), StoreError> {
        let recorded = self.write((id, step), |writing, (id, step)| {
            record(writing, *id, step).boxed()
        });
        recorded.await.map_err(StoreError::from)
    }
}

async fn record(writing: &Writing, id: MailId, step: &MailStep) -> Result<(), Fault> {
    match step {
        MailStep::Sent => remove(&writing.connection, &[id.0]).await,
        MailStep::Retry { at } => {
            let params: Params = &[&id.0, &at.microseconds()];
            writing.connection.execute(RETRY, params).await.map(|_| ())
        }
        MailStep::GiveUp { reason, at } => give_up(writing, id, reason, *at).await,
    }
}

/// Writes a mail to each address, in the transaction of what it tells.
pub(crate) async fn write(
    writing: &mut Writing,
    about: &About,
    integration: IntegrationId,
    addresses: &[&str],
    at: Moment,
) -> Result<(), Fault> {
    let sealed = writing.key().seal(PLACE, &serde_json::to_vec(about)?)?;
    let connection = &writing.connection;
    let params: Params = &[&integration.0, &sealed];
    let letter = one(connection, INSERT_LETTER, params, |row| Ok(row.try_get(0)?)).await?;
    let letter: i64 = letter.ok_or(Fault::Raced)?;
    let message_ids: Vec<String> = addresses
        .iter()
        .map(|_| format!("{:032x}", writing.shared.random::<u128>()))
        .collect();
    let params: Params = &[
        &integration.0,
        &letter,
        &addresses,
        &message_ids,
        &at.microseconds(),
    ];
    connection.execute(INSERT_MAILS, params).await?;
    drop_oldest(connection, at).await?;
    writing.mailed();
    Ok(())
}

/// Keeps to [`MAILS_WAITING_MAX`].
async fn drop_oldest(connection: &Connection, at: Moment) -> Result<(), Fault> {
    let count = one(connection, COUNT, &[], |row| Ok(row.try_get(0)?)).await?;
    let max = i64::try_from(MAILS_WAITING_MAX).unwrap_or(i64::MAX);
    let surplus = count.unwrap_or(0_i64) - max;
    if surplus <= 0 {
        return Ok(());
    }
    let oldest = all(connection, OLDEST, &[&surplus], |row| Ok(row.try_get(0)?)).await?;
    remove(connection, &oldest).await?;
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
    notifications::raise(connection, &new).await
}

async fn due(
    connection: &Connection,
    key: &SecretKey,
    now: Moment,
    limit: usize,
) -> Result<DueMails, Fault> {
    let now = now.microseconds();
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = all(connection, DUE, &[&now, &limit], |row| read(key, row)).await?;
    let next_due_at = one(connection, NEXT_DUE_AT, &[&now], |row| {
        Ok(row.try_get::<_, Option<i64>>(0)?)
    })
    .await;
    let mut due = DueMails {
        next_due_at: next_due_at?.flatten().map(Moment::from_microseconds),
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
fn read(key: &SecretKey, row: &Row) -> Result<Result<WaitingMail, MailId>, Fault> {
    let id = MailId(row.try_get("id")?);
    let Some(about) = open(key, row.try_get("about")?) else {
        return Ok(Err(id));
    };
    Ok(Ok(WaitingMail {
        id,
        message_id: row.try_get("message_id")?,
        letter: Letter {
            to: row.try_get("address")?,
            about,
        },
        attempts: number(row, "attempts")?,
        created_at: moment(row, "created_at")?,
    }))
}

fn open(key: &SecretKey, sealed: &[u8]) -> Option<About> {
    let json = key.open(PLACE, sealed).ok()?;
    serde_json::from_slice(&json).ok()
}

async fn remove(connection: &Connection, ids: &[i64]) -> Result<(), Fault> {
    let letters = all(connection, DELETE, &[&ids], |row| {
        Ok(row.try_get::<_, i64>(0)?)
    })
    .await;
    let letters = letters?;
    connection.execute(DELETE_LETTERS, &[&letters]).await?;
    Ok(())
}

async fn give_up(writing: &Writing, id: MailId, reason: &str, at: Moment) -> Result<(), Fault> {
    let found = one(&writing.connection, BY_ID, &[&id.0], |row| {
        let address: String = row.try_get("address")?;
        Ok((address, open(writing.key(), row.try_get("about")?)))
    })
    .await;
    let Some((address, about)) = found? else {
        return Ok(());
    };
    remove(&writing.connection, &[id.0]).await?;
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
    notifications::raise(&writing.connection, &new).await
}
