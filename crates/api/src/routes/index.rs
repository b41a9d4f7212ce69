//! `routes/index`.

use app::Access;
use contract::{Param, Route, TOKEN};

use super::shape::ROUTES;
use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};
use crate::listing::{self, Listing};
use crate::params;

const LISTING: Listing = Listing {
    searched: &["service", "action"],
    sorted: &["id", "service", "action"],
    descending: false,
};
const SEARCH: &[Param] = &LISTING.search_params();
const SORT: &[Param] = &LISTING.sort_params();
const FILTERS: &[Param] = &[
    Param::string("service")
        .at(100)
        .chars(1, 100)
        .about("Only routes of this service."),
    Param::boolean("deployed")
        .at(200)
        .about("Only routes that are deployed, or only the others."),
];

pub(crate) const ROUTE: Route = Route::post("routes", "index")
    .about(
        "Routes Index API",
        "Lists the routes of the API, and whether they are deployed.",
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
    .data(&ROUTES)
    .example(r#"{"token": "pra_…", "filters": {"service": "orders"}}"#);

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Operators,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let filters = call.input.hash("filters");
    let service = filters.and_then(|filters| filters.string("service"));
    let deployed = params::filter_boolean(call.input, "deployed");
    let query = LISTING.query(call.input);
    let query = call.input.finish(|| Some(query))?;
    let page = call.app().routes(service, deployed, query).await?;
    Ok(listing::reply(&page, &page.items)?)
}
