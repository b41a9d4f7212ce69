//! Idempotency keys: a create that is sent again is answered as the first time.

use std::time::Duration;

use domain::time::Moment;
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::{Idempotency, SecretKey};

use crate::connection::Connection;
use crate::fault::Fault;
use crate::list_query::{moment, one};
use crate::writing::Writing;

/// How long an answer can be asked for again, in days: longer than any sane client retries.
const KEPT_DAYS: u64 = 7;
/// Expired answers that are removed whenever one is kept: more than come in, so that the table is bounded
/// by what a week brings.
const REMOVED_PER_KEPT: i64 = 2;
/// Where answers are sealed for.
const PLACE: &str = "idempotency_keys.answer";

// primary key
pub(crate) const FIND: &str = "select request_hash, answer, created_at from idempotency_keys \
     where integration_id = $1 and key = $2";
// primary key; waits for whoever keeps the same key at this moment, and changes nothing where that was kept
pub(crate) const KEEP: &str = "insert into idempotency_keys as k (integration_id, key, request_hash, answer, created_at) \
     select a.integration_id, a.key, a.request_hash, a.answer, a.created_at \
     from unnest($1::bigint[], $2::text[], $3::bytea[], $4::bytea[], $5::bigint[]) \
     as a (integration_id, key, request_hash, answer, created_at) order by a.integration_id, a.key \
     on conflict (integration_id, key) do update set request_hash = excluded.request_hash, \
     answer = excluded.answer, created_at = excluded.created_at where k.created_at <= excluded.created_at - $6::bigint";
// idempotency_keys_by_age; what others remove at this moment is left to them. By their places, or a plan may go through the whole table
pub(crate) const REMOVE_EXPIRED: &str = "delete from idempotency_keys where ctid = any (array(select ctid \
     from idempotency_keys where created_at <= $1 order by created_at limit $2 for update skip locked))";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[FIND, KEEP, REMOVE_EXPIRED];

/// Stands for no integration, where the record belongs to none.
pub(crate) const NO_INTEGRATION: i64 = 0;

/// The answer that was given for this key, if there is one and that is not too long ago. `integration_id` is 0 for records
/// that belong to none.
///
/// # Errors
/// Refused where the key came with another request.
pub(crate) async fn find<T: DeserializeOwned>(
    writing: &Writing,
    integration_id: i64,
    idempotency: Option<&Idempotency>,
    at: Moment,
) -> Result<Option<T>, Fault> {
    let Some(idempotency) = idempotency else {
        return Ok(None);
    };
    let kept = kept(&writing.connection, integration_id, idempotency).await?;
    let Some(kept) = kept.filter(|kept| kept.at > expired_at(at)) else {
        return Ok(None);
    };
    refuse_another(&kept.request_hash, idempotency)?;
    open(writing.key(), &kept.answer).map(Some)
}

/// Whether this very request was answered before.
pub(crate) async fn is_kept(
    connection: &Connection,
    integration_id: i64,
    idempotency: &Idempotency,
    now: Moment,
) -> Result<bool, Fault> {
    let kept = kept(connection, integration_id, idempotency).await?;
    Ok(kept.is_some_and(|kept| {
        kept.request_hash == idempotency.request_hash && kept.at > expired_at(now)
    }))
}

/// Refuses a key that came with another request.
pub(crate) fn refuse_another(first_hash: &[u8], idempotency: &Idempotency) -> Result<(), Fault> {
    if first_hash == idempotency.request_hash {
        return Ok(());
    }
    Err(Fault::refused(
        "idempotency_key",
        "was used for another request; send that request unchanged, or use a new key",
    ))
}

/// Reads an answer that was kept.
pub(crate) fn open<T: DeserializeOwned>(key: &SecretKey, answer: &[u8]) -> Result<T, Fault> {
    Ok(serde_json::from_slice(&key.open(PLACE, answer)?)?)
}

/// Keeps the answer, if there is a key to keep it under.
///
/// # Errors
/// [`Fault::Raced`] where somebody else has kept one under this key meanwhile.
pub(crate) async fn keep<T: Serialize>(
    writing: &Writing,
    integration_id: i64,
    idempotency: Option<&Idempotency>,
    answer: &T,
    at: Moment,
) -> Result<(), Fault> {
    let Some(key) = idempotency else {
        return Ok(());
    };
    let answer = Answer {
        integration_id,
        key,
        answer: serde_json::to_vec(answer)?,
        at,
    };
    keep_all(writing, &[answer]).await
}

/// An answer to be kept, as JSON.
pub(crate) struct Answer<'a> {
    pub(crate) integration_id: i64,
    pub(crate) key: &'a Idempotency,
    pub(crate) answer: Vec<u8>,
    pub(crate) at: Moment,
}

/// Keeps answers, each under another key.
///
/// # Errors
/// [`Fault::Raced`] where somebody else has kept one under such a key meanwhile.
pub(crate) async fn keep_all(writing: &Writing, answers: &[Answer<'_>]) -> Result<(), Fault> {
    let Some(newest) = answers.iter().map(|answer| answer.at).max() else {
        return Ok(());
    };
    let count = answers.len();
    let removed = REMOVED_PER_KEPT.saturating_mul(i64::try_from(count).unwrap_or(i64::MAX));
    remove_expired(&writing.connection, newest, removed).await?;
    let sealed = answers
        .iter()
        .map(|answer| Ok(writing.key().seal(PLACE, &answer.answer)?));
    let sealed = sealed.collect::<Result<Vec<_>, Fault>>()?;
    let integrations: Vec<i64> = answers.iter().map(|one| one.integration_id).collect();
    let keys: Vec<&str> = answers.iter().map(|one| one.key.key.as_str()).collect();
    let hashes: Vec<&[u8]> = answers
        .iter()
        .map(|one| one.key.request_hash.as_slice())
        .collect();
    let moments: Vec<i64> = answers.iter().map(|one| one.at.microseconds()).collect();
    let kept_for = i64::try_from(kept_for().as_micros()).unwrap_or(i64::MAX);
    let params: crate::connection::Params =
        &[&integrations, &keys, &hashes, &sealed, &moments, &kept_for];
    let kept = writing.connection.execute(KEEP, params).await?;
    if kept == count as u64 {
        Ok(())
    } else {
        Err(Fault::Raced)
    }
}

/// Removes answers that nobody can ask for any more, the oldest first; returns how many.
pub(crate) async fn remove_expired(
    connection: &Connection,
    now: Moment,
    limit: i64,
) -> Result<u64, Fault> {
    let before = expired_at(now).microseconds();
    connection.execute(REMOVE_EXPIRED, &[&before, &limit]).await
}

/// An answer as it is kept.
struct Kept {
    request_hash: Vec<u8>,
    answer: Vec<u8>,
    at: Moment,
}

async fn kept(
    connection: &Connection,
    integration_id: i64,
    idempotency: &Idempotency,
) -> Result<Option<Kept>, Fault> {
    one(
        connection,
        FIND,
        &[&integration_id, &idempotency.key],
        |row| {
            Ok(Kept {
                request_hash: row.try_get("request_hash")?,
                answer: row.try_get("answer")?,
                at: moment(row, "created_at")?,
            })
        },
    )
    .await
}

/// What was kept at this moment or before is as if it had never been.
pub(crate) fn expired_at(now: Moment) -> Moment {
    now - kept_for()
}

fn kept_for() -> Duration {
    Duration::from_secs(KEPT_DAYS * 24 * 60 * 60)
}
