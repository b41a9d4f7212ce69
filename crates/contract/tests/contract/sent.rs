//! What was sent, as it was written, and what is sound beside what is not.

use crate::routes::{MANY, request, run, with};

#[test]
fn members_are_given_as_they_were_sent_without_the_token() {
    with(r#""rate": 1.50,"zebra":[ 1 ],"active":null"#, |input| {
        let sent: Vec<(&str, &str)> = input
            .sent()
            .map(|(name, value)| (name, value.get()))
            .collect();
        let expected = [
            ("rate", "1.50"),
            ("zebra", "[ 1 ]"),
            ("active", "null"),
            ("integration_id", "1"),
            ("key", "\"k\""),
        ];
        assert_eq!(sent, expected);
        Ok(())
    })
    .expect("not finished");
}

#[test]
fn items_of_a_batch_have_their_own() {
    let body = br#"{"token":"t","stages":[{"stage":"a"},{"order": {} ,"stage":"b"}]}"#;
    run(&MANY, &request(&MANY, body), |input| {
        let items = input.batch("stages").expect("a batch");
        let names: Vec<&str> = items[1].sent().map(|(name, _)| name).collect();
        assert_eq!(names, ["order", "stage"]);
        Ok(())
    })
    .expect("sound");
}

#[test]
fn raw_gives_any_kind_as_it_was_written_unless_it_was_refused() {
    let members = r#""rate":1.50,"filters":{ "size": 5 },"active":"no","version":null"#;
    with(members, |input| {
        let raw = |name| input.raw(name).map(|raw| raw.get().to_owned());
        assert_eq!(raw("rate").as_deref(), Some("1.50"));
        assert_eq!(raw("filters").as_deref(), Some("{ \"size\": 5 }"));
        for name in ["active", "version", "notes"] {
            assert_eq!(raw(name), None, "{name}");
        }
        Ok(())
    })
    .expect("not finished");
}

#[test]
fn what_was_refused_was_given_all_the_same() {
    with(r#""active":"no","version":null,"rate":2"#, |input| {
        let given = ["active", "rate", "version", "notes"].map(|name| input.is_given(name));
        assert_eq!(given, [true, true, false, false]);
        Ok(())
    })
    .expect("not finished");
}

#[test]
fn sound_items_can_be_looked_at_though_others_were_refused() {
    with(r#""statuses":["a",7,"c"],"ids":[1,"2"]"#, |input| {
        assert_eq!(input.sound_strings("statuses"), [(0, "a"), (2, "c")]);
        assert_eq!(input.strings("statuses"), None);
        assert_eq!(input.integers("ids"), None);
        Ok(())
    })
    .expect("not finished");
    with(r#""statuses":"a""#, |input| {
        assert!(input.sound_strings("statuses").is_empty());
        Ok(())
    })
    .expect("not finished");
}
