//! Making and changing views. A view that subscriptions name keeps its key, and none is ever deleted, so what a
//! subscription names is always there.
//!
//! Whoever names a view and whoever changes its key could miss each other: both hold the lock of [`hold_names`].

use domain::id::{IntegrationId, PayloadRenderViewId};
use domain::payload::template::TemplateText;
use domain::payload_render_view::{PayloadRenderView, VIEWS_MAX, ViewKey};
use domain::time::Moment;
use store::{
    Change, Created, NewPayloadRenderView, PayloadRenderViewChanges, Reference, Refusal, Target,
};

use super::{LOCK, read, stored, template};
use crate::audit::{self, AuditEvent};
use crate::connection::{Connection, Params};
use crate::fault::Fault;
use crate::list_query::one;
use crate::writing::Writing;
use crate::{check, idempotency, known};

/// Which views there are is decided by one at a time; any number that other programs do not use.
pub(crate) const HOLD_NAMES: &str = "select pg_advisory_xact_lock(7815694213740091393)";
pub(crate) const INSERT: &str = "insert into payload_render_views (integration_id, key, name, description, revision, created_at, \
     updated_at) values ($1, $2, $3, $4, 1, $5, $5) returning id";
pub(crate) const INSERT_REVISION: &str = "insert into payload_render_view_revisions (payload_render_view_id, number, integration_id, template, \
     created_at) values ($1, $2, $3, $4, $5)";
// primary key
pub(crate) const UPDATE: &str = "update payload_render_views set key = $2, name = $3, description = $4, revision = $5, \
     updated_at = $6 where id = $1";
// unique (integration_id, key)
pub(crate) const COUNT: &str =
    "select count(*) from payload_render_views where integration_id = $1";
// all subscriptions: keys are rarely changed
pub(crate) const USED: &str = "select count(*) from webhook_out_subs where deleted_at is null and $1::bigint in (0, integration_id) \
     and (payload_render_view = $2::text or starts_with(payload_render_view, $2::text || '@'))";
// webhook_out_subs_by_integration
pub(crate) const PINNED: &str = "select count(*) from webhook_out_subs where integration_id = $1 and deleted_at is null \
     and starts_with(payload_render_view, $2::text || '@')";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[
    HOLD_NAMES,
    INSERT,
    INSERT_REVISION,
    UPDATE,
    COUNT,
    USED,
    PINNED,
];

pub(super) async fn create(
    writing: &Writing,
    new: &NewPayloadRenderView,
    change: &Change,
) -> Result<Created<PayloadRenderView>, Fault> {
    let place = stored(new.integration_id);
    let key = new.idempotency.as_ref();
    if let Some(first) = idempotency::find(writing, place, key, change.at).await? {
        return Ok(Created::replayed(first));
    }
    let connection = &writing.connection;
    hold_names(connection).await?;
    let mut refusals = bad_key(connection, new.integration_id, &new.key, None).await?;
    refusals.extend(too_many(connection, place).await?);
    check::refuse(refusals)?;
    let view = PayloadRenderView {
        id: one(
            connection,
            INSERT,
            &[
                &place,
                &new.key.as_str(),
                &new.name,
                &new.description,
                &change.at.microseconds(),
            ],
            |row| Ok(PayloadRenderViewId(row.try_get(0)?)),
        )
        .await?
        .ok_or(Fault::Raced)?,
        integration_id: new.integration_id,
        key: new.key.clone(),
        name: new.name.clone(),
        description: new.description.clone(),
        revision: 1,
        created_at: change.at,
        updated_at: change.at,
    };
    keep_revision(connection, &view, &new.template, change.at).await?;
    known::subscribers_changed(connection, view.integration_id).await?;
    write_event(connection, change, "create", None, &view).await?;
    idempotency::keep(writing, place, key, &view, change.at).await?;
    Ok(Created::fresh(view))
}

