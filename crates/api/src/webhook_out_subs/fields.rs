//! What a subscription consists of: declared and parsed once for creating and updating it.

use contract::{Input, Kind, Param};
use domain::destination::{CALLBACK_URL_CHARS_MAX, CallbackUrl, EgressPolicy};
use domain::id::{IntegrationId, WebhookOutSubId};
use domain::payload::View;
use domain::vocabulary::ALL;
use domain::webhook_out_sub::{MAX_IN_FLIGHT_MAX, Ordering, TIMEOUT_SECONDS_MAX, Version};
use store::{List, Reference, Target};

use crate::integrations::fields::{KEY_CHARS_MAX, NAME_CHARS_MAX};
use crate::params::SLUG;

/// Most characters of the list of addresses: ten of the longest with their commas, and some blanks.
const NOTIFICATION_EMAILS_CHARS_MAX: usize = 2_600;
/// Most characters of a list of success codes: all hundred of them with commas and blanks.
const SUCCESS_CODE_CHARS_MAX: usize = 500;
/// Most characters of a signing secret: 64 bytes in base64 with the prefix, and room for a clear message.
const SIGNING_SECRET_CHARS_MAX: usize = 200;

pub(super) const ID: Param = Param::integer("id")
    .at(200)
    .required()
    .about("The id of the subscription.");

pub(super) const KEY: Param = Param::string("key").chars(1, KEY_CHARS_MAX).about(
    "Its name for machines, of letters, digits and _ . : - signs; unique in the integration.",
);

pub(super) const NAME: Param = Param::string("name")
    .chars(1, NAME_CHARS_MAX)
    .about("Its name for people.");

pub(super) const CALLBACK_URL: Param = Param::string("callback_url")
    .chars(1, CALLBACK_URL_CHARS_MAX)
    .about(
        "Where payloads are POSTed: an absolute https or http URL without user name and fragment. \
         Addresses that are not public are refused unless the operator allows them.",
    );

pub(super) const STATUSES: Param = Param::array("statuses", &SLUG).about(
    "The order statuses that make a webhook job, slugs of the list `order_status`; `\"*\"` means all. \
     `canceled` and `cancelled` match each other.",
);

pub(super) const EVENTS: Param = Param::array("events", &SLUG).about(
    "The order events that make a webhook job, slugs of the list `order_event`; `\"*\"` means all. A \
     change that both lists match makes one job.",
);

pub(super) const NOTIFICATION_EMAILS: Param = Param::string("notification_emails")
    .chars(1, NOTIFICATION_EMAILS_CHARS_MAX)
    .about("Who is told when the callback keeps failing: up to 10 addresses separated by commas.");

pub(super) const SUCCESS_CODE: Param = Param::string("success_code")
    .chars(1, SUCCESS_CODE_CHARS_MAX)
    .about(
        "The HTTP statuses of the callback's answer that count as delivered: `2xx` (meant when absent), one \
         code from 200 to 299, or several separated by commas.",
    );

pub(super) const PAYLOAD_RENDER_VIEW: Param = Param::string("payload_render_view")
    .one_of(&View::NAMES)
    .about("The view that renders payloads; when absent, `order_v2` or `order_v3` by the version.");

pub(super) const ACTIVE: Param = Param::boolean("active").about(
    "Whether jobs are made and sent; true when absent. Switched off, waiting jobs are held and no new \
     ones are made.",
);

pub(super) const NOTIFY: Param = Param::boolean("notify").about(
    "Whether mails are sent to `notification_emails`, which is then required; false when absent.",
);

pub(super) const VERSION: Param = Param::string("version")
    .required()
    .one_of(&Version::NAMES)
    .about("The generation of the payload: `v2` is driven by statuses, `v3` by events.");

pub(super) const ORDERING: Param = Param::string("ordering").one_of(&Ordering::NAMES).about(
    "In which order jobs go out: those of one order in sequence (`order`, meant when absent), all in \
     sequence (`subscription`), or as they come (`none`).",
);

pub(super) const TIMEOUT_SECONDS: Param = Param::integer("timeout_seconds")
    .range(1, TIMEOUT_SECONDS_MAX as i64)
    .about("How long the callback may take to answer; the server's deadline when absent.");

pub(super) const MAX_IN_FLIGHT: Param = Param::integer("max_in_flight")
    .range(1, MAX_IN_FLIGHT_MAX as i64)
    .about("Most requests to the callback at the same time; 32 when absent.");

pub(super) const SIGNING_SECRET: Param = Param::string("signing_secret")
    .chars(1, SIGNING_SECRET_CHARS_MAX)
    .about(
        "A secret of your own that signs payloads: `whsec_` and 24 to 64 bytes in base64. One is made \
         when absent.",
    );

/// A callback URL that may be reached, as far as can be said before its name is resolved.
pub(super) fn callback_url(text: &str, policy: &EgressPolicy) -> Result<CallbackUrl, String> {
    let url = CallbackUrl::parse(text).map_err(|fault| fault.to_string())?;
    policy.check_url(&url).map_err(|fault| fault.to_string())?;
    Ok(url)
}

/// A parameter that the declaration has confined to 32 bits.
pub(super) fn count(input: &Input<'_>, name: &str) -> Option<u32> {
    input
        .integer(name)
        .and_then(|count| u32::try_from(count).ok())
}

/// The version, of which only the declared names come this far.
pub(super) fn version(input: &Input<'_>) -> Option<Version> {
    input.string("version").as_deref().and_then(Version::parse)
}

/// The ordering, of which only the declared names come this far.
pub(super) fn ordering(input: &Input<'_>, name: &str) -> Option<Ordering> {
    input.string(name).as_deref().and_then(Ordering::parse)
}

/// Each slug once, in the order of their first mention.
pub(super) fn folded(mut slugs: Vec<String>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    slugs.retain(|slug| seen.insert(slug.clone()));
    slugs
}

/// What must hold of the parameters that name other records, or are to be unique.
///
/// They are looked at before the store is asked to write: it knows the lists without their repeats, and
/// could not name the places as the caller wrote them.
pub(super) fn references(
    input: &Input<'_>,
    key: Option<&str>,
    integration_id: Option<IntegrationId>,
    id: Option<WebhookOutSubId>,
) -> Vec<Reference> {
    let mut references = Vec::new();
    for (name, list) in [("statuses", List::OrderStatus), ("events", List::OrderEvent)] {
        let slugs = input.sound_strings(name);
        for (index, slug) in slugs.into_iter().filter(|(_, slug)| *slug != ALL) {
            let slug = slug.to_owned();
            let target = Target::ListItem { list, slug };
            references.push(Reference::new(format!("{name}[{index}]"), target));
        }
    }
    let Some(integration_id) = integration_id else {
        return references;
    };
    if let Some(id) = id {
        let target = Target::Subscription { integration_id, id };
        references.push(Reference::new("id", target));
    }
    if let Some(key) = key {
        let target = Target::FreeSubscriptionKey {
            integration_id,
            key: key.to_owned(),
            except: id,
        };
        references.push(Reference::new("key", target));
    }
    references
}

/// The kind of slugs, for filters.
pub(super) const CALLBACK_URL_KIND: Kind = Kind::String {
    chars_min: 1,
    chars_max: CALLBACK_URL_CHARS_MAX,
};
