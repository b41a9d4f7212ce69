//! What the owner of the lanes is told, and what the other nodes are.

use std::sync::Arc;

use domain::id::WebhookOutSubId;
use store::{LaneOwner, ReadyJob, SecretKey};

use super::{Lanes, News};
use crate::connection::Connection;
use crate::fault::Fault;
use crate::webhook_out_subs;
use crate::writing::Effect;

impl Lanes {
    /// Tells the lanes' owner what was committed, and the other nodes what is theirs.
    pub(crate) async fn tell(
        &self,
        connection: &Connection,
        key: &SecretKey,
        effects: Vec<Effect>,
    ) {
        let _turn = self.turn.lock().await;
        let mut ready = Vec::new();
        for effect in effects {
            match effect {
                Effect::Ready(job) => ready.push(job),
                // What is ready was so before the lane changed, and must not be told after it.
                Effect::Changed(lane) | Effect::Closed(lane) => {
                    self.tell_ready(&mut ready);
                    self.look_at(connection, key, lane).await;
                    self.notices.announce(News::Changed(lane));
                }
                Effect::Mailed => {
                    let waker = self.lock().mail_waker.clone();
                    waker();
                }
            }
        }
        self.tell_ready(&mut ready);
    }

    /// Looks at lanes of which something may have changed.
    pub(super) async fn look_at_all(
        &self,
        connection: &Connection,
        key: &SecretKey,
        lanes: impl IntoIterator<Item = WebhookOutSubId>,
    ) {
        let _turn = self.turn.lock().await;
        for lane in lanes {
            self.look_at(connection, key, lane).await;
        }
    }

    /// Jobs that may be started: those of this node go to the lanes' owner, and of the others the nodes are told.
    pub(super) fn tell_ready(&self, ready: &mut Vec<ReadyJob>) {
        let (mine, owner) = {
            let inner = self.lock();
            let mine =
                ready.extract_if(.., |job| inner.owned.contains_key(&job.webhook_out_sub_id));
            (mine.collect::<Vec<_>>(), inner.owner.clone())
        };
        if !mine.is_empty() {
            owner.ready(mine);
        }
        for job in ready.drain(..) {
            let news = News::Ready(job.webhook_out_sub_id, job.id);
            self.notices.announce(news);
        }
    }

    /// Tells the owner how a lane is, if it is this node's, or that it is not any more.
    pub(super) async fn look_at(
        &self,
        connection: &Connection,
        key: &SecretKey,
        id: WebhookOutSubId,
    ) {
        if let Err(fault) = self.try_look_at(connection, key, id).await {
            tracing::warn!(
                ?fault,
                webhook_out_sub_id = id.0,
                "a lane was not told of its change"
            );
        }
    }

    async fn try_look_at(
        &self,
        connection: &Connection,
        key: &SecretKey,
        id: WebhookOutSubId,
    ) -> Result<(), Fault> {
        let lane = webhook_out_subs::lane(connection, key, id).await?;
        let owner = {
            let mut inner = self.lock();
            if inner.leaving.contains(&id) {
                return Ok(());
            }
            let is_mine = |node: &Option<i64>| node.is_some() && *node == inner.node;
            match lane.filter(|(_, node)| is_mine(node)) {
                Some((lane, _)) => {
                    inner.owned.insert(id, lane.fence);
                    Some((inner.owner.clone(), Some(lane)))
                }
                None => {
                    let was_mine = inner.owned.remove(&id).is_some();
                    was_mine.then(|| (inner.owner.clone(), None))
                }
            }
        };
        match owner {
            Some((owner, Some(lane))) => owner.changed(lane),
            Some((owner, None)) => owner.closed(id),
            None => {}
        }
        Ok(())
    }

    /// Closes all lanes: they are others' by now.
    pub(super) async fn close_all(&self) {
        let _turn = self.turn.lock().await;
        let (owner, owned): (Arc<dyn LaneOwner>, _) = {
            let mut inner = self.lock();
            inner.leaving.clear();
            (inner.owner.clone(), std::mem::take(&mut inner.owned))
        };
        for lane in owned.into_keys() {
            owner.closed(lane);
        }
    }
}
