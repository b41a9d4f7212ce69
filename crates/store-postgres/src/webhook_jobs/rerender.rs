//! Payloads of changes that are past: rendered once more, or taken from where they are kept.

use domain::id::{OrderStageId, WebhookJobId};
use domain::order::{Order, OrderStage};
use domain::payload::StageFacts;
use domain::webhook_out_sub::WebhookOutSub;

use crate::accept::{Payloads, Rendered, insert_payloads};
use crate::connection::{Connection, Params};
use crate::fault::Fault;
use crate::list_query::one;
use crate::payload_render_views::rendering::resolve;
use crate::{order_stages, orders, webhook_out_subs};

// primary key
pub(crate) const TOLD: &str =
    "select order_stage_id, webhook_out_sub_id from webhook_jobs_waiting where id = $1";
// primary key
pub(crate) const PUT_PAYLOAD: &str =
    "update webhook_jobs_waiting set payload_id = $2, view_failed = $3 where id = $1";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[TOLD, PUT_PAYLOAD];

/// Renders a waiting job's payload anew: by its subscription's view as it is now, of the order as it is now.
pub(crate) async fn rerender(connection: &Connection, id: WebhookJobId) -> Result<(), Fault> {
    let told = one(connection, TOLD, &[&id.0], |row| {
        Ok((row.try_get::<_, Option<i64>>(0)?, row.try_get(1)?))
    })
    .await;
    let Some((Some(stage), sub)) = told? else {
        return Ok(());
    };
    let Some(sub) = webhook_out_subs::of_id(connection, sub).await? else {
        return Ok(());
    };
    let (order, stage) = past(connection, OrderStageId(stage)).await?;
    let (payloads, rendered) = render(connection, &sub, &order, &stage).await?;
    let ids = insert_payloads(connection, &payloads.new).await?;
    let payload = ids.get(rendered.place).ok_or(Fault::Raced)?;
    let params: Params = &[&id.0, payload, &rendered.failed.as_deref()];
    connection.execute(PUT_PAYLOAD, params).await.map(|_| ())
}

/// A stage with its order as that is now.
pub(crate) async fn past(
    connection: &Connection,
    stage: OrderStageId,
) -> Result<(Order, OrderStage), Fault> {
    let gone = || Fault::corrupt("order_stages", stage.0, "is gone");
    let found = order_stages::of_id(connection, stage.0).await?;
    let found = found.ok_or_else(gone)?;
    let order = orders::of_id(connection, found.order_id).await?;
    Ok((order.ok_or_else(gone)?, found))
}

/// Renders a past stage for a subscription.
pub(crate) async fn render(
    connection: &Connection,
    sub: &WebhookOutSub,
    order: &Order,
    stage: &OrderStage,
) -> Result<(Payloads, Rendered), Fault> {
    let named = sub.payload_render_view.as_ref();
    let view = resolve(connection, sub.integration_id, named, sub.version).await?;
    let mut payloads = Payloads::default();
    let rendered = payloads.render(&view, sub.version, &StageFacts::of(order, stage));
    Ok((payloads, rendered))
}
