//! Programs that call the API.

use std::time::Duration;

use async_trait::async_trait;
use domain::id::{ApplicationId, IntegrationId};
use domain::records::Application;
use domain::time::Moment;
use domain::token::{Token, TokenHash};
use futures_util::FutureExt;
use store::{
    ApplicationChanges, Applications, Change, Created, ListQuery, NewApplication, Page, Reference,
    Refusal, Rejection, StoreError, Target, WithToken,
};
use tokio_postgres::Row;

use crate::audit::{self, AuditEvent};
use crate::check;
use crate::connection::Connection;
use crate::fault::Fault;
use crate::idempotency::{self, NO_INTEGRATION};
use crate::list_query::{Branch, Condition, ListPlan, moment, moment_if_any, of_ids, one};
use crate::open::PostgresStore;
use crate::writing::Writing;

macro_rules! select_application {
    () => {
        "select id, slug, integration_id, active, created_at, token_created_at, previous_token_until from applications "
    };
}

// primary key
pub(crate) const BY_IDS: &str = concat!(select_application!(), "where id = any($1)");
// primary key
pub(crate) const LOCK: &str = concat!(select_application!(), "where id = $1 for update");
// unique (slug)
pub(crate) const BY_SLUG: &str = concat!(select_application!(), "where slug = $1");
// unique (token_hash)
pub(crate) const BY_TOKEN: &str =
    concat!(select_application!(), "where token_hash = $1 and active");
// applications_by_previous_token
pub(crate) const BY_PREVIOUS_TOKEN: &str = concat!(
    select_application!(),
    "where previous_token_hash = $1 and previous_token_until > $2 and active"
);
pub(crate) const INSERT: &str = "insert into applications (slug, integration_id, token_hash, created_at, token_created_at) \
     values ($1, $2, $3, $4, $4) returning id";
