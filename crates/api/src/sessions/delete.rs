//! `sessions/delete`.

use app::Access;
use contract::{Reply, Route, TOKEN};

use super::shape::ENDED;
use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};

pub(crate) const ROUTE: Route = Route::post("sessions", "delete")
    .about(
        "Sessions Delete API",
        "Signs out: ends the session that the token belongs to. Open to users without a role.",
    )
    .params(&[TOKEN])
    .data(&ENDED)
    .example(r#"{"token": "prs_…"}"#);

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Sessions,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    call.input.finish(|| Some(()))?;
    let session = call.app().delete_session(call.caller).await?;
    Ok(Reply::of(&session)?)
}
