//! Notifications, and the mails whose failure is one.

use domain::id::NotificationId;
use domain::letter::Letter;
use domain::notification::{NewNotification, Notification, NotificationKind};
use store::{NotificationQuery, Page};

use crate::app::App;
use crate::caller::Caller;
use crate::denied::Denied;

impl App {
    /// Tells the operators that a request ended with a fault of ours. A failure to do so is logged: it must
    /// not hide the fault itself.
    pub async fn notify_crash(&self, path: &str, request_id: &str) {
        self.notify(NewNotification {
            kind: NotificationKind::ApplicationCrash,
            about: path.to_owned(),
            integration_id: None,
            webhook_out_sub_id: None,
            message: format!("A request to {path} crashed; the log has it under its request id."),
            request_id: Some(request_id.to_owned()),
            at: self.now(),
        })
        .await;
    }

    /// Sends mails that the request itself must send, or tells the operators why not.
    pub(crate) async fn send(
        &self,
        caller: Caller<'_>,
        letters: Vec<Letter>,
    ) -> Result<(), Denied> {
        let Err(failed) = self.mailer.send(letters).await else {
            return Ok(());
        };
        self.notify(NewNotification {
            kind: NotificationKind::MailFailed,
            about: "request".to_owned(),
            integration_id: None,
            webhook_out_sub_id: None,
            message: format!("A mail that a request had to send was not sent: {failed}."),
            request_id: Some(caller.request_id.to_owned()),
            at: self.now(),
        })
        .await;
        Err(failed.into())
    }

    async fn notify(&self, new: NewNotification) {
        let kind = new.kind.name();
        if let Err(error) = self.store.raise_notification(new).await {
            tracing::error!(kind, %error, "a notification could not be kept");
        }
    }

    /// Notifications.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn notifications(
        &self,
        query: NotificationQuery,
    ) -> Result<Page<Notification>, Denied> {
        Ok(self.store.notifications(query).await?)
    }

    /// Marks a notification as read, or as unread again.
    ///
    /// # Errors
    /// Refused where it does not exist (`id`), or where the same happened since (`read`).
    pub async fn update_notification(
        &self,
        caller: Caller<'_>,
        id: NotificationId,
        read: bool,
    ) -> Result<Notification, Denied> {
        let change = self.change(caller);
        Ok(self.store.update_notification(id, read, change).await?)
    }
}
