//! Users, their roles, and what these reach.

use domain::email_address::EmailAddress;
use domain::id::{IntegrationId, UserId};
use domain::session::Session;
use domain::token::TokenHash;
use domain::user::{Role, User};
use store::{
    Integrations, NewClient, NewSignInLink, NewUser, Registered, Rejection, Sessions, SignedIn,
    UserQuery, Users,
};

use crate::{World, after, change, list, refused, sorted};

pub(crate) fn email(text: &str) -> EmailAddress {
    text.parse().expect("an address")
}

pub(crate) async fn register(
    world: &World<impl Users + Sessions>,
    address: &str,
) -> Result<Registered, Rejection> {
    let new = NewClient {
        email: email(address),
        name: "Ann".to_owned(),
        password_hash: "hash".to_owned(),
        session: TokenHash::of(address),
    };
    world.store.register_client(new, change(0)).await
}

pub(crate) async fn link(
    world: &World<impl Users + Sessions>,
    text: &str,
    integration_id: Option<IntegrationId>,
) {
    let new = NewSignInLink {
        token: TokenHash::of(text),
        email: email("ann@example.com"),
        integration_id,
        expires_at: after(100),
    };
    let kept = world.store.create_sign_in_link(new, change(0)).await;
    kept.expect("kept");
}

/// Follows a link, so many seconds after the start.
pub(crate) async fn follow(
    world: &World<impl Users + Sessions>,
    text: &str,
    address: Option<&str>,
    seconds: u64,
) -> Option<SignedIn> {
    let session = TokenHash::of(&format!("{text}{seconds}"));
    let used = world.store.create_session_by_link(
        TokenHash::of(text),
        address.map(email),
        session,
        None,
        change(seconds),
    );
    used.await.expect("done")
}

pub(crate) async fn user(world: &World<impl Users + Sessions>, id: UserId) -> User {
    let found = world.store.user(id).await.expect("read");
    found.expect("a user")
}

pub async fn a_client_registers_once_whatever_the_case_of_the_address(
    world: &World<impl Users + Sessions + Integrations>,
) {
    let made = register(world, "Ann@example.com").await.expect("made");
    assert_eq!(made.user.roles, [Role::Client]);
    assert_eq!(made.client.user_id, made.user.id);
    assert_eq!(made.session.user_id, made.user.id);
    let again = register(world, "ann@EXAMPLE.com").await;
    assert_eq!(refused(again), ["email"]);
    let known = world.store.credentials(email("ANN@example.com")).await;
    let known = known.expect("read").expect("known");
    assert_eq!(known.user_id, made.user.id);
    assert_eq!(known.password_hash.as_deref(), Some("hash"));
    let signed_in = world
        .store
        .session_of_token(TokenHash::of("Ann@example.com"));
    let signed_in = signed_in.await.expect("read").expect("a session");
    assert_eq!(signed_in.session, made.session);
}

pub async fn an_invitation_makes_a_scoped_client_and_takes_nothing_away(
    world: &World<impl Users + Sessions + Integrations>,
) {
    link(world, "invited", Some(world.integration)).await;
    let invited = follow(world, "invited", None, 1).await.expect("signed in");
    assert_eq!(invited.user.roles, [Role::Client]);
    assert_eq!(invited.user.scoped_integrations, [world.integration]);
    let liaison = Some(vec![Role::Liaison]);
    let changed = world
        .store
        .update_user_roles(invited.user.id, liaison, None, change(2));
    changed.await.expect("changed");
    let other = world.integrate("other").await;
    link(world, "again", Some(other)).await;
    let again = follow(world, "again", None, 3).await.expect("signed in");
    assert_eq!(again.user.roles, [Role::Liaison]);
    assert_eq!(again.user.scoped_integrations, [world.integration, other]);
}

pub async fn a_user_without_a_role_registers_as_a_client_once(
    world: &World<impl Users + Sessions + Integrations>,
) {
    link(world, "in", None).await;
    let session: Session = follow(world, "in", None, 1).await.expect("in").session;
    let register = || {
        let name = "Ann".to_owned();
        let session = session.clone();
        world
            .store
            .register_user_as_client(session, name, change(2))
    };
    let registered = register().await.expect("registered");
    assert_eq!(registered.user.roles, [Role::Client]);
    assert_eq!(registered.user.name.as_deref(), Some("Ann"));
    assert_eq!(refused(register().await), ["token"]);
}

