//! `integrations/portal_link`.

use std::time::Duration;

use app::Access;
use contract::{Param, Reply, Route, TOKEN};
use domain::portal_link::{LINK_LIFE_DEFAULT, LINK_LIFE_SECONDS, SUBJECT_CHARS_MAX};
use domain::time::Moment;
use serde::Serialize;

use super::fields::ID;
use super::shape::PORTAL_LINK;
use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};

pub(crate) const ROUTE: Route = Route::post("integrations", "portal_link")
    .about(
        "Integrations Portal link API",
        "Makes a link into the portal: pages for one integration alone, where its subscriptions, jobs and orders can be seen and \
         mended, by somebody who has no account here. Put its `url` into a frame of your own site; the origins that may do so are \
         those of `frame_ancestors` in the configuration. Whoever has the link may do what it allows until it expires. While \
         this route is switched off, no link is good.",
    )
    .params(&[
        TOKEN,
        ID,
        Param::string("subject")
            .at(300)
            .required()
            .chars(1, SUBJECT_CHARS_MAX)
            .about("Who the link is for, such as the name of a user of yours. The portal and the audit trail show it."),
        Param::integer("expires_in_seconds")
            .at(400)
            .range(LINK_LIFE_SECONDS.0 as i64, LINK_LIFE_SECONDS.1 as i64)
            .about("How long the link is good; 3,600 when absent. Make a new one each time your page is shown."),
    ])
    .data(&PORTAL_LINK)
    .example(r#"{"token": "pra_…", "id": 1, "subject": "Bob of Acme Homes", "expires_in_seconds": 3600}"#);

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Managers,
    handle: |call| Box::pin(handle(call)),
};

#[derive(Serialize)]
struct Made {
    integration_id: i64,
    subject: String,
    url: String,
    token: String,
    expires_at: Moment,
}

async fn handle(call: Call<'_>) -> Answer {
    let scope = call.scope_of("id").await?;
    let subject = call.input.string("subject");
    let seconds = call.input.integer("expires_in_seconds");
    let (scope, subject) = call.input.finish(|| Some((scope?, subject?)))?;
    let life = seconds.and_then(|seconds| u64::try_from(seconds).ok());
    let life = life.map_or(LINK_LIFE_DEFAULT, Duration::from_secs);
    let made = call.app().create_portal_link(&scope, subject, life)?;
    Ok(Reply::of(&Made {
        integration_id: made.link.integration_id.0,
        subject: made.link.subject,
        url: format!("{}/portal/{}", call.api.settings.public_url, made.token),
        token: made.token,
        expires_at: made.link.expires_at,
    })?)
}
