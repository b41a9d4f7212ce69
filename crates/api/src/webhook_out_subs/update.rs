//! `webhook_out_subs/update`.

use app::{Access, Denied, Scope};
use contract::{Given, Input, Reply, Route, TOKEN, status};
use domain::id::WebhookOutSubId;
use store::{Reference, Target, WebhookOutSubChanges};

use super::shape::WEBHOOK_OUT_SUB;
use super::{create, fields, policies};
use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};
use crate::params::{INTEGRATION_ID, kept};
use crate::trouble::Trouble;

pub(crate) const ROUTE: Route = Route::put("webhook_out_subs", "update")
    .about(
        "Webhook Outgoing Subscribers Update API",
        "Changes a subscription: what is absent stays, `null` clears. The next attempt uses what is new.",
    )
    .params(&[
        TOKEN,
        INTEGRATION_ID,
        super::ID,
        fields::STATUSES.at(300),
        fields::EVENTS.at(400),
        fields::NAME.at(500),
        fields::NOTIFICATION_EMAILS.at(600),
        fields::NOTIFY.at(700),
        fields::KEY.at(800),
        fields::PAYLOAD_RENDER_VIEW.at(800),
        fields::CALLBACK_URL.at(900),
        fields::SUCCESS_CODE.at(1000),
        fields::ACTIVE.at(1100),
        fields::VERSION.at(1200),
        fields::ORDERING.at(1300),
        fields::TIMEOUT_SECONDS.at(1400),
        fields::MAX_IN_FLIGHT.at(1500),
        fields::ASYMMETRIC_SIGNATURE.at(1520),
        fields::SUPERSEDE.at(1310),
        policies::HEADERS.at(1320),
        policies::FILTER.at(1325),
        policies::RETRY_POLICY.at(1330),
        policies::RATE_LIMIT.at(1510),
    ])
    .answers(&[&status::MANDRILL_EMAIL_FAILED])
    .data(&WEBHOOK_OUT_SUB)
    .example(
        r#"{"token": "pra_…", "integration_id": 1, "id": 1, "version": "v3",
 "callback_url": "https://crm.example.com/hooks/v2", "success_code": null}"#,
    );

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Menders,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let input = call.input;
    let scope = call.scope().await?;
    let id = input.integer("id").map(WebhookOutSubId);
    let changes = read(&call)?;
    require_emails(&call, scope, id).await?;
    call.refuse_faults(|| references(&call, scope, id)).await?;
    let (scope, id) = input.finish(|| Some((scope?, id?)))?;
    let url_changed = changes.callback_url.is_some();
    let references = references(&call, Some(scope), Some(id));
    let updated = call
        .app()
        .update_webhook_out_sub(&scope, id, changes, references);
    let sub = updated.await?;
    let reply = Reply::of(&sub)?;
    let wants_nothing = sub.statuses.is_empty() && sub.events.is_empty();
    if url_changed || wants_nothing {
        return Ok(create::warned(&call, reply, &sub.callback_url, wants_nothing).await);
    }
    Ok(reply)
}

/// Switched on, `notify` requires somebody to tell: given here, or before.
async fn require_emails(
    call: &Call<'_>,
    scope: Option<Scope<'_>>,
    id: Option<WebhookOutSubId>,
) -> Result<(), Trouble> {
    let input = call.input;
    if input.boolean("notify") != Some(true) || input.is_given("notification_emails") {
        return Ok(());
    }
    let is_cleared = input.given("notification_emails", Input::string) == Given::Null;
    let is_known = match scope.zip(id).filter(|_| !is_cleared) {
        Some((scope, id)) => match call.app().webhook_out_sub(&scope, id).await {
            Ok(sub) => sub.notification_emails.is_some(),
            // That there is no such subscription is told as such.
            Err(Denied::Refused(_)) => true,
            Err(denied) => return Err(denied.into()),
        },
        None => !is_cleared,
    };
    if !is_known {
        input.missing("notification_emails");
    }
    Ok(())
}

fn read(call: &Call<'_>) -> Result<WebhookOutSubChanges, Trouble> {
    let input = call.input;
    let url = |input: &Input<'_>, name: &str| {
        input.string_as(name, |text| fields::callback_url(call, text))
    };
    Ok(WebhookOutSubChanges {
        key: kept(input, "key", |input, name| {
            input.string_as(name, fields::key)
        }),
        name: kept(input, "name", |input, name| input.string(name)),
        callback_url: kept(input, "callback_url", url),
        statuses: or_default(input, "statuses", |input, name| input.strings(name)),
        events: or_default(input, "events", |input, name| input.strings(name)),
        filter: clearable(input.given_string_as("filter", policies::filter)),
        notification_emails: clearable(
            input.given_string_as("notification_emails", fields::emails),
        ),
        success_code: clearable(input.given_string_as("success_code", fields::success_code)),
        payload_render_view: clearable(input.given_string_as("payload_render_view", str::parse)),
        active: match input.given("active", |input, name| input.boolean(name)) {
            Given::Value(active) => Some(active),
            // As a create without it.
            Given::Null => Some(true),
            Given::Absent => None,
        },
        notify: or_default(input, "notify", |input, name| input.boolean(name)),
        version: fields::version(input),
        ordering: or_default(input, "ordering", |input, _| fields::ordering(input)),
        timeout_seconds: clearable(input.given("timeout_seconds", fields::small)),
        max_in_flight: clearable(input.given("max_in_flight", fields::small)),
        supersede: or_default(input, "supersede", |input, name| input.boolean(name)),
        headers: or_default(input, "headers", |input, _| policies::headers(input)),
        retry_policy: clearable(policies::given(
            input,
            "retry_policy",
            policies::retry_policy,
        )),
        rate_limit: clearable(policies::given(input, "rate_limit", policies::rate_limit)),
        signing_key: match or_default(input, "asymmetric_signature", |input, name| {
            input.boolean(name)
        }) {
            Some(true) => Some(Some(call.app().new_signing_key()?)),
            Some(false) => Some(None),
            None => None,
        },
    })
}

/// A field whose absence has a meaning: `null` brings that back.
fn or_default<T: Default>(
    input: &Input<'_>,
    name: &str,
    read: impl FnOnce(&Input<'_>, &str) -> Option<T>,
) -> Option<T> {
    match input.given(name, read) {
        Given::Value(value) => Some(value),
        Given::Null => Some(T::default()),
        Given::Absent => None,
    }
}

/// A field that may be empty.
fn clearable<T>(given: Given<T>) -> Option<Option<T>> {
    match given {
        Given::Value(value) => Some(Some(value)),
        Given::Null => Some(None),
        Given::Absent => None,
    }
}

fn references(
    call: &Call<'_>,
    scope: Option<Scope<'_>>,
    id: Option<WebhookOutSubId>,
) -> Vec<Reference> {
    let integration_id = scope.map(|scope| scope.integration_id());
    let mut references = fields::word_references(call.input);
    references.extend(fields::key_reference(call.input, integration_id, id));
    references.extend(fields::view_reference(call.input, integration_id));
    if let Some((integration_id, id)) = integration_id.zip(id) {
        let target = Target::Subscription { integration_id, id };
        references.push(Reference::new("id", target));
    }
    references
}
