//! The page of an integration's test receiver: make one, send something to it, see what arrives.

use std::sync::Arc;

use app::Access;
use axum::Router;
use axum::routing::{get, post};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use domain::signature::SigningSecret;
use maud::{Markup, html};
use serde_json::{Value, json};

use super::TestReceivers;
use super::kept::Received;
use crate::Dashboard;
use crate::documentation::code;
use crate::forgery;
use crate::posted::Posted;
use crate::refusal::Refusal;
use crate::respond::{self, Answer};
use crate::shell::Screen;
use crate::text::{integer, moment, pretty, text};
use crate::visit::Visit;

/// The key of the subscription; a second receiver of an integration would show nothing new.
const KEY: &str = "test_receiver";
/// The status that the subscription wants, and that the sample order is in.
const STAGE: &str = "scheduled";

pub(crate) fn router() -> Router<Arc<Dashboard>> {
    let page = "/integrations/{integration_id}/test_receiver";
    Router::new()
        .route(page, get(show).post(create))
        .route(&format!("{page}/report"), post(report))
}

/// The integration's subscription to a test receiver, if it has one.
async fn subscription(visit: &Visit) -> Result<Option<Value>, Refusal> {
    let begins = format!("https://{}/", TestReceivers::host());
    let asked = json!({ "search": { "term": begins, "attributes": ["callback_url"] }, "page": { "size": 1 } });
    let found = visit.call("webhook_out_subs/index", asked).await?.items();
    Ok(found.into_iter().next())
}

async fn show(visit: Visit) -> Result<Answer, Refusal> {
    let sub = subscription(&visit).await?;
    let main = html! {
        h1 { "Test receiver" }
        p { "A receiver inside this server, to see what a delivery looks like without writing one. What arrives stays in memory, and is \
             gone when the server stops." }
        @match &sub {
            None => (offer(&visit)),
            Some(sub) => (receiver(&visit, sub)),
        }
    };
    Ok(respond::screen(&Screen {
        visit: &visit,
        title: "Test receiver",
        above: &[],
        main,
    }))
}

fn button(visit: &Visit, path: &str, words: &str) -> Markup {
    html! { form method="post" action={ (visit.root()) "/test_receiver" (path) } {
        input type="hidden" name=(forgery::FIELD) value=(visit.form_token);
        button.primary type="submit" { (words) }
    } }
}

fn offer(visit: &Visit) -> Markup {
    html! {
        @if visit.may(Access::Managers) { (button(visit, "", "Make a test receiver")) }
        @else { p { "There is none yet. A client or an employee can make one." } }
    }
}

fn receiver(visit: &Visit, sub: &Value) -> Markup {
    let url = text(sub, "callback_url");
    let received = visit.client.dashboard.test_receivers.received(target(url));
    let curl = format!(
        "curl -sS {}/api/v1/order_stages/create \\\n  -H 'Authorization: Bearer TOKEN' -H 'Content-Type: application/json' \\\n  \
         -d '{{\"integration_id\": {}, \"external_order_id\": \"A-1002\", \"stage\": \"{STAGE}\", \"create_order\": true}}'",
        visit.client.dashboard.public_url,
        visit
            .integration
            .as_ref()
            .map_or(0, |integration| integration.id),
    );
    html! {
        p { "Its subscription " strong { (text(sub, "key")) } " wants orders that become " code { (STAGE) } ", and sends them to " code { (url) } "." }
        @if visit.may(Access::Managers) { (button(visit, "/report", "Report a sample order")) }
        section #received data-live {
            h2 { "What arrived" }
            @if received.is_empty() { p.quiet { "Nothing yet." } }
            @for (at, request) in received.iter().enumerate() { (arrived(request, at)) }
        }
        section {
            h2 { "From your own system" }
            p { "With the token of an application (" code { "postrider application create --slug order-feed" } ", or "
                a href="/documentation/api/v1/applications/create" { "applications/create" } "), this reports a change:" }
            (code("report", "Command", &curl))
        }
    }
}

fn arrived(request: &Received, at: usize) -> Markup {
    html! {
        details.attempt open[at == 0] {
            summary {
                @match request.verified {
                    Some(true) => span.state.good { "signature verified" },
                    Some(false) => span.state.failed { "signature is not good" },
                    None => span.state.quiet { "secret not known since the last start" },
                } " " (moment(&request.at.to_string()))
            }
            h3 { "Headers" }
            dl.headers { @for (name, value) in &request.headers { dt { (name) } dd { (value) } } }
            (code(&format!("body-{at}"), "Body", &pretty(&request.body)))
        }
    }
}

/// What a receiver is known by: the path of its callback URL.
fn target(url: &str) -> &str {
    url.strip_prefix("https://")
        .and_then(|rest| rest.find('/').map(|at| &rest[at..]))
        .unwrap_or(url)
}

async fn create(posted: Posted) -> Result<Answer, Refusal> {
    let visit = &posted.visit;
    let path = format!("{}/test_receiver", visit.root());
    if subscription(visit).await?.is_some() {
        return Ok(respond::see_other(&path));
    }
    let mut random = [0; 24];
    getrandom::fill(&mut random).map_err(|_| Refusal::crash())?;
    let url = format!(
        "https://{}/{}",
        TestReceivers::host(),
        BASE64.encode(random)
    );
    let new = json!({ "key": KEY, "name": "Test receiver", "callback_url": url, "statuses": [STAGE], "version": "v3" });
    let sub = visit.call("webhook_out_subs/create", new).await?.value();
    if let Ok(secret) = text(&sub, "signing_secret").parse::<SigningSecret>() {
        let dashboard = &visit.client.dashboard;
        dashboard
            .test_receivers
            .learn(target(&url), secret, dashboard.app.now());
    }
    Ok(respond::done(
        visit,
        &path,
        "The receiver was made. Report a sample order to see a delivery.",
    ))
}

/// Each sample is an order of its own: nothing holds it.
async fn report(posted: Posted) -> Result<Answer, Refusal> {
    let visit = &posted.visit;
    let number = visit.client.dashboard.app.now().seconds();
    let change = json!({
        "external_order_id": format!("SAMPLE-{number}"), "stage": STAGE, "create_order": true,
        "order": { "address": { "street": "12 Elm St", "city": "Denver", "state": "CO", "postal_code": "80202" } }
    });
    let accepted = visit.call("order_stages/create", change).await?.value();
    let order = integer(&accepted, "order_id").unwrap_or_default();
    let sentence = format!("Order #{order} was reported; its delivery arrives below.");
    Ok(respond::done(
        visit,
        &format!("{}/test_receiver", visit.root()),
        &sentence,
    ))
}
