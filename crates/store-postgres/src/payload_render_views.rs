//! Payload views of one's own: what is asked of them, and who answers.

use async_trait::async_trait;
use domain::id::{IntegrationId, PayloadRenderViewId};
use domain::payload_render_view::{PayloadRenderView, ViewKey, ViewName};
use futures_util::FutureExt;
use store::{
    Change, Created, ListQuery, NewPayloadRenderView, Page, PayloadRenderViewChanges,
    PayloadRenderViews, Rejection, ShownView, StoreError,
};
use tokio_postgres::Row;

use crate::connection::{Connection, Params};
use crate::fault::Fault;
use crate::list_query::{Branch, Condition, ListPlan, moment, number, of_ids, one};
use crate::open::PostgresStore;

pub(crate) mod rendering;
pub(crate) mod save;

macro_rules! select_view {
    () => {
        "select id, integration_id, key, name, description, revision, created_at, updated_at \
         from payload_render_views "
    };
}

// primary key
pub(crate) const BY_IDS: &str = concat!(select_view!(), "where id = any($1)");
// primary key
pub(crate) const BY_ID: &str = concat!(select_view!(), "where id = $1");
// primary key
pub(crate) const LOCK: &str = concat!(select_view!(), "where id = $1 for update");
// unique (integration_id, key); the integration's own comes first
pub(crate) const BY_NAME: &str = concat!(
    select_view!(),
    "where integration_id in ($1, 0) and key = $2 order by integration_id desc limit 1"
);
// unique (integration_id, key)
pub(crate) const ID_OF_KEY: &str =
    "select id from payload_render_views where integration_id = $1 and key = $2";
// primary key
pub(crate) const TEMPLATE: &str = "select template from payload_render_view_revisions \
     where payload_render_view_id = $1 and number = $2";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&[&str]] = &[
    &[BY_IDS, BY_ID, LOCK, BY_NAME, ID_OF_KEY, TEMPLATE],
    save::STATEMENTS,
];

/// Stands for all integrations, where a view belongs to none.
const ALL_INTEGRATIONS: i64 = 0;
/// What views can be sorted by besides their id; there are few enough to be sorted each time.
const SORTED_BY: &[&str] = &["key", "name", "created_at", "updated_at"];

#[async_trait]
impl PayloadRenderViews for PostgresStore {
    async fn create_payload_render_view(
        &self,
        new: NewPayloadRenderView,
        change: Change,
    ) -> Result<Created<PayloadRenderView>, Rejection> {
        self.write((new, change), |writing, (new, change)| {
            save::create(writing, new, change).boxed()
        })
        .await
    }

    async fn update_payload_render_view(
        &self,
        integration_id: Option<IntegrationId>,
        id: PayloadRenderViewId,
        changes: PayloadRenderViewChanges,
        change: Change,
    ) -> Result<PayloadRenderView, Rejection> {
        let asked = (integration_id, id, changes, change);
        self.write(asked, |writing, (integration_id, id, changes, change)| {
            save::update(writing, *integration_id, *id, changes, change).boxed()
        })
        .await
    }

    async fn payload_render_view(
        &self,
        integration_id: Option<IntegrationId>,
        id: PayloadRenderViewId,
        revision: Option<u32>,
    ) -> Result<Option<ShownView>, StoreError> {
        let connection = self.connection().await?;
        Ok(shown(&connection, integration_id, id, revision).await?)
    }

    async fn payload_render_views(
        &self,
        integration_id: Option<IntegrationId>,
        query: ListQuery,
    ) -> Result<Page<PayloadRenderView>, StoreError> {
        let connection = self.connection().await?;
        let plan = plan(integration_id, &query);
        let page = plan.page(&connection, &query, |connection, ids| {
            of_ids(connection, BY_IDS, ids, read).boxed()
        });
        Ok(page.await?)
    }
}

