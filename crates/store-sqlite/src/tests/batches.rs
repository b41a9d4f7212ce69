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

/// What waits while the writer is busy, in the order in which it is handed in: changes, then what outcomes are recorded by.
#[tokio::test]
async fn outcomes_are_recorded_before_the_changes_that_wait() {
    let world = World::new().await;
    world.subscribe(world.sub("whole")).await;
    let (release, released) = std::sync::mpsc::channel::<()>();
    let busy = world.store.write(move |_| {
        // It fails when the test has ended, which is as good.
        let _ = released.recv();
        Ok(())
    });
    let stages = |list: i64| {
        let stage = |order| new_stage(world.integration, &format!("{list}-{order}"), "scheduled");
        (0..50).map(stage).collect::<Vec<_>>()
    };
    let (told, found) = std::sync::mpsc::channel();
    let outcomes = world.store.write_repeatable(move |writing| {
        let sql = "select count(*) from order_stages";
        let count: i64 = writing.connection.query_row(sql, [], |row| row.get(0))?;
        let _ = told.send(count);
        Ok(())
    });
    let let_go = async { drop(release) };
    let accept = |list| world.store.accept(stages(list));
    let (busy, first, second, recorded, ()) =
        tokio::join!(busy, accept(1), accept(2), outcomes, let_go);
    assert!(busy.is_ok() && recorded.is_ok());
    assert!(first.iter().chain(&second).all(Result::is_ok));
    assert_eq!(found.recv(), Ok(0), "no change was before it");
}