pub async fn what_a_lost_role_had_reached_comes_back_neither_by_registering_nor_by_an_invitation(
    world: &World<impl Users + Sessions + Integrations>,
) {
    let other = world.integrate("other").await;
    link(world, "in", None).await;
    let signed_in = follow(world, "in", None, 1).await.expect("in");
    let dismiss = async || {
        let reach = Some(vec![world.integration]);
        for (roles, reach) in [(vec![Role::Liaison], reach), (Vec::new(), None)] {
            let id = signed_in.user.id;
            let set = world
                .store
                .update_user_roles(id, Some(roles), reach, change(2));
            set.await.expect("set");
        }
    };
    dismiss().await;
    let session = signed_in.session.clone();
    let registered = world
        .store
        .register_user_as_client(session, "Ann".to_owned(), change(3));
    let registered = registered.await.expect("registered");
    assert_eq!(registered.user.roles, [Role::Client]);
    assert!(registered.user.scoped_integrations.is_empty());
    dismiss().await;
    link(world, "invited", Some(other)).await;
    let invited = follow(world, "invited", None, 4).await.expect("in");
    assert_eq!(invited.user.scoped_integrations, [other]);
}

pub async fn roles_and_reach_are_set_and_checked(
    world: &World<impl Users + Sessions + Integrations>,
) {
    let new = |address: &str, integrations: &[i64]| NewUser {
        email: email(address),
        name: None,
        roles: vec![Role::Employee, Role::Client],
        scoped_integrations: integrations.iter().copied().map(IntegrationId).collect(),
        idempotency: None,
    };
    let create = |new| world.store.create_user(new, change(0));
    let made = create(new("ann@example.com", &[]))
        .await
        .expect("made")
        .record;
    assert_eq!(made.roles, [Role::Client, Role::Employee]);
    let bad = create(new("ANN@example.com", &[1, 777])).await.map(|_| ());
    assert_eq!(refused(bad), ["scoped_integrations[1]", "email"]);
    let update = |roles: Option<Vec<Role>>, integrations: Option<Vec<IntegrationId>>| {
        let store = &world.store;
        store.update_user_roles(made.id, roles, integrations, change(1))
    };
    let scoped = update(None, Some(vec![world.integration])).await;
    assert_eq!(scoped.expect("set").roles, [Role::Client, Role::Employee]);
    let bare = update(Some(Vec::new()), None).await.expect("set");
    assert_eq!(bare.scoped_integrations, [world.integration]);
    assert!(bare.roles.is_empty());
    let unknown = update(None, Some(vec![IntegrationId(777)])).await;
    assert_eq!(refused(unknown), ["scoped_integrations[0]"]);
    assert_eq!(user(world, made.id).await, bare);
    let query = UserQuery {
        roles: vec![Role::Employee, Role::Liaison],
        integration_id: Some(world.integration),
        list: list(10),
    };
    let nobody = world.store.users(query.clone()).await.expect("read");
    assert!(nobody.items.is_empty());
    update(Some(vec![Role::Liaison]), None).await.expect("set");
    let one = world.store.users(query).await.expect("read");
    assert_eq!(one.items, [user(world, made.id).await]);
}

pub async fn users_are_listed_by_name_with_those_who_have_none_first(
    world: &World<impl Users + Sessions + Integrations>,
) {
    for (address, name) in [("c@example.com", Some("Cid")), ("a@example.com", None)] {
        let new = NewUser {
            email: email(address),
            name: name.map(str::to_owned),
            roles: Vec::new(),
            scoped_integrations: Vec::new(),
            idempotency: None,
        };
        let made = world.store.create_user(new, change(0)).await;
        made.expect("made");
    }
    register(world, "b@example.com").await.expect("made");
    let mut names = Vec::new();
    let mut query = UserQuery {
        roles: Vec::new(),
        integration_id: None,
        list: sorted("name", false, 1),
    };
    loop {
        let page = world.store.users(query.clone()).await.expect("a page");
        names.extend(page.items.into_iter().map(|user| user.name));
        match page.next {
            Some(next) => query.list.page.start = store::Start::After(next),
            None => break,
        }
    }
    let expected = [None, Some("Ann"), Some("Cid")];
    assert_eq!(names, expected.map(|name| name.map(str::to_owned)));
}

/// The laws of this file.
#[macro_export]
macro_rules! users_laws {
    ($test:ident) => {
        $test! {
            users: a_client_registers_once_whatever_the_case_of_the_address,
            an_invitation_makes_a_scoped_client_and_takes_nothing_away,
            a_user_without_a_role_registers_as_a_client_once,
            what_a_lost_role_had_reached_comes_back_neither_by_registering_nor_by_an_invitation,
            roles_and_reach_are_set_and_checked,
            users_are_listed_by_name_with_those_who_have_none_first
        }
    };
}
