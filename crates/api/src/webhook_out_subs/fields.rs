//! The fields of a subscription, as `create` and `update` read them.

use contract::{Input, Param};
use domain::destination::CallbackUrl;
use domain::id::{IntegrationId, WebhookOutSubId};
use domain::notification_emails::NotificationEmails;
use domain::success_code::SuccessCode;
use domain::vocabulary::ALL;
use domain::webhook_out_sub::{MAX_IN_FLIGHT_MAX, Ordering, TIMEOUT_SECONDS_MAX, Version};
use store::{List, Reference, Target};

use crate::call::Call;
use crate::params::SLUG;

/// Longest key and name in characters.
const KEY_CHARS_MAX: usize = 100;
const NAME_CHARS_MAX: usize = 200;
/// Longest list of addresses and of success codes in characters, more than their own rules allow.
const EMAILS_CHARS_MAX: usize = 3_000;
const SUCCESS_CODE_CHARS_MAX: usize = 500;
/// Longest callback URL in characters that is looked at at all; the domain's own limit is told better there.
const CALLBACK_URL_CHARS_MAX: usize = 100_000;
/// Most words of a list: more than a vocabulary has.
const SLUGS_MAX: usize = 500;

pub(super) const KEY: Param = Param::string("key")
    .chars(1, KEY_CHARS_MAX)
    .about("Its name for machines, unique in the integration: letters, digits and `_ . : -`.");
pub(super) const NAME: Param = Param::string("name")
    .chars(1, NAME_CHARS_MAX)
    .about("Its name for people.");
pub(super) const CALLBACK_URL: Param = Param::string("callback_url")
    .chars(0, CALLBACK_URL_CHARS_MAX)
    .about(
        "Where payloads are POSTed: an absolute http or https URL of up to 2,048 characters, without user \
         info and fragment, that does not lead to a private address.",
    );
pub(super) const STATUSES: Param = Param::array("statuses", &SLUG)
    .items(0, SLUGS_MAX)
    .about("Order statuses that make a job, slugs of the list `order_status`; `\"*\"` means all.");
pub(super) const EVENTS: Param = Param::array("events", &SLUG)
    .items(0, SLUGS_MAX)
    .about("Order events that make a job, slugs of the list `order_event`; `\"*\"` means all.");
pub(super) const NOTIFICATION_EMAILS: Param = Param::string("notification_emails")
    .chars(0, EMAILS_CHARS_MAX)
    .about(
        "Whom to tell when the callback keeps failing: up to 10 addresses, separated by commas.",
    );
pub(super) const SUCCESS_CODE: Param = Param::string("success_code")
    .chars(0, SUCCESS_CODE_CHARS_MAX)
    .about(
        "Which statuses of the callback's answer count as delivered: `2xx`, one code from 200 to 299, or \
         several separated by commas. Any 2XX when absent.",
    );
pub(super) const PAYLOAD_RENDER_VIEW: Param = Param::string("payload_render_view").about(
    "The view that renders payloads: `order_v2`, `order_v3`, `thin`, or the key of a view of one's own \
     (payload_render_views), which follows its newest revision, or pins one as in `crm@3`. The version's own \
     when absent.",
);
pub(super) const ACTIVE: Param = Param::boolean("active")
    .about("Whether jobs are made and sent. Switched off, what waits is held.");
pub(super) const NOTIFY: Param = Param::boolean("notify").about(
    "Whether `notification_emails` are told when the callback keeps failing; they are required then.",
);
pub(super) const VERSION: Param = Param::string("version")
    .one_of(&Version::NAMES)
    .required()
    .about("The generation of the payload.");
pub(super) const ORDERING: Param = Param::string("ordering").one_of(&Ordering::NAMES).about(
    "In which order jobs go out: `order` (the jobs of one order in sequence, other orders in parallel), \
     `subscription` (all in sequence), `none` (as they come). `order` when absent.",
);
pub(super) const TIMEOUT_SECONDS: Param = Param::integer("timeout_seconds")
    .range(1, TIMEOUT_SECONDS_MAX as i64)
    .about("How long an attempt may take; the server's setting when absent.");