/// The view that a name means in an integration, and the revision.
pub(crate) async fn find(
    connection: &Connection,
    integration_id: IntegrationId,
    key: &ViewKey,
    revision: Option<u32>,
) -> Result<Option<(PayloadRenderView, u32)>, Fault> {
    let params: Params = &[&integration_id.0, &key.as_str()];
    let found = one(connection, BY_NAME, params, read).await?;
    Ok(found.and_then(|view| {
        let number = revision.unwrap_or(view.revision);
        (number <= view.revision).then_some((view, number))
    }))
}

/// What is wrong with the name of a view in an integration, if anything is.
pub(crate) async fn fault_of(
    connection: &Connection,
    integration_id: IntegrationId,
    name: &ViewName,
) -> Result<Option<&'static str>, Fault> {
    let ViewName::Own { key, revision } = name else {
        return Ok(None);
    };
    let found = find(connection, integration_id, key, *revision).await?;
    if found.is_some() {
        return Ok(None);
    }
    let newest = find(connection, integration_id, key, None).await?;
    Ok(Some(match newest {
        Some(_) => "names a revision that its view does not have",
        None => "does not exist; see payload_render_views/index for the views of one's own",
    }))
}

/// The view that has this key among those of the integration, or among those for all.
pub(crate) async fn id_of_key(
    connection: &Connection,
    integration_id: Option<IntegrationId>,
    key: &ViewKey,
) -> Result<Option<i64>, Fault> {
    let params: Params = &[&stored(integration_id), &key.as_str()];
    one(connection, ID_OF_KEY, params, |row| Ok(row.try_get(0)?)).await
}

async fn shown(
    connection: &Connection,
    integration_id: Option<IntegrationId>,
    id: PayloadRenderViewId,
    revision: Option<u32>,
) -> Result<Option<ShownView>, Fault> {
    let found = one(connection, BY_ID, &[&id.0], read).await?;
    let usable = |view: &PayloadRenderView| {
        view.integration_id.is_none() || view.integration_id == integration_id
    };
    let Some(view) = found.filter(usable) else {
        return Ok(None);
    };
    let revision = revision.unwrap_or(view.revision);
    let template = template(connection, id, revision).await?;
    Ok(template.map(|template| ShownView {
        view,
        revision,
        template,
    }))
}

async fn template(
    connection: &Connection,
    id: PayloadRenderViewId,
    revision: u32,
) -> Result<Option<String>, Fault> {
    let params: Params = &[&id.0, &i64::from(revision)];
    one(connection, TEMPLATE, params, |row| Ok(row.try_get(0)?)).await
}

fn read(row: &Row) -> Result<PayloadRenderView, Fault> {
    let id = row.try_get("id")?;
    let key: &str = row.try_get("key")?;
    let integration_id = row.try_get("integration_id")?;
    Ok(PayloadRenderView {
        id: PayloadRenderViewId(id),
        integration_id: (integration_id != ALL_INTEGRATIONS)
            .then_some(IntegrationId(integration_id)),
        key: key
            .parse()
            .map_err(|fault| Fault::corrupt("payload_render_views", id, fault))?,
        name: row.try_get("name")?,
        description: row.try_get("description")?,
        revision: number(row, "revision")?,
        created_at: moment(row, "created_at")?,
        updated_at: moment(row, "updated_at")?,
    })
}

fn stored(integration_id: Option<IntegrationId>) -> i64 {
    integration_id.map_or(ALL_INTEGRATIONS, |id| id.0)
}

fn plan(integration_id: Option<IntegrationId>, query: &ListQuery) -> ListPlan {
    let usable = Condition::new("integration_id in (?, 0)", [stored(integration_id).into()]);
    let conditions = query.search.iter().map(Condition::found).collect();
    ListPlan::new(
        vec![Branch::new("payload_render_views", usable)],
        conditions,
    )
    .sorted(query.sort, SORTED_BY)
}
