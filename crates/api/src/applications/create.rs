//! `applications/create`.

use app::Access;
use contract::{IDEMPOTENCY_KEY, Param, Route, TOKEN};
use domain::id::IntegrationId;
use store::{Reference, Target};

use super::SLUG;
use super::shape::CREATED;
use crate::call::Call;
use crate::created;
use crate::endpoint::{Answer, Endpoint};
use crate::integrations::fields::key;

pub(crate) const ROUTE: Route = Route::post("applications", "create")
    .about(
        "Applications Create API",
        "Makes an application, a program that calls the API. Its token is in this answer only.",
    )
    .params(&[
        TOKEN,
        SLUG.at(200).required(),
        Param::integer("integration_id")
            .at(300)
            .about("The only integration that it may use; all when absent."),
        IDEMPOTENCY_KEY.at(400),
    ])
    .data(&CREATED)
    .example(r#"{"token": "pra_…", "slug": "order-feed", "integration_id": 1}"#);

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Operators,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let input = call.input;
    let slug = input.string_as("slug", key);
    let integration = input.integer("integration_id").map(IntegrationId);
    call.refuse_faults(|| references(integration)).await?;
    let slug = input.finish(|| slug)?;
    let made = call
        .app()
        .create_application(call.caller, slug, integration, call.idempotency());
    Ok(created::reply(&made.await?)?)
}

fn references(integration: Option<IntegrationId>) -> Vec<Reference> {
    let target = integration.map(Target::Integration);
    let reference = target.map(|target| Reference::new("integration_id", target));
    reference.into_iter().collect()
}
