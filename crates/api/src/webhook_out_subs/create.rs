//! `webhook_out_subs/create`.

use app::{Access, Scope};
use contract::{IDEMPOTENCY_KEY, Reply, Route, TOKEN, status};
use domain::destination::CallbackUrl;
use domain::signature::SigningSecret;
use domain::webhook_out_sub::Ordering;
use store::{NewWebhookOutSub, Reference};

use super::shape::CREATED;
use super::{fields, policies};
use crate::call::Call;
use crate::created;
use crate::endpoint::{Answer, Endpoint};
use crate::params::INTEGRATION_ID;
use crate::trouble::Trouble;

pub(crate) const ROUTE: Route = Route::post("webhook_out_subs", "create")
    .about(
        "Webhook Outgoing Subscribers Create API",
        "Makes a subscription: from now on, changes of the integration's orders that it wants are POSTed to \
         its callback URL. The answer alone shows its signing secret.",
    )
    .params(&[
        TOKEN,
        INTEGRATION_ID,
        fields::KEY.at(200).required(),
        fields::NAME.at(200).required(),
        fields::CALLBACK_URL.at(300).required(),
        fields::STATUSES.at(400),
        fields::EVENTS.at(500),
        fields::NOTIFICATION_EMAILS.at(600),
        fields::SUCCESS_CODE.at(700),
        fields::PAYLOAD_RENDER_VIEW.at(700),
        fields::ACTIVE.at(800),
        fields::NOTIFY.at(900),
        fields::VERSION.at(1000),
        fields::ORDERING.at(1100),
        fields::TIMEOUT_SECONDS.at(1200),
        fields::MAX_IN_FLIGHT.at(1300),
        fields::SIGNING_SECRET.at(1400),
        IDEMPOTENCY_KEY.at(1500),
        fields::ASYMMETRIC_SIGNATURE.at(1410),
        fields::SUPERSEDE.at(1110),
        policies::HEADERS.at(1120),
        policies::FILTER.at(1140),
        policies::RETRY_POLICY.at(1150),
        policies::RATE_LIMIT.at(1310),
    ])
    .answers(&[&status::MANDRILL_EMAIL_FAILED])
    .data(&CREATED)
    .example(
        r#"{"token": "pra_…", "integration_id": 1, "key": "crm", "name": "Acme CRM",
 "callback_url": "https://crm.example.com/hooks/orders", "statuses": ["scheduled", "completed"],
 "events": ["order.delivered"], "notification_emails": "ops@example.com", "success_code": "2xx",
 "active": true, "notify": false, "version": "v3"}"#,
    );

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Menders,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let input = call.input;
    let scope = call.scope().await?;
    let new = read(&call, scope)?;
    if input.boolean("notify") == Some(true) && !input.is_given("notification_emails") {
        input.missing("notification_emails");
    }
    call.refuse_faults(|| references(&call, scope)).await?;
    let (scope, new) = input.finish(|| Some((scope?, new?)))?;
    let url = new.callback_url.clone();
    let wants_nothing = new.statuses.is_empty() && new.events.is_empty();
    let references = references(&call, Some(scope));
    let made = call.app().create_webhook_out_sub(&scope, new, references);
    let made = made.await?;
    let reply = created::reply(&made)?;
    Ok(warned(&call, reply, &url, wants_nothing).await)
}

/// The subscription to be; nothing where something required is at fault.
fn read(call: &Call<'_>, scope: Option<Scope<'_>>) -> Result<Option<NewWebhookOutSub>, Trouble> {
    let input = call.input;
    let key = input.string_as("key", fields::key);
    let name = input.string("name");
    let callback_url = input.string_as("callback_url", |text| fields::callback_url(call, text));
    let notification_emails = input.string_as("notification_emails", fields::emails);
    let success_code = input.string_as("success_code", fields::success_code);
    let payload_render_view = input.string_as("payload_render_view", str::parse);
    let version = fields::version(input);
    let filter = input.string_as("filter", policies::filter);
    let headers = policies::headers(input);
    let retry_policy = policies::retry_policy(input);
    let rate_limit = policies::rate_limit(input);
    let signing_secret = match input.string_as("signing_secret", str::parse::<SigningSecret>) {
        Some(own) => own,
        None => call.app().new_signing_secret()?,
    };
    let signing_key = match input.boolean("asymmetric_signature") {
        Some(true) => Some(call.app().new_signing_key()?),
        _ => None,
    };
    let build = || {
        Some(NewWebhookOutSub {
            integration_id: scope?.integration_id(),
            key: key?,
            name: name?,
            callback_url: callback_url?,
            statuses: input.strings("statuses").unwrap_or_default(),
            events: input.strings("events").unwrap_or_default(),
            filter,
            notification_emails,
            success_code,
            payload_render_view,
            active: input.boolean("active").unwrap_or(true),
            notify: input.boolean("notify").unwrap_or(false),
            version: version?,
            ordering: fields::ordering(input).unwrap_or(Ordering::Order),
            timeout_seconds: fields::small(input, "timeout_seconds"),
            max_in_flight: fields::small(input, "max_in_flight"),
            supersede: input.boolean("supersede").unwrap_or(false),
            headers: headers.unwrap_or_default(),
            retry_policy,
            rate_limit,
            signing_secret,
            signing_key,
            idempotency: call.idempotency(),
        })
    };
    Ok(build())
}

fn references(call: &Call<'_>, scope: Option<Scope<'_>>) -> Vec<Reference> {
    let integration_id = scope.map(|scope| scope.integration_id());
    let mut references = fields::word_references(call.input);
    references.extend(fields::key_reference(call.input, integration_id, None));
    references.extend(fields::view_reference(call.input, integration_id));
    references
}

/// Says what was accepted and is probably not meant.
pub(super) async fn warned(
    call: &Call<'_>,
    mut reply: Reply,
    url: &CallbackUrl,
    wants_nothing: bool,
) -> Reply {
    if wants_nothing {
        reply = reply.warn(
            "statuses",
            "Neither statuses nor events are given: no change will ever be sent.",
        );
    }
    let Some(lookup) = &call.api.settings.lookup else {
        return reply;
    };
    match lookup(url.clone()).await {
        Some(refused) => reply.warn("callback_url", refused),
        None => reply,
    }
}
