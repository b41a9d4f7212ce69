//! The page of an integration's test receiver: make one, send something to it, see what arrives.

use app::Access;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use domain::signature::SigningSecret;
use maud::{Markup, html};
use serde_json::{Value, json};

use super::TestReceivers;
use super::kept::Received;
use crate::documentation::code;
use crate::forgery;
use crate::pages::Pages;
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

pub(crate) fn router() -> Pages {
    let page = "/integrations/{integration_id}/test_receiver";
    Pages::new()
        .get(page, show)
        .post(page, create)
        .post(&format!("{page}/report"), report)
        .post(&format!("{page}/application"), make_application)
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
    html! {
        p { "Its subscription " strong { (text(sub, "key")) } " wants orders that become " code { (STAGE) } ", and sends them to " code { (url) } "." }
        @if visit.may(Access::Managers) { (button(visit, "/report", "Report a sample order")) }
        section #received data-live {
            h2 { "What arrived" }
            @if received.is_empty() { p.quiet { "Nothing yet." } }
            @for (at, request) in received.iter().enumerate() { (arrived(request, at)) }
        }
        (from_outside(visit))
        (crate::snippets::section())
    }
}

fn from_outside(visit: &Visit) -> Markup {
    let is_employee = visit.may(Access::Operators);
    html! { section {
        h2 { "From your own system" }
        p { "With the token of an application, this reports a change:" }
        (code("report", "Command", &curl(visit, "TOKEN")))
        @if is_employee {
            p { "No application yet? One that may use this integration alone is made at once; its token is shown once." }
            (button(visit, "/application", "Make an application and show the command"))
        } @else { p.quiet { "Ask an employee of whoever runs this server for a token." } }
    } }
}

/// What reports a change of an order with this token.
fn curl(visit: &Visit, token: &str) -> String {
    let integration = visit.integration.as_ref();
    format!(
        "curl -sS {}/api/v1/order_stages/create \\\n  -H 'Authorization: Bearer {token}' -H 'Content-Type: application/json' \\\n  \
         -d '{{\"integration_id\": {}, \"external_order_id\": \"A-1002\", \"stage\": \"{STAGE}\", \"create_order\": true}}'",
        visit.client.dashboard.public_url,
        integration.map_or(0, |integration| integration.id),
    )
}

/// Shows the command with a token in it. It answers a form, so that no address leads to it.
async fn make_application(posted: Posted) -> Result<Answer, Refusal> {
    let visit = &posted.visit;
    let id = visit
        .integration
        .as_ref()
        .map_or(0, |integration| integration.id);
    // The second tells apart what is made again.
    let slug = format!(
        "integration-{id}-{}",
        visit.client.dashboard.app.now().seconds()
    );
    let new = json!({ "slug": slug, "integration_id": id });
    let made = visit.call("applications/create", new).await?.value();
    let page = format!("{}/test_receiver", visit.root());
    let main = html! {
        h1 { "Application made" }
        div.notice role="status" { p { "Keep the token now: it is not shown again. " strong { (slug) } " may use this integration alone." } }
        (code("token", "Token", text(&made, "token")))
        (code("report", "Command", &curl(visit, text(&made, "token"))))
        p { "Run it in a shell; the delivery appears on the page of the test receiver." }
        div.actions {
            a.button.primary href=(page) { "To the test receiver" }
            a.button href={ "/applications/" (integer(&made, "id").unwrap_or_default()) } { "To the application" }
        }
    };
    Ok(respond::screen(&Screen {
        visit,
        title: "Application made",
        above: &[("Test receiver", page)],
        main,
    }))
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
