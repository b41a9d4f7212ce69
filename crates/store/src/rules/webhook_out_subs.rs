//! What a new subscription and the changes of one say of others, and what they make of it.

use domain::health::{LaneHealth, LaneRecord};
use domain::id::{IntegrationId, WebhookOutSubId};
use domain::payload_render_view::ViewName;
use domain::signing_key::SigningKey;
use domain::time::Moment;
use domain::vocabulary::{ALL, folded};
use domain::webhook_out_sub::{WEBHOOK_OUT_SUBS_MAX, WebhookOutSub};

use super::sealed_headers;
use crate::error::Refusal;
use crate::list_items::List;
use crate::reference::{Reference, Target};
use crate::webhook_out_subs::{NewWebhookOutSub, WebhookOutSubChanges};

impl NewWebhookOutSub {
    /// What it says of others.
    pub fn references(&self) -> Vec<Reference> {
        let integration = Target::Integration(self.integration_id);
        let key = Target::FreeSubscriptionKey {
            integration_id: self.integration_id,
            key: self.key.clone(),
            except: None,
        };
        let mut references = vec![
            Reference::new("integration_id", integration),
            Reference::new("key", key),
        ];
        references.extend(words("statuses", List::OrderStatus, &self.statuses));
        references.extend(words("events", List::OrderEvent, &self.events));
        let named = self.payload_render_view.as_ref();
        references.extend(named.map(|name| view(self.integration_id, name)));
        references
    }

    /// What is wrong with it by itself, in an integration that has so many.
    pub fn refusals(&self, there_are: usize) -> impl Iterator<Item = Refusal> {
        let too_many = (there_are >= WEBHOOK_OUT_SUBS_MAX).then(|| {
            let message = format!(
                "has {WEBHOOK_OUT_SUBS_MAX} subscriptions, which is the most; delete one that is not needed"
            );
            Refusal::new("integration_id", message)
        });
        let no_address = no_address(self.notify, self.notification_emails.is_some());
        too_many.into_iter().chain(no_address)
    }

    /// The subscription that it makes.
    pub fn into_sub(self, id: WebhookOutSubId, at: Moment) -> WebhookOutSub {
        let public_key = self.signing_key.as_ref().map(SigningKey::public_text);
        WebhookOutSub {
            id,
            integration_id: self.integration_id,
            key: self.key,
            name: self.name,
            callback_url: self.callback_url,
            statuses: self.statuses,
            events: self.events,
            filter: self.filter.map(|filter| filter.as_str().to_owned()),
            notification_emails: self.notification_emails,
            success_code: self.success_code,
            payload_render_view: self.payload_render_view,
            active: self.active,
            notify: self.notify,
            version: self.version,
            ordering: self.ordering,
            timeout_seconds: self.timeout_seconds,
            max_in_flight: self.max_in_flight,
            supersede: self.supersede,
            headers: sealed_headers::shown(&self.headers),
            retry_policy: self.retry_policy,
            rate_limit: self.rate_limit,
            asymmetric_signature: public_key.is_some(),
            public_key,
            catching_up: false,
            health: LaneRecord::default(),
            created_at: at,
            updated_at: at,
        }
    }
}

impl WebhookOutSubChanges {
    /// What the changes say of others; what is not changed is not looked at, so that a word that went out of
    /// use does not stand in the way of other changes.
    pub fn references(&self, before: &WebhookOutSub) -> Vec<Reference> {
        let mut references = Vec::new();
        if let Some(key) = &self.key {
            let target = Target::FreeSubscriptionKey {
                integration_id: before.integration_id,
                key: key.clone(),
                except: Some(before.id),
            };
            references.push(Reference::new("key", target));
        }
        if let Some(statuses) = &self.statuses {
            references.extend(words("statuses", List::OrderStatus, statuses));
        }
        if let Some(events) = &self.events {
            references.extend(words("events", List::OrderEvent, events));
        }
        if let Some(Some(name)) = &self.payload_render_view {
            references.push(view(before.integration_id, name));
        }
        references
    }

