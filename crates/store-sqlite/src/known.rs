//! What the writer keeps in memory of the tables that every change asks: subscriptions and vocabularies.
//!
//! Read from the database when first asked for, and forgotten whenever somebody else has written or a
//! piece of work was undone; so it always agrees with the transaction that asks.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use domain::id::{IntegrationId, WebhookOutSubId};
use domain::matching::Triggers;
use domain::payload::template::TemplateFault;
use domain::payload::template::filter::Filter;
use domain::payload_render_view::ViewName;
use domain::webhook_out_sub::{Ordering, Version};
use rusqlite::Connection;
use store::List;

use crate::accept::Recipient;
use crate::fault::Fault;
use crate::list_query::one;
use crate::match_trace::REVISION;
use crate::payload_render_views::rendering::{KnownView, resolve};

/// Integrations whose subscriptions are kept; with more, all are forgotten and read anew.
const INTEGRATIONS_KEPT_MAX: usize = 10_000;

pub(crate) const ACTIVE_SUBSCRIPTIONS: &str = "select id, statuses, events, payload_render_view, version, ordering, supersede, filter from webhook_out_subs \
     where integration_id = ?1 and deleted_at is null and active = 1 and catching_up = 0 order by id";
pub(crate) const ACTIVE_WORDS: &str = "select key, slug from list_items where active = 1";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[ACTIVE_SUBSCRIPTIONS, ACTIVE_WORDS];

/// See the module.
#[derive(Default)]
pub(crate) struct Known {
    subscribers: HashMap<IntegrationId, Arc<Subscribers>>,
    words: Option<Words>,
}

/// The subscriptions of an integration whose jobs are made with a change.
pub(crate) struct Subscribers {
    /// The revision of the integration that they stand under.
    pub(crate) revision: i64,
    /// By id.
    pub(crate) list: Vec<Subscriber>,
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
struct Words {
    order_status: HashSet<String>,
    order_event: HashSet<String>,
}

impl Known {
    /// Forgets everything.
    pub(crate) fn forget_all(&mut self) {
        self.subscribers.clear();
        self.words = None;
    }

    /// Forgets the subscriptions of an integration: one of them was changed.
    pub(crate) fn forget_subscribers(&mut self, integration: IntegrationId) {
        self.subscribers.remove(&integration);
    }

    /// The subscriptions of an integration whose jobs are made with a change.
    pub(crate) fn subscribers(
        &mut self,
        connection: &Connection,
        integration: IntegrationId,
    ) -> Result<Arc<Subscribers>, Fault> {
        if let Some(known) = self.subscribers.get(&integration) {
            return Ok(known.clone());
        }
        if self.subscribers.len() >= INTEGRATIONS_KEPT_MAX {
            self.subscribers.clear();
        }
        let revision = one(connection, REVISION, [integration.0], |row| Ok(row.get(0)?))?;
        let read = Arc::new(Subscribers {
            revision: revision.unwrap_or_default(),
            list: read_subscribers(connection, integration)?,
        });
        self.subscribers.insert(integration, read.clone());
        Ok(read)
    }

    /// Whether a vocabulary has this word, and it can be used.
    pub(crate) fn has_word(
        &mut self,
        connection: &Connection,
        list: List,
        slug: &str,
    ) -> Result<bool, Fault> {
        if self.words.is_none() {
            self.words = Some(read_words(connection)?);
        }
        Ok(self.words.as_ref().is_some_and(|words| match list {
            List::OrderStatus => words.order_status.contains(slug),
            List::OrderEvent => words.order_event.contains(slug),
        }))
    }
}

fn read_subscribers(
    connection: &Connection,
    integration: IntegrationId,
) -> Result<Vec<Subscriber>, Fault> {
    let mut statement = connection.prepare_cached(ACTIVE_SUBSCRIPTIONS)?;
    let mut rows = statement.query([integration.0])?;
    let mut subscribers: Vec<Subscriber> = Vec::new();
    let mut names: Vec<Option<ViewName>> = Vec::new();
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        let corrupt = |reason: &str| Fault::corrupt("webhook_out_subs", id, reason);
        let statuses: Vec<String> = serde_json::from_str(row.get_ref(1)?.as_str().map_err(sql)?)?;
        let events: Vec<String> = serde_json::from_str(row.get_ref(2)?.as_str().map_err(sql)?)?;
        let version = Version::parse(row.get_ref(4)?.as_str().map_err(sql)?)
            .ok_or_else(|| corrupt("unknown version"))?;
        let name = row.get_ref(3)?.as_str_or_null().map_err(sql)?;
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
            None => resolve(connection, integration, name.as_ref(), version)?,
        };
        names.push(name);
        subscribers.push(Subscriber {
            recipient: Recipient {
                id: WebhookOutSubId(id),
                ordering: Ordering::parse(row.get_ref(5)?.as_str().map_err(sql)?)
                    .ok_or_else(|| corrupt("unknown ordering"))?,
                supersede: row.get(6)?,
                ordered: true,
                fresh: true,
            },
            triggers: Triggers::new(&statuses, &events),
            view,
            version,
            filter: row
                .get_ref(7)?
                .as_str_or_null()
                .map_err(sql)?
                .map(Filter::compile),
        });
    }
    Ok(subscribers)
}

fn sql(error: rusqlite::types::FromSqlError) -> Fault {
    Fault::Sql(error.into())
}

fn read_words(connection: &Connection) -> Result<Words, Fault> {
    let mut statement = connection.prepare_cached(ACTIVE_WORDS)?;
    let mut rows = statement.query([])?;
    let mut words = Words::default();
    while let Some(row) = rows.next()? {
        let key: String = row.get(0)?;
        let words = match List::parse(&key) {
            Some(List::OrderStatus) => &mut words.order_status,
            Some(List::OrderEvent) => &mut words.order_event,
            None => continue,
        };
        words.insert(row.get(1)?);
    }
    Ok(words)
}
