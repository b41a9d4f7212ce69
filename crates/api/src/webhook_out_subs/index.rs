//! `webhook_out_subs/index`.

use app::Access;
use contract::{Param, Route, TOKEN};

use super::shape::WEBHOOK_OUT_SUBS;
use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};
use crate::listing::{self, Listing};
use crate::params::{self, INTEGRATION_ID};

const LISTING: Listing = Listing {
    searched: &["key", "name", "callback_url"],
    sorted: &["id", "key", "name", "created_at", "updated_at"],
    descending: false,
};
const SEARCH: &[Param] = &LISTING.search_params();
const SORT: &[Param] = &LISTING.sort_params();
const FILTERS: &[Param] = &[Param::boolean("active")
    .at(100)
    .about("Only subscriptions that are active, or that are not.")];

pub(crate) const ROUTE: Route = Route::post("webhook_out_subs", "index")
    .about(
        "Webhook Outgoing Subscribers Index API",
        "Lists the subscriptions of an integration, with the health of their lanes.",
    )
    .params(&[
        TOKEN,
        INTEGRATION_ID,
        params::COUNT,
        params::VIEW,
        params::search(SEARCH),
        params::filters(FILTERS),
        params::PAGE,
        params::sort(SORT),
    ])
    .data(&WEBHOOK_OUT_SUBS)
    .example(r#"{"token": "pra_…", "integration_id": 1, "filters": {"active": true}}"#);

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Readers,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let scope = call.scope().await?;
    let list = LISTING.query(call.input);
    let filters = call.input.hash("filters");
    let active = filters.and_then(|filters| filters.boolean("active"));
    let (scope, list) = call.input.finish(|| Some((scope?, list)))?;
    let page = call.app().webhook_out_subs(&scope, active, list).await?;
    Ok(listing::reply(&page, &page.items)?)
}
