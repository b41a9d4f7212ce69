//! Vocabularies: the lists `order_status` and `order_event`.

use async_trait::async_trait;
use domain::id::ListItemId;
use domain::records::ListItem;
use domain::time::Moment;
use domain::vocabulary::{ORDER_EVENT, ORDER_STATUS, Word, event_type};
use futures_util::FutureExt;
use store::{
    Change, Created, List, ListItemChanges, ListItems, ListQuery, NewListItem, Page, Rejection,
    StoreError,
};
use tokio_postgres::Row;

use crate::audit::{self, AuditEvent};
use crate::connection::{Connection, Params};
use crate::fault::Fault;
use crate::idempotency::{self, NO_INTEGRATION};
use crate::known;
use crate::list_query::{Branch, Condition, ListPlan, all, moment, of_ids, one, prefix_end};
use crate::open::PostgresStore;
use crate::writing::Writing;

macro_rules! select_item {
    () => {
        "select id, key, slug, name, description, active, created_at, updated_at from list_items "
    };
}

// primary key
pub(crate) const BY_IDS: &str = concat!(select_item!(), "where id = any($1)");
// primary key
pub(crate) const LOCK: &str = concat!(select_item!(), "where id = $1 for update");
// unique (key, slug)
pub(crate) const FILL: &str = "insert into list_items (key, slug, name, description, active, created_at, updated_at) \
     select w.key, w.slug, w.name, w.description, true, $5, $5 from unnest($1::text[], $2::text[], $3::text[], $4::text[]) \
     with ordinality as w (key, slug, name, description, place) \
     where not exists (select 1 from list_items i where i.key = w.key and i.slug = w.slug) order by w.place \
     on conflict (key, slug) do nothing";
// unique (key, slug)
pub(crate) const INSERT: &str = "insert into list_items (key, slug, name, description, active, created_at, updated_at) \
     values ($1, $2, $3, $4, $6, $5, $5) on conflict (key, slug) do nothing returning id";
// primary key
pub(crate) const UPDATE: &str =
    "update list_items set name = $2, description = $3, active = $4, updated_at = $5 where id = $1";

// unique (key, slug)
pub(crate) const SLUGS_BETWEEN: &str =
    "select slug from list_items where key = $1 and slug >= $2 and ($3::text is null or slug < $3)";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[BY_IDS, LOCK, FILL, INSERT, UPDATE, SLUGS_BETWEEN];

/// What words can be sorted by besides their id; there are few enough to be sorted each time.
const SORTED_BY: &[&str] = &["slug", "name"];

#[async_trait]
impl ListItems for PostgresStore {
    async fn create_list_item(
        &self,
        new: NewListItem,
        change: Change,
    ) -> Result<Created<ListItem>, Rejection> {
        self.write((new, change), |writing, (new, change)| {
            create(writing, new, change).boxed()
        })
        .await
    }

    async fn update_list_item(
        &self,
        id: ListItemId,
        changes: ListItemChanges,
        change: Change,
    ) -> Result<ListItem, Rejection> {
        self.write((id, changes, change), |writing, (id, changes, change)| {
            update(writing, *id, changes, change).boxed()
        })
        .await
    }

    async fn list_items(
        &self,
        list: Option<List>,
        active: Option<bool>,
        query: ListQuery,
    ) -> Result<Page<ListItem>, StoreError> {
        let connection = self.connection().await?;
        let plan = plan(list, active, &query);
        let page = plan.page(&connection, &query, |connection, ids| {
            of_ids(connection, BY_IDS, ids, read).boxed()
        });
        Ok(page.await?)
    }
}

/// Adds the words that every store starts with, where they are missing; writes nothing where none is.
pub(crate) async fn fill(connection: &Connection, now: Moment) -> Result<(), Fault> {
    let statuses = ORDER_STATUS.iter().map(|word| (List::OrderStatus, word));
    let events = ORDER_EVENT.iter().map(|word| (List::OrderEvent, word));
    let words: Vec<(List, &Word)> = statuses.chain(events).collect();
    let keys: Vec<&str> = words.iter().map(|(list, _)| list.name()).collect();
    let slugs: Vec<&str> = words.iter().map(|(_, word)| word.0).collect();
    let names: Vec<&str> = words.iter().map(|(_, word)| word.1).collect();
    let descriptions: Vec<_> = words.iter().map(|(_, word)| word.2).collect();
    let now = now.microseconds();
    connection
        .execute(FILL, &[&keys, &slugs, &names, &descriptions, &now])
        .await
        .map(|_| ())
}

