//! Programs that call the API.

use async_trait::async_trait;
use domain::id::{ApplicationId, IntegrationId};
use domain::records::Application;
use domain::token::TokenHash;
use rusqlite::{Row, params};
use store::{
    Applications, Change, NewApplication, Reference, Refusal, Rejection, StoreError, Target,
};

use crate::audit::{self, AuditEvent};
use crate::check;
use crate::fault::Fault;
use crate::list_query::{all, moment, one};
use crate::open::SqliteStore;
use crate::writer::Writing;

macro_rules! select_application {
    () => {
        "select id, slug, integration_id, created_at, token_created_at from applications "
    };
}

// unique (slug)
pub(crate) const BY_SLUG: &str = concat!(select_application!(), "where slug = ?1");
// unique (token_hash)
pub(crate) const BY_TOKEN: &str = concat!(select_application!(), "where token_hash = ?1");
// unique (slug)
pub(crate) const ALL: &str = concat!(select_application!(), "order by slug");
pub(crate) const INSERT: &str = "insert into applications (slug, integration_id, token_hash, created_at, token_created_at) \
     values (?1, ?2, ?3, ?4, ?4)";
// primary key
pub(crate) const UPDATE_TOKEN: &str =
    "update applications set token_hash = ?2, token_created_at = ?3 where id = ?1";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[BY_SLUG, BY_TOKEN, ALL, INSERT, UPDATE_TOKEN];

#[async_trait]
impl Applications for SqliteStore {
    async fn create_application(
        &self,
        new: NewApplication,
        change: Change,
    ) -> Result<Application, Rejection> {
        self.write(move |writing| create(writing, &new, &change))
            .await
    }

    async fn applications(&self) -> Result<Vec<Application>, StoreError> {
        self.read(|connection| all(connection, ALL, [], read)).await
    }

    async fn rotate_application_token(
        &self,
        slug: String,
        token: TokenHash,
        change: Change,
    ) -> Result<Application, Rejection> {
        self.write(move |writing| rotate_token(writing, &slug, token, &change))
            .await
    }

    async fn application_of_token(
        &self,
        token: TokenHash,
    ) -> Result<Option<Application>, StoreError> {
        self.read(move |connection| one(connection, BY_TOKEN, [token.as_bytes()], read))
            .await
    }
}

fn create(writing: &Writing, new: &NewApplication, change: &Change) -> Result<Application, Fault> {
    let connection = &writing.connection;
    let mut refusals = Vec::new();
    if one(connection, BY_SLUG, [&new.slug], read)?.is_some() {
        let message = "is taken by another application; rotate its token, or use another slug";
        refusals.push(Refusal::new("slug", message));
    }
    let integration = new
        .integration_id
        .map(|id| Reference::new("integration", Target::Integration(id)));
    refusals.extend(check::check(connection, integration.as_slice())?);
    check::refuse(refusals)?;
    connection.prepare_cached(INSERT)?.execute(params![
        new.slug,
        new.integration_id.map(|id| id.0),
        new.token.as_bytes(),
        change.at.microseconds(),
    ])?;
    let application = Application {
        id: ApplicationId(connection.last_insert_rowid()),
        slug: new.slug.clone(),
        integration_id: new.integration_id,
        created_at: change.at,
        token_created_at: change.at,
    };
    write_event(writing, change, "create", None, &application)?;
    Ok(application)
}

fn rotate_token(
    writing: &Writing,
    slug: &str,
    token: TokenHash,
    change: &Change,
) -> Result<Application, Fault> {
    let connection = &writing.connection;
    let Some(before) = one(connection, BY_SLUG, [slug], read)? else {
        return Err(Fault::refused(
            "slug",
            "does not exist; see the list of applications",
        ));
    };
    connection.prepare_cached(UPDATE_TOKEN)?.execute(params![
        before.id.0,
        token.as_bytes(),
        change.at.microseconds(),
    ])?;
    let after = Application {
        token_created_at: change.at,
        ..before.clone()
    };
    write_event(writing, change, "rotate_token", Some(&before), &after)?;
    Ok(after)
}

fn write_event(
    writing: &Writing,
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
    audit::write(&writing.connection, change, event)
}

fn read(row: &Row<'_>) -> Result<Application, Fault> {
    Ok(Application {
        id: ApplicationId(row.get("id")?),
        slug: row.get("slug")?,
        integration_id: row
            .get::<_, Option<i64>>("integration_id")?
            .map(IntegrationId),
        created_at: moment(row, "created_at")?,
        token_created_at: moment(row, "token_created_at")?,
    })
}
