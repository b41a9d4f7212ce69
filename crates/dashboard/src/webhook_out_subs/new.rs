//! A new subscription.

use app::Access;
use axum::response::IntoResponse;
use http::StatusCode;
use maud::html;
use serde_json::{Value, json};

use super::{fields, secret};
use crate::form::{Empty, Form, field, parameters};
use crate::posted::{Fields, Posted};
use crate::refusal::Refusal;
use crate::respond::{self, Answer};
use crate::shell::Screen;
use crate::visit::Visit;

const ROUTE: &str = "webhook_out_subs/create";

pub(super) async fn new(visit: Visit) -> Result<Answer, Refusal> {
    visit.demand(Access::Menders)?;
    page(&visit, None).await
}

async fn page(visit: &Visit, sent: Option<(&Fields, &Refusal)>) -> Result<Answer, Refusal> {
    let path = format!("{}/webhook_out_subs", visit.root());
    let first = json!({ "active": true, "version": "v3" });
    let mut form = Form::new(visit.client.route(ROUTE)?, &path, "Create")
        .fields(fields::fields(visit, &first).await?)
        .fields([
            field("signing_secret")
                .input_type("password")
                .autocomplete("off"),
            field("active"),
        ])
        .of_record(&first);
    if let Some((fields, refusal)) = sent {
        form = form.refused(fields, Some(refusal));
    }
    let main = html! {
        h1 { "New subscription" }
        p { "It says which changes of the integration's orders are sent, and where to. Its signing secret is shown after this." }
        (form.draw(visit))
    };
    let above = [("Subscriptions", path.clone())];
    let screen = Screen {
        visit,
        title: "New subscription",
        above: &above,
        main,
    };
    let status = sent.map_or(StatusCode::OK, |_| StatusCode::BAD_REQUEST);
    Ok(respond::screen_with(status, &screen))
}

pub(super) async fn create(posted: Posted) -> Result<Answer, Refusal> {
    let visit = &posted.visit;
    let asked = asked(visit, &posted.fields)?;
    match visit.call(ROUTE, asked).await {
        Ok(reply) => {
            let said = html! { p { "The subscription was made." (reply.warned()) } };
            Ok(secret::shown(
                visit,
                &reply.value(),
                "Subscription made",
                &said,
            ))
        }
        Err(refusal) if refusal.is_of_form() => page(visit, Some((&posted.fields, &refusal))).await,
        Err(refusal) => Ok(refusal.into_response()),
    }
}

fn asked(visit: &Visit, sent: &Fields) -> Result<Value, Refusal> {
    let route = visit.client.route(ROUTE)?;
    let mut names = fields::NAMES.to_vec();
    names.extend(["signing_secret", "active"]);
    let mut asked = parameters(route, &names, sent, Empty::Absent);
    let lines = fields::sent_lines(sent);
    if !lines.is_empty() {
        asked["headers"] = fields::headers(&lines);
    }
    Ok(asked)
}
