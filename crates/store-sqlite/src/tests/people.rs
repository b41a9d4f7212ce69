//! Users, their roles, their sessions, and the links that begin them.

use std::time::Duration;

use domain::email_address::EmailAddress;
use domain::id::{IntegrationId, UserId};
use domain::session::Session;
use domain::token::TokenHash;
use domain::user::{Role, User};
use store::{
    NewClient, NewSignInLink, NewUser, Registered, Rejection, SESSIONS_PER_USER_MAX, Sessions,
    SignedIn, UserChanges, UserQuery, Users,
};

use super::world::{World, after, change, list, refused};

fn email(text: &str) -> EmailAddress {
    text.parse().expect("an address")
}

async fn register(world: &World, address: &str) -> Result<Registered, Rejection> {
    let new = NewClient {
        email: email(address),
        name: "Ann".to_owned(),
        password_hash: "hash".to_owned(),
        session: TokenHash::of(address),
    };
    world.store.register_client(new, change(0)).await
}

async fn link(world: &World, text: &str, integration_id: Option<IntegrationId>) {
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
async fn follow(
    world: &World,
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

async fn user(world: &World, id: UserId) -> User {
    let found = world.store.user(id).await.expect("read");
    found.expect("a user")
}

#[tokio::test]
async fn a_client_registers_once_whatever_the_case_of_the_address() {
    let world = World::new().await;
    let made = register(&world, "Ann@example.com").await.expect("made");
    assert_eq!(made.user.roles, [Role::Client]);
    assert_eq!(made.client.user_id, made.user.id);
    assert_eq!(made.session.user_id, made.user.id);
    let again = register(&world, "ann@EXAMPLE.com").await;
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

#[tokio::test]
async fn a_link_signs_in_once_before_it_expires_and_only_its_own_address() {
    let world = World::new().await;
    for text in ["used", "late", "other"] {
        link(&world, text, None).await;
    }
    let first = follow(&world, "used", Some("ANN@example.com"), 1).await;
    let first = first.expect("signed in");
    assert_eq!(
        (first.user.roles.len(), first.user.has_password),
        (0, false)
    );
    assert_eq!(follow(&world, "used", None, 2).await, None);
    assert_eq!(follow(&world, "late", None, 101).await, None);
    assert_eq!(
        follow(&world, "other", Some("bob@example.com"), 3).await,
        None
    );
    // A wrong address does not use the link up.
    let second = follow(&world, "other", None, 100).await.expect("signed in");
    assert_eq!(second.user.id, first.user.id);
    assert_eq!(follow(&world, "unknown", None, 4).await, None);
}

#[tokio::test]
async fn an_invitation_makes_a_scoped_client_and_takes_nothing_away() {
    let world = World::new().await;
    link(&world, "invited", Some(world.integration)).await;
    let invited = follow(&world, "invited", None, 1).await.expect("signed in");
    assert_eq!(invited.user.roles, [Role::Client]);
    assert_eq!(invited.user.scoped_integrations, [world.integration]);
    let liaison = Some(vec![Role::Liaison]);
    let changed = world
        .store
        .update_user_roles(invited.user.id, liaison, None, change(2));
    changed.await.expect("changed");
    let other = world.integrate("other").await;
    link(&world, "again", Some(other)).await;
    let again = follow(&world, "again", None, 3).await.expect("signed in");
    assert_eq!(again.user.roles, [Role::Liaison]);
    assert_eq!(again.user.scoped_integrations, [world.integration, other]);
}

#[tokio::test]
async fn a_user_without_a_role_registers_as_a_client_once() {
    let world = World::new().await;
    link(&world, "in", None).await;
    let session: Session = follow(&world, "in", None, 1).await.expect("in").session;
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

#[tokio::test]
async fn what_a_lost_role_had_reached_comes_back_neither_by_registering_nor_by_an_invitation() {
    let world = World::new().await;
    let other = world.integrate("other").await;
    link(&world, "in", None).await;
    let signed_in = follow(&world, "in", None, 1).await.expect("in");
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
    link(&world, "invited", Some(other)).await;
    let invited = follow(&world, "invited", None, 4).await.expect("in");
    assert_eq!(invited.user.scoped_integrations, [other]);
}

#[tokio::test]
async fn roles_and_reach_are_set_and_checked() {
    let world = World::new().await;
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
    let bad = create(new("ANN@example.com", &[1, 77])).await.map(|_| ());
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
    let unknown = update(None, Some(vec![IntegrationId(77)])).await;
    assert_eq!(refused(unknown), ["scoped_integrations[0]"]);
    assert_eq!(user(&world, made.id).await, bare);
    let query = UserQuery {
        roles: vec![Role::Employee, Role::Liaison],
        integration_id: Some(world.integration),
        list: list(10),
    };
    let nobody = world.store.users(query.clone()).await.expect("read");
    assert!(nobody.items.is_empty());
    update(Some(vec![Role::Liaison]), None).await.expect("set");
    let one = world.store.users(query).await.expect("read");
    assert_eq!(one.items, [user(&world, made.id).await]);
}

#[tokio::test]
async fn a_new_password_ends_all_other_sessions() {
    let world = World::new().await;
    let made = register(&world, "ann@example.com").await.expect("made");
    let sign_in = |token: &str| {
        let token = TokenHash::of(token);
        world
            .store
            .create_session(made.user.id, token, Some(true), change(5))
    };
    let mine = sign_in("mine").await.expect("in");
    assert!(mine.user.remember_me);
    sign_in("theirs").await.expect("in");
    let changes = UserChanges {
        password_hash: Some("new".to_owned()),
        ..UserChanges::default()
    };
    let updated = world
        .store
        .update_user(made.user.id, changes, Some(mine.session.id), change(6));
    updated.await.expect("updated");
    let mut left = Vec::new();
    for token in ["ann@example.com", "mine", "theirs"] {
        let found = world.store.session_of_token(TokenHash::of(token)).await;
        left.push(found.expect("read").is_some());
    }
    assert_eq!(left, [false, true, false]);
}

#[tokio::test]
async fn a_user_has_a_bounded_number_of_sessions_and_the_one_unused_for_longest_ends() {
    let world = World::new().await;
    let made = register(&world, "ann@example.com").await.expect("made");
    let touched = vec![
        (made.session.id, after(1_000)),
        (made.session.id, after(10)),
    ];
    world.store.touch_sessions(touched).await.expect("touched");
    for number in 0..SESSIONS_PER_USER_MAX {
        let token = TokenHash::of(&number.to_string());
        let at = change(u64::from(number));
        let signed_in = world.store.create_session(made.user.id, token, None, at);
        signed_in.await.expect("in");
    }
    let find = |token: &str| world.store.session_of_token(TokenHash::of(token));
    let first = find("ann@example.com").await.expect("read");
    assert_eq!(first.expect("kept").session.last_used_at, after(1_000));
    assert_eq!(find("0").await, Ok(None));
    assert!(find("1").await.expect("read").is_some());
    let ended = world.store.delete_session(made.session.id, change(1_001));
    ended.await.expect("ended");
    assert_eq!(find("ann@example.com").await, Ok(None));
    let again = world.store.delete_session(made.session.id, change(1_001));
    assert_eq!(refused(again.await), ["token"]);
}

#[tokio::test]
async fn expired_links_make_room() {
    let world = World::new().await;
    for text in ["a", "b", "c"] {
        link(&world, text, None).await;
    }
    let later = NewSignInLink {
        token: TokenHash::of("later"),
        email: email("ann@example.com"),
        integration_id: None,
        expires_at: after(100) + Duration::from_secs(1_000),
    };
    let kept = world.store.create_sign_in_link(later, change(200)).await;
    kept.expect("kept");
    // Two go for each that comes.
    assert_eq!(world.count("select count(*) from sign_in_links").await, 2);
}
