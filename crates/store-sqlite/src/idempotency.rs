//! Idempotency keys: a create that is sent again is answered as the first time.

use std::time::Duration;

use domain::time::Moment;
use rusqlite::{Connection, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::{Created, Idempotency};

use crate::fault::Fault;
use crate::list_query::{moment, one};
use crate::writing::Writing;

/// How long an answer can be asked for again, in days: longer than any sane client retries.
const KEPT_DAYS: u64 = 7;
/// Expired answers that are removed whenever one is kept: more than come in, so that the table is bounded
/// by what a week brings.
const REMOVED_PER_KEPT: u32 = 2;
/// Where answers are sealed for.
const PLACE: &str = "idempotency_keys.answer";

// primary key
pub(crate) const FIND: &str = "select request_hash, answer, created_at from idempotency_keys \
     where integration_id = ?1 and key = ?2";
pub(crate) const KEEP: &str = "insert or replace into idempotency_keys (integration_id, key, request_hash, answer, created_at) \
     values (?1, ?2, ?3, ?4, ?5)";
// idempotency_keys_by_age
pub(crate) const REMOVE_EXPIRED: &str = "delete from idempotency_keys where (integration_id, key) in (select integration_id, key \
     from idempotency_keys where created_at <= ?1 order by created_at limit ?2)";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[FIND, KEEP, REMOVE_EXPIRED];

/// Stands for no integration, where the record belongs to none.
pub(crate) const NO_INTEGRATION: i64 = 0;

/// Makes a record that belongs to no integration, or answers as when it was made.
///
/// # Errors
/// Refused where the key came with another request; whatever `make` refuses.
pub(crate) fn once<T: Serialize + DeserializeOwned>(
    writing: &Writing,
    idempotency: Option<&Idempotency>,
    at: Moment,
    make: impl FnOnce() -> Result<T, Fault>,
) -> Result<Created<T>, Fault> {
    let Some(idempotency) = idempotency else {
        return make().map(Created::fresh);
    };
    if let Some(first) = find(writing, NO_INTEGRATION, idempotency, at)? {
        return Ok(Created::replayed(first));
    }
    let record = make()?;
    keep(writing, NO_INTEGRATION, idempotency, &record, at)?;
    Ok(Created::fresh(record))
}

/// The answer that was given for this key, if that is not too long ago. `integration_id` is 0 for records
/// that belong to none.
///
/// # Errors
/// Refused where the key came with another request.
pub(crate) fn find<T: DeserializeOwned>(
    writing: &Writing,
    integration_id: i64,
    idempotency: &Idempotency,
    at: Moment,
) -> Result<Option<T>, Fault> {
    let params = params![integration_id, idempotency.key];
    let kept = one(&writing.connection, FIND, params, |row| {
        let hash: Vec<u8> = row.get("request_hash")?;
        let answer: Vec<u8> = row.get("answer")?;
        Ok((hash, answer, moment(row, "created_at")?))
    })?;
    let Some((hash, answer, created_at)) = kept else {
        return Ok(None);
    };
    if created_at <= expired_at(at) {
        return Ok(None);
    }
    if hash != idempotency.request_hash {
        return Err(Fault::refused(
            "idempotency_key",
            "was used for another request; send that request unchanged, or use a new key",
        ));
    }
    let answer = writing.key.open(PLACE, &answer)?;
    Ok(Some(serde_json::from_slice(&answer)?))
}

/// Whether this very request was answered before.
pub(crate) fn is_kept(
    connection: &Connection,
    integration_id: i64,
    idempotency: &Idempotency,
    now: Moment,
) -> Result<bool, Fault> {
    let params = params![integration_id, idempotency.key];
    let kept = one(connection, FIND, params, |row| {
        let hash: Vec<u8> = row.get("request_hash")?;
        Ok((hash, moment(row, "created_at")?))
    })?;
    Ok(kept.is_some_and(|(hash, created_at)| {
        hash == idempotency.request_hash && created_at > expired_at(now)
    }))
}

/// Keeps the answer.
pub(crate) fn keep<T: Serialize>(
    writing: &Writing,
    integration_id: i64,
    idempotency: &Idempotency,
    answer: &T,
    at: Moment,
) -> Result<(), Fault> {
    remove_expired(&writing.connection, at, REMOVED_PER_KEPT)?;
    let answer = writing.key.seal(PLACE, &serde_json::to_vec(answer)?)?;
    writing.connection.prepare_cached(KEEP)?.execute(params![
        integration_id,
        idempotency.key,
        idempotency.request_hash,
        answer,
        at.microseconds(),
    ])?;
    Ok(())
}

/// Removes answers that nobody can ask for any more, the oldest first; returns how many.
pub(crate) fn remove_expired(
    connection: &Connection,
    now: Moment,
    limit: u32,
) -> Result<usize, Fault> {
    let removed = connection
        .prepare_cached(REMOVE_EXPIRED)?
        .execute(params![expired_at(now).microseconds(), limit])?;
    Ok(removed)
}

/// What was kept at this moment or before is as if it had never been.
fn expired_at(now: Moment) -> Moment {
    now - Duration::from_secs(KEPT_DAYS * 24 * 60 * 60)
}
