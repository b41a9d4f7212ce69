//! `payload_render_views/index`.

use app::Access;
use contract::{Param, Route, TOKEN};

use super::fields;
use super::shape::VIEWS;
use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};
use crate::listing::{self, Listing};
use crate::params;

const LISTING: Listing = Listing {
    searched: &["key", "name"],
    sorted: &["id", "key", "name", "created_at", "updated_at"],
    descending: false,
};
const SEARCH: &[Param] = &LISTING.search_params();
const SORT: &[Param] = &LISTING.sort_params();

pub(crate) const ROUTE: Route = Route::post("payload_render_views", "index")
    .about(
        "Payload Render Views Index API",
        "Lists the payload views that an integration may use: its own, and those for all integrations, whose \
         `integration_id` is null.",
    )
    .params(&[
        TOKEN,
        fields::INTEGRATION_ID,
        params::COUNT,
        params::VIEW,
        params::search(SEARCH),
        params::PAGE,
        params::sort(SORT),
    ])
    .data(&VIEWS)
    .example(r#"{"token": "pra_…", "integration_id": 1, "sort": {"by": "key"}}"#);

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Readers,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let scope = call.scope().await?;
    let query = LISTING.query(call.input);
    let query = call.input.finish(|| Some(query))?;
    let page = call
        .app()
        .payload_render_views(call.caller, scope.as_ref(), query)
        .await?;
    Ok(listing::reply(&page, &page.items)?)
}
