//! `notifications/update`.

use app::Access;
use contract::{Param, Reply, Route, TOKEN};
use domain::id::NotificationId;

use super::shape::NOTIFICATION;
use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};

pub(crate) const ROUTE: Route = Route::put("notifications", "update")
    .about(
        "Notifications Update API",
        "Marks a notification as read, or as unread again. Should the same happen after it was read, it is a \
         new notification.",
    )
    .params(&[
        TOKEN,
        Param::integer("id")
            .at(200)
            .required()
            .about("The id of the notification."),
        Param::boolean("read")
            .at(300)
            .required()
            .about("Whether it was read."),
    ])
    .data(&NOTIFICATION)
    .example(r#"{"token": "pra_…", "id": 1, "read": true}"#);

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Operators,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let input = call.input;
    let (id, read) = (
        input.integer("id").map(NotificationId),
        input.boolean("read"),
    );
    let (id, read) = input.finish(|| Some((id?, read?)))?;
    let updated = call.app().update_notification(call.caller, id, read);
    Ok(Reply::of(&updated.await?)?)
}
