//! How the store reads: by few threads, whatever happens in one of them.

use std::collections::HashSet;
use std::thread;

use store::StoreError;

use super::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn any_number_of_reads_use_few_threads() {
    let world = World::new().await;
    let reads: Vec<_> = (0..1_000)
        .map(|_| {
            let store = world.store.clone();
            tokio::spawn(async move { store.read(|_| Ok(thread::current().id())).await })
        })
        .collect();
    let mut threads = HashSet::new();
    for read in reads {
        threads.insert(read.await.expect("ends").expect("reads"));
    }
    assert!(threads.len() <= 4, "{}", threads.len());
}

#[tokio::test]
async fn a_read_that_panics_ends_and_the_next_ones_do_not() {
    let world = World::new().await;
    for _ in 0..10 {
        let read: Result<(), StoreError> = world.store.read(|_| panic!("as scripted")).await;
        assert!(matches!(read, Err(StoreError::Failed(_))), "{read:?}");
    }
    assert_eq!(world.count("select count(*) from orders").await, 0);
}
