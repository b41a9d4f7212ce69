//! Vocabularies: the lists `order_status` and `order_event`.

use std::collections::HashSet;

use async_trait::async_trait;
use domain::id::ListItemId;
use domain::records::ListItem;
use domain::time::Moment;
use domain::vocabulary::{ORDER_EVENT, ORDER_STATUS, Word, event_type};
use rusqlite::{Connection, Row, params};
use store::{
    Change, Created, List, ListItemChanges, ListItems, ListQuery, NewListItem, Page, Rejection,
    StoreError,
};

use crate::audit::{self, AuditEvent};
use crate::fault::Fault;
use crate::idempotency;
use crate::list_query::{Branch, Condition, ListPlan, all, moment, one, prefix_range};
use crate::open::SqliteStore;
use crate::writing::Writing;

// primary key
pub(crate) const BY_ID: &str = "select id, key, slug, name, description, active, created_at, updated_at from list_items \
     where id = ?1";
// unique (key, slug)
pub(crate) const ALL_SLUGS: &str = "select key, slug from list_items";
// unique (key, slug)
pub(crate) const SLUGS: &str = "select slug from list_items where key = ?1";
// unique (key, slug)
pub(crate) const SLUGS_BETWEEN: &str =
    "select slug from list_items where key = ?1 and slug >= ?2 and slug < ?3";
pub(crate) const INSERT: &str = "insert or ignore into list_items (key, slug, name, description, active, created_at, updated_at) \
     values (?1, ?2, ?3, ?4, ?6, ?5, ?5)";
// unique (key, slug)
pub(crate) const ID: &str = "select id from list_items where key = ?1 and slug = ?2";
// primary key
pub(crate) const UPDATE: &str =
    "update list_items set name = ?2, description = ?3, active = ?4, updated_at = ?5 where id = ?1";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] =
    &[BY_ID, ALL_SLUGS, SLUGS, SLUGS_BETWEEN, INSERT, ID, UPDATE];

/// What words can be sorted by besides their id; there are few enough to be sorted each time.
const SORTED_BY: &[&str] = &["slug", "name"];

#[async_trait]
impl ListItems for SqliteStore {
    async fn create_list_item(
        &self,
        new: NewListItem,
        change: Change,
    ) -> Result<Created<ListItem>, Rejection> {
        self.write(move |writing| create(writing, &new, &change))
            .await
    }

    async fn update_list_item(
        &self,
        id: ListItemId,
        changes: ListItemChanges,
        change: Change,
    ) -> Result<ListItem, Rejection> {
        self.write(move |writing| update(writing, id, changes, &change))
            .await
    }

    async fn list_items(
        &self,
        list: Option<List>,
        active: Option<bool>,
        query: ListQuery,
    ) -> Result<Page<ListItem>, StoreError> {
        self.read(move |connection| plan(list, active, &query).page(connection, &query, show))
            .await
    }
}

/// Adds the words that every store starts with, where they are missing; writes nothing where none is.
pub(crate) fn fill(connection: &Connection, now: Moment) -> Result<(), rusqlite::Error> {
    let known = known_slugs(connection)?;
    let is_missing = |list: List, word: &Word| {
        let place = (list.name().to_owned(), word.0.to_owned());
        !known.contains(&place)
    };
    let statuses = ORDER_STATUS.iter().map(|word| (List::OrderStatus, word));
    let events = ORDER_EVENT.iter().map(|word| (List::OrderEvent, word));
    let missing: Vec<(List, &Word)> = statuses
        .chain(events)
        .filter(|(list, word)| is_missing(*list, word))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let transaction = connection.unchecked_transaction()?;
    for (list, (slug, name, description)) in missing {
        let now = now.microseconds();
        let params = params![list.name(), slug, name, description, now, true];
        transaction.prepare_cached(INSERT)?.execute(params)?;
    }
    transaction.commit()
}

fn known_slugs(connection: &Connection) -> Result<HashSet<(String, String)>, rusqlite::Error> {
    let mut statement = connection.prepare_cached(ALL_SLUGS)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

/// The slugs of a list that begin with the term, those out of use too.
pub(crate) fn slugs_with_prefix(
    connection: &Connection,
    list: List,
    term: &str,
) -> Result<Vec<String>, Fault> {
    let (from, until) = prefix_range(term);
    let params = params![list.name(), from, until];
    all(connection, SLUGS_BETWEEN, params, |row| Ok(row.get(0)?))
}

/// The events whose part after the dot is one of these, those out of use too.
pub(crate) fn events_of_types(
    connection: &Connection,
    types: &[String],
) -> Result<Vec<String>, Fault> {
    let list = List::OrderEvent.name();
    let mut slugs: Vec<String> = all(connection, SLUGS, [list], |row| Ok(row.get(0)?))?;
    slugs.retain(|slug| types.iter().any(|kind| kind == event_type(slug)));
    Ok(slugs)
}

fn create(
    writing: &mut Writing,
    new: &NewListItem,
    change: &Change,
) -> Result<Created<ListItem>, Fault> {
    let created = idempotency::once(writing, new.idempotency.as_ref(), change.at, || {
        let connection = &writing.connection;
        let place = [new.list.name(), &new.slug];
        if one(connection, ID, place, |_| Ok(()))?.is_some() {
            let message = "is in this list already; switch it on with list_items/update";
            return Err(Fault::refused("slug", message));
        }
        connection.prepare_cached(INSERT)?.execute(params![
            new.list.name(),
            new.slug,
            new.name,
            new.description,
            change.at.microseconds(),
            new.active,
        ])?;
        let item = found(show(connection, connection.last_insert_rowid())?)?;
        write_event(connection, change, "create", None, &item)?;
        Ok(item)
    })?;
    writing.known.forget_all();
    Ok(created)
}

fn update(
    writing: &mut Writing,
    id: ListItemId,
    changes: ListItemChanges,
    change: &Change,
) -> Result<ListItem, Fault> {
    let connection = &writing.connection;
    let before = found(show(connection, id.0)?)?;
    let after = ListItem {
        name: changes.name.unwrap_or_else(|| before.name.clone()),
        description: changes
            .description
            .unwrap_or_else(|| before.description.clone()),
        active: changes.active.unwrap_or(before.active),
        updated_at: change.at,
        ..before.clone()
    };
    connection.prepare_cached(UPDATE)?.execute(params![
        id.0,
        after.name,
        after.description,
        after.active,
        change.at.microseconds(),
    ])?;
    write_event(connection, change, "update", Some(&before), &after)?;
    writing.known.forget_all();
    Ok(after)
}

fn found(item: Option<ListItem>) -> Result<ListItem, Fault> {
    item.ok_or_else(|| Fault::refused("id", "does not exist"))
}

fn write_event(
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
    audit::write(connection, change, event)
}

fn show(connection: &Connection, id: i64) -> Result<Option<ListItem>, Fault> {
    one(connection, BY_ID, [id], read)
}

fn read(row: &Row<'_>) -> Result<ListItem, Fault> {
    Ok(ListItem {
        id: ListItemId(row.get("id")?),
        key: row.get("key")?,
        slug: row.get("slug")?,
        name: row.get("name")?,
        description: row.get("description")?,
        active: row.get("active")?,
        created_at: moment(row, "created_at")?,
        updated_at: moment(row, "updated_at")?,
    })
}

fn plan(list: Option<List>, active: Option<bool>, query: &ListQuery) -> ListPlan {
    let list = match list {
        Some(list) => Condition::new("key = ?", [list.name().to_owned().into()]),
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
