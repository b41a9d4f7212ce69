//! What a recovery looks at, and how far a step of it comes.

use domain::id::IntegrationId;

use crate::order_stages::StageQuery;
use crate::page::{Cursor, ListQuery, PageRequest, Sort, SortKey, Start};
use crate::recoveries::RecoveryWork;
use crate::webhook_jobs::JobQuery;

/// Most jobs or changes that a step looks at: bounds how long it holds up the writer.
pub const LOOK_MAX: u32 = 500;

/// How far a step came.
#[derive(Debug, Default)]
pub struct Came {
    /// The last one that was looked at.
    pub to: Option<i64>,
    /// How many were looked at.
    pub looked_at: usize,
    /// How many jobs were made, or made due.
    pub made: usize,
    /// Whether there is more to look at.
    pub goes_on: bool,
}

impl Came {
    /// Before anything of a page of so many was looked at.
    pub fn of(page: usize) -> Came {
        Came {
            goes_on: page == LOOK_MAX as usize,
            ..Came::default()
        }
    }

    /// Notes one that was looked at.
    pub fn look_at(&mut self, id: i64) {
        self.to = Some(id);
        self.looked_at += 1;
    }
}

/// A recovery's work, and how far it has come.
#[derive(Debug)]
pub struct Kept {
    /// What it does.
    pub work: RecoveryWork,
    /// The last job or change that was looked at.
    pub after: i64,
    /// The last one that there was when it began.
    pub last: i64,
}

/// What a recovery looks at.
#[derive(Debug)]
pub enum LooksAt {
    /// Jobs.
    Jobs(JobQuery),
    /// Changes.
    Stages(StageQuery),
    /// What it names itself.
    Named {
        /// How many that are.
        count: usize,
    },
}

impl RecoveryWork {
    /// What it looks at.
    pub fn looks_at(&self, integration_id: IntegrationId) -> LooksAt {
        let stages = |from, until| {
            LooksAt::Stages(StageQuery {
                integration_id,
                order_ids: Vec::new(),
                stages: Vec::new(),
                event_slugs: Vec::new(),
                created_from: from,
                created_until: until,
                list: page(0, 0),
            })
        };
        match self {
            RecoveryWork::Retry { filter, .. } => LooksAt::Jobs(JobQuery {
                integration_id,
                filter: filter.clone(),
                delivering: Vec::new(),
                list: page(0, 0),
            }),
            RecoveryWork::Replay { from, until, .. } => stages(*from, *until),
            RecoveryWork::CatchUp { since, .. } => stages(Some(*since), None),
            RecoveryWork::Mend { missing, sleeping } => LooksAt::Named {
                count: missing.len() + sleeping.len(),
            },
        }
    }
}

/// The oldest ones behind an id.
pub fn page(after: i64, size: u32) -> ListQuery {
    let cursor = Cursor {
        by: "id".to_owned(),
        descending: false,
        value: SortKey::Integer(after),
        id: after,
    };
    ListQuery {
        search: None,
        sort: Sort {
            by: "id",
            descending: false,
        },
        page: PageRequest {
            size,
            start: Start::After(cursor),
        },
        count: false,
    }
}
