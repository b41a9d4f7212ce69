//! `sessions/show`.

use app::{Access, Denied};
use contract::{Reply, Route, TOKEN};

use super::shape::SESSION;
use super::{SessionOfUser, ShownSession};
use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};

pub(crate) const ROUTE: Route = Route::post("sessions", "show")
    .about(
        "Sessions Show API",
        "Shows the session that the token belongs to, and its user. Open to users without a role.",
    )
    .params(&[TOKEN])
    .data(&SESSION)
    .example(r#"{"token": "prs_…"}"#);

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Sessions,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    call.input.finish(|| Some(()))?;
    let signed_in = call.caller.principal.signed_in();
    let signed_in = signed_in.ok_or(Denied::Forbidden)?;
    let (session, user) = (&signed_in.session, &signed_in.user);
    let session = ShownSession::new(session, user);
    Ok(Reply::of(&SessionOfUser { session, user })?)
}