pub(super) const MAX_IN_FLIGHT: Param = Param::integer("max_in_flight")
    .range(1, MAX_IN_FLIGHT_MAX as i64)
    .about("Most requests at once; 32 when absent.");
pub(super) const SUPERSEDE: Param = Param::boolean("supersede").about(
    "Whether a newer job of an order replaces those of it that wait: the receiver then gets the newest state \
     only. Replaced jobs end as `superseded`.",
);
pub(super) const SIGNING_SECRET: Param = Param::string("signing_secret").about(
    "A signing secret of your own: `whsec_` and 24 to 64 bytes in base64. One is made when absent.",
);

pub(super) const ASYMMETRIC_SIGNATURE: Param = Param::boolean("asymmetric_signature").about(
    "Whether payloads are signed with an ed25519 key as well (scheme `v1a` beside `v1`), whose public half, \
     `public_key`, anybody may have. `false` when absent.",
);

/// A name for machines.
pub(super) fn key(text: &str) -> Result<String, &'static str> {
    let is_sign = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':' | '-');
    if text.chars().all(is_sign) {
        Ok(text.to_owned())
    } else {
        Err("may hold letters, digits and _ . : - only")
    }
}

/// The view that a name means in the integration.
pub(super) fn view_reference(
    input: &Input<'_>,
    integration_id: Option<IntegrationId>,
) -> Option<Reference> {
    let name = input.string_as(PAYLOAD_RENDER_VIEW.name, str::parse)?;
    let target = Target::View {
        integration_id: integration_id?,
        name,
    };
    Some(Reference::new(PAYLOAD_RENDER_VIEW.name, target))
}

/// A URL whose address, as far as it can be told from its text, may be reached.
pub(super) fn callback_url(call: &Call<'_>, text: &str) -> Result<CallbackUrl, String> {
    let url = CallbackUrl::parse(text).map_err(|fault| fault.to_string())?;
    let policy = &call.api.settings.egress;
    policy
        .check_url(&url)
        .map_err(|refused| refused.to_string())?;
    Ok(url)
}

pub(super) fn emails(
    text: &str,
) -> Result<NotificationEmails, domain::notification_emails::EmailsFault> {
    text.parse()
}

pub(super) fn success_code(
    text: &str,
) -> Result<SuccessCode, domain::success_code::SuccessCodeFault> {
    text.parse()
}

pub(super) fn version(input: &Input<'_>) -> Option<Version> {
    Version::parse(&input.string(VERSION.name)?)
}

pub(super) fn ordering(input: &Input<'_>) -> Option<Ordering> {
    Ordering::parse(&input.string(ORDERING.name)?)
}

/// A number that its declaration bounds.
pub(super) fn small(input: &Input<'_>, name: &str) -> Option<u32> {
    u32::try_from(input.integer(name)?).ok()
}

/// What the words refer to. Places are those of the list as it was sent.
pub(super) fn word_references(input: &Input<'_>) -> Vec<Reference> {
    let lists = [
        (STATUSES.name, List::OrderStatus),
        (EVENTS.name, List::OrderEvent),
    ];
    let mut references = Vec::new();
    for (name, list) in lists {
        for (index, slug) in input.sound_strings(name) {
            if slug != ALL {
                let slug = slug.to_owned();
                let target = Target::ListItem { list, slug };
                references.push(Reference::new(format!("{name}[{index}]"), target));
            }
        }
    }
    references
}

/// That the key is free.
pub(super) fn key_reference(
    input: &Input<'_>,
    integration_id: Option<IntegrationId>,
    except: Option<WebhookOutSubId>,
) -> Option<Reference> {
    let key = input.string_as(KEY.name, self::key)?;
    let target = Target::FreeSubscriptionKey {
        integration_id: integration_id?,
        key,
        except,
    };
    Some(Reference::new(KEY.name, target))
}
