//! A database that takes what it is asked and does not answer.

use std::time::Duration;

use store::StoreError;

use super::world::tables;
use crate::list_query::one;

#[tokio::test]
async fn an_answer_that_does_not_come_is_not_waited_for_nor_is_its_connection_used_again() {
    let tables = tables().await;
    let connection = tables.store.connection().await.expect("a connection");
    let impatient = connection.with_patience(Duration::from_millis(50));
    let asked = impatient.batch("select pg_sleep(30)").await;
    let error = StoreError::from(asked.expect_err("no answer"));
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    drop(impatient);
    let others = async {
        let connection = tables.store.connection().await.expect("a connection");
        one(&connection, "select 7", &[], |row| {
            Ok(row.try_get::<_, i32>(0)?)
        })
        .await
    };
    let answered = tokio::time::timeout(Duration::from_secs(20), others).await;
    let answered = answered.expect("others are answered").expect("read");
    assert_eq!(answered, Some(7));
}