pub(super) async fn update(
    writing: &Writing,
    integration_id: Option<IntegrationId>,
    id: PayloadRenderViewId,
    changes: &PayloadRenderViewChanges,
    change: &Change,
) -> Result<PayloadRenderView, Fault> {
    let connection = &writing.connection;
    hold_names(connection).await?;
    let before = one(connection, LOCK, &[&id.0], read).await?;
    let before = before.filter(|view| view.integration_id == integration_id);
    let before = before.ok_or_else(|| Fault::refused("id", check::NOT_IN_INTEGRATION))?;
    let new_key = changes.key.as_ref().filter(|key| **key != before.key);
    if let Some(key) = new_key {
        let mut refusals = bad_key(connection, integration_id, key, Some(id)).await?;
        refusals.extend(in_use(connection, &before).await?);
        check::refuse(refusals)?;
    }
    let newest = template(connection, id, before.revision).await?;
    let revised = changes.template.as_ref();
    let revised = revised.filter(|text| newest.as_deref() != Some(text.as_str()));
    let description = changes.description.clone();
    let after = PayloadRenderView {
        key: changes.key.clone().unwrap_or_else(|| before.key.clone()),
        name: changes.name.clone().unwrap_or_else(|| before.name.clone()),
        description: description.unwrap_or_else(|| before.description.clone()),
        revision: before.revision + u32::from(revised.is_some()),
        updated_at: change.at,
        ..before
    };
    if let Some(template) = revised {
        keep_revision(connection, &after, template, change.at).await?;
    }
    connection
        .execute(
            UPDATE,
            &[
                &id.0,
                &after.key.as_str(),
                &after.name,
                &after.description,
                &i64::from(after.revision),
                &after.updated_at.microseconds(),
            ],
        )
        .await?;
    known::subscribers_changed(connection, after.integration_id).await?;
    write_event(connection, change, "update", Some(&before), &after).await?;
    Ok(after)
}

/// Nobody else makes or renames a view, or names one, until this transaction ends.
pub(crate) async fn hold_names(connection: &Connection) -> Result<(), Fault> {
    connection.query(HOLD_NAMES, &[]).await.map(|_| ())
}

/// What stands against a key. An integration's own view comes before the one for all, which must not leave a subscription
/// without the revision that it pins.
async fn bad_key(
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
    let mut refusals = check::check(connection, &references).await?;
    let pinned = match integration_id {
        Some(id) => count(connection, PINNED, &[&id.0, &key.as_str()]).await?,
        None => 0,
    };
    if refusals.is_empty() && pinned > 0 {
        let message = "is that of a view for all integrations, of which subscriptions of this \
             integration pin a revision; let them follow the newest one first, or use another key";
        refusals.push(Refusal::new("key", message));
    }
    Ok(refusals)
}

async fn in_use(
    connection: &Connection,
    view: &PayloadRenderView,
) -> Result<Option<Refusal>, Fault> {
    let params: Params = &[&stored(view.integration_id), &view.key.as_str()];
    let used = count(connection, USED, params).await?;
    Ok((used > 0).then(|| {
        let message = format!("cannot be changed: {used} subscriptions name the view by it");
        Refusal::new("key", message)
    }))
}

async fn count(connection: &Connection, sql: &str, params: Params<'_>) -> Result<i64, Fault> {
    let counted = one(connection, sql, params, |row| Ok(row.try_get(0)?));
    Ok(counted.await?.unwrap_or(0))
}

async fn too_many(connection: &Connection, place: i64) -> Result<Option<Refusal>, Fault> {
    let count = count(connection, COUNT, &[&place]).await?;
    let most = i64::try_from(VIEWS_MAX).unwrap_or(i64::MAX);
    Ok((count >= most).then(|| {
        let message = format!("has {VIEWS_MAX} views, which is the most; change one instead");
        Refusal::new("integration_id", message)
    }))
}

async fn keep_revision(
    connection: &Connection,
    view: &PayloadRenderView,
    template: &TemplateText,
    at: Moment,
) -> Result<(), Fault> {
    connection
        .execute(
            INSERT_REVISION,
            &[
                &view.id.0,
                &i64::from(view.revision),
                &stored(view.integration_id),
                &template.as_str(),
                &at.microseconds(),
            ],
        )
        .await
        .map(|_| ())
}

async fn write_event(
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
    audit::write(connection, change, event).await
}
