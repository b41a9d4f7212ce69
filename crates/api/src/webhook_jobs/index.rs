//! `webhook_jobs/index`.

use app::Access;
use contract::{Param, Route, TOKEN};
use store::JobQuery;

use super::filters::{self, FILTERS};
use super::shape::WEBHOOK_JOBS;
use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};
use crate::listing::{self, Listing};
use crate::params::{self, INTEGRATION_ID};

const LISTING: Listing = Listing {
    searched: &[
        "status",
        "address",
        "event",
        "order_id",
        "webhook_subscriber",
        "callback_url",
    ],
    sorted: &["id", "created_at"],
    descending: true,
};
const SEARCH: &[Param] = &LISTING.search_params();
const SORT: &[Param] = &LISTING.sort_params();

pub(crate) const ROUTE: Route = Route::post("webhook_jobs", "index")
    .about(
        "Webhook Jobs Index API",
        "Lists the jobs of an integration, the newest first: what was sent to whom, and what became of it.",
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
    .data(&WEBHOOK_JOBS)
    .example(
        r#"{"token": "pra_…", "integration_id": 1, "count": true, "filters": {"state": ["retrying"], "subscribers": ["crm", 1]},
 "search": {"term": "A-10", "attributes": ["order_id"]}, "page": {"size": 20}}"#,
    );

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Readers,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let scope = call.scope().await?;
    let list = LISTING.query(call.input);
    let filter = filters::filter(call.input);
    let scope = call.input.finish(|| scope)?;
    let query = JobQuery {
        integration_id: scope.integration_id(),
        filter,
        delivering: Vec::new(),
        list,
    };
    let page = call.app().webhook_jobs(&scope, query).await?;
    Ok(listing::reply(&page, &page.items)?)
}
