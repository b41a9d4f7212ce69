//! Making and changing views. A view that subscriptions name keeps its key, and none is ever deleted, so what a
//! subscription names is always there.

use domain::id::{IntegrationId, PayloadRenderViewId};
use domain::payload::template::TemplateText;
use domain::payload_render_view::{PayloadRenderView, VIEWS_MAX, ViewKey};
use domain::time::Moment;
use rusqlite::{Connection, params};
use store::{
    Change, Created, NewPayloadRenderView, PayloadRenderViewChanges, Reference, Refusal, Target,
};

use super::{of_id, stored, template};
use crate::audit::{self, AuditEvent};
use crate::fault::Fault;
use crate::list_query::one;
use crate::writing::Writing;
use crate::{check, idempotency};

pub(crate) const INSERT: &str = "insert into payload_render_views (integration_id, key, name, description, revision, created_at, \
     updated_at) values (?1, ?2, ?3, ?4, 1, ?5, ?5)";
pub(crate) const INSERT_REVISION: &str = "insert into payload_render_view_revisions (payload_render_view_id, number, template, created_at) \
     values (?1, ?2, ?3, ?4)";
// primary key
pub(crate) const UPDATE: &str = "update payload_render_views set key = ?2, name = ?3, description = ?4, revision = ?5, \
     updated_at = ?6 where id = ?1";
// unique (integration_id, key)
pub(crate) const COUNT: &str =
    "select count(*) from payload_render_views where integration_id = ?1";
// all subscriptions: keys are rarely changed
pub(crate) const USED: &str = "select count(*) from webhook_out_subs where deleted_at is null and ?1 in (0, integration_id) \
     and (payload_render_view = ?2 or substr(payload_render_view, 1, length(?2) + 1) = ?2 || '@')";
// webhook_out_subs_by_integration
pub(crate) const PINNED: &str = "select count(*) from webhook_out_subs where integration_id = ?1 and deleted_at is null \
     and substr(payload_render_view, 1, length(?2) + 1) = ?2 || '@'";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[INSERT, INSERT_REVISION, UPDATE, COUNT, USED, PINNED];

pub(super) fn create(
    writing: &mut Writing,
    new: NewPayloadRenderView,
    change: &Change,
) -> Result<Created<PayloadRenderView>, Fault> {
    let place = stored(new.integration_id);
    if let Some(idempotency) = &new.idempotency
        && let Some(first) = idempotency::find(writing, place, idempotency, change.at)?
    {
        return Ok(Created::replayed(first));
    }
    let connection = &writing.connection;
    let mut refusals = bad_key(connection, new.integration_id, &new.key, None)?;
    refusals.extend(too_many(connection, place)?);
    check::refuse(refusals)?;
    connection.prepare_cached(INSERT)?.execute(params![
        place,
        new.key.as_str(),
        new.name,
        new.description,
        change.at.microseconds(),
    ])?;
    let view = PayloadRenderView {
        id: PayloadRenderViewId(connection.last_insert_rowid()),
        integration_id: new.integration_id,
        key: new.key,
        name: new.name,
        description: new.description,
        revision: 1,
        created_at: change.at,
        updated_at: change.at,
    };
    keep_revision(connection, &view, &new.template, change.at)?;
    write_event(connection, change, "create", None, &view)?;
    forget(writing, &view);
    if let Some(idempotency) = &new.idempotency {
        idempotency::keep(writing, place, idempotency, &view, change.at)?;
    }
    Ok(Created::fresh(view))
}

