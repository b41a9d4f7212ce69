//! The form of a subscription, for a new one and one that is changed.
//!
//! Headers are written one a line, `name: value`; a secret one begins with the word `secret`, which no name can hold, since names have
//! no spaces.

use serde_json::{Value, json};

use crate::form::{Field, field};
use crate::list;
use crate::list_items::{self, ALL};
use crate::posted::Fields;
use crate::refusal::Refusal;
use crate::text::{is, text};
use crate::visit::Visit;

/// What a new subscription and a changed one have in common, beside the headers.
pub(super) const NAMES: [&str; 20] = [
    "key",
    "name",
    "callback_url",
    "statuses",
    "events",
    "filter",
    "version",
    "payload_render_view",
    "ordering",
    "supersede",
    "retry_policy.schedule",
    "retry_policy.give_up_after",
    "timeout_seconds",
    "success_code",
    "max_in_flight",
    "rate_limit.per_second",
    "rate_limit.burst",
    "notification_emails",
    "notify",
    "asymmetric_signature",
];
/// Structures that are there as a whole or not at all.
const STRUCTURES: [&str; 2] = ["retry_policy", "rate_limit"];
/// The views that every server has.
const VIEWS: [&str; 3] = ["order_v2", "order_v3", "thin"];
/// The word before a header whose value is masked.
const SECRET: &str = "secret ";

/// The fields, with the words of the vocabularies and the views to choose from. `record` is what they begin with.
pub(super) async fn fields(visit: &Visit, record: &Value) -> Result<Vec<Field>, Refusal> {
    let mut fields: Vec<Field> = NAMES.map(drawn).into();
    for (name, key, all) in [
        ("statuses", "order_status", "All statuses"),
        ("events", "order_event", "All events"),
    ] {
        let chosen = record[name].as_array().into_iter().flatten();
        let chosen: Vec<&str> = chosen.filter_map(Value::as_str).collect();
        let mut options = vec![(ALL.to_owned(), all.to_owned())];
        options.extend(list_items::options(visit, key, &chosen).await?);
        put(&mut fields, name, field(name).options(options));
    }
    let view = text(record, "payload_render_view");
    let options = views(visit, view).await?;
    let view = field("payload_render_view").options(options);
    put(&mut fields, "payload_render_view", view);
    let headers = field("headers").hint(
        "Headers that every request bears beside ours, one a line: `x-api-key: value`. Write `secret x-api-key: value` for one whose \
         value is never shown again. Whoever changes this list writes secret values anew.",
    );
    let at = NAMES.iter().position(|name| *name == "supersede");
    fields.insert(at.map_or(0, |at| at + 1), headers);
    Ok(fields)
}

fn put(fields: &mut [Field], name: &str, new: Field) {
    let at = NAMES.iter().position(|known| *known == name);
    if let Some(place) = at.and_then(|at| fields.get_mut(at)) {
        *place = new;
    }
}

fn drawn(name: &'static str) -> Field {
    let field = field(name);
    match name {
        "callback_url" => field.input_type("text"),
        "notification_emails" => field.input_type("text"),
        "retry_policy.schedule" => field.label("Waits between attempts").hint(
            "One a line, each from 100ms to 24h, such as `5s`; the last one repeats. Left empty with the next field, the \
             server's settings count.",
        ),
        "rate_limit.per_second" => field.label("Requests a second").hint(
            "How many requests the receiver takes, on average; as many as come when empty.",
        ),
        "rate_limit.burst" => field.label("Requests at once after a rest"),
        _ => field,
    }
}

/// The views of the server and of the integration, and the one that is chosen, which may be pinned.
async fn views(visit: &Visit, chosen: &str) -> Result<Vec<(String, String)>, Refusal> {
    let own = list::all(visit, "payload_render_views/index", &json!({})).await?;
    let mut names: Vec<&str> = VIEWS.to_vec();
    names.extend(own.iter().map(|view| text(view, "key")));
    if !chosen.is_empty() {
        names.push(chosen);
    }
    let mut options: Vec<(String, String)> = Vec::new();
    for name in names {
        if options.iter().all(|(known, _)| known != name) {
            options.push((name.to_owned(), name.to_owned()));
        }
    }
    Ok(options)
}

/// The record with its headers as they are written in the form.
pub(super) fn record(sub: &Value) -> Value {
    let mut record = sub.clone();
    record["headers"] = json!(lines(sub));
    record
}

/// The headers of a subscription, one a line.
pub(super) fn lines(sub: &Value) -> Vec<String> {
    let headers = sub["headers"].as_array().into_iter().flatten();
    let line = |header: &Value| {
        let secret = if is(header, "secret") { SECRET } else { "" };
        format!(
            "{secret}{}: {}",
            text(header, "name"),
            text(header, "value")
        )
    };
    headers.map(line).collect()
}

/// The lines that were sent.
pub(super) fn sent_lines(fields: &Fields) -> Vec<String> {
    let lines = fields.get("headers").lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The headers that the lines mean. What has no colon goes on as it is, for the API to refuse.
pub(super) fn headers(lines: &[String]) -> Value {
    lines.iter().map(|line| header(line)).collect()
}

fn header(line: &str) -> Value {
    let (is_secret, rest) = match line.strip_prefix(SECRET) {
        Some(rest) => (true, rest),
        None => (false, line),
    };
    match rest.split_once(':') {
        Some((name, value)) => {
            json!({ "name": name.trim(), "value": value.trim(), "secret": is_secret })
        }
        None => json!(line),
    }
}

/// Makes a structure of which nothing is said be said not to be there, as a whole.
pub(super) fn whole(parameters: &mut Value) {
    for name in STRUCTURES {
        let members = parameters[name].as_object();
        if members.is_some_and(|members| members.values().all(Value::is_null)) {
            parameters[name] = Value::Null;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_as_they_are_written() {
        let sub = json!({ "headers": [
            { "name": "x-api-key", "value": "********", "secret": true },
            { "name": "x-to", "value": "a: b", "secret": false },
        ] });
        let lines = lines(&sub);
        assert_eq!(lines, ["secret x-api-key: ********", "x-to: a: b"]);
        assert_eq!(headers(&lines), sub["headers"]);
        assert_eq!(headers(&["no colon".to_owned()]), json!(["no colon"]));
    }

    #[test]
    fn an_empty_structure_is_none() {
        let mut sent = json!({
            "retry_policy": { "schedule": null, "give_up_after": null }, "rate_limit": { "per_second": 2, "burst": null }
        });
        whole(&mut sent);
        assert_eq!(
            sent,
            json!({ "retry_policy": null, "rate_limit": { "per_second": 2, "burst": null } })
        );
    }
}
