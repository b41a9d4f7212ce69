//! Users: people, as they are registered and managed.

pub(crate) mod client_register;
pub(crate) mod create;
pub(crate) mod index;
pub(crate) mod roles_update;
pub(crate) mod shape;
pub(crate) mod show;
pub(crate) mod update;

use contract::{Input, Kind, Param, Reply};
use domain::id::IntegrationId;
use domain::user::{Client, Role, User};
use serde::Serialize;
use store::{Reference, Registered, Target};

use crate::endpoint::Answer;
use crate::sessions::{PASSWORD_CHARS_MAX, ShownSession};

/// Shortest password in characters (NIST SP 800-63B section 3.1.1.2 wants at least eight).
const PASSWORD_CHARS_MIN: usize = 8;
/// Longest name in characters.
const NAME_CHARS_MAX: usize = 200;
/// Most integrations that a user is scoped to.
const SCOPED_INTEGRATIONS_MAX: usize = 1_000;

pub(crate) const NAME: Param = Param::string("name")
    .chars(1, NAME_CHARS_MAX)
    .about("What the user is called.");
pub(crate) const PASSWORD: Param = Param::string("password")
    .chars(PASSWORD_CHARS_MIN, PASSWORD_CHARS_MAX)
    .about("A password of at least eight characters. Only a hash of it is kept (argon2id).");
const ROLES: Param = Param::array("roles", &Kind::STRING)
    .items(0, Role::NAMES.len())
    .one_of(&Role::NAMES)
    .about(
        "What the user may be: `client` manages the integrations they are scoped to, `liaison` reads those and \
         may send jobs again, `employee` does everything.",
    );
const SCOPED_INTEGRATIONS: Param = Param::array("scoped_integrations", &Kind::INTEGER)
    .items(0, SCOPED_INTEGRATIONS_MAX)
    .about("The ids of the integrations that the user may use as client or liaison.");

#[derive(Serialize)]
struct ShownRegistered<'a> {
    user: &'a User,
    client: &'a Client,
    session: ShownSession<'a>,
}

/// The answer to whoever has just registered.
pub(crate) fn registered(registered: &Registered, token: &str) -> Answer {
    let (user, client) = (&registered.user, &registered.client);
    let session = ShownSession::new(&registered.session, user).and_token(token);
    Ok(Reply::of(&ShownRegistered {
        user,
        client,
        session,
    })?)
}

fn roles(input: &Input<'_>) -> Option<Vec<Role>> {
    let names = input.strings(ROLES.name)?;
    Some(names.iter().filter_map(|name| Role::parse(name)).collect())
}

fn scoped_integrations(input: &Input<'_>) -> Option<Vec<IntegrationId>> {
    let ids = input.integers(SCOPED_INTEGRATIONS.name)?;
    Some(ids.into_iter().map(IntegrationId).collect())
}

/// That the integrations exist.
fn scope_references(integrations: Option<&[IntegrationId]>) -> Vec<Reference> {
    let integrations = integrations.unwrap_or_default().iter().enumerate();
    integrations
        .map(|(index, id)| {
            let attr = format!("{}[{index}]", SCOPED_INTEGRATIONS.name);
            Reference::new(attr, Target::Integration(*id))
        })
        .collect()
}
