//! Changing a subscription: only what differs is sent.

use app::Access;
use axum::extract::Path;
use axum::response::IntoResponse;
use http::StatusCode;
use maud::html;
use serde_json::{Value, json};

use super::{above, fields, found, path_of};
use crate::form::{Empty, Form, parameters};
use crate::posted::{Fields, Posted};
use crate::refusal::Refusal;
use crate::respond::{self, Answer};
use crate::shell::Screen;
use crate::text::integer;
use crate::visit::Visit;

const ROUTE: &str = "webhook_out_subs/update";

pub(super) async fn edit(
    visit: Visit,
    Path((_, id)): Path<(String, i64)>,
) -> Result<Answer, Refusal> {
    visit.demand(Access::Menders)?;
    let sub = found(&visit, id).await?;
    page(&visit, &sub, None).await
}

async fn page(
    visit: &Visit,
    sub: &Value,
    sent: Option<(&Fields, &Refusal)>,
) -> Result<Answer, Refusal> {
    let id = integer(sub, "id").unwrap_or_default();
    let action = format!("{}/edit", path_of(visit, id));
    let record = fields::record(sub);
    let mut form = Form::new(visit.client.route(ROUTE)?, &action, "Save")
        .fields(fields::fields(visit, &record).await?)
        .of_record(&record);
    if let Some((fields, refusal)) = sent {
        form = form.refused(fields, Some(refusal));
    }
    let main = html! {
        h1 { "Change the subscription" }
        p { "The next attempts use what is new, those of waiting jobs too." }
        (form.draw(visit))
    };
    let above = above(visit, sub);
    let screen = Screen {
        visit,
        title: "Change",
        above: &above,
        main,
    };
    let status = sent.map_or(StatusCode::OK, |_| StatusCode::BAD_REQUEST);
    Ok(respond::screen_with(status, &screen))
}

pub(super) async fn update(
    Path((_, id)): Path<(String, i64)>,
    posted: Posted,
) -> Result<Answer, Refusal> {
    let visit = &posted.visit;
    let sub = found(visit, id).await?;
    let route = visit.client.route(ROUTE)?;
    let mut asked = parameters(route, &fields::NAMES, &posted.fields, Empty::Null);
    fields::whole(&mut asked);
    let mut asked = changes(&sub, &asked);
    let lines = fields::sent_lines(&posted.fields);
    if lines != fields::lines(&sub) {
        asked["headers"] = fields::headers(&lines);
    }
    asked["id"] = json!(id);
    match visit.call(ROUTE, asked).await {
        Ok(reply) => {
            let sentence = format!("Saved.{}", reply.warned());
            Ok(respond::done(visit, &path_of(visit, id), &sentence))
        }
        Err(refusal) if refusal.is_of_form() => {
            page(visit, &sub, Some((&posted.fields, &refusal))).await
        }
        Err(refusal) => Ok(refusal.into_response()),
    }
}

/// What differs from the record. The version always goes along, since the route wants it.
fn changes(sub: &Value, asked: &Value) -> Value {
    let members = asked.as_object().into_iter().flatten();
    let is_new = |(name, value): &(&String, &Value)| {
        let known = &sub[name.as_str()];
        let is_empty = value.is_null() && known.as_array().is_some_and(Vec::is_empty);
        name.as_str() == "version" || (known != *value && !is_empty)
    };
    let kept = members.filter(is_new);
    let kept = kept.map(|(name, value)| (name.clone(), value.clone()));
    Value::Object(kept.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_sent() {
        let sub = json!({
            "name": "A", "version": "v3", "statuses": ["a"], "events": [], "filter": "x", "notify": false, "rate_limit": null
        });
        let asked = json!({
            "name": "B", "version": "v3", "statuses": ["a"], "events": null, "filter": null, "notify": false, "rate_limit": null
        });
        assert_eq!(
            changes(&sub, &asked),
            json!({ "name": "B", "version": "v3", "filter": null })
        );
    }
}
