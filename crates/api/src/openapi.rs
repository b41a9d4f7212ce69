//! The API as an OpenAPI document, checked in as `docs/openapi.json`.

use contract::Route;
use contract::openapi::{About, document};

use crate::endpoints::all_routes;

const DESCRIPTION: &str = "Tells an order system's partners what happened to their orders: durably, signed and in order. \
Parameters travel in the body, ids included, and unknown ones are refused. Times are RFC 3339 in UTC. An answer's HTTP \
status equals `code`; `status` says more exactly what became of the request.";

/// The document as it is served and checked in: JSON with line breaks, one at its end.
pub fn openapi() -> String {
    let about = About {
        title: "Postrider",
        version: env!("CARGO_PKG_VERSION"),
        description: DESCRIPTION,
    };
    let routes: Vec<&'static Route> = all_routes().collect();
    format!("{:#}\n", document(&about, &routes))
}
