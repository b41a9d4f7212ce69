//! The signing secret of a subscription: shown once when it is made, shown again when somebody asks (which the audit trail keeps), and
//! replaced with an overlap.

use std::time::Duration;

use app::Access;
use axum::extract::Path;
use axum::response::IntoResponse;
use http::StatusCode;
use maud::{Markup, html};
use serde_json::{Value, json};

use super::{above, found, path_of};
use crate::documentation::code;
use crate::form::{Empty, Form, field, parameters};
use crate::posted::{Fields, Posted};
use crate::refusal::Refusal;
use crate::respond::{self, Answer};
use crate::shell::Screen;
use crate::text::{integer, moment, text};
use crate::visit::Visit;

const ROTATE: &str = "webhook_out_subs/rotate_secret";
/// For how long the old secret signs as well where nothing is said, in seconds: what the route says of itself, a day.
const OVERLAP_SECONDS_DEFAULT: u64 = 86_400;

/// The page with the secret. It answers a form, so that no address leads to it.
pub(super) fn shown(visit: &Visit, sub: &Value, title: &str, said: &Markup) -> Answer {
    let id = integer(sub, "id").unwrap_or_default();
    let path = path_of(visit, id);
    let main = html! {
        h1 { (title) }
        div.notice role="status" { (said) }
        p { "Whoever receives for " strong { (text(sub, "name")) } " needs this secret to verify the signature of each request. \
             Hand it on by a way that only they can read." }
        (code("secret", "Signing secret", text(sub, "signing_secret")))
        @if !text(sub, "public_key").is_empty() { (code("public_key", "Public key (v1a)", text(sub, "public_key"))) }
        div.actions {
            a.button.primary href=(path) { "To the subscription" }
            (crate::form::button(visit, &format!("{path}/send_test"), "Send a test", "", &[]))
        }
        (crate::snippets::section())
    };
    let above = above(visit, sub);
    respond::screen(&Screen {
        visit,
        title,
        above: &above,
        main,
    })
}

pub(super) async fn secret(
    Path((_, id)): Path<(String, i64)>,
    posted: Posted,
) -> Result<Answer, Refusal> {
    let visit = &posted.visit;
    let asked = json!({ "id": id });
    let sub = visit.call("webhook_out_subs/secret", asked).await?.value();
    let said = html! { p { "The audit trail keeps that you looked at it." } };
    Ok(shown(visit, &sub, "Signing secret", &said))
}

pub(super) async fn rotate(
    visit: Visit,
    Path((_, id)): Path<(String, i64)>,
) -> Result<Answer, Refusal> {
    visit.demand(Access::Menders)?;
    let sub = found(&visit, id).await?;
    page(&visit, &sub, None)
}

fn page(visit: &Visit, sub: &Value, sent: Option<(&Fields, &Refusal)>) -> Result<Answer, Refusal> {
    let id = integer(sub, "id").unwrap_or_default();
    let action = format!("{}/rotate_secret", path_of(visit, id));
    let first = json!({ "overlap_seconds": OVERLAP_SECONDS_DEFAULT });
    let mut form = Form::new(visit.client.route(ROTATE)?, &action, "Replace the secret")
        .fields([
            field("overlap_seconds").label("Overlap, in seconds"),
            field("signing_secret")
                .input_type("password")
                .autocomplete("off"),
        ])
        .of_record(&first);
    if let Some((fields, refusal)) = sent {
        form = form.refused(fields, Some(refusal));
    }
    let main = html! {
        h1 { "Replace the signing secret" }
        p { "A new secret signs from the next request on. During the overlap the old one signs as well, so that the receiver can be \
             changed without losing a request. After that the old one is worth nothing." }
        (form.draw(visit))
    };
    let above = above(visit, sub);
    let screen = Screen {
        visit,
        title: "Replace the secret",
        above: &above,
        main,
    };
    let status = sent.map_or(StatusCode::OK, |_| StatusCode::BAD_REQUEST);
    Ok(respond::screen_with(status, &screen))
}

pub(super) async fn rotated(
    Path((_, id)): Path<(String, i64)>,
    posted: Posted,
) -> Result<Answer, Refusal> {
    let visit = &posted.visit;
    let names = ["overlap_seconds", "signing_secret"];
    let mut asked = parameters(
        visit.client.route(ROTATE)?,
        &names,
        &posted.fields,
        Empty::Absent,
    );
    asked["id"] = json!(id);
    let overlap = asked["overlap_seconds"].as_u64();
    let overlap = overlap.unwrap_or(OVERLAP_SECONDS_DEFAULT);
    match visit.call(ROTATE, asked).await {
        Ok(reply) => {
            let until = visit.client.dashboard.app.now() + Duration::from_secs(overlap);
            let until = serde_json::to_value(until).unwrap_or_default();
            let said = html! { p {
                "The secret was replaced. "
                @if overlap == 0 { "The old one signs no more." }
                @else { "The old one signs as well until " (moment(until.as_str().unwrap_or_default())) "." }
            } };
            Ok(shown(visit, &reply.value(), "New signing secret", &said))
        }
        Err(refusal) if refusal.is_of_form() => {
            let sub = found(visit, id).await?;
            page(visit, &sub, Some((&posted.fields, &refusal)))
        }
        Err(refusal) => Ok(refusal.into_response()),
    }
}
