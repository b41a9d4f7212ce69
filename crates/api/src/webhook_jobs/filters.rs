//! The filters of jobs, as lists and recoveries take them.

use contract::{Input, JsonShape, Kind, Param};
use domain::id::{OrderId, WebhookOutSubId};
use domain::time::Moment;
use domain::vocabulary::{ORDER_EVENT, event_type};
use domain::webhook_job::JobState;
use serde::Deserialize;
use store::JobFilter;

use crate::params::{self, FILTER_ITEMS_MAX};

/// The status of an answer.
const STATUS_CODE: Kind = Kind::Integer { min: 100, max: 999 };
/// A callback URL, as subscriptions have it.
const ENDPOINT_URL: Kind = Kind::String {
    chars_min: 1,
    chars_max: domain::destination::CALLBACK_URL_CHARS_MAX,
};

pub(super) const FILTERS: &[Param] = &[
    params::DATE_RANGE_START.at(100),
    params::DATE_RANGE_END.at(200),
    params::filter("status_code", &STATUS_CODE)
        .at(300)
        .about("Only jobs whose last answer had one of these statuses."),
    params::filter("event_type", &params::SLUG).at(400).about(
        "Only jobs of events of these types: what stands after the dot, such as `delivered`.",
    ),
    params::filter("status", &params::SLUG)
        .at(500)
        .about("Only jobs of these order statuses."),
    Param::json("subscribers", JsonShape::Array)
        .at(600)
        .about("Only jobs for these subscriptions, each an id or a key."),
    params::filter("endpoint", &ENDPOINT_URL)
        .at(700)
        .about("Only jobs for subscriptions with one of these callback URLs."),
    params::filter("state", &params::SLUG)
        .at(800)
        .one_of(&JobState::NAMES)
        .about("Only jobs in one of these states."),
    params::filter("order_id", &Kind::INTEGER)
        .at(900)
        .about("Only jobs of these orders."),
];

/// What jobs must be like. What is at fault is noted.
pub(super) fn filter(input: &Input<'_>) -> JobFilter {
    let filters = input.hash("filters");
    let subscribers = filters.map(subscribers).unwrap_or_default();
    if let Some(filters) = filters {
        check_event_types(filters);
    }
    let strings = |name| {
        let given = filters.and_then(|filters| filters.strings(name));
        given.unwrap_or_default()
    };
    let integers = |name| {
        let given = filters.and_then(|filters| filters.integers(name));
        given.unwrap_or_default()
    };
    let time = |name| filters.and_then(|filters| filters.time(name));
    let code = |code: i64| u16::try_from(code).ok();
    JobFilter {
        states: strings("state")
            .iter()
            .filter_map(|name| JobState::parse(name))
            .collect(),
        subscriber_ids: subscribers.ids,
        subscriber_keys: subscribers.keys,
        endpoints: strings("endpoint"),
        order_ids: integers("order_id").into_iter().map(OrderId).collect(),
        statuses: strings("status"),
        event_types: strings("event_type"),
        status_codes: integers("status_code")
            .into_iter()
            .filter_map(code)
            .collect(),
        created_from: time("date_range_start").map(Moment::from_microseconds),
        created_until: time("date_range_end").map(Moment::from_microseconds),
    }
}

/// A typing error in a type must not pass as "no such jobs". Words that were added to the list since are
/// known by their dot-less form too, so only what looks like a whole slug is refused.
fn check_event_types(filters: &Input<'_>) {
    for (index, given) in filters
        .strings("event_type")
        .unwrap_or_default()
        .iter()
        .enumerate()
    {
        if let Some((slug, ..)) = ORDER_EVENT.iter().find(|(slug, ..)| slug == given) {
            filters.fault(
                &format!("event_type[{index}]"),
                format!("is an event; its type is \"{}\"", event_type(slug)),
            );
        }
    }
}

/// Subscriptions by id and by key.
#[derive(Default)]
struct Subscribers {
    ids: Vec<WebhookOutSubId>,
    keys: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Subscriber {
    Id(i64),
    Key(String),
    Other(serde::de::IgnoredAny),
}

fn subscribers(filters: &Input<'_>) -> Subscribers {
    let mut subscribers = Subscribers::default();
    let Some(json) = filters.json("subscribers") else {
        return subscribers;
    };
    let items: Vec<Subscriber> = serde_json::from_str(json.get()).unwrap_or_default();
    if items.len() > FILTER_ITEMS_MAX {
        filters.fault(
            "subscribers",
            format!("has at most {FILTER_ITEMS_MAX} items"),
        );
    }
    for (index, item) in items.into_iter().enumerate() {
        match item {
            Subscriber::Id(id) => subscribers.ids.push(WebhookOutSubId(id)),
            Subscriber::Key(key) => subscribers.keys.push(key),
            Subscriber::Other(_) => {
                filters.fault(&format!("subscribers[{index}]"), "must be an id or a key");
            }
        }
    }
    subscribers
}
