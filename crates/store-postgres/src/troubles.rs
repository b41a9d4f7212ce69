//! Troubles of a subscription are told to its people, and to the operators, in the transaction that records
//! the outcome. A plain success never comes here.

use std::collections::BTreeSet;

use domain::health::{HealthState, LaneRecord, OffReason};
use domain::id::{IntegrationId, OrderId, WebhookOutSubId};
use domain::letter::{About, FailedJob, SubNamed};
use domain::notification::{NewNotification, NotificationKind};
use domain::time::Moment;
use domain::trouble_mails::{TroubleMails, is_to_tell};
use domain::vocabulary::OperationalEvent;
use domain::webhook_out_sub::WebhookOutSub;
use store::Outcome;

use crate::accept::Body;
use crate::connection::{Connection, Params};
use crate::fault::Fault;
use crate::list_query::one;
use crate::operational::{self, Told};
use crate::writing::Writing;
use crate::{mails, notifications, webhook_out_subs};

// primary keys
pub(crate) const FAILED_JOB: &str = "select j.order_id, j.status, j.event, j.test, p.body, p.view from webhook_jobs j \
     join payloads p on p.id = j.payload_id where j.id = $1";
// primary key
pub(crate) const INTEGRATION: &str = "select name from integrations where id = $1";
// primary key
pub(crate) const TOLD: &str = "select record from trouble_mails where webhook_out_sub_id = $1";
pub(crate) const PUT_TOLD: &str = "insert into trouble_mails (webhook_out_sub_id, integration_id, record) values ($1, $3, $2) \
     on conflict (webhook_out_sub_id) do update set record = excluded.record";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[FAILED_JOB, INTEGRATION, TOLD, PUT_TOLD];

/// Whoever is told, and of which subscription.
struct People {
    sub: WebhookOutSub,
    named: SubNamed,
}

/// A job failed, for good if `exhausted`: tells it where it is one to tell.
pub(crate) async fn job_failed(
    writing: &mut Writing,
    outcome: &Outcome,
    exhausted: bool,
    at: Moment,
) -> Result<(), Fault> {
    let is_to_tell = is_to_tell(outcome.attempt.number, exhausted);
    if !exhausted && !is_to_tell {
        return Ok(());
    }
    let Some(job) = failed_job(&writing.connection, outcome, exhausted).await? else {
        return Ok(());
    };
    let sub = outcome.webhook_out_sub_id;
    // One that was deleted meanwhile interests nobody any more.
    let Some(sub) = webhook_out_subs::of_id(&writing.connection, sub.0).await? else {
        return Ok(());
    };
    if exhausted {
        let message = format!(
            "A job of the subscription \"{}\" was given up after {} attempts",
            sub.key, outcome.attempt.number
        );
        notifications::raise(&writing.connection, &exhausted_job(&sub, message, at)).await?;
        if !job.is_operational {
            let end = Told {
                event: OperationalEvent::JobExhausted,
                sub: &sub,
                job: Some(&job.told),
                at,
            };
            operational::tell(writing, &end).await?;
        }
    }
    let people = people(&writing.connection, sub).await?;
    let Some(people) = people.filter(|_| is_to_tell) else {
        return Ok(());
    };
    let mut told = told(&writing.connection, people.sub.id).await?;
    let jobs = told.keeps_failing(at);
    put_told(&writing.connection, &people.sub, &told).await?;
    match jobs {
        Some(jobs) => {
            let (sub, job) = (people.named.clone(), job.told);
            let about = About::KeepsFailing { sub, job, jobs };
            mail(writing, &people, &about, at).await
        }
        None => Ok(()),
    }
}

/// A lane's health changed: a switch-off and the end of a trouble are told.
pub(crate) async fn lane_changed(
    writing: &mut Writing,
    sub: WebhookOutSubId,
    before: &LaneRecord,
    after: &LaneRecord,
    at: Moment,
) -> Result<(), Fault> {
    let Some(event) = event_of(before, after) else {
        return Ok(());
    };
    let Some(sub) = webhook_out_subs::of_id(&writing.connection, sub.0).await? else {
        return Ok(());
    };
    let change = Told {
        event,
        sub: &sub,
        job: None,
        at,
    };
    operational::tell(writing, &change).await?;
    if event == OperationalEvent::SubscriptionFailing {
        return Ok(());
    }
    let Some(people) = people(&writing.connection, sub).await? else {
        return Ok(());
    };
    let mut told = told(&writing.connection, people.sub.id).await?;
    let sub = people.named.clone();
    let about = if after.is_off() {
        told.switched_off();
        let reason = reason(after.reason).to_owned();
        Some(About::SwitchedOff { sub, reason, at })
    } else {
        told.recovered(at).then_some(About::Recovered { sub, at })
    };
    put_told(&writing.connection, &people.sub, &told).await?;
    match about {
        Some(about) => mail(writing, &people, &about, at).await,
        None => Ok(()),
    }
}

