//! Programs that call the API.

use std::time::Duration;

use async_trait::async_trait;
use domain::id::{ApplicationId, IntegrationId};
use domain::records::Application;
use domain::time::Moment;
use domain::token::{Token, TokenHash};
use rusqlite::{Connection, Row, params};
use store::{
    ApplicationChanges, Applications, Change, Created, ListQuery, NewApplication, Page, Reference,
    Refusal, Rejection, StoreError, Target, WithToken,
};

use crate::audit::{self, AuditEvent};
use crate::fault::Fault;
use crate::list_query::{Branch, Condition, ListPlan, moment, moment_if_any, one};
use crate::open::SqliteStore;
use crate::writing::Writing;
use crate::{check, idempotency};

macro_rules! select_application {
    () => {
        "select id, slug, integration_id, active, created_at, token_created_at, previous_token_until from applications "
    };
}

// primary key
pub(crate) const BY_ID: &str = concat!(select_application!(), "where id = ?1");
// unique (slug)
pub(crate) const BY_SLUG: &str = concat!(select_application!(), "where slug = ?1");
// unique (token_hash)
pub(crate) const BY_TOKEN: &str = concat!(
    select_application!(),
    "where token_hash = ?1 and active = 1"
);
// applications_by_previous_token
pub(crate) const BY_PREVIOUS_TOKEN: &str = concat!(
    select_application!(),
    "where previous_token_hash = ?1 and previous_token_until > ?2 and active = 1"
);
pub(crate) const INSERT: &str = "insert into applications (slug, integration_id, token_hash, created_at, token_created_at) \
     values (?1, ?2, ?3, ?4, ?4)";
// primary key
pub(crate) const UPDATE: &str = "update applications set slug = ?2, active = ?3 where id = ?1";
// primary key
pub(crate) const UPDATE_TOKEN: &str = "update applications set previous_token_hash = iif(?4 > ?3, token_hash, null), \
     previous_token_until = iif(?4 > ?3, ?4, null), token_hash = ?2, token_created_at = ?3 where id = ?1";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[
    BY_ID,
    BY_SLUG,
    BY_TOKEN,
    BY_PREVIOUS_TOKEN,
    INSERT,
    UPDATE,
    UPDATE_TOKEN,
];

/// What applications can be sorted by besides their id; there are few enough to be sorted each time.
const SORTED_BY: &[&str] = &["slug", "created_at"];

#[async_trait]
impl Applications for SqliteStore {
    async fn create_application(
        &self,
        new: NewApplication,
        change: Change,
    ) -> Result<Created<WithToken>, Rejection> {
        self.write(move |writing| {
            idempotency::once(writing, new.idempotency.as_ref(), change.at, || {
                create(&writing.connection, &new, &change)
            })
        })
        .await
    }

    async fn update_application(
        &self,
        id: ApplicationId,
        changes: ApplicationChanges,
        change: Change,
    ) -> Result<Application, Rejection> {
        self.write(move |writing| update(writing, id, &changes, &change))
            .await
    }

    async fn rotate_application_token(
        &self,
        id: ApplicationId,
        token: Token,
        overlap: Duration,
        change: Change,
    ) -> Result<WithToken, Rejection> {
        self.write(move |writing| rotate_token(writing, id, &token, overlap, &change))
            .await
    }

    async fn applications(
        &self,
        active: Option<bool>,
        query: ListQuery,
    ) -> Result<Page<Application>, StoreError> {
        self.read(move |connection| plan(active, &query).page(connection, &query, show))
            .await
    }

    async fn application_of_slug(&self, slug: String) -> Result<Option<Application>, StoreError> {
        self.read(move |connection| one(connection, BY_SLUG, [slug], read))
            .await
    }

    async fn application_of_token(
        &self,
        token: TokenHash,
        now: Moment,
    ) -> Result<Option<Application>, StoreError> {
        self.read(move |connection| {
            if let Some(found) = one(connection, BY_TOKEN, [token.as_bytes()], read)? {
                return Ok(Some(found));
            }
            let params = params![token.as_bytes(), now.microseconds()];
            one(connection, BY_PREVIOUS_TOKEN, params, read)
        })
        .await
    }
}

