//! Items of a batch: each is taken or refused on its own.

use contract::{Failure, Input};

use crate::routes::{MANY, attrs, refusal, request, run};

type Receipt = Result<(String, Option<i64>), Failure>;

fn receipt(item: &Input<'_>) -> Receipt {
    let stage = item.string_as("stage", |text| match text {
        "nonsense" => Err("does not exist"),
        known => Ok(known.to_owned()),
    });
    let order_id = item.integer("order_id");
    item.finish(|| Some((stage?, order_id)))
}

fn receipts(stages: &str) -> Result<Vec<Receipt>, Failure> {
    let body = format!(r#"{{"token":"t","stages":{stages}}}"#);
    run(&MANY, &request(&MANY, body.as_bytes()), |input| {
        let receipts = input
            .batch("stages")
            .map(|items| items.iter().map(receipt).collect());
        input.finish(|| receipts)
    })
}

#[test]
fn good_items_are_taken_though_others_are_refused() {
    let receipts = receipts(
        r#"[{"stage":"received","order_id":7},{"order_id":"7"},{"stage":"nonsense","order_id":"7","sage":1},7]"#,
    )
    .expect("the request itself is good");
    let taken: Vec<_> = receipts
        .iter()
        .map(|receipt| receipt.as_ref().ok())
        .collect();
    assert_eq!(
        taken,
        [Some(&("received".to_owned(), Some(7))), None, None, None]
    );
    let refused: Vec<_> = receipts
        .iter()
        .filter_map(|receipt| receipt.as_ref().err())
        .collect();
    let seen: Vec<_> = refused
        .iter()
        .map(|failure| (failure.status.slug, attrs(failure)))
        .collect();
    assert_eq!(
        seen,
        [
            ("missing-param", vec!["stages[1].stage"]),
            (
                "invalid-param",
                vec!["stages[2].stage", "stages[2].order_id", "stages[2].sage"]
            ),
            ("invalid-param", vec!["stages[3]"]),
        ]
    );
}

#[test]
fn the_batch_itself_must_be_sound() {
    let cases = [
        (r#"{"token":"t","stages":null}"#, "missing-param", "stages"),
        (r#"{"token":"t","stages":[]}"#, "invalid-param", "stages"),
        (
            r#"{"token":"t","stages":[1,2,3,4,5]}"#,
            "invalid-param",
            "stages",
        ),
        (
            r#"{"token":"t","stages":{"stage":"a"}}"#,
            "invalid-param",
            "stages",
        ),
        (
            r#"{"token":"t","stages":[{}],"stage":1}"#,
            "invalid-param",
            "stage",
        ),
    ];
    for (body, slug, attr) in cases {
        let failure = refusal(&MANY, &request(&MANY, body.as_bytes()));
        assert_eq!(
            (failure.status.slug, attrs(&failure)),
            (slug, vec![attr]),
            "{body}"
        );
    }
}