// primary key
pub(crate) const UPDATE: &str = "update applications set slug = $2, active = $3 where id = $1";
// primary key
pub(crate) const UPDATE_TOKEN: &str = "update applications set previous_token_hash = case when $4::bigint > $3::bigint then token_hash end, \
     previous_token_until = case when $4::bigint > $3::bigint then $4::bigint end, token_hash = $2, token_created_at = $3 where id = $1";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[
    BY_IDS,
    LOCK,
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
impl Applications for PostgresStore {
    async fn create_application(
        &self,
        new: NewApplication,
        change: Change,
    ) -> Result<Created<WithToken>, Rejection> {
        self.write((new, change), |writing, (new, change)| {
            create(writing, new, change).boxed()
        })
        .await
    }

    async fn update_application(
        &self,
        id: ApplicationId,
        changes: ApplicationChanges,
        change: Change,
    ) -> Result<Application, Rejection> {
        self.write((id, changes, change), |writing, (id, changes, change)| {
            update(writing, *id, changes, change).boxed()
        })
        .await
    }

    async fn rotate_application_token(
        &self,
        id: ApplicationId,
        token: Token,
        overlap: Duration,
        change: Change,
    ) -> Result<WithToken, Rejection> {
        let asked = (id, token, overlap, change);
        self.write(asked, |writing, (id, token, overlap, change)| {
            rotate_token(writing, *id, token, *overlap, change).boxed()
        })
        .await
    }

    async fn applications(
        &self,
        active: Option<bool>,
        query: ListQuery,
    ) -> Result<Page<Application>, StoreError> {
        let connection = self.connection().await?;
        let plan = plan(active, &query);
        let page = plan.page(&connection, &query, |connection, ids| {
            of_ids(connection, BY_IDS, ids, read).boxed()
        });
        Ok(page.await?)
    }

    async fn application_of_slug(&self, slug: String) -> Result<Option<Application>, StoreError> {
        let connection = self.connection().await?;
        Ok(one(&connection, BY_SLUG, &[&slug], read).await?)
    }

    async fn application_of_token(
        &self,
        token: TokenHash,
        now: Moment,
    ) -> Result<Option<Application>, StoreError> {
        let connection = self.connection().await?;
        let (token, now) = (token.as_bytes().as_slice(), now.microseconds());
        if let Some(found) = one(&connection, BY_TOKEN, &[&token], read).await? {
            return Ok(Some(found));
        }
        Ok(one(&connection, BY_PREVIOUS_TOKEN, &[&token, &now], read).await?)
    }
}

async fn create(
    writing: &Writing,
    new: &NewApplication,
    change: &Change,
) -> Result<Created<WithToken>, Fault> {
    let key = new.idempotency.as_ref();
    if let Some(first) = idempotency::find(writing, NO_INTEGRATION, key, change.at).await? {
        return Ok(Created::replayed(first));
    }
    let connection = &writing.connection;
    let mut refusals = Vec::new();
    refusals.extend(taken_slug(connection, &new.slug, None).await?);
    let integration = new
        .integration_id
        .map(|id| Reference::new("integration_id", Target::Integration(id)));
    refusals.extend(check::check(connection, integration.as_slice()).await?);
    check::refuse(refusals)?;
    let id = one(
        connection,
        INSERT,
        &[
            &new.slug,
            &new.integration_id.map(|id| id.0),
            &new.token.hash().as_bytes().as_slice(),
            &change.at.microseconds(),
        ],
        |row| Ok(ApplicationId(row.try_get(0)?)),
    )
    .await?
    .ok_or(Fault::Raced)?;
    let application = Application {
        id,
        slug: new.slug.clone(),
        integration_id: new.integration_id,
        active: true,
        created_at: change.at,
        token_created_at: change.at,
        previous_token_until: None,
    };
    write_event(connection, change, "create", None, &application).await?;
    let made = with_token(application, &new.token);
    idempotency::keep(writing, NO_INTEGRATION, key, &made, change.at).await?;
    Ok(Created::fresh(made))
}

fn with_token(application: Application, token: &Token) -> WithToken {
    let token = token.text().to_owned();
    WithToken { application, token }
}

async fn update(
    writing: &Writing,
    id: ApplicationId,
    changes: &ApplicationChanges,
    change: &Change,
) -> Result<Application, Fault> {
    let connection = &writing.connection;
    let before = lock(connection, id).await?;
    let after = Application {
        slug: changes.slug.clone().unwrap_or_else(|| before.slug.clone()),
        active: changes.active.unwrap_or(before.active),
        ..before.clone()
    };
    let taken = taken_slug(connection, &after.slug, Some(id)).await?;
    check::refuse(taken.into_iter().collect())?;
    let params: crate::connection::Params = &[&id.0, &after.slug, &after.active];
    connection.execute(UPDATE, params).await?;
    write_event(connection, change, "update", Some(&before), &after).await?;
    Ok(after)
}

async fn rotate_token(
    writing: &Writing,
    id: ApplicationId,
    token: &Token,
    overlap: Duration,
    change: &Change,
) -> Result<WithToken, Fault> {
    let connection = &writing.connection;
    let before = lock(connection, id).await?;
    let until = change.at + overlap;
    connection
        .execute(
            UPDATE_TOKEN,
            &[
                &id.0,
                &token.hash().as_bytes().as_slice(),
                &change.at.microseconds(),
                &until.microseconds(),
            ],
        )
        .await?;
    let after = Application {
        token_created_at: change.at,
        previous_token_until: (until > change.at).then_some(until),
        ..before.clone()
    };
    write_event(connection, change, "rotate_token", Some(&before), &after).await?;
    Ok(with_token(after, token))
}

async fn taken_slug(
    connection: &Connection,
    slug: &str,
    except: Option<ApplicationId>,
) -> Result<Option<Refusal>, Fault> {
    let taken = one(connection, BY_SLUG, &[&slug], read).await?;
    let taken = taken.filter(|found| Some(found.id) != except);
    let message = "is taken by another application; rotate its token, or use another slug";
    Ok(taken.map(|_| Refusal::new("slug", message)))
}

/// The application that is to be changed; others who change it wait.
async fn lock(connection: &Connection, id: ApplicationId) -> Result<Application, Fault> {
    let found = one(connection, LOCK, &[&id.0], read).await?;
    found.ok_or_else(|| Fault::refused("id", "does not exist"))
}

async fn write_event(
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
    audit::write(connection, change, event).await
}

fn read(row: &Row) -> Result<Application, Fault> {
    let integration_id: Option<i64> = row.try_get("integration_id")?;
    Ok(Application {
        id: ApplicationId(row.try_get("id")?),
        slug: row.try_get("slug")?,
        integration_id: integration_id.map(IntegrationId),
        active: row.try_get("active")?,
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
