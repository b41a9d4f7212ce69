//! Retrying all jobs that the filters find: first how many that are, then the progress of it.

use axum::extract::{Path, RawQuery};
use maud::{Markup, html};
use serde_json::{Value, json};

use crate::forgery;
use crate::list;
use crate::posted::{Fields, Posted};
use crate::refusal::Refusal;
use crate::respond::{self, Answer};
use crate::shell::Screen;
use crate::text::{grouped, integer, is, moment, text};
use crate::visit::Visit;

const ROUTE: &str = "webhook_jobs/retry_many";

pub(super) async fn preview(visit: Visit, RawQuery(query): RawQuery) -> Result<Answer, Refusal> {
    let query = Fields::parse(query.unwrap_or_default().as_bytes());
    let route = visit.client.route(ROUTE)?;
    let mut asked = json!({ "preview": true });
    if let Some(filters) = list::filters(route, &query) {
        asked["filters"] = filters;
    }
    let recovery = visit.call(ROUTE, asked).await?.value();
    let jobs = format!("{}/webhook_jobs", visit.root());
    let path = format!("{jobs}/retry_many");
    let matched = integer(&recovery, "matched").unwrap_or_default();
    let main = html! {
        h1 { "Retry many" }
        p { "Jobs that wait become due now. Final ones are sent again as new jobs, outside of the order's sequence. Without a state, \
             the ones that were given up are meant." }
        (list::bar(route, &path, &query, ""))
        div.notice {
            p.lead { strong { @if is(&recovery, "matched_capped") { "More than " } (grouped(matched)) }
                @if matched == 1 { " job is found." } @else { " jobs are found." } }
            @if matched > 0 {
                form method="post" action=(path) {
                    input type="hidden" name=(forgery::FIELD) value=(visit.form_token);
                    @for (name, value) in query.0.iter().filter(|(_, value)| !value.is_empty()) { input type="hidden" name=(name) value=(value); }
                    p.buttons { button.primary type="submit" { "Retry them" } }
                }
            }
        }
    };
    let above = [("Jobs", jobs)];
    Ok(respond::screen(&Screen {
        visit: &visit,
        title: "Retry many",
        above: &above,
        main,
    }))
}

pub(super) async fn begin(posted: Posted) -> Result<Answer, Refusal> {
    let visit = &posted.visit;
    let mut asked = json!({});
    if let Some(filters) = list::filters(visit.client.route(ROUTE)?, &posted.fields) {
        asked["filters"] = filters;
    }
    let recovery = visit.call(ROUTE, asked).await?.value();
    let id = integer(&recovery, "id").unwrap_or_default();
    let path = format!("{}/webhook_jobs/recoveries/{id}", visit.root());
    Ok(respond::see_other(&path))
}

pub(super) async fn progress(
    visit: Visit,
    Path((_, id)): Path<(String, i64)>,
) -> Result<Answer, Refusal> {
    let recovery = visit.call(ROUTE, json!({ "id": id })).await?.value();
    let above = [("Jobs", format!("{}/webhook_jobs", visit.root()))];
    let title = format!("Recovery #{id}");
    let main = html! {
        h1 { (title) }
        section #progress data-live { (state(&visit, &recovery, id)) }
    };
    Ok(respond::screen(&Screen {
        visit: &visit,
        title: &title,
        above: &above,
        main,
    }))
}

fn state(visit: &Visit, recovery: &Value, id: i64) -> Markup {
    let count = |name| integer(recovery, name).unwrap_or_default();
    let (matched, looked_at) = (count("matched"), count("looked_at"));
    let is_running = text(recovery, "state") == "running";
    html! {
        p { span.state.busy[is_running].quiet[!is_running] { (text(recovery, "state")) } }
        progress max=(matched.max(1)) value=(if is_running { looked_at.min(matched) } else { matched.max(1) })
            aria-label="Progress" {}
        p.lead { (grouped(count("made"))) " sent again, " (grouped(looked_at)) " of " (grouped(matched)) " looked at." }
        p.quiet { "Begun " (moment(text(recovery, "created_at"))) ", up to " (grouped(count("per_second"))) " jobs a second." }
        @if is_running {
            form method="post" action={ (visit.root()) "/webhook_jobs/recoveries/" (id) } {
                input type="hidden" name=(forgery::FIELD) value=(visit.form_token);
                button type="submit" { "Stop" }
            }
        }
    }
}

pub(super) async fn stop(
    Path((_, id)): Path<(String, i64)>,
    posted: Posted,
) -> Result<Answer, Refusal> {
    let visit = &posted.visit;
    visit
        .call(ROUTE, json!({ "id": id, "cancel": true }))
        .await?;
    let path = format!("{}/webhook_jobs/recoveries/{id}", visit.root());
    Ok(respond::done(
        visit,
        &path,
        "It was stopped; what it did stands.",
    ))
}