pub(super) fn update(
    writing: &mut Writing,
    integration_id: Option<IntegrationId>,
    id: PayloadRenderViewId,
    changes: PayloadRenderViewChanges,
    change: &Change,
) -> Result<PayloadRenderView, Fault> {
    let connection = &writing.connection;
    let before = of_id(connection, id.0)?.filter(|view| view.integration_id == integration_id);
    let before = before.ok_or_else(|| Fault::refused("id", check::NOT_IN_INTEGRATION))?;
    let new_key = changes.key.as_ref().filter(|key| **key != before.key);
    if let Some(key) = new_key {
        let mut refusals = bad_key(connection, integration_id, key, Some(id))?;
        refusals.extend(in_use(connection, &before)?);
        check::refuse(refusals)?;
    }
    let newest = template(connection, id, before.revision)?;
    let revised = changes
        .template
        .filter(|text| newest.as_deref() != Some(text.as_str()));
    let after = PayloadRenderView {
        key: changes.key.unwrap_or_else(|| before.key.clone()),
        name: changes.name.unwrap_or_else(|| before.name.clone()),
        description: changes
            .description
            .unwrap_or_else(|| before.description.clone()),
        revision: before.revision + u32::from(revised.is_some()),
        updated_at: change.at,
        ..before
    };
    if let Some(template) = &revised {
        keep_revision(connection, &after, template, change.at)?;
    }
    connection.prepare_cached(UPDATE)?.execute(params![
        id.0,
        after.key.as_str(),
        after.name,
        after.description,
        after.revision,
        after.updated_at.microseconds(),
    ])?;
    write_event(connection, change, "update", Some(&before), &after)?;
    forget(writing, &after);
    Ok(after)
}

/// What stands against a key. An integration's own view comes before the one for all, which must not leave a subscription
/// without the revision that it pins.
fn bad_key(
    connection: &Connection,
    integration_id: Option<IntegrationId>,
    key: &ViewKey,
    except: Option<PayloadRenderViewId>,
) -> Result<Vec<Refusal>, Fault> {
    let free = Target::FreeViewKey {
        integration_id,
        key: key.clone(),
        except,
    };
    let mut references = vec![Reference::new("key", free)];
    references
        .extend(integration_id.map(|id| Reference::new("integration_id", Target::Integration(id))));
    let mut refusals = check::check(connection, &references)?;
    let pinned = match integration_id {
        Some(id) => count(connection, PINNED, id.0, key)?,
        None => 0,
    };
    if refusals.is_empty() && pinned > 0 {
        let message = "is that of a view for all integrations, of which subscriptions of this \
             integration pin a revision; let them follow the newest one first, or use another key";
        refusals.push(Refusal::new("key", message));
    }
    Ok(refusals)
}

fn in_use(connection: &Connection, view: &PayloadRenderView) -> Result<Option<Refusal>, Fault> {
    let used = count(connection, USED, stored(view.integration_id), &view.key)?;
    Ok((used > 0).then(|| {
        let message = format!("cannot be changed: {used} subscriptions name the view by it");
        Refusal::new("key", message)
    }))
}

fn count(connection: &Connection, sql: &str, place: i64, key: &ViewKey) -> Result<i64, Fault> {
    let counted = one(connection, sql, params![place, key.as_str()], |row| {
        Ok(row.get(0)?)
    })?;
    Ok(counted.unwrap_or(0))
}

fn too_many(connection: &Connection, place: i64) -> Result<Option<Refusal>, Fault> {
    let count: Option<i64> = one(connection, COUNT, [place], |row| Ok(row.get(0)?))?;
    let count = count.and_then(|count| usize::try_from(count).ok());
    Ok((count >= Some(VIEWS_MAX)).then(|| {
        let message = format!("has {VIEWS_MAX} views, which is the most; change one instead");
        Refusal::new("integration_id", message)
    }))
}

fn keep_revision(
    connection: &Connection,
    view: &PayloadRenderView,
    template: &TemplateText,
    at: Moment,
) -> Result<(), Fault> {
    connection
        .prepare_cached(INSERT_REVISION)?
        .execute(params![
            view.id.0,
            view.revision,
            template.as_str(),
            at.microseconds(),
        ])?;
    Ok(())
}

/// Subscriptions hold what they render with.
fn forget(writing: &mut Writing, view: &PayloadRenderView) {
    match view.integration_id {
        Some(integration) => writing.known.forget_subscribers(integration),
        None => writing.known.forget_all(),
    }
}

fn write_event(
    connection: &Connection,
    change: &Change,
    action: &'static str,
    before: Option<&PayloadRenderView>,
    after: &PayloadRenderView,
) -> Result<(), Fault> {
    let event = AuditEvent {
        integration_id: after.integration_id,
        noun: "payload_render_view",
        record_id: after.id.0,
        action,
        before: audit::json_if_any(before)?,
        after: audit::json(after)?,
    };
    audit::write(connection, change, event)
}
