//! What is kept: traits whose methods are whole business transactions.
//!
//! A method either did all of what its name says, durably, or nothing. No method hands out a
//! transaction, a row or a query: rules live in `domain`, SQL lives in the implementations, and what
//! lies between is said in the records of this crate. Methods are async so that an engine over a
//! network fits as well as the embedded one.
//!
//! Every change of a record takes a [`Change`] (who, when, by which request) and writes its audit event
//! in the same transaction.

mod applications;
mod audit_events;
mod change;
pub mod copy;
mod delivery_statistics;
mod error;
mod integrations;
mod lanes;
mod list_items;
mod mails;
mod notifications;
mod order_stages;
mod orders;
mod page;
pub mod payload;
mod payload_render_views;
mod recoveries;
mod reference;
mod registry;
mod retention;
pub mod rules;
mod seal;
mod sessions;
mod users;
mod verify;
mod webhook_jobs;
mod webhook_out_subs;

pub use applications::{ApplicationChanges, Applications, NewApplication, WithToken};
pub use audit_events::{AuditEvents, AuditQuery};
pub use change::{Change, Created, Idempotency};
pub use delivery_statistics::{
    DeliveryStatistics, STATISTICS_PERIODS_MAX, StatisticsKey, StatisticsQuery, StatisticsTally,
};
pub use error::{Refusal, Rejection, StoreError};
pub use integrations::{IntegrationChanges, Integrations, NewIntegration};
pub use lanes::{
    DueJobs, Fence, Lane, LaneOwner, Lanes, NextStep, NoLanes, Outcome, ReadyJob, Withdrawal,
};
pub use list_items::{List, ListItemChanges, ListItems, NewListItem};
pub use mails::{DueMails, MAILS_WAITING_MAX, MailStep, MailWaker, Mails, WaitingMail};
pub use notifications::{NotificationQuery, Notifications};
pub use order_stages::{
    Explanation, NewOrderStage, OrderRef, OrderStages, StageDetail, StageQuery,
};
pub use orders::{NewOrder, OrderQuery, OrderUpdate, Orders};
pub use page::{
    COUNT_MAX, Count, Cursor, ListQuery, OFFSET_ROWS_MAX, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX, Page,
    PageRequest, Search, Sort, SortKey, Start,
};
pub use payload_render_views::{
    NewPayloadRenderView, PayloadRenderViewChanges, PayloadRenderViews, ShownView,
};
pub use recoveries::{NewRecovery, Recoveries, RecoveryWork, Step};
pub use reference::{Reference, Target};
pub use registry::{DeclaredRoute, Deployment, Registry, RegistryRecords};
pub use retention::{
    Removable, Removed, Retention, RetentionPlace, RetentionPolicy, RetentionStep, Walked,
};
pub use seal::{SealFault, SecretKey};
pub use sessions::{NewSignInLink, SESSIONS_PER_USER_MAX, Sessions, SignedIn};
pub use users::{Credentials, NewClient, NewUser, Registered, UserChanges, UserQuery, Users};
pub use verify::{Verified, Verify};
pub use webhook_jobs::{JobDetail, JobFilter, JobQuery, Waiting, WebhookJobs};
pub use webhook_out_subs::{
    NewSigning, NewWebhookOutSub, WebhookOutSubChanges, WebhookOutSubs, WithSecret,
};

use domain::id::IntegrationId;
use domain::time::Moment;

/// A store: everything that is kept, whichever engine keeps it.
#[async_trait::async_trait]
pub trait Store:
    Applications
    + Integrations
    + WebhookOutSubs
    + Orders
    + OrderStages
    + WebhookJobs
    + ListItems
    + Notifications
    + Users
    + Sessions
    + RegistryRecords
    + AuditEvents
    + PayloadRenderViews
    + Recoveries
    + Retention
    + Verify
    + Lanes
    + DeliveryStatistics
    + Mails
    + Send
    + Sync
{
    /// Whether changes can be written durably at this moment.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] with the reason.
    async fn check_writable(&self) -> Result<(), StoreError>;

    /// Whether the secret key opens what was sealed last; so it does where nothing was.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn opens_secrets(&self) -> Result<bool, StoreError>;

    /// Which of these references do not hold, in their order. For requests that are refused anyway: a
    /// transaction checks its own references itself.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn check(&self, references: Vec<Reference>) -> Result<Vec<Refusal>, StoreError>;

    /// Whether a create of this integration was carried out under its idempotency key before, and will only be
    /// answered again.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn is_repeated(
        &self,
        integration_id: IntegrationId,
        idempotency: Idempotency,
        now: Moment,
    ) -> Result<bool, StoreError>;

    /// Finishes what is being written and refuses everything from then on.
    async fn close(&self);
}
