//! The engine: the state machine, and the tasks around it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::id::WebhookJobId;
use domain::time::Moment;
use egress::Client;
use store::{Lanes, Outcome, StoreError};
use tokio::runtime::Handle;
use tokio::sync::{Notify, OnceCell, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::dispatch::{Dispatch, Work};
use crate::judge::Judged;
use crate::lane::Start;
use crate::owner::Owner;
use crate::recorder::{OUTCOMES_WAITING_MAX, UNRECORDED_SECONDS_MAX};
use crate::settings::Settings;
use crate::shutdown::Drained;
use crate::stats::Stats;
use crate::time::Timer;
use crate::{alarm, claim, meter, recorder, worker};

/// Workers that begin in one go. A change that a thousand subscriptions want, or a thousand lanes that wake together, would else
/// keep the processors for tens of milliseconds while a request or an answer waits.
const STARTS_AT_ONCE_MAX: usize = 16;

/// Delivers the jobs of all lanes that its store gives it, until it is shut down.
pub struct Engine {
    pub(crate) store: Arc<dyn Lanes + Send + Sync>,
    pub(crate) client: Client,
    pub(crate) timer: Arc<dyn Timer>,
    pub(crate) settings: Settings,
    pub(crate) outcomes: mpsc::Sender<Outcome>,
    /// The first alarm was set to an earlier moment.
    pub(crate) alarm_moved: Notify,
    /// Workers and claims.
    pub(crate) tasks: TaskTracker,
    /// Ends workers, claims and the alarm where they are.
    pub(crate) cut: CancellationToken,
    pub(crate) recorder: TaskTracker,
    /// Tells the recorder that nothing more comes.
    pub(crate) closing: CancellationToken,
    /// Ends the recorder where it is.
    pub(crate) abandon: CancellationToken,
    pub(crate) drained: OnceCell<Drained>,
    dispatch: Mutex<Dispatch>,
    /// Since when, by the steady clock, the recorder has been at what it records.
    recording_since: Mutex<Option<Duration>>,
    runtime: Handle,
}

impl Engine {
    /// Takes over the store's lanes and begins to deliver. Its tasks run on the current runtime.
    ///
    /// # Errors
    /// When the lanes cannot be read.
    pub async fn start(
        store: Arc<dyn Lanes + Send + Sync>,
        client: Client,
        timer: Arc<dyn Timer>,
        settings: Settings,
    ) -> Result<Arc<Engine>, StoreError> {
        let (sender, receiver) = mpsc::channel(OUTCOMES_WAITING_MAX);
        let dispatch = Dispatch::new(
            settings.in_flight_max,
            settings.retry.clone(),
            settings.seed,
        );
        let engine = Arc::new(Engine {
            store,
            client,
            timer,
            settings,
            outcomes: sender,
            alarm_moved: Notify::new(),
            tasks: TaskTracker::new(),
            cut: CancellationToken::new(),
            recorder: TaskTracker::new(),
            closing: CancellationToken::new(),
            abandon: CancellationToken::new(),
            drained: OnceCell::new(),
            dispatch: Mutex::new(dispatch),
            recording_since: Mutex::default(),
            runtime: Handle::current(),
        });
        let lanes = engine
            .store
            .own_lanes(Arc::new(Owner(engine.clone())), engine.timer.now())
            .await?;
        engine.start_recorder(receiver);
        engine.update(|dispatch, now| dispatch.adopt(lanes, now));
        engine.spawn(alarm::run(engine.clone()));
        Ok(engine)
    }

    /// The jobs that are being sent at this moment.
    pub fn delivering(&self) -> Vec<WebhookJobId> {
        self.lock().delivering()
    }

    /// Figures for metrics. Looks at every lane: for each scrape, not for each job.
    pub fn stats(&self) -> Stats {
        self.lock().stats()
    }

    /// Tells the state machine something, and does what follows from it.
    pub(crate) fn update<T>(self: &Arc<Self>, tell: impl FnOnce(&mut Dispatch, Moment) -> T) -> T {
        let now = self.timer.now();
        let mut dispatch = self.lock();
        let alarm = dispatch.next_alarm();
        let told = tell(&mut dispatch, now);
        let work = if self.may_start() {
            dispatch.work(now)
        } else {
            Work::default()
        };
        let is_alarm_earlier = is_earlier(dispatch.next_alarm(), alarm);
        drop(dispatch);
        if is_alarm_earlier {
            self.alarm_moved.notify_one();
        }
        self.begin(work);
        told
    }

    /// Settles an attempt; returns what the worker does next.
    pub(crate) fn ended(
        self: &Arc<Self>,
        start: &Start,
        judged: Judged,
        permit: mpsc::Permit<'_, Outcome>,
    ) -> Option<Start> {
        self.update(|dispatch, now| {
            // Handed over under the lock: the changes of a lane's health are recorded in their order.
            if let Some(outcome) = dispatch.ended(start, judged, now) {
                meter::ended(start, &outcome, now);
                permit.send(outcome);
            }
            let may_start = self.may_start();
            may_start.then(|| dispatch.next_start(now)).flatten()
        })
    }

    /// Whether what is started now is this process's to start, and can be recorded soon as far as is known.
    fn may_start(&self) -> bool {
        let since = *self.recording_since();
        let waits = since.map(|since| self.timer.steady().saturating_sub(since));
        let is_stuck =
            waits.is_some_and(|waits| waits > Duration::from_secs(UNRECORDED_SECONDS_MAX));
        !is_stuck && self.store.may_start()
    }

    /// The recorder hands something to the store, perhaps once more.
    pub(crate) fn begins_to_record(&self) {
        let now = self.timer.steady();
        self.recording_since().get_or_insert(now);
    }

    /// The recorder is rid of what it handed over.
    pub(crate) fn ends_recording(&self) {
        *self.recording_since() = None;
    }

    fn recording_since(&self) -> MutexGuard<'_, Option<Duration>> {
        let since = self.recording_since.lock();
        since.unwrap_or_else(PoisonError::into_inner)
    }

    /// A panic under the lock is a defect, but one lane's: the others are no worse for going on.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Dispatch> {
        self.dispatch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(self: &Arc<Self>, work: Work) {
        let mut starts = work.starts;
        // Several are started by one task: the store's thread wakes the runtime once, and goes on with the next commit.
        match starts.len() {
            0 => {}
            1 => starts.drain(..).for_each(|start| self.start_worker(start)),
            _ => self.spawn(self.clone().start_in_turn(starts)),
        }
        for claim in work.claims {
            self.spawn(claim::run(self.clone(), claim));
        }
    }

    fn start_worker(self: &Arc<Self>, start: Start) {
        self.spawn(worker::work(self.clone(), start));
    }

    /// Starts a few at a time, and lets everybody else have their turn between them.
    async fn start_in_turn(self: Arc<Self>, starts: Vec<Start>) {
        for (number, start) in (1..).zip(starts) {
            self.start_worker(start);
            if number % STARTS_AT_ONCE_MAX == 0 {
                tokio::task::yield_now().await;
            }
        }
    }

    /// Spawns on the engine's own runtime: the store's thread has none.
    fn spawn(self: &Arc<Self>, task: impl Future<Output = ()> + Send + 'static) {
        let cut = self.cut.clone();
        // Boxed: what wraps a future holds it twice or three times over, and copies it as often.
        let task = Box::pin(task);
        let task = async move {
            cut.run_until_cancelled(task).await;
        };
        self.tasks.spawn_on(task, &self.runtime);
    }

    fn start_recorder(self: &Arc<Self>, outcomes: mpsc::Receiver<Outcome>) {
        let abandon = self.abandon.clone();
        let recorder = recorder::run(self.clone(), outcomes);
        let task = async move {
            abandon.run_until_cancelled(recorder).await;
        };
        self.recorder.spawn_on(task, &self.runtime);
        self.recorder.close();
    }
}

fn is_earlier(alarm: Option<Moment>, before: Option<Moment>) -> bool {
    match (alarm, before) {
        (Some(alarm), Some(before)) => alarm < before,
        (alarm, None) => alarm.is_some(),
        (None, Some(_)) => false,
    }
}
