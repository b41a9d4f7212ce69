//! Recoveries, as routes begin, follow and stop them, and as they are answered.

use app::Scope;
use contract::{Field, Input, Param, Record, Reply, Shape};
use domain::id::RecoveryId;
use domain::recovery::{PER_SECOND_DEFAULT, PER_SECOND_MAX, RecoveryKind, RecoveryState};
use store::{NewRecovery, RecoveryWork};

use crate::call::Call;
use crate::created;
use crate::endpoint::Answer;
use crate::shapes::{CREATED_AT, INTEGRATION_ID, REPLAYED, UPDATED_AT};

pub(crate) const PREVIEW: Param = Param::boolean("preview")
    .about("Whether to tell only how many there are to look at. `false` when absent.");
pub(crate) const PER_SECOND: Param = Param::integer("per_second")
    .range(1, PER_SECOND_MAX as i64)
    .about("The pace, in jobs a second; 1,000 when absent.");
pub(crate) const ID: Param = Param::integer("id")
    .about("The id of a recovery that was begun: its progress is answered. Stands alone, but for `cancel`.");
pub(crate) const CANCEL: Param =
    Param::boolean("cancel").about("Whether to stop that recovery; what it did stands.");

pub(crate) const FIELDS: &[Field] = &[
    Field::new("id", Shape::Integer, "Its identity; null for a preview.")
        .nullable()
        .such_as("3"),
    INTEGRATION_ID,
    Field::new(
        "kind",
        Shape::OneOf(&RecoveryKind::NAMES),
        "Whether it retries jobs, replays changes, or lets a subscription catch up.",
    ),
    Field::new(
        "webhook_out_sub_id",
        Shape::Integer,
        "The subscription, where it is for one.",
    )
    .nullable(),
    Field::new(
        "state",
        Shape::OneOf(&RecoveryState::NAMES),
        "How far it has come.",
    )
    .such_as(r#""running""#),
    Field::new("per_second", Shape::Integer, "Its pace, in jobs a second.").such_as("1000"),
    Field::new(
        "matched",
        Shape::Integer,
        "How many jobs, or changes, there were to look at when it began.",
    )
    .such_as("412"),
    Field::new(
        "matched_capped",
        Shape::Boolean,
        "Whether there were more than are counted.",
    )
    .such_as("false"),
    Field::new("looked_at", Shape::Integer, "How many it has looked at.").such_as("200"),
    Field::new(
        "made",
        Shape::Integer,
        "How many jobs it has made, or made due.",
    )
    .such_as("198"),
    CREATED_AT,
    UPDATED_AT,
    Field::new("finished_at", Shape::Time, "When it ended.").nullable(),
];

/// The record alone.
pub(crate) const RECORD: Record = Record {
    name: "recovery",
    parts: &[FIELDS],
};

/// The answer of the routes that begin one.
pub(crate) const RECOVERY: Shape = Shape::Record(&Record {
    name: "recovery_answer",
    parts: &[FIELDS, &[REPLAYED]],
});

/// The pace that is given, or the usual one.
pub(crate) fn per_second(input: &Input<'_>) -> u32 {
    let given = input.integer("per_second");
    given
        .and_then(|pace| u32::try_from(pace).ok())
        .unwrap_or(PER_SECOND_DEFAULT)
}

/// What an `id` excludes: whatever says what is to be begun.
pub(crate) fn note_contradictions(input: &Input<'_>, others: &[&str]) {
    if !input.is_given("id") {
        if input.boolean("cancel") == Some(true) {
            input.fault(
                "id",
                "is needed: that of the recovery that is to be stopped",
            );
        }
        return;
    }
    for name in others {
        if input.is_given(name) {
            input.fault(
                name,
                "cannot stand beside id, which names a recovery that was begun",
            );
        }
    }
}

/// Begins a recovery, or tells what it would be, or how far one has come, or stops it.
pub(crate) async fn answer(
    call: &Call<'_>,
    scope: &Scope<'_>,
    work: Option<RecoveryWork>,
) -> Answer {
    let input = call.input;
    if let Some(id) = input.integer("id").map(RecoveryId) {
        let shown = match input.boolean("cancel") {
            Some(true) => call.app().cancel_recovery(scope, id).await?,
            _ => call.app().recovery(scope, id).await?,
        };
        return Ok(Reply::of(&shown)?);
    }
    let work = input.finish(|| work)?;
    let new = NewRecovery {
        integration_id: scope.integration_id(),
        work,
        per_second: per_second(input),
        idempotency: call.idempotency(),
    };
    if input.boolean("preview") == Some(true) {
        return Ok(Reply::of(&call.app().preview_recovery(scope, new).await?)?);
    }
    let begun = call.app().begin_recovery(scope, new).await?;
    Ok(created::reply(&begun)?)
}
