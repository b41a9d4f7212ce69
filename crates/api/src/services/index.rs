//! `services/index`.

use app::Access;
use contract::{Param, Route, TOKEN};

use super::shape::SERVICES;
use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};
use crate::listing::{self, Listing};
use crate::params;

const LISTING: Listing = Listing {
    searched: &["key"],
    sorted: &["id", "key"],
    descending: false,
};
const SEARCH: &[Param] = &LISTING.search_params();
const SORT: &[Param] = &LISTING.sort_params();
const FILTERS: &[Param] = &[Param::boolean("deployed")
    .at(200)
    .about("Only services that are deployed, or only the others.")];

pub(crate) const ROUTE: Route = Route::post("services", "index")
    .about(
        "Services Index API",
        "Lists the services of the API, and whether they are deployed.",
    )
    .params(&[
        TOKEN,
        params::COUNT,
        params::VIEW,
        params::search(SEARCH),
        params::filters(FILTERS),
        params::PAGE,
        params::sort(SORT),
    ])
    .data(&SERVICES)
    .example(r#"{"token": "pra_…", "filters": {"deployed": false}}"#);

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Operators,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let deployed = params::filter_boolean(call.input, "deployed");
    let query = LISTING.query(call.input);
    let query = call.input.finish(|| Some(query))?;
    let page = call.app().services(deployed, query).await?;
    Ok(listing::reply(&page, &page.items)?)
}
