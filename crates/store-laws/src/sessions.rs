//! Sessions, and the links that begin them.

use std::time::Duration;

use domain::token::TokenHash;
use store::{Integrations, NewSignInLink, SESSIONS_PER_USER_MAX, Sessions, UserChanges, Users};

use crate::users::{email, follow, link, register};
use crate::{World, after, change, refused};

pub async fn a_link_signs_in_once_before_it_expires_and_only_its_own_address(
    world: &World<impl Users + Sessions + Integrations>,
) {
    for text in ["used", "late", "other"] {
        link(world, text, None).await;
    }
    let first = follow(world, "used", Some("ANN@example.com"), 1).await;
    let first = first.expect("signed in");
    assert_eq!(
        (first.user.roles.len(), first.user.has_password),
        (0, false)
    );
    assert_eq!(follow(world, "used", None, 2).await, None);
    assert_eq!(follow(world, "late", None, 101).await, None);
    assert_eq!(
        follow(world, "other", Some("bob@example.com"), 3).await,
        None
    );
    // A wrong address does not use the link up.
    let second = follow(world, "other", None, 100).await.expect("signed in");
    assert_eq!(second.user.id, first.user.id);
    assert_eq!(follow(world, "unknown", None, 4).await, None);
}

pub async fn a_new_password_ends_all_other_sessions(
    world: &World<impl Users + Sessions + Integrations>,
) {
    let made = register(world, "ann@example.com").await.expect("made");
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

pub async fn a_user_has_a_bounded_number_of_sessions_and_the_one_unused_for_longest_ends(
    world: &World<impl Users + Sessions + Integrations>,
) {
    let made = register(world, "ann@example.com").await.expect("made");
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

pub async fn expired_links_make_room(world: &World<impl Users + Sessions + Integrations>) {
    for text in ["a", "b", "c"] {
        link(world, text, None).await;
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
    assert_eq!(
        world.raw.count("select count(*) from sign_in_links").await,
        2
    );
}

/// The laws of this file.
#[macro_export]
macro_rules! sessions_laws {
    ($test:ident) => {
        $test! {
            sessions: a_link_signs_in_once_before_it_expires_and_only_its_own_address,
            a_new_password_ends_all_other_sessions,
            a_user_has_a_bounded_number_of_sessions_and_the_one_unused_for_longest_ends,
            expired_links_make_room
        }
    };
}
