//! What a node keeps in memory of the tables that every change asks: subscriptions and vocabularies.
//!
//! Each has a revision in the database, which every transaction that uses it reads: what was kept under another one is read anew. So
//! it always agrees with the transaction that asks, whichever node has changed it.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::id::{IntegrationId, WebhookOutSubId};
use domain::matching::Triggers;
use domain::payload::template::TemplateFault;
use domain::payload::template::filter::Filter;
use domain::payload_render_view::ViewName;
use domain::webhook_out_sub::{Ordering, Version};
use store::List;
use tokio_postgres::Row;

use crate::accept::Recipient;
use crate::connection::Connection;
use crate::fault::Fault;
use crate::list_query::all;
use crate::payload_render_views::rendering::{KnownView, resolve};

/// Integrations whose subscriptions are kept; with more, all are forgotten and read anew.
const INTEGRATIONS_KEPT_MAX: usize = 10_000;

// webhook_out_subs_by_integration
pub(crate) const ACTIVE_SUBSCRIPTIONS: &str = "select id, statuses, events, payload_render_view, version, ordering, supersede, filter from webhook_out_subs \
     where integration_id = $1 and deleted_at is null and active and not catching_up order by id";
pub(crate) const ACTIVE_WORDS: &str = "select key, slug from list_items where active";
// primary keys
pub(crate) const REVISIONS: &str = "select id, matching_revision, subscribers_revision, \
     (select revision from kept_revisions where name = 'words') as words, \
     (select revision from kept_revisions where name = 'views') as views from integrations where id = any($1)";
// primary key
pub(crate) const CHANGE: &str = "update kept_revisions set revision = revision + 1 where name = $1";
// primary key
pub(crate) const CHANGE_SUBSCRIBERS: &str =
    "update integrations set subscribers_revision = subscribers_revision + 1 where id = $1";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[
    CHANGE_SUBSCRIBERS,
    ACTIVE_SUBSCRIPTIONS,
    ACTIVE_WORDS,
    REVISIONS,
    CHANGE,
];

/// See the module.
#[derive(Default)]
pub(crate) struct Known(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    subscribers: HashMap<IntegrationId, Arc<Subscribers>>,
    words: Arc<Words>,
}

/// The revisions that a transaction found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Revisions {
    integrations: HashMap<IntegrationId, Standing>,
    words: i64,
    views: i64,
}

/// How often an integration's subscriptions have changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Standing {
    matching: i64,
    subscribers: i64,
}

/// The subscriptions of an integration whose jobs are made with a change.
#[derive(Default)]
pub(crate) struct Subscribers {
    /// The revision of the integration that they stand under.
    pub(crate) revision: i64,
    /// By id.
    pub(crate) list: Vec<Subscriber>,
    /// What they were read under, with the views for all.
    read_under: (Standing, i64),
}

/// An active subscription, as matching and rendering need it.
pub(crate) struct Subscriber {
    pub(crate) recipient: Recipient,
    pub(crate) triggers: Triggers,
    pub(crate) filter: Option<Result<Filter, TemplateFault>>,
    pub(crate) view: KnownView,
    pub(crate) version: Version,
}

/// The active words of both vocabularies.
#[derive(Default)]
pub(crate) struct Words {
    /// None where they were never read.
    revision: Option<i64>,
    order_status: HashSet<String>,
    order_event: HashSet<String>,
}

impl Words {
    pub(crate) fn has(&self, list: List, slug: &str) -> bool {
        match list {
            List::OrderStatus => self.order_status.contains(slug),
            List::OrderEvent => self.order_event.contains(slug),
        }
    }
}

impl Revisions {
    /// Those of these integrations, as the statement's rows tell. Without any integration nothing is known, and no word either.
    pub(crate) fn read(rows: &[Row]) -> Result<Revisions, Fault> {
        let mut revisions = Revisions::default();
        for row in rows {
            let standing = Standing {
                matching: row.try_get("matching_revision")?,
                subscribers: row.try_get("subscribers_revision")?,
            };
            let id = IntegrationId(row.try_get("id")?);
            revisions.integrations.insert(id, standing);
            revisions.words = row.try_get("words")?;
            revisions.views = row.try_get("views")?;
        }
        Ok(revisions)
    }

    /// Those of one integration.
    pub(crate) async fn of(
        connection: &Connection,
        integration: IntegrationId,
    ) -> Result<Revisions, Fault> {
        let integrations = [integration.0];
        let rows = connection
            .query(REVISIONS, &[&integrations.as_slice()])
            .await?;
        Revisions::read(&rows)
    }
}

