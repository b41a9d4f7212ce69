//! Testing a subscription, switching it on and off, and deleting it.

use app::Access;
use axum::extract::Path;
use axum::response::IntoResponse;
use http::StatusCode;
use maud::html;
use serde_json::{Value, json};

use super::health::Condition;
use super::{above, found, health, path_of};
use crate::form::{Empty, Form, button, field, parameters};
use crate::posted::{Fields, Posted};
use crate::refusal::Refusal;
use crate::respond::{self, Answer};
use crate::shell::Screen;
use crate::text::{integer, moment, text};
use crate::visit::Visit;

const ENABLE: &str = "webhook_out_subs/enable";
const ENABLE_NAMES: [&str; 2] = ["since", "per_second"];
/// A moment up to its seconds, in signs: as far as browsers edit it.
const TO_THE_SECOND: usize = 19;

/// Leads to the job of the test, whose page is live.
pub(super) async fn send_test(
    Path((_, id)): Path<(String, i64)>,
    posted: Posted,
) -> Result<Answer, Refusal> {
    let visit = &posted.visit;
    let sent = visit.call("webhook_out_subs/send_test", json!({ "id": id }));
    let job = integer(&sent.await?.value(), "id").unwrap_or_default();
    let path = format!("{}/webhook_jobs/{job}", visit.root());
    Ok(respond::done(
        visit,
        &path,
        "The test is on its way; what the receiver answers appears here.",
    ))
}

pub(super) async fn enable(
    visit: Visit,
    Path((_, id)): Path<(String, i64)>,
) -> Result<Answer, Refusal> {
    visit.demand(Access::Menders)?;
    let sub = found(&visit, id).await?;
    enable_page(&visit, &sub, None)
}

fn enable_page(
    visit: &Visit,
    sub: &Value,
    sent: Option<(&Fields, &Refusal)>,
) -> Result<Answer, Refusal> {
    let id = integer(sub, "id").unwrap_or_default();
    let action = format!("{}/enable", path_of(visit, id));
    let condition = health::condition(sub, &health::now(visit));
    // Of one that was switched off by hand it is not known since when.
    let since = match condition {
        Condition::Gone | Condition::FailedForDays => text(&sub["health"], "since"),
        _ => "",
    };
    let first = json!({ "since": since.get(..TO_THE_SECOND).unwrap_or_default() });
    let mut form = Form::new(visit.client.route(ENABLE)?, &action, "Switch on")
        .fields([
            field("since").label("Make what it missed since (UTC)").hint(
                "Makes the jobs of the changes that were accepted since this moment, where there is none. Left empty, only new \
                 changes are sent, and the jobs that wait.",
            ),
            field("per_second").label("Jobs a second, at most"),
        ])
        .of_record(&first);
    if let Some((fields, refusal)) = sent {
        form = form.refused(fields, Some(refusal));
    }
    let main = html! {
        h1 { "Switch the subscription on" }
        p { (condition.words(sub)) }
        @if !since.is_empty() { p { "It was switched off " (moment(since)) ", and has missed the changes since then; take the moment out to let them be." } }
        (form.draw(visit))
    };
    let above = above(visit, sub);
    let screen = Screen {
        visit,
        title: "Switch on",
        above: &above,
        main,
    };
    let status = sent.map_or(StatusCode::OK, |_| StatusCode::BAD_REQUEST);
    Ok(respond::screen_with(status, &screen))
}

pub(super) async fn enabled(
    Path((_, id)): Path<(String, i64)>,
    posted: Posted,
) -> Result<Answer, Refusal> {
    let visit = &posted.visit;
    let route = visit.client.route(ENABLE)?;
    let mut asked = parameters(route, &ENABLE_NAMES, &posted.fields, Empty::Absent);
    asked["id"] = json!(id);
    match visit.call(ENABLE, asked).await {
        Ok(reply) => {
            let path = match integer(&reply.value()["recovery"], "id") {
                Some(recovery) => format!("{}/webhook_jobs/recoveries/{recovery}", visit.root()),
                None => path_of(visit, id),
            };
            Ok(respond::done(visit, &path, "The subscription is on."))
        }
        Err(refusal) if refusal.is_of_form() => {
            let sub = found(visit, id).await?;
            enable_page(visit, &sub, Some((&posted.fields, &refusal)))
        }
        Err(refusal) => Ok(refusal.into_response()),
    }
}

pub(super) async fn disable(
    Path((_, id)): Path<(String, i64)>,
    posted: Posted,
) -> Result<Answer, Refusal> {
    let visit = &posted.visit;
    let sub = found(visit, id).await?;
    let off = json!({ "id": id, "version": sub["version"], "active": false });
    visit.call("webhook_out_subs/update", off).await?;
    Ok(respond::done(
        visit,
        &path_of(visit, id),
        "The subscription is off; what waits is held.",
    ))
}

pub(super) async fn delete(
    visit: Visit,
    Path((_, id)): Path<(String, i64)>,
) -> Result<Answer, Refusal> {
    visit.demand(Access::Menders)?;
    let sub = found(&visit, id).await?;
    let path = path_of(&visit, id);
    let main = html! {
        h1 { "Delete the subscription?" }
        p { strong { (text(&sub, "name")) } " " code { (text(&sub, "key")) } " sends to " code { (text(&sub, "callback_url")) } "." }
        p { "The jobs that wait for it are withdrawn, and nothing is sent to it any more. Its past jobs stay to be looked at, and its key \
             becomes free. This cannot be undone; to stop it for a while, switch it off." }
        div.actions {
            (button(&visit, &format!("{path}/delete"), "Delete it", "primary", &[]))
            a.button href=(path) { "Keep it" }
        }
    };
    let above = above(&visit, &sub);
    Ok(respond::screen(&Screen {
        visit: &visit,
        title: "Delete",
        above: &above,
        main,
    }))
}

pub(super) async fn deleted(
    Path((_, id)): Path<(String, i64)>,
    posted: Posted,
) -> Result<Answer, Refusal> {
    let visit = &posted.visit;
    visit
        .call("webhook_out_subs/delete", json!({ "id": id }))
        .await?;
    let path = format!("{}/webhook_out_subs", visit.root());
    Ok(respond::done(visit, &path, "The subscription was deleted."))
}
