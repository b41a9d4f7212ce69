//! Payloads of changes that are past: rendered once more, or taken from where they are kept.

use domain::id::{OrderStageId, WebhookJobId};
use domain::order::{Order, OrderStage};
use domain::payload::StageFacts;
use domain::webhook_out_sub::WebhookOutSub;
use rusqlite::{Connection, params};

use crate::accept::{Payload, Payloads};
use crate::fault::Fault;
use crate::list_query::one;
use crate::payload_render_views::rendering::resolve;
use crate::{order_stages, orders, webhook_out_subs};

// primary key
pub(crate) const TOLD: &str =
    "select order_stage_id, webhook_out_sub_id from webhook_jobs where id = ?1";
// primary key
pub(crate) const PUT_PAYLOAD: &str =
    "update webhook_jobs set payload_id = ?2, view_failed = ?3 where id = ?1";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[TOLD, PUT_PAYLOAD];

/// Renders a job's payload anew: by its subscription's view as it is now, of the order as it is now.
pub(crate) fn rerender(connection: &Connection, id: WebhookJobId) -> Result<(), Fault> {
    let told = one(connection, TOLD, [id.0], |row| {
        Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, i64>(1)?))
    })?;
    let Some((Some(stage), sub)) = told else {
        return Ok(());
    };
    let Some(sub) = webhook_out_subs::of_id(connection, sub)? else {
        return Ok(());
    };
    let (order, stage) = past(connection, OrderStageId(stage))?;
    let payload = render(connection, &sub, &order, &stage)?;
    connection.prepare_cached(PUT_PAYLOAD)?.execute(params![
        id.0,
        payload.id,
        payload.failed.as_deref()
    ])?;
    Ok(())
}

/// A stage with its order as that is now.
pub(crate) fn past(
    connection: &Connection,
    stage: OrderStageId,
) -> Result<(Order, OrderStage), Fault> {
    let gone = || Fault::corrupt("order_stages", stage.0, "is gone");
    let stage = order_stages::of_id(connection, stage.0)?.ok_or_else(gone)?;
    let order = orders::show(connection, stage.order_id.0)?.ok_or_else(gone)?;
    Ok((order, stage))
}

/// Renders a past stage for a subscription.
pub(crate) fn render(
    connection: &Connection,
    sub: &WebhookOutSub,
    order: &Order,
    stage: &OrderStage,
) -> Result<Payload, Fault> {
    let named = sub.payload_render_view.as_ref();
    let view = resolve(connection, sub.integration_id, named, sub.version)?;
    Payloads::alone(
        connection,
        &view,
        sub.version,
        &StageFacts::of(order, stage),
    )
}