fn create(
    connection: &Connection,
    new: &NewApplication,
    change: &Change,
) -> Result<WithToken, Fault> {
    let mut refusals = Vec::new();
    refusals.extend(taken_slug(connection, &new.slug, None)?);
    let integration = new
        .integration_id
        .map(|id| Reference::new("integration_id", Target::Integration(id)));
    refusals.extend(check::check(connection, integration.as_slice())?);
    check::refuse(refusals)?;
    connection.prepare_cached(INSERT)?.execute(params![
        new.slug,
        new.integration_id.map(|id| id.0),
        new.token.hash().as_bytes(),
        change.at.microseconds(),
    ])?;
    let application = found(show(connection, connection.last_insert_rowid())?)?;
    write_event(connection, change, "create", None, &application)?;
    Ok(with_token(application, &new.token))
}

fn with_token(application: Application, token: &Token) -> WithToken {
    let token = token.text().to_owned();
    WithToken { application, token }
}

fn update(
    writing: &Writing,
    id: ApplicationId,
    changes: &ApplicationChanges,
    change: &Change,
) -> Result<Application, Fault> {
    let connection = &writing.connection;
    let before = found(show(connection, id.0)?)?;
    let slug = changes.slug.as_ref().unwrap_or(&before.slug);
    check::refuse(
        taken_slug(connection, slug, Some(id))?
            .into_iter()
            .collect(),
    )?;
    let active = changes.active.unwrap_or(before.active);
    connection
        .prepare_cached(UPDATE)?
        .execute(params![id.0, slug, active])?;
    let after = found(show(connection, id.0)?)?;
    write_event(connection, change, "update", Some(&before), &after)?;
    Ok(after)
}

fn rotate_token(
    writing: &Writing,
    id: ApplicationId,
    token: &Token,
    overlap: Duration,
    change: &Change,
) -> Result<WithToken, Fault> {
    let connection = &writing.connection;
    let before = found(show(connection, id.0)?)?;
    connection.prepare_cached(UPDATE_TOKEN)?.execute(params![
        id.0,
        token.hash().as_bytes(),
        change.at.microseconds(),
        (change.at + overlap).microseconds(),
    ])?;
    let after = found(show(connection, id.0)?)?;
    write_event(connection, change, "rotate_token", Some(&before), &after)?;
    Ok(with_token(after, token))
}

fn taken_slug(
    connection: &Connection,
    slug: &str,
    except: Option<ApplicationId>,
) -> Result<Option<Refusal>, Fault> {
    let taken = one(connection, BY_SLUG, [slug], read)?;
    let taken = taken.filter(|found| Some(found.id) != except);
    let message = "is taken by another application; rotate its token, or use another slug";
    Ok(taken.map(|_| Refusal::new("slug", message)))
}

fn found(application: Option<Application>) -> Result<Application, Fault> {
    application.ok_or_else(|| Fault::refused("id", "does not exist"))
}

fn write_event(
    connection: &Connection,
    change: &Change,
    action: &'static str,
    before: Option<&Application>,
    after: &Application,
) -> Result<(), Fault> {
    let event = AuditEvent {
        integration_id: after.integration_id,
        noun: "application",
        record_id: after.id.0,
        action,
        before: audit::json_if_any(before)?,
        after: audit::json(after)?,
    };
    audit::write(connection, change, event)
}

fn show(connection: &Connection, id: i64) -> Result<Option<Application>, Fault> {
    one(connection, BY_ID, [id], read)
}

fn read(row: &Row<'_>) -> Result<Application, Fault> {
    Ok(Application {
        id: ApplicationId(row.get("id")?),
        slug: row.get("slug")?,
        integration_id: row
            .get::<_, Option<i64>>("integration_id")?
            .map(IntegrationId),
        active: row.get("active")?,
        created_at: moment(row, "created_at")?,
        token_created_at: moment(row, "token_created_at")?,
        previous_token_until: moment_if_any(row, "previous_token_until")?,
    })
}

fn plan(active: Option<bool>, query: &ListQuery) -> ListPlan {
    let active = active.map(|active| Condition::new("active = ?", [active.into()]));
    let searched = query.search.iter().map(Condition::found);
    let conditions = active.into_iter().chain(searched).collect();
    let branch = Branch::new("applications", Condition::new("true", []));
    ListPlan::new(vec![branch], conditions).sorted(query.sort, SORTED_BY)
}
