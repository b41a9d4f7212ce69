//! `order_stages/create_many`: many changes in one request, each taken or refused on its own.

use app::{Access, Denied, Scope};
use contract::{Failure, Fault, IDEMPOTENCY_KEY, Input, Param, Reply, Route, TOKEN};
use domain::order::AcceptedStage;
use serde::Serialize;
use store::{Created, NewOrderStage, StoreError};

use super::shape::RECEIPTS;
use super::stage::{
    CREATE_ORDER, EVENT_SLUG, EXTERNAL_ORDER_ID, ORDER, ORDER_ID, Reported, STAGE, STAGE_AT,
    UPDATE_STATUS,
};
use crate::call::{Call, idempotency};
use crate::created::Replayed;
use crate::endpoint::{Answer, Endpoint};
use crate::params::INTEGRATION_ID;
use crate::trouble::{Trouble, failure_of};

/// Most changes of one request: they are answered together.
const STAGES_MAX: usize = 1_000;
/// Largest body in bytes: so many changes of a few KiB each.
const BODY_BYTES_MAX: usize = 32 * 1024 * 1024;

const STAGES: &[Param] = &[
    ORDER_ID,
    EXTERNAL_ORDER_ID,
    CREATE_ORDER,
    STAGE,
    EVENT_SLUG,
    UPDATE_STATUS,
    STAGE_AT,
    ORDER,
    IDEMPOTENCY_KEY.at(1000),
];

pub(crate) const ROUTE: Route = Route::post("order_stages", "create_many")
    .about(
        "Order Stages Create many API",
        "Reports up to 1,000 changes. `data` has a receipt for each, in their order; good ones are accepted \
         though others are refused.",
    )
    .params(&[
        TOKEN,
        INTEGRATION_ID,
        Param::batch("stages", STAGES)
            .at(200)
            .required()
            .items(1, STAGES_MAX)
            .about("The changes, each as order_stages/create takes it, without `integration_id`."),
    ])
    .body_bytes_max(BODY_BYTES_MAX)
    .data(&RECEIPTS)
    .example(
        r#"{"token": "pra_…", "integration_id": 1, "stages": [
 {"external_order_id": "A-1001", "create_order": true, "stage": "scheduled"},
 {"external_order_id": "A-1002", "create_order": true, "stage": "ordered", "idempotency_key": "A-1002/1"}]}"#,
    );

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Managers,
    handle: |call| Box::pin(handle(call)),
};

/// What became of one change, in the shape of an answer.
#[derive(Serialize)]
struct Receipt<'a> {
    code: u16,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Replayed<'a, AcceptedStage>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    #[serde(skip_serializing_if = "<[Fault]>::is_empty")]
    errors: &'a [Fault],
}

type Taken = Result<Created<AcceptedStage>, Failure>;

async fn handle(call: Call<'_>) -> Answer {
    let scope = call.scope().await?;
    let (scope, items) = call
        .input
        .finish(|| Some((scope?, call.input.batch("stages")?)))?;
    let mut taken: Vec<Option<Taken>> = Vec::with_capacity(items.len());
    let mut good = Vec::new();
    for item in items {
        match read(&call, scope, item).await? {
            Ok(stage) => {
                good.push(stage);
                taken.push(None);
            }
            Err(failure) => taken.push(Some(Err(failure))),
        }
    }
    let accepted = call.app().accept_many(&scope, good).await;
    if let Some(error) = outage(&accepted) {
        return Err(error.into());
    }
    let mut accepted = accepted.into_iter();
    let receipts: Vec<Taken> = items
        .iter()
        .zip(taken)
        .map(|(item, refused)| refused.unwrap_or_else(|| settle(item, accepted.next())))
        .collect();
    let receipts: Vec<Receipt<'_>> = receipts.iter().map(receipt).collect();
    Ok(Reply::of(&receipts)?)
}

/// The store's error, if it took none of the changes: then the request as a whole was not done, and should be
/// sent again as it is.
fn outage(accepted: &[Result<Created<AcceptedStage>, Denied>]) -> Option<StoreError> {
    let mut error = None;
    for receipt in accepted {
        match receipt {
            Err(Denied::Store(found)) => error = Some(found.clone()),
            _ => return None,
        }
    }
    error
}

/// One change, or all that is wrong with it.
async fn read(
    call: &Call<'_>,
    scope: Scope<'_>,
    item: &Input<'_>,
) -> Result<Result<NewOrderStage, Failure>, Trouble> {
    let reported = Reported::read(item);
    if item.finish(|| Some(())).is_err() {
        let references = reported.references(Some(scope.integration_id()));
        for refusal in call.app().check(references).await? {
            item.fault(&refusal.attr, refusal.message);
        }
    }
    let key = idempotency(item, call.route);
    let at = call.app().now();
    Ok(item.finish(|| reported.into_new(scope.integration_id(), key, at)))
}

/// What the store made of a change; its refusals become faults of the item.
fn settle(item: &Input<'_>, accepted: Option<Result<Created<AcceptedStage>, Denied>>) -> Taken {
    match accepted {
        Some(Ok(created)) => Ok(created),
        Some(Err(Denied::Refused(refusals))) => {
            for refusal in refusals {
                item.fault(&refusal.attr, refusal.message);
            }
            item.finish(|| None)
        }
        Some(Err(denied)) => Err(failure_of(denied)),
        None => Err(Failure::crash()),
    }
}

fn receipt(taken: &Taken) -> Receipt<'_> {
    match taken {
        Ok(created) => Receipt {
            code: 200,
            status: "action-successful",
            data: Some(Replayed::of(created)),
            message: None,
            errors: &[],
        },
        Err(failure) => Receipt {
            code: failure.status.code,
            status: failure.status.slug,
            data: None,
            message: Some(&failure.message),
            errors: &failure.errors,
        },
    }
}
