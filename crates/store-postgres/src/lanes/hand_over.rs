//! Handing over: what one node commits for a lane of another is told to that one by the database (NOTIFY), on a connection of its own.
//!
//! Notices follow the commit, in a transaction of their own: a transaction that notifies commits alone in its whole database. One that is
//! lost, with the node or the connection, is made up for by the next look at the lanes.

use std::sync::{Arc, Weak};
use std::time::Duration;

use deadpool_postgres::Pool;
use domain::id::{WebhookJobId, WebhookOutSubId};
use futures_util::stream::{self, StreamExt};
use tokio::sync::mpsc;
use tokio_postgres::{AsyncMessage, Client, Notification};

use super::own;
use crate::connection::Connection;
use crate::due;
use crate::fault::{Fault, unavailable};
use crate::open::{PostgresStore, Shared};
use crate::pool::Way;

/// Where nodes listen.
const LISTEN: &str = "listen postrider_lanes";
pub(crate) const PROCESS_ID: &str = "select pg_backend_pid()";
pub(crate) const NOTIFY: &str = "select pg_notify('postrider_lanes', $1)";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[PROCESS_ID, NOTIFY];

/// Most bytes of a notice: PostgreSQL takes less than 8,000.
const NOTICE_BYTES_MAX: usize = 7_900;
/// How long the database may take to take them, in seconds; then the connection is made anew.
const SILENCE_SECONDS_MAX: u64 = 10;
/// Most news that wait to be told; more are dropped, and found by the next look at the lanes.
const NEWS_WAITING_MAX: usize = 100_000;

/// What other nodes are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// A job may be started.
    Ready(WebhookOutSubId, WebhookJobId),
    /// A lane is to be looked at.
    Changed(WebhookOutSubId),
    /// Lanes are free, or there is a node more.
    Free,
}

impl News {
    fn write(self) -> String {
        match self {
            News::Ready(lane, job) => format!("{}.{} ", lane.0, job.0),
            News::Changed(lane) => format!("{} ", lane.0),
            News::Free => "free ".to_owned(),
        }
    }

    /// What a newer node tells that this one does not understand is passed over.
    fn read(text: &str) -> Option<News> {
        if text == "free" {
            return Some(News::Free);
        }
        Some(match text.split_once('.') {
            Some((lane, job)) => News::Ready(
                WebhookOutSubId(lane.parse().ok()?),
                WebhookJobId(job.parse().ok()?),
            ),
            None => News::Changed(WebhookOutSubId(text.parse().ok()?)),
        })
    }
}

/// The way to the task that tells them.
pub(crate) struct Notices(mpsc::Sender<News>);

/// That task's end of it.
pub(crate) struct Outgoing(mpsc::Receiver<News>);

impl Notices {
    pub(crate) fn new() -> (Notices, Outgoing) {
        let (sender, receiver) = mpsc::channel(NEWS_WAITING_MAX);
        (Notices(sender), Outgoing(receiver))
    }

    pub(super) fn announce(&self, news: News) {
        if self.0.try_send(news).is_err() {
            tracing::debug!(?news, "is not told; the next look at the lanes finds it");
        }
    }

    /// Tells it at once.
    pub(super) async fn announce_on(
        &self,
        connection: &Connection,
        news: News,
    ) -> Result<(), Fault> {
        connection.query(NOTIFY, &[&news.write()]).await.map(|_| ())
    }
}

/// A connection that listens.
struct Line {
    client: Client,
    /// By which the database names this connection as the one that tells.
    process_id: i32,
    heard: mpsc::UnboundedReceiver<Notification>,
}

impl Line {
    /// What others have told, of what was heard.
    fn of_others(&self, notice: &Notification) -> Option<String> {
        (notice.process_id() != self.process_id).then(|| notice.payload().to_owned())
    }
}

/// Begins to listen, and starts the task that tells what it hears and tells the others; it ends when nobody has the store any more.
pub(crate) async fn start(
    way: Way,
    pool: Pool,
    shared: Weak<Shared>,
    outgoing: Outgoing,
) -> Result<(), Fault> {
    let line = connect(&way).await?;
    tokio::spawn(run(line, way, pool, shared, outgoing));
    Ok(())
}

async fn run(mut line: Line, way: Way, pool: Pool, shared: Weak<Shared>, mut outgoing: Outgoing) {
    while talk(line, &pool, &shared, &mut outgoing).await.is_some() {
        tracing::warn!("the connection to the other nodes has ended; it is made anew");
        line = loop {
            tokio::time::sleep(own::PAUSE).await;
            if shared.strong_count() == 0 {
                return;
            }
            match connect(&way).await {
                Ok(line) => break line,
                Err(fault) => {
                    tracing::warn!(?fault, "other nodes cannot be told of jobs, nor heard");
                }
            }
        };
        let Some(store) = upgrade(&pool, &shared) else {
            return;
        };
        if let Err(fault) = own::look_for_missed(&store).await {
            tracing::warn!(?fault, "what was told meanwhile was not looked for");
        }
    }
}

fn upgrade(pool: &Pool, shared: &Weak<Shared>) -> Option<PostgresStore> {
    let shared: Arc<Shared> = shared.upgrade()?;
    let pool = pool.clone();
    Some(PostgresStore { pool, shared })
}

