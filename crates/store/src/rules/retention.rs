//! Walking through the changes of an integration and their jobs, side by side.
//!
//! The jobs that were made with a change have ids in a row, and changes and jobs have ids in nearly the same order: two pages
//! are enough to know all of them. Jobs that were made later (`late`) are met on their own, and looked up by an index
//! where their change is decided.

use std::collections::VecDeque;

/// Changes that one look reads.
pub const STAGES_LOOKED_AT: usize = 400;
/// Jobs that one look reads.
pub const JOBS_LOOKED_AT: usize = 400;
/// Jobs that a look reads where the jobs of one change did not fit: an integration has up to 1,000 subscriptions.
pub const JOBS_OF_STAGE_MAX: usize = 1_100;

/// What a walk removes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Payloads only.
    Payloads,
    /// Changes with all that belongs to them, and jobs that belong to none.
    Changes,
}

/// What of a job decides whether it goes; times are in microseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its id.
    pub id: i64,
    /// Its order, unless it is a test.
    pub order: Option<i64>,
    /// Its change, unless it is a test.
    pub stage: Option<i64>,
    /// Its payload.
    pub payload: i64,
    /// When it was made.
    pub created_at: i64,
    /// When it became final.
    pub finished_at: Option<i64>,
    /// Whether it was made after its change.
    pub late: bool,
}

/// What of a change decides whether it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// Its id.
    pub id: i64,
    /// Its order.
    pub order: i64,
    /// When it was accepted, in microseconds since 1970.
    pub created_at: i64,
}

/// A page of jobs and one of changes, walked through together.
#[derive(Debug)]
pub struct Look {
    jobs: VecDeque<Job>,
    stages: VecDeque<Stage>,
    has_all_jobs: bool,
    has_all_stages: bool,
    before: i64,
}

/// What a look comes to.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// A job that was not made with a change, or is left over from one that is gone.
    Alone(Job),
    /// A change, and the jobs that were made with it.
    Change(Stage, Vec<Job>),
    /// There may be more than these pages show.
    Paused,
    /// What follows is too young, or there is nothing more.
    Ended,
}

impl Look {
    /// A look at a page of jobs of at most `jobs_asked_for` and one of changes, of up to [`STAGES_LOOKED_AT`], both by id.
    /// Nothing that was made after `before` is looked at.
    pub fn new(jobs: Vec<Job>, jobs_asked_for: usize, stages: Vec<Stage>, before: i64) -> Look {
        Look {
            has_all_jobs: jobs.len() < jobs_asked_for,
            has_all_stages: stages.len() < STAGES_LOOKED_AT,
            jobs: jobs.into(),
            stages: stages.into(),
            before,
        }
    }

    /// The next one, in the order of ids: jobs on their own before the change behind them.
    pub fn step(&mut self) -> Next {
        let stage = match self.stages.front() {
            Some(stage) => stage.id,
            None if self.has_all_stages => i64::MAX,
            None => return Next::Paused,
        };
        if let Some(job) = self
            .jobs
            .pop_front_if(|job| !job.is_made_with_or_after(stage))
        {
            return if job.created_at > self.before {
                Next::Ended
            } else {
                Next::Alone(job)
            };
        }
        match self.stages.pop_front() {
            Some(stage) if stage.created_at > self.before => Next::Ended,
            Some(stage) => self.change(stage),
            None if self.has_all_jobs => Next::Ended,
            None => Next::Paused,
        }
    }

    fn change(&mut self, stage: Stage) -> Next {
        let mut own = Vec::new();
        while let Some(job) = self.jobs.pop_front_if(|job| job.is_made_with(stage.id)) {
            own.push(job);
        }
        // There may be more of them than this look has read.
        if self.jobs.is_empty() && !self.has_all_jobs {
            return Next::Paused;
        }
        Next::Change(stage, own)
    }
}

impl Job {
    fn is_made_with(&self, stage: i64) -> bool {
        !self.late && self.stage == Some(stage)
    }

    fn is_made_with_or_after(&self, stage: i64) -> bool {
        !self.late && self.stage >= Some(stage)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(id: i64) -> Stage {
        Stage {
            id,
            order: 1,
            created_at: id,
        }
    }

    fn job(id: i64, stage: Option<i64>, late: bool) -> Job {
        Job {
            id,
            order: stage.map(|_| 1),
            stage,
            payload: 1,
            created_at: stage.unwrap_or(0),
            finished_at: Some(0),
            late,
        }
    }

    /// What a look comes to, in short: `a` a job alone, `c` a change with so many jobs.
    fn told(mut look: Look) -> String {
        let mut told = String::new();
        loop {
            match look.step() {
                Next::Alone(job) => told += &format!("a{} ", job.id),
                Next::Change(stage, own) => told += &format!("c{}:{} ", stage.id, own.len()),
                end => return told + &format!("{end:?}"),
            }
        }
    }

    #[test]
    fn jobs_and_changes_are_met_side_by_side() {
        let jobs = || {
            vec![
                job(1, None, false),
                job(2, Some(1), false),
                job(3, Some(1), false),
                job(4, Some(1), true),
                job(5, Some(3), false),
                job(6, None, false),
            ]
        };
        let stages = || vec![stage(1), stage(2), stage(3)];
        let all = Look::new(jobs(), 100, stages(), 9);
        assert_eq!(told(all), "a1 c1:2 a4 c2:0 c3:1 a6 Ended");
        // What is too young ends it, whether a change or a job.
        assert_eq!(
            told(Look::new(jobs(), 100, stages(), 2)),
            "a1 c1:2 a4 c2:0 Ended"
        );
        // A full page of jobs says nothing of the last change's.
        assert_eq!(
            told(Look::new(jobs()[..5].to_vec(), 5, stages(), 9)),
            "a1 c1:2 a4 c2:0 Paused"
        );
        // Those of a change that is gone are alone.
        assert_eq!(
            told(Look::new(jobs(), 100, vec![stage(3)], 9)),
            "a1 a2 a3 a4 c3:1 a6 Ended"
        );
        assert_eq!(told(Look::new(Vec::new(), 100, Vec::new(), 9)), "Ended");
    }
}
