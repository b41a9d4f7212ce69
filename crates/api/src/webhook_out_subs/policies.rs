//! How a subscription wants to be delivered to: its headers, its retries, its rate.

use crate::apart::apart;
use contract::{Given, Input, Kind, Param};
use domain::callback_header::{
    CALLBACK_HEADERS_MAX, CallbackHeader, HEADER_NAME_CHARS_MAX, HEADER_VALUE_CHARS_MAX,
    HeaderFault, fault_of_all,
};
use domain::payload::template::TemplateFault;
use domain::payload::template::filter::{FILTER_BYTES_MAX, FilterText};
use domain::rate_limit::{BURST_MAX, PER_SECOND_MAX, PER_SECOND_MIN, RateLimit};
use domain::retry::{RetryFault, RetryPolicy, parse_duration};

/// Most steps of a schedule; see `domain::retry`.
const STEPS_MAX: usize = 50;
/// Longest duration as text, in characters.
const DURATION_CHARS_MAX: usize = 20;

/// A duration such as `30s`.
const DURATION: Kind = Kind::String {
    chars_min: 1,
    chars_max: DURATION_CHARS_MAX,
};
const HEADER: Kind = Kind::Hash {
    children: &[
        Param::string("name")
            .at(100)
            .required()
            .chars(1, HEADER_NAME_CHARS_MAX)
            .about("Its name; not one that is ours or speaks of the connection."),
        Param::string("value")
            .at(200)
            .required()
            .chars(0, HEADER_VALUE_CHARS_MAX)
            .about("Its value, of visible ASCII characters."),
        Param::boolean("secret")
            .at(300)
            .about("Whether answers mask the value; false when absent."),
    ],
};
const RETRY: &[Param] = &[
    Param::array("schedule", &DURATION)
        .at(100)
        .required()
        .items(1, STEPS_MAX)
        .about("The waits between attempts, each from 100ms to 24h, such as `5s`; the last one repeats."),
    Param::string("give_up_after")
        .at(200)
        .required()
        .chars(1, DURATION_CHARS_MAX)
        .about("How long after its first attempt a job is given up: from 1s to 30d."),
];
const RATE: &[Param] = &[
    Param::number("per_second")
        .at(100)
        .required()
        .number_range(PER_SECOND_MIN, PER_SECOND_MAX)
        .about("Requests a second, on average."),
    Param::integer("burst")
        .at(200)
        .range(1, BURST_MAX as i64)
        .about("Requests at once after a rest; a second's worth when absent."),
];

pub(super) const FILTER: Param = Param::string("filter")
    .chars(1, FILTER_BYTES_MAX)
    .about(
        "What a change must fulfil beside: a MiniJinja expression over the names that payload_render_views have, such \
         as `order.address.state == 'CO' and event is not none`. One that cannot be decided lets the change pass.",
    );
pub(super) const HEADERS: Param = Param::array("headers", &HEADER)
    .items(0, CALLBACK_HEADERS_MAX)
    .about("Headers that every request to the callback bears beside ours, such as an API key.");
pub(super) const RETRY_POLICY: Param = Param::hash("retry_policy", RETRY).about(
    "When failed deliveries are attempted again, and given up; the server's settings when absent.",
);
pub(super) const RATE_LIMIT: Param = Param::hash("rate_limit", RATE)
    .about("How many requests the receiver takes; as many as come when absent.");

/// The headers that are given; what is wrong with one is noted.
pub(super) fn headers(input: &Input<'_>) -> Option<Vec<CallbackHeader>> {
    let given = input.hashes(HEADERS.name)?;
    let mut headers = Vec::with_capacity(given.len());
    for hash in given {
        let (name, value) = (hash.string("name")?, hash.string("value")?);
        let secret = hash.boolean("secret").unwrap_or(false);
        match CallbackHeader::new(&name, &value, secret) {
            Ok(header) => headers.push(header),
            Err(fault @ (HeaderFault::Value | HeaderFault::Mask)) => hash.fault("value", fault),
            Err(fault) => hash.fault("name", fault),
        }
    }
    match fault_of_all(&headers) {
        Some((Some(index), fault)) => input.fault(&format!("headers[{index}].name"), fault),
        Some((None, fault)) => input.fault(HEADERS.name, fault),
        None => {}
    }
    Some(headers)
}

/// A condition that can be decided.
pub(super) fn filter(text: &str) -> Result<FilterText, TemplateFault> {
    apart(|| text.parse())
}

/// The policy that is given; what is wrong with it is noted.
pub(super) fn retry_policy(input: &Input<'_>) -> Option<RetryPolicy> {
    let hash = input.hash(RETRY_POLICY.name)?;
    let schedule = hash.strings_as("schedule", parse_duration);
    let give_up_after = hash.string_as("give_up_after", parse_duration);
    let policy = RetryPolicy::new(schedule?, give_up_after?);
    policy
        .map_err(|fault| {
            let attr = match fault {
                RetryFault::GiveUp => "give_up_after",
                _ => "schedule",
            };
            hash.fault(attr, fault);
        })
        .ok()
}

/// The limit that is given.
pub(super) fn rate_limit(input: &Input<'_>) -> Option<RateLimit> {
    let hash = input.hash(RATE_LIMIT.name)?;
    let per_second = hash.number("per_second")?;
    let burst = hash
        .integer("burst")
        .and_then(|burst| u32::try_from(burst).ok());
    Some(RateLimit {
        per_second,
        burst: burst.unwrap_or_else(|| RateLimit::burst_of(per_second)),
    })
}

/// What an update says of a structure that may be absent.
pub(super) fn given<T>(
    input: &Input<'_>,
    name: &str,
    read: impl FnOnce(&Input<'_>) -> Option<T>,
) -> Given<T> {
    input.given(name, |input, _| read(input))
}
