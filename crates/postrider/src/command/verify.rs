//! `postrider verify`: whether the store holds exactly what it should, beside a running server or without one.

use std::collections::BTreeMap;

use anyhow::Context;
use clap::Args;
use domain::gap::{Gap, GapKind};
use domain::id::{OrderStageId, WebhookJobId};
use domain::time::Clock;
use serde::Serialize;
use store::{Recoveries, Verify};
use store_sqlite::{ServeLock, SqliteStore};

use super::{on_store, print};
use crate::clock::SystemClock;
use crate::config::{Config, ConfigArgs};

/// Records of one piece: each is read on one view of the store, which the writer must keep for so long.
const PIECE_RECORDS: u32 = 500;
/// Most jobs that a recovery looks at in one step, where this process does it itself.
const STEP_RECORDS: u32 = 500;
/// Gaps that are printed one by one.
const GAPS_PRINTED_MAX: usize = 1_000;

/// How to verify.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Mend what can be mended without harm: make the jobs that are missing, wake those that wait for nothing.
    #[arg(long)]
    repair: bool,
    /// Print as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

/// What was found.
#[derive(Default, Serialize)]
struct Found {
    order_stages: u64,
    webhook_jobs: u64,
    /// Of changes and jobs from before this could be judged, and of subscriptions that changed their ordering.
    not_judged: u64,
    gap_count: usize,
    gaps: Vec<Gap>,
    mended: u64,
}

/// Runs the command; whether nothing is wrong any more.
///
/// # Errors
/// The store cannot be used.
pub fn run(args: VerifyArgs) -> anyhow::Result<bool> {
    let folder = Config::new(args.config.clone().with_surroundings())?.data;
    let found = on_store(args.config, async |store| {
        let mut found = find(store).await.context("the store cannot be read")?;
        if args.repair {
            found.mended = mend(store, &folder, &found.gaps).await?;
        }
        Ok(found)
    })?;
    if args.json {
        print(&serde_json::to_string(&found)?)?;
    } else {
        print_found(&found, args.repair)?;
    }
    Ok(found.gap_count as u64 == found.mended)
}

async fn find(store: &SqliteStore) -> anyhow::Result<Found> {
    let mut found = Found::default();
    let mut after = OrderStageId(0);
    loop {
        let piece = store.verify_order_stages(after, PIECE_RECORDS).await?;
        found.order_stages += piece.looked_at;
        found.not_judged += piece.not_judged;
        found.gaps.extend(piece.gaps);
        match piece.to {
            Some(to) => after = to,
            None => break,
        }
    }
    let mut after = WebhookJobId(0);
    loop {
        let piece = store.verify_webhook_jobs(after, PIECE_RECORDS).await?;
        found.webhook_jobs += piece.looked_at;
        found.not_judged += piece.not_judged;
        found.gaps.extend(piece.gaps);
        match piece.to {
            Some(to) => after = to,
            None => break,
        }
    }
    found.gap_count = found.gaps.len();
    Ok(found)
}

/// Has gaps mended: at once where no server runs on the folder, and otherwise by that.
async fn mend(store: &SqliteStore, folder: &std::path::Path, gaps: &[Gap]) -> anyhow::Result<u64> {
    let mended = store.mend(gaps.to_vec(), SystemClock.now()).await;
    let mended = mended.context("the gaps cannot be mended")?;
    let Ok(_lock) = ServeLock::take(folder) else {
        return Ok(mended);
    };
    for recovery in store.running_recoveries().await? {
        let is_mending = recovery.kind == domain::recovery::RecoveryKind::Mend;
        if let Some(id) = recovery.id.filter(|_| is_mending) {
            store
                .step_recovery(id, STEP_RECORDS, SystemClock.now())
                .await?;
        }
    }
    Ok(mended)
}

fn print_found(found: &Found, repaired: bool) -> anyhow::Result<()> {
    for gap in found.gaps.iter().take(GAPS_PRINTED_MAX) {
        print(&gap.to_string())?;
    }
    if found.gap_count > GAPS_PRINTED_MAX {
        print(&format!(
            "… and {} more",
            found.gap_count - GAPS_PRINTED_MAX
        ))?;
    }
    let mut kinds: BTreeMap<GapKind, usize> = BTreeMap::new();
    for gap in &found.gaps {
        *kinds.entry(gap.kind).or_default() += 1;
    }
    let mut summary = format!(
        "{} order stages and {} webhook jobs verified, {} not judged: ",
        found.order_stages, found.webhook_jobs, found.not_judged
    );
    let told: Vec<String> = kinds
        .iter()
        .map(|(kind, count)| format!("{count} {}", kind.name()))
        .collect();
    summary.push_str(if told.is_empty() { "no gaps" } else { "" });
    summary.push_str(&told.join(", "));
    if repaired && found.mended > 0 {
        summary.push_str(&format!("; {} are mended", found.mended));
    } else if found.gaps.iter().any(|gap| gap.kind.is_mendable()) {
        summary.push_str("; --repair mends what is missing or sleeps");
    }
    print(&summary)
}
