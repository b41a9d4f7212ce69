//! Which reply is whose turn.

use std::collections::{HashMap, VecDeque};

use super::reply::Reply;

/// Status where the test says nothing.
const STATUS_DEFAULT: u16 = 200;

/// What the test said, for each path and for all.
#[derive(Debug, Default)]
pub(super) struct Script {
    pub(super) any: Part,
    by_path: HashMap<String, Part>,
}

/// What happens to the next requests, and to those after them.
#[derive(Debug, Default)]
pub(super) struct Part {
    queued: VecDeque<Reply>,
    then: Option<Reply>,
}

impl Script {
    pub(super) fn at(&mut self, path: &str) -> &mut Part {
        self.by_path.entry(path.to_owned()).or_default()
    }

    /// What happens to the request that has just arrived at this path.
    pub(super) fn next(&mut self, path: &str) -> Reply {
        let here = self.by_path.get_mut(path).and_then(Part::next);
        here.or_else(|| self.any.next())
            .unwrap_or_else(|| STATUS_DEFAULT.into())
    }
}

impl Part {
    pub(super) fn set(&mut self, reply: Reply) {
        self.queued.clear();
        self.then = Some(reply);
    }

    pub(super) fn queue(&mut self, replies: impl Iterator<Item = Reply>) {
        self.queued.extend(replies);
    }

    fn next(&mut self) -> Option<Reply> {
        self.queued.pop_front().or_else(|| self.then.clone())
    }
}
