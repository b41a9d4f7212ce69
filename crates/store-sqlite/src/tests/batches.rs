//! A disk that is full in the middle of a batch.

use store::OrderStages;

use super::world::{World, new_stage};

/// Lets the database grow by so many pages and no more: then it is full, as a disk may be.
async fn limit_growth(world: &World, pages: i64) {
    let limited = world.store.write(move |writing| {
        let connection = &writing.connection;
        let now: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
        Ok(connection.pragma_update(None, "max_page_count", now + pages)?)
    });
    limited.await.expect("limited");
}

#[tokio::test]
async fn a_disk_that_is_full_in_the_middle_of_a_list_keeps_nothing_of_it() {
    let world = World::new().await;
    world.subscribe(world.sub("whole")).await;
    let stages = || {
        let stage = |order| new_stage(world.integration, &format!("A-{order}"), "scheduled");
        (0..100).map(stage).collect::<Vec<_>>()
    };
    limit_growth(&world, 5).await;
    let refused = world.store.accept(stages()).await;
    assert!(refused.iter().all(Result::is_err), "{refused:?}");
    for table in [
        "select count(*) from orders",
        "select count(*) from order_stages",
    ] {
        assert_eq!(world.count(table).await, 0, "{table}");
    }
    limit_growth(&world, 1_000).await;
    let accepted = world.store.accept(stages()).await;
    assert!(accepted.iter().all(Result::is_ok), "{accepted:?}");
    assert_eq!(world.count("select count(*) from order_stages").await, 100);
}
