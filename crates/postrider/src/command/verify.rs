//! `postrider verify`: whether the store holds exactly what it should, beside a running server or without one.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use domain::gap::{Gap, GapKind};
use domain::id::{OrderStageId, RecoveryId, WebhookJobId};
use domain::time::Clock;
use serde::Serialize;
use store::Store;
use store_sqlite::ServeLock;

use super::{on_store, print};
use crate::clock::SystemClock;
use crate::config::{Config, ConfigArgs};

/// Records of one piece: each is read on one view of the store, which the writer must keep for so long.
const PIECE_RECORDS: u32 = 500;
/// Most jobs that a recovery looks at in one step, where this process does it itself.
const STEP_RECORDS: u32 = 500;
/// Gaps that are handed over to be mended in one transaction.
const GAPS_PER_MEND: usize = 500;
/// How often, and how many times, a server that mends is asked whether it has: for half a minute.
const LOOK_MILLISECONDS: u64 = 100;
const LOOKS_MAX: usize = 300;
/// Most gaps that are kept: who has more has another trouble, and finds the rest the next time.
const GAPS_MAX: usize = 100_000;
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

impl Found {
    fn add(&mut self, gaps: Vec<Gap>) {
        self.gap_count += gaps.len();
        let room = GAPS_MAX.saturating_sub(self.gaps.len());
        self.gaps.extend(gaps.into_iter().take(room));
    }
}

/// Runs the command; whether nothing is wrong any more.
///
/// # Errors
/// The store cannot be used.
pub fn run(args: VerifyArgs) -> anyhow::Result<bool> {
    let config = Config::new(args.config.clone().with_surroundings())?;
    let found = on_store(args.config, async |store| {
        let mut found = find(store).await.context("the store cannot be read")?;
        if args.repair {
            found.mended = mend(store, &config, &found.gaps).await?;
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

async fn find(store: &dyn Store) -> anyhow::Result<Found> {
    let mut found = Found::default();
    let mut after = OrderStageId(0);
    loop {
        let piece = store.verify_order_stages(after, PIECE_RECORDS).await?;
        found.order_stages += piece.looked_at;
        found.not_judged += piece.not_judged;
        found.add(piece.gaps);
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
        found.add(piece.gaps);
        match piece.to {
            Some(to) => after = to,
            None => break,
        }
    }
    Ok(found)
}

/// Has gaps mended: at once where no server runs on the folder, and otherwise by that. Of a database whose nodes know of each other's
/// steps, at once in any case. Returns how many are.
async fn mend(store: &dyn Store, config: &Config, gaps: &[Gap]) -> anyhow::Result<u64> {
    let mut mended = 0;
    let is_shared = config.database_url.is_some();
    let lock = match is_shared {
        true => None,
        false => ServeLock::take(&config.data).ok(),
    };
    let is_alone = is_shared || lock.is_some();
    for gaps in gaps.chunks(GAPS_PER_MEND) {
        let begun = store.mend(gaps.to_vec(), SystemClock.now()).await;
        for id in begun.context("the gaps cannot be mended")? {
            mended += mended_by(store, id, is_alone).await?;
        }
    }
    Ok(mended)
}

/// Waits for a recovery that mends, or takes its step where nobody else does.
async fn mended_by(store: &dyn Store, id: RecoveryId, is_alone: bool) -> anyhow::Result<u64> {
    if is_alone {
        store
            .step_recovery(id, STEP_RECORDS, SystemClock.now())
            .await?;
    }
    for _ in 0..LOOKS_MAX {
        match store.recovery(None, id).await? {
            Some(recovery) if recovery.finished_at.is_none() => {
                tokio::time::sleep(Duration::from_millis(LOOK_MILLISECONDS)).await;
            }
            Some(recovery) => return Ok(recovery.made),
            None => break,
        }
    }
    anyhow::bail!("the server has not mended the gaps yet; verify again in a while")
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
