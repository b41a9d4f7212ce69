//! `GET /metrics`: figures for Prometheus. They name no record, and no integration.
//!
//! What happens is counted where it happens, through a facade that costs nothing while nobody listens; what is, is asked for at
//! each scrape.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use delivery::Engine;
use domain::time::Clock;
use metrics::{Unit, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use store::Store;

use crate::clock::SystemClock;

/// Bounds of the histograms' buckets in seconds, from what a commit takes to the longest deadline and beyond.
const BUCKET_SECONDS: &[f64] = &[
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0,
    300.0, 3_600.0, 86_400.0,
];
/// How often what was measured is put into the buckets, in seconds: until then each measurement takes memory.
const UPKEEP_SECONDS: u64 = 1;
/// What Prometheus calls its text format.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The only recorder of a process.
static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Begins to measure; measuring twice in one process is one.
pub fn start() {
    RECORDER.get_or_init(|| match recorder() {
        Ok(handle) => Some(handle),
        Err(error) => {
            tracing::warn!(%error, "nothing is measured");
            None
        }
    });
    describe();
}

fn recorder() -> anyhow::Result<PrometheusHandle> {
    let suffix = Matcher::Suffix("_seconds".to_owned());
    let builder = PrometheusBuilder::new().set_buckets_for_metric(suffix, BUCKET_SECONDS)?;
    Ok(builder.install_recorder()?)
}

/// Puts what was measured into buckets, for ever.
pub async fn keep_up() {
    let mut every = tokio::time::interval(Duration::from_secs(UPKEEP_SECONDS));
    loop {
        every.tick().await;
        if let Some(Some(handle)) = RECORDER.get() {
            handle.run_upkeep();
        }
    }
}

fn describe() {
    describe_counter!(
        "postrider_changes_accepted_total",
        "Changes of orders that were accepted."
    );
    describe_counter!(
        "postrider_jobs_total",
        "Jobs that came into a state; all begin as pending."
    );
    describe_counter!(
        "postrider_attempts_total",
        "Delivery attempts, by what they came to."
    );
    describe_counter!(
        "postrider_removed_total",
        "Records that were removed because of their age, by what they were."
    );
    describe_gauge!(
        "postrider_jobs_waiting",
        "Jobs that are not final, counted up to a million."
    );
    describe_gauge!(
        "postrider_oldest_waiting_seconds",
        Unit::Seconds,
        "Age of the oldest job that is not final."
    );
    describe_gauge!(
        "postrider_lanes",
        "Subscriptions, by the health of their lanes."
    );
    let measured = [
        (
            "postrider_accept_seconds",
            "From a change that is understood until it is durable.",
        ),
        (
            "postrider_delivery_seconds",
            "From a change's acceptance until it is delivered to a subscription.",
        ),
        (
            "postrider_attempt_seconds",
            "How long a delivery attempt took.",
        ),
        (
            "postrider_commit_seconds",
            "How long the store took to commit.",
        ),
    ];
    for (name, meaning) in measured {
        describe_histogram!(name, Unit::Seconds, meaning);
    }
}

/// The route.
pub fn router(store: Arc<dyn Store>, engine: Arc<Engine>) -> Router {
    Router::new().route(
        "/metrics",
        get(move || scrape(store.clone(), engine.clone())),
    )
}

async fn scrape(store: Arc<dyn Store>, engine: Arc<Engine>) -> Response {
    let Some(Some(handle)) = RECORDER.get() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "nothing is measured\n").into_response();
    };
    let lanes = engine.stats();
    for (health, count) in [
        ("healthy", lanes.lanes_healthy),
        ("resting", lanes.lanes_resting),
        ("off", lanes.lanes_off),
    ] {
        gauge!("postrider_lanes", "health" => health).set(count as f64);
    }
    match store.waiting_webhook_jobs().await {
        Ok(waiting) => {
            let oldest = waiting.oldest_created_at;
            let age = oldest.map(|at| SystemClock.now().since(at).as_secs_f64());
            gauge!("postrider_jobs_waiting").set(waiting.jobs as f64);
            gauge!("postrider_oldest_waiting_seconds").set(age.unwrap_or_default());
        }
        Err(error) => {
            tracing::warn!(%error, "what waits cannot be counted");
            return (
                StatusCode::SERVICE_UNAVAILABLE,
                "the store cannot be read\n",
            )
                .into_response();
        }
    }
    ([(header::CONTENT_TYPE, TEXT_FORMAT)], handle.render()).into_response()
}