    /// The subscription as they make it.
    pub fn apply(self, sub: WebhookOutSub, at: Moment) -> WebhookOutSub {
        WebhookOutSub {
            key: self.key.unwrap_or(sub.key),
            name: self.name.unwrap_or(sub.name),
            callback_url: self.callback_url.unwrap_or(sub.callback_url),
            statuses: self.statuses.map_or(sub.statuses, folded),
            events: self.events.map_or(sub.events, folded),
            filter: match self.filter {
                Some(changed) => changed.map(|filter| filter.as_str().to_owned()),
                None => sub.filter,
            },
            notification_emails: self.notification_emails.unwrap_or(sub.notification_emails),
            success_code: self.success_code.unwrap_or(sub.success_code),
            payload_render_view: self.payload_render_view.unwrap_or(sub.payload_render_view),
            active: self.active.unwrap_or(sub.active),
            notify: self.notify.unwrap_or(sub.notify),
            version: self.version.unwrap_or(sub.version),
            ordering: self.ordering.unwrap_or(sub.ordering),
            timeout_seconds: self.timeout_seconds.unwrap_or(sub.timeout_seconds),
            max_in_flight: self.max_in_flight.unwrap_or(sub.max_in_flight),
            supersede: self.supersede.unwrap_or(sub.supersede),
            headers: self
                .headers
                .map_or(sub.headers, |new| sealed_headers::shown(&new)),
            retry_policy: self.retry_policy.unwrap_or(sub.retry_policy),
            rate_limit: self.rate_limit.unwrap_or(sub.rate_limit),
            updated_at: at,
            ..sub
        }
    }
}

/// What is wrong with a subscription by itself.
pub fn refusals(sub: &WebhookOutSub) -> impl Iterator<Item = Refusal> {
    no_address(sub.notify, sub.notification_emails.is_some()).into_iter()
}

/// Whether what it wants, or by which rule it is sent to, is another than before.
pub fn is_matched_otherwise(before: &WebhookOutSub, after: &WebhookOutSub) -> bool {
    let wants = |sub: &WebhookOutSub| {
        (
            sub.active,
            sub.health.reason,
            sub.ordering,
            sub.statuses.clone(),
            sub.events.clone(),
            sub.filter.clone(),
        )
    };
    wants(before) != wants(after)
}

/// Whether an update switches it, or its lane, on or off.
pub fn is_switched(before: &WebhookOutSub, after: &WebhookOutSub) -> bool {
    after.active != before.active || (after.active && before.health.is_off())
}

/// Somebody switched it on or off by hand. While it is off, the clock by which jobs are given up stands
/// still; on again, its lane is healthy and the clock goes on from where it stood.
pub fn switch(sub: &mut WebhookOutSub, at: Moment) {
    let mut health = LaneHealth::from_record(sub.health.clone());
    if sub.active {
        health.switched_on(at);
    } else {
        health.switched_off_by_hand(at);
    }
    sub.health = health.record().clone();
}

/// The slugs of a list of words, but for the one that means all.
fn words<'a>(
    attr: &'a str,
    list: List,
    slugs: &'a [String],
) -> impl Iterator<Item = Reference> + 'a {
    let slugs = slugs.iter().enumerate().filter(|(_, slug)| *slug != ALL);
    slugs.map(move |(index, slug)| {
        let slug = slug.clone();
        Reference::new(format!("{attr}[{index}]"), Target::ListItem { list, slug })
    })
}

/// That the view is there.
fn view(integration_id: IntegrationId, name: &ViewName) -> Reference {
    let name = name.clone();
    let target = Target::View {
        integration_id,
        name,
    };
    Reference::new("payload_render_view", target)
}

/// Mails need somebody to go to.
fn no_address(notify: bool, has_emails: bool) -> Option<Refusal> {
    (notify && !has_emails)
        .then(|| Refusal::new("notification_emails", "required while notify is true"))
}