async fn connect(way: &Way) -> Result<Line, Fault> {
    let silent = || unavailable("the database does not answer");
    let (client, mut connection) = way.connect().await?.ok_or_else(silent)?;
    let (say, heard) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut messages = stream::poll_fn(move |context| connection.poll_message(context));
        while let Some(Ok(message)) = messages.next().await {
            if let AsyncMessage::Notification(notice) = message
                && say.send(notice).is_err()
            {
                return;
            }
        }
    });
    let listen = async {
        client.batch_execute(LISTEN).await?;
        client.query_one(PROCESS_ID, &[]).await?.try_get(0)
    };
    let listens = tokio::time::timeout(Duration::from_secs(SILENCE_SECONDS_MAX), listen);
    let process_id = listens.await.map_err(|_| silent())??;
    Ok(Line {
        client,
        process_id,
        heard,
    })
}

/// Tells and listens until the connection ends; nothing where nobody has the store any more.
async fn talk(
    mut line: Line,
    pool: &Pool,
    shared: &Weak<Shared>,
    outgoing: &mut Outgoing,
) -> Option<()> {
    let mut news = Vec::new();
    loop {
        tokio::select! {
            count = outgoing.0.recv_many(&mut news, NEWS_WAITING_MAX) => {
                if count == 0 {
                    return None;
                }
                let telling = tell(&line.client, &news);
                match tokio::time::timeout(Duration::from_secs(SILENCE_SECONDS_MAX), telling).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => {
                        tracing::warn!(%error, "other nodes were not told");
                        return Some(());
                    }
                    Err(_) => {
                        tracing::warn!("other nodes were not told: the database does not answer");
                        return Some(());
                    }
                }
                news.clear();
            }
            heard = line.heard.recv() => {
                let Some(heard) = heard else {
                    return Some(());
                };
                let mut notices: Vec<String> = line.of_others(&heard).into_iter().collect();
                while let Ok(more) = line.heard.try_recv() {
                    notices.extend(line.of_others(&more));
                }
                let store = upgrade(pool, shared)?;
                hear(&store, &notices).await;
            }
        }
    }
}

async fn tell(client: &Client, news: &[News]) -> Result<(), tokio_postgres::Error> {
    let mut notices = vec![String::new()];
    for one in news {
        let text = one.write();
        match notices.last_mut() {
            Some(last) if last.len() + text.len() <= NOTICE_BYTES_MAX => last.push_str(&text),
            _ => notices.push(text),
        }
    }
    for notice in notices {
        client.query(NOTIFY, &[&notice]).await?;
    }
    Ok(())
}

/// Tells the lanes' owner what is its own of what others tell.
async fn hear(store: &PostgresStore, notices: &[String]) {
    let lanes = &store.shared.lanes;
    if lanes.node().is_none() {
        return;
    }
    let (mut ready, mut changed, mut is_free) = (Vec::new(), Vec::new(), false);
    let owner = {
        let inner = lanes.lock();
        let words = notices.iter().flat_map(|notice| notice.split(' '));
        for news in words.filter_map(News::read) {
            match news {
                News::Ready(lane, job) if inner.owned.contains_key(&lane) => {
                    ready.push((lane, job.0))
                }
                News::Ready(..) => {}
                News::Changed(lane) => changed.push(lane),
                News::Free => is_free = true,
            }
        }
        inner.owner.clone()
    };
    // What a lane looks for by itself need not be read twice.
    ready.retain(|(lane, _)| !owner.will_look(*lane));
    let jobs: Vec<i64> = ready.into_iter().map(|(_, job)| job).collect();
    if is_free {
        own::hurry(&store.shared);
    }
    if let Err(fault) = hand_over(store, &jobs, changed).await {
        tracing::warn!(?fault, "jobs that others made were not handed over yet");
    }
}

async fn hand_over(
    store: &PostgresStore,
    jobs: &[i64],
    mut changed: Vec<WebhookOutSubId>,
) -> Result<(), Fault> {
    if jobs.is_empty() && changed.is_empty() {
        return Ok(());
    }
    let lanes = &store.shared.lanes;
    let connection = store.connection().await?;
    if !jobs.is_empty() {
        let _turn = lanes.turn.lock().await;
        let mut ready = due::ready_jobs(&connection, jobs).await?;
        // A lane that went to another node meanwhile is looked at there.
        ready.retain(|job| lanes.owner_of(job.webhook_out_sub_id).is_some());
        lanes.tell_ready(&mut ready);
    }
    changed.sort_unstable();
    changed.dedup();
    lanes
        .look_at_all(&connection, &store.shared.key, changed)
        .await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_survive_being_told() {
        let news = [
            News::Ready(WebhookOutSubId(7), WebhookJobId(12)),
            News::Changed(WebhookOutSubId(3)),
            News::Free,
        ];
        let told: String = news.into_iter().map(News::write).collect();
        let heard: Vec<News> = told.split(' ').filter_map(News::read).collect();
        assert_eq!(heard, news);
        for unknown in ["", "x", "7.x", "7.8.9"] {
            assert_eq!(News::read(unknown), None, "{unknown}");
        }
    }
}