/// The slugs of a list that begin with the term, those out of use too.
pub(crate) async fn slugs_with_prefix(
    connection: &Connection,
    list: List,
    term: &str,
) -> Result<Vec<String>, Fault> {
    let params: Params = &[&list.name(), &term, &prefix_end(term)];
    all(connection, SLUGS_BETWEEN, params, |row| Ok(row.try_get(0)?)).await
}

/// The events whose part after the dot is one of these, those out of use too.
pub(crate) async fn events_of_types(
    connection: &Connection,
    types: &[String],
) -> Result<Vec<String>, Fault> {
    let mut slugs = slugs_with_prefix(connection, List::OrderEvent, "").await?;
    slugs.retain(|slug| types.iter().any(|kind| kind == event_type(slug)));
    Ok(slugs)
}

async fn create(
    writing: &Writing,
    new: &NewListItem,
    change: &Change,
) -> Result<Created<ListItem>, Fault> {
    let key = new.idempotency.as_ref();
    if let Some(first) = idempotency::find(writing, NO_INTEGRATION, key, change.at).await? {
        return Ok(Created::replayed(first));
    }
    let connection = &writing.connection;
    let taken = || {
        let message = "is in this list already; switch it on with list_items/update";
        Fault::refused("slug", message)
    };
    let item = ListItem {
        id: one(
            connection,
            INSERT,
            &[
                &new.list.name(),
                &new.slug,
                &new.name,
                &new.description,
                &change.at.microseconds(),
                &new.active,
            ],
            |row| Ok(ListItemId(row.try_get(0)?)),
        )
        .await?
        .ok_or_else(taken)?,
        key: new.list.name().to_owned(),
        slug: new.slug.clone(),
        name: new.name.clone(),
        description: new.description.clone(),
        active: new.active,
        created_at: change.at,
        updated_at: change.at,
    };
    known::words_changed(connection).await?;
    write_event(connection, change, "create", None, &item).await?;
    idempotency::keep(writing, NO_INTEGRATION, key, &item, change.at).await?;
    Ok(Created::fresh(item))
}

async fn update(
    writing: &Writing,
    id: ListItemId,
    changes: &ListItemChanges,
    change: &Change,
) -> Result<ListItem, Fault> {
    let connection = &writing.connection;
    let before = one(connection, LOCK, &[&id.0], read).await?;
    let before = before.ok_or_else(|| Fault::refused("id", "does not exist"))?;
    let description = changes.description.clone();
    let after = ListItem {
        name: changes.name.clone().unwrap_or_else(|| before.name.clone()),
        description: description.unwrap_or_else(|| before.description.clone()),
        active: changes.active.unwrap_or(before.active),
        updated_at: change.at,
        ..before.clone()
    };
    connection
        .execute(
            UPDATE,
            &[
                &id.0,
                &after.name,
                &after.description,
                &after.active,
                &change.at.microseconds(),
            ],
        )
        .await?;
    known::words_changed(connection).await?;
    write_event(connection, change, "update", Some(&before), &after).await?;
    Ok(after)
}

async fn write_event(
    connection: &Connection,
    change: &Change,
    action: &'static str,
    before: Option<&ListItem>,
    after: &ListItem,
) -> Result<(), Fault> {
    let event = AuditEvent {
        integration_id: None,
        noun: "list_item",
        record_id: after.id.0,
        action,
        before: audit::json_if_any(before)?,
        after: audit::json(after)?,
    };
    audit::write(connection, change, event).await
}

fn read(row: &Row) -> Result<ListItem, Fault> {
    Ok(ListItem {
        id: ListItemId(row.try_get("id")?),
        key: row.try_get("key")?,
        slug: row.try_get("slug")?,
        name: row.try_get("name")?,
        description: row.try_get("description")?,
        active: row.try_get("active")?,
        created_at: moment(row, "created_at")?,
        updated_at: moment(row, "updated_at")?,
    })
}

fn plan(list: Option<List>, active: Option<bool>, query: &ListQuery) -> ListPlan {
    let list = match list {
        Some(list) => Condition::new("key = ?", [list.name().into()]),
        None => Condition::new("true", []),
    };
    let active = active.map(|active| Condition::new("active = ?", [active.into()]));
    let found = query.search.iter().map(Condition::found);
    ListPlan::new(
        vec![Branch::new("list_items", list)],
        active.into_iter().chain(found).collect(),
    )
    .sorted(query.sort, SORTED_BY)
}
