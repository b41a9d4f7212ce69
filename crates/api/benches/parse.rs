//! What it costs to make the bytes of an `order_stages/create` into typed parameters, in process: the steps of `contract`
//! and what the route reads; no HTTP, no store. `cargo bench -p api --bench parse` times the cases, `scripts/instructions`
//! counts their instructions.
#![expect(
    clippy::expect_used,
    reason = "a benchmark that cannot prepare its case has nothing to measure"
)]

use std::hint::black_box;
use std::io;

use cases::{Case, Run, run};
use contract::{Failure, Request, Route};
use divan::Bencher;
use domain::time::Moment;
use store::NewOrderStage;

const CASES: &[Case] = &[
    Case {
        name: "order_stage_of_1_kib",
        prepare: || parse(BODY, None),
    },
    Case {
        name: "order_stage_of_1_kib_with_idempotency_key",
        prepare: || parse(BODY, Some("A-1001/scheduled")),
    },
    Case {
        name: "order_stage_refused",
        prepare: || parse(BAD_BODY, None),
    },
];

/// A change with most fields of its order.
const BODY: &str = r#"{"token":"pra_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG","integration_id":1,
"external_order_id":"A-1001","create_order":true,"stage":"scheduled","event_slug":"appointment.scheduled",
"update_status":true,"stage_at":"2026-01-31T16:20:00.25Z","order":{"external_property_id":"P-77",
"address":{"street":"12 Elm St","street2":null,"city":"Denver","state":"CO","postal_code":"80202"},
"property":{"property_type":"single_family","bedrooms":3,"bathrooms":2,"price":450000,"square_footage":1800},
"client":{"first_name":"Sam","last_name":"Sample","email":"sam@example.com","phone":"+1 303 555 0100"},
"services":[{"group_id":1,"group_slug":"photos","group_name":"Photos","quantity":25,"service_instructions":null},
{"group_id":2,"group_slug":"floor_plans","group_name":"Floor plans","quantity":1,"service_instructions":null}],
"appointments":[{"start_datetime":"2026-01-31T16:00:00Z","end_datetime":"2026-01-31T17:00:00Z","duration":1}],
"metadata":{"campaign":"spring","agent":"4711"},"order_notes":"Ring the bell twice."}}"#;
/// The same with faults at three places.
const BAD_BODY: &str = r#"{"token":"pra_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG","integration_id":1,
"external_order_id":"","stage":"scheduled","stage_at":"yesterday","order":{"address":{"city":7}}}"#;

fn main() -> io::Result<()> {
    cases::main(CASES)
}

#[divan::bench(args = CASES)]
fn parse_order_stage(bencher: Bencher<'_, '_>, case: &Case) {
    case.time(bencher);
}

fn parse(body: &'static str, idempotency_key: Option<&'static str>) -> Run {
    let route = api::all_routes()
        .find(|route| (route.service, route.action) == ("order_stages", "create"))
        .expect("the route");
    let request = Request {
        content_type: Some("application/json"),
        authorization: None,
        idempotency_key,
        body: body.as_bytes(),
    };
    let is_good = parsed(route, &request).is_ok();
    assert_eq!(is_good, body == BODY, "only the good body is taken");
    run(move || parsed(route, black_box(&request)))
}

fn parsed(route: &'static Route, request: &Request<'_>) -> Result<NewOrderStage, Failure> {
    let text = route.read(request)?;
    let input = text.decode()?.into_input()?;
    api::read_order_stage(&input, Moment::EPOCH)
}
