//! `integrations/index`.

use app::Access;
use contract::{Param, Route, TOKEN};

use super::shape::INTEGRATIONS;
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

pub(crate) const ROUTE: Route = Route::post("integrations", "index")
    .about(
        "Integrations Index API",
        "Lists the integrations that the caller may use.",
    )
    .params(&[
        TOKEN,
        params::COUNT,
        params::VIEW,
        params::search(SEARCH),
        params::PAGE,
        params::sort(SORT),
    ])
    .data(&INTEGRATIONS)
    .example(r#"{"token": "pra_…", "search": {"term": "acme"}, "count": true}"#);

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Readers,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let query = LISTING.query(call.input);
    let query = call.input.finish(|| Some(query))?;
    let page = call.app().integrations(call.caller, query).await?;
    Ok(listing::reply(&page, &page.items)?)
}