impl Known {
    /// The subscriptions of an integration whose jobs are made with a change.
    pub(crate) async fn subscribers(
        &self,
        connection: &Connection,
        integration: IntegrationId,
        revisions: &Revisions,
    ) -> Result<Arc<Subscribers>, Fault> {
        let standing = revisions.integrations.get(&integration);
        let standing = standing.copied().unwrap_or_default();
        let read_under = (standing, revisions.views);
        let kept = self.lock().subscribers.get(&integration).cloned();
        if let Some(kept) = kept.filter(|kept| kept.read_under == read_under) {
            return Ok(kept);
        }
        let read = Arc::new(Subscribers {
            revision: standing.matching,
            list: read_subscribers(connection, integration).await?,
            read_under,
        });
        let mut kept = self.lock();
        if kept.subscribers.len() >= INTEGRATIONS_KEPT_MAX {
            kept.subscribers.clear();
        }
        kept.subscribers.insert(integration, read.clone());
        Ok(read)
    }

    /// The words that can be used.
    pub(crate) async fn words(
        &self,
        connection: &Connection,
        revisions: &Revisions,
    ) -> Result<Arc<Words>, Fault> {
        let kept = self.lock().words.clone();
        if kept.revision == Some(revisions.words) {
            return Ok(kept);
        }
        let read = Arc::new(read_words(connection, revisions.words).await?);
        self.lock().words = read.clone();
        Ok(read)
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // What is kept is whole whenever the lock is free.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells all nodes that the vocabularies have changed.
pub(crate) async fn words_changed(connection: &Connection) -> Result<(), Fault> {
    connection.execute(CHANGE, &[&"words"]).await.map(|_| ())
}

/// Tells all nodes that what an integration's jobs are made by has changed; of all integrations, where none is named.
pub(crate) async fn subscribers_changed(
    connection: &Connection,
    integration: Option<IntegrationId>,
) -> Result<(), Fault> {
    let changed = match integration {
        Some(id) => connection.execute(CHANGE_SUBSCRIBERS, &[&id.0]).await,
        None => connection.execute(CHANGE, &[&"views"]).await,
    };
    changed.map(|_| ())
}

async fn read_subscribers(
    connection: &Connection,
    integration: IntegrationId,
) -> Result<Vec<Subscriber>, Fault> {
    let rows = connection
        .query(ACTIVE_SUBSCRIPTIONS, &[&integration.0])
        .await?;
    let mut subscribers: Vec<Subscriber> = Vec::new();
    let mut names: Vec<Option<ViewName>> = Vec::new();
    for row in rows {
        let id: i64 = row.try_get("id")?;
        let corrupt = |reason: &str| Fault::corrupt("webhook_out_subs", id, reason);
        let statuses: Vec<String> = serde_json::from_str(row.try_get("statuses")?)?;
        let events: Vec<String> = serde_json::from_str(row.try_get("events")?)?;
        let version = Version::parse(row.try_get("version")?);
        let version = version.ok_or_else(|| corrupt("unknown version"))?;
        let ordering = Ordering::parse(row.try_get("ordering")?);
        let name: Option<&str> = row.try_get("payload_render_view")?;
        let name: Option<ViewName> = name
            .map(str::parse)
            .transpose()
            .map_err(|_| corrupt("unknown view"))?;
        // Subscriptions that name the same view share what was compiled.
        let same = subscribers
            .iter()
            .zip(&names)
            .find(|(_, other)| name.is_some() && name == **other);
        let view = match same {
            Some((subscriber, _)) => subscriber.view.clone(),
            None => resolve(connection, integration, name.as_ref(), version).await?,
        };
        names.push(name);
        let filter: Option<&str> = row.try_get("filter")?;
        subscribers.push(Subscriber {
            recipient: Recipient {
                id: WebhookOutSubId(id),
                ordering: ordering.ok_or_else(|| corrupt("unknown ordering"))?,
                supersede: row.try_get("supersede")?,
                ordered: true,
                fresh: true,
            },
            triggers: Triggers::new(&statuses, &events),
            view,
            version,
            filter: filter.map(Filter::compile),
        });
    }
    Ok(subscribers)
}

async fn read_words(connection: &Connection, revision: i64) -> Result<Words, Fault> {
    let rows = all(connection, ACTIVE_WORDS, &[], |row| {
        Ok((row.try_get::<_, String>(0)?, row.try_get(1)?))
    });
    let mut words = Words {
        revision: Some(revision),
        ..Words::default()
    };
    for (key, slug) in rows.await? {
        let words = match List::parse(&key) {
            Some(List::OrderStatus) => &mut words.order_status,
            Some(List::OrderEvent) => &mut words.order_event,
            None => continue,
        };
        words.insert(slug);
    }
    Ok(words)
}