/// What a change of a lane's health is, as far as others are told.
fn event_of(before: &LaneRecord, after: &LaneRecord) -> Option<OperationalEvent> {
    let rests = |lane: &LaneRecord| lane.state == HealthState::Resting;
    if after.is_off() {
        Some(OperationalEvent::SubscriptionOff)
    } else if before.is_ended_by(after) {
        Some(OperationalEvent::SubscriptionRecovered)
    } else if rests(after) && !rests(before) {
        Some(OperationalEvent::SubscriptionFailing)
    } else {
        None
    }
}

/// A job that failed.
struct Failed {
    told: FailedJob,
    /// Whether it tells of another one's trouble itself.
    is_operational: bool,
}

/// The job, unless it is a test: whoever made that is looking.
async fn failed_job(
    connection: &Connection,
    outcome: &Outcome,
    exhausted: bool,
) -> Result<Option<Failed>, Fault> {
    let attempt = &outcome.attempt;
    let job = one(connection, FAILED_JOB, &[&outcome.job_id.0], |row| {
        let payload: Body = row.try_get("body")?;
        let job = FailedJob {
            id: outcome.job_id,
            order_id: row.try_get::<_, Option<i64>>("order_id")?.map(OrderId),
            status: row.try_get("status")?,
            event: row.try_get("event")?,
            attempt_count: attempt.number,
            exhausted,
            last_fault: attempt.message.clone().unwrap_or_default(),
            payload: String::from_utf8_lossy(&payload.0).into_owned(),
        };
        let failed = Failed {
            told: job,
            is_operational: row.try_get::<_, &str>("view")? == operational::VIEW,
        };
        Ok((!row.try_get::<_, bool>("test")?).then_some(failed))
    })
    .await;
    Ok(job?.flatten())
}

fn exhausted_job(sub: &WebhookOutSub, message: String, at: Moment) -> NewNotification {
    NewNotification {
        kind: NotificationKind::JobExhausted,
        about: format!("webhook_out_sub:{}", sub.id),
        integration_id: Some(sub.integration_id),
        webhook_out_sub_id: Some(sub.id),
        message,
        request_id: None,
        at,
    }
}

/// Whom to tell, if anybody.
async fn people(connection: &Connection, sub: WebhookOutSub) -> Result<Option<People>, Fault> {
    if !sub.notify || sub.notification_emails.is_none() {
        return Ok(None);
    }
    let named = SubNamed {
        id: Some(sub.id),
        integration_id: sub.integration_id,
        integration: integration(connection, sub.integration_id).await?,
        key: sub.key.clone(),
        name: sub.name.clone(),
        callback_url: sub.callback_url.as_str().to_owned(),
    };
    Ok(Some(People { sub, named }))
}

async fn integration(connection: &Connection, id: IntegrationId) -> Result<String, Fault> {
    let name = one(connection, INTEGRATION, &[&id.0], |row| Ok(row.try_get(0)?)).await;
    let name = name?;
    name.ok_or_else(|| Fault::corrupt("integrations", id.0, "is missing"))
}

async fn mail(
    writing: &mut Writing,
    people: &People,
    about: &About,
    at: Moment,
) -> Result<(), Fault> {
    let emails = people.sub.notification_emails.iter();
    // Whoever is in the list twice is told once.
    let addresses: BTreeSet<&str> = emails.flat_map(|emails| emails.addresses()).collect();
    let addresses: Vec<&str> = addresses.into_iter().collect();
    mails::write(writing, about, people.sub.integration_id, &addresses, at).await
}

async fn told(connection: &Connection, sub: WebhookOutSubId) -> Result<TroubleMails, Fault> {
    let record = one(connection, TOLD, &[&sub.0], |row| Ok(row.try_get(0)?)).await;
    let record: Option<String> = record?;
    let told = record.map(|record| serde_json::from_str(&record));
    Ok(told.transpose()?.unwrap_or_default())
}

async fn put_told(
    connection: &Connection,
    sub: &WebhookOutSub,
    told: &TroubleMails,
) -> Result<(), Fault> {
    let record = serde_json::to_string(told)?;
    let params: Params = &[&sub.id.0, &record, &sub.integration_id.0];
    connection.execute(PUT_TOLD, params).await.map(|_| ())
}

fn reason(reason: Option<OffReason>) -> &'static str {
    match reason {
        Some(OffReason::Gone) => "it answered 410 Gone, which says that it wants nothing more",
        Some(OffReason::FailingForDays) => "nothing has been delivered to it for five days",
        None => "it was told to",
    }
}
