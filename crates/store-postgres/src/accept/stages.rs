//! The stages of a batch, stored.

use domain::order::OrderStage;

use super::Recipient;
use super::payloads::Rendered;
use crate::connection::Connection;
use crate::fault::Fault;

pub(crate) const INSERT: &str = "insert into order_stages (id, integration_id, order_id, sequence, stage, event_slug, update_status, stage_at, \
     created_at, matching_revision, filter_results) select * from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], \
     $6::text[], $7::boolean[], $8::bigint[], $9::bigint[], $10::bigint[], $11::text[])";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[INSERT];

/// A stage to be stored.
pub(super) struct NewStage {
    pub(super) stage: OrderStage,
    pub(super) revision: i64,
    pub(super) filter_results: Option<String>,
    /// The places of its payloads among all of the batch, for each job.
    pub(super) jobs: Vec<(Recipient, Rendered)>,
}

/// Stores stages.
pub(super) async fn insert_stages(
    connection: &Connection,
    stages: &[NewStage],
) -> Result<(), Fault> {
    if stages.is_empty() {
        return Ok(());
    }
    fn column<T>(stages: &[NewStage], value: impl Fn(&OrderStage) -> T) -> Vec<T> {
        stages.iter().map(|new| value(&new.stage)).collect()
    }
    let revisions: Vec<i64> = stages.iter().map(|new| new.revision).collect();
    let filters: Vec<Option<&str>> = stages
        .iter()
        .map(|new| new.filter_results.as_deref())
        .collect();
    connection
        .execute(
            INSERT,
            &[
                &column(stages, |stage| stage.id.0),
                &column(stages, |stage| stage.integration_id.0),
                &column(stages, |stage| stage.order_id.0),
                &column(stages, |stage| stage.sequence),
                &column(stages, |stage| stage.stage.clone()),
                &column(stages, |stage| stage.event_slug.clone()),
                &column(stages, |stage| stage.update_status),
                &column(stages, |stage| stage.stage_at.microseconds()),
                &column(stages, |stage| stage.created_at.microseconds()),
                &revisions,
                &filters,
            ],
        )
        .await?;
    Ok(())
}
