//! `notifications/index`.

use app::Access;
use contract::{Kind, Param, Route, TOKEN};
use domain::notification::NotificationKind;
use store::NotificationQuery;

use super::shape::NOTIFICATIONS;
use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};
use crate::listing::{self, Listing};
use crate::params;

const LISTING: Listing = Listing {
    searched: &[],
    sorted: &["id", "created_at", "updated_at"],
    descending: true,
};
const SORT: &[Param] = &LISTING.sort_params();
const FILTERS: &[Param] = &[
    Param::array("kind", &Kind::STRING)
        .at(100)
        .items(0, NotificationKind::NAMES.len())
        .one_of(&NotificationKind::NAMES)
        .about("Only notifications of these kinds."),
    Param::boolean("read")
        .at(200)
        .about("Only those that were read, or only the others."),
];

pub(crate) const ROUTE: Route = Route::post("notifications", "index")
    .about(
        "Notifications Index API",
        "Lists what the operators must know: crashed requests, failed mails, jobs that were given up, payload \
         views that failed. While one is unread, the same again only raises its `times`.",
    )
    .params(&[
        TOKEN,
        params::COUNT,
        params::VIEW,
        params::filters(FILTERS),
        params::PAGE,
        params::sort(SORT),
    ])
    .data(&NOTIFICATIONS)
    .example(r#"{"token": "pra_…", "filters": {"read": false}}"#);

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Operators,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let filters = call.input.hash("filters");
    let kinds = filters.and_then(|filters| filters.strings("kind"));
    let kinds = kinds.unwrap_or_default();
    let query = NotificationQuery {
        kinds: kinds
            .iter()
            .filter_map(|kind| NotificationKind::parse(kind))
            .collect(),
        read: params::filter_boolean(call.input, "read"),
        list: LISTING.query(call.input),
    };
    let query = call.input.finish(|| Some(query))?;
    let page = call.app().notifications(query).await?;
    Ok(listing::reply(&page, &page.items)?)
}
