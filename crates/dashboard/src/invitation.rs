//! Inviting somebody to an integration by mail.

use app::Access;
use axum::response::IntoResponse;
use http::StatusCode;
use maud::html;
use serde_json::json;

use crate::form::{Empty, Form, field, parameters};
use crate::pages::Pages;
use crate::posted::{Fields, Posted};
use crate::refusal::Refusal;
use crate::respond::{self, Answer};
use crate::shell::Screen;
use crate::text::text;
use crate::visit::Visit;

const ROUTE: &str = "integrations/invitation_email";

pub(crate) fn router() -> Pages {
    let path = "/integrations/{integration_id}/invitation_email";
    Pages::new().get(path, form).post(path, send)
}

async fn form(visit: Visit) -> Result<Answer, Refusal> {
    visit.demand(Access::Managers)?;
    page(&visit, None)
}

fn page(visit: &Visit, sent: Option<(&Fields, &Refusal)>) -> Result<Answer, Refusal> {
    let action = format!("{}/invitation_email", visit.root());
    let mut form =
        Form::new(visit.client.route(ROUTE)?, &action, "Invite")
            .fields([field("email").label("E-mail").input_type("email")]);
    if let Some((fields, refusal)) = sent {
        form = form.refused(fields, Some(refusal));
    }
    let main = html! {
        h1 { "Invite somebody" }
        p { "They are mailed a link that is good for seven days. Whoever uses it becomes a client of this integration: they see its \
             orders, jobs and subscriptions, and may change these." }
        (form.draw(visit))
    };
    let screen = Screen {
        visit,
        title: "Invite",
        above: &[],
        main,
    };
    let status = sent.map_or(StatusCode::OK, |_| StatusCode::BAD_REQUEST);
    Ok(respond::screen_with(status, &screen))
}

async fn send(posted: Posted) -> Result<Answer, Refusal> {
    let visit = &posted.visit;
    let route = visit.client.route(ROUTE)?;
    let mut asked = parameters(route, &["email"], &posted.fields, Empty::Absent);
    asked["id"] = json!(visit.integration.as_ref().map(|integration| integration.id));
    match visit.call(ROUTE, asked).await {
        Ok(reply) => {
            let mailed = reply.value();
            let sentence = format!("An invitation was mailed to {}.", text(&mailed, "email"));
            let path = format!("{}/invitation_email", visit.root());
            Ok(respond::done(visit, &path, &sentence))
        }
        Err(refusal) if refusal.is_of_form() => page(visit, Some((&posted.fields, &refusal))),
        Err(refusal) => Ok(refusal.into_response()),
    }
}
