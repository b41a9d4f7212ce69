//! `audit_events/index`.

use app::Access;
use contract::{Kind, Param, Route, TOKEN};
use domain::id::IntegrationId;
use store::AuditQuery;

use super::shape::AUDIT_EVENTS;
use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};
use crate::listing::{self, Listing};
use crate::params;

const LISTING: Listing = Listing {
    searched: &[],
    sorted: &["id"],
    descending: true,
};
const SORT: &[Param] = &LISTING.sort_params();
const FILTERS: &[Param] = &[
    Param::integer("integration_id")
        .at(100)
        .about("Only changes of what belongs to this integration."),
    params::filter("noun", &Kind::STRING)
        .at(200)
        .about("Only changes of these kinds of records, such as `webhook_out_sub`."),
    params::filter("record_id", &Kind::INTEGER)
        .at(300)
        .about("Only changes of the records with these ids."),
    params::filter("action", &Kind::STRING)
        .at(400)
        .about("Only these actions, such as `update`."),
];

pub(crate) const ROUTE: Route = Route::post("audit_events", "index")
    .about(
        "Audit Events Index API",
        "Lists who changed what, when and by which request, with the record before and after; secrets and the \
         contents of orders are left out.",
    )
    .params(&[
        TOKEN,
        params::COUNT,
        params::VIEW,
        params::filters(FILTERS),
        params::PAGE,
        params::sort(SORT),
    ])
    .data(&AUDIT_EVENTS)
    .example(r#"{"token": "pra_…", "filters": {"noun": ["webhook_out_sub"], "record_id": [1]}}"#);

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Operators,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let filters = call.input.hash("filters");
    let words = |name| filters.and_then(|filters| filters.strings(name));
    let query = AuditQuery {
        integration_id: filters
            .and_then(|filters| filters.integer("integration_id"))
            .map(IntegrationId),
        nouns: words("noun").unwrap_or_default(),
        record_ids: filters
            .and_then(|filters| filters.integers("record_id"))
            .unwrap_or_default(),
        actions: words("action").unwrap_or_default(),
        list: LISTING.query(call.input),
    };
    let query = call.input.finish(|| Some(query))?;
    let page = call.app().audit_events(query).await?;
    Ok(listing::reply(&page, &page.items)?)
}
