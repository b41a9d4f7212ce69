//! Lists: which ids stand on a page, and how many there are.
//!
//! A list is looked for in *branches*. Each walks along one index in the order of the list and stops as soon
//! as the page is full, so that a page costs what it shows; what several branches find is merged here.
//! Lists of values travel in one parameter, which keeps the number of different statements small.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use futures_util::future::{BoxFuture, try_join_all};
use store::{COUNT_MAX, Count, Cursor, ListQuery, Page, Search, Sort, SortKey, Start};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::connection::Connection;
use crate::fault::Fault;

mod prefix;
mod rows;
pub(crate) mod time;
mod value;

pub(crate) use self::prefix::prefix_end;
pub(crate) use self::rows::{all, moment, moment_if_any, number, number_if_any, of_ids, one};
pub(crate) use self::value::Value;

/// A condition on a row, with the values of its placeholders, each of which is a `?`.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    sql: Cow<'static, str>,
    values: Vec<Value>,
}

/// One way to find what a list holds.
#[derive(Clone, Debug)]
pub(crate) struct Branch {
    /// The table, as `from` takes it.
    source: &'static str,
    /// What its index answers.
    condition: Condition,
}

/// How a list is found: by any of the branches, if all conditions hold.
#[derive(Clone, Debug)]
pub(crate) struct ListPlan {
    pub(crate) branches: Vec<Branch>,
    pub(crate) conditions: Vec<Condition>,
    /// Only these ids.
    pub(crate) ids: Range<i64>,
    /// The column that the list is sorted by.
    pub(crate) sort: &'static str,
}

/// Reads the records with these ids, in any order.
pub(crate) type Read<T> =
    for<'a> fn(&'a Connection, &'a [i64]) -> BoxFuture<'a, Result<Vec<(i64, T)>, Fault>>;

/// All ids there can be.
pub(crate) const ALL_IDS: Range<i64> = 0..i64::MAX;

impl Condition {
    pub(crate) fn new(sql: &'static str, values: impl Into<Vec<Value>>) -> Condition {
        Condition {
            sql: sql.into(),
            values: values.into(),
        }
    }

    /// That the column has one of the values.
    pub(crate) fn among(column: &str, values: impl Into<Value>) -> Condition {
        Condition {
            sql: format!("{column} = any(?)").into(),
            values: vec![values.into()],
        }
    }

    /// That the column begins with the term.
    pub(crate) fn begins(column: &str, term: &str) -> Condition {
        let mut sql = format!("{column} >= ?");
        let mut values = vec![term.into()];
        if let Some(end) = prefix_end(term) {
            sql.push_str(&format!(" and {column} < ?"));
            values.push(end.into());
        }
        Condition {
            sql: sql.into(),
            values,
        }
    }

    /// That one of the conditions holds.
    pub(crate) fn any(conditions: Vec<Condition>) -> Condition {
        let texts: Vec<&str> = conditions.iter().map(|one| one.sql.as_ref()).collect();
        Condition {
            sql: texts.join(" or ").into(),
            values: conditions.into_iter().flat_map(|one| one.values).collect(),
        }
    }

    /// That the term is found in one of the attributes, which are columns.
    pub(crate) fn found(search: &Search) -> Condition {
        let columns = search.attributes.iter();
        let begins = columns.map(|column| Condition::begins(column, &search.term));
        Condition::any(begins.collect())
    }
}

impl Branch {
    pub(crate) fn new(source: &'static str, condition: Condition) -> Branch {
        Branch { source, condition }
    }

    /// The statement that finds the sorted values and ids of a page.
    fn page_statement(&self, plan: &ListPlan, query: &ListQuery) -> (String, Vec<Value>) {
        let (sort, direction, after) = if query.sort.descending {
            (plan.sort, "desc", "<")
        } else {
            (plan.sort, "asc", ">")
        };
        let mut ids = plan.ids.clone();
        let mut later = None;
        match &query.page.start {
            Start::Offset(_) => {}
            Start::After(cursor) if sort == "id" && query.sort.descending => {
                ids.end = ids.end.min(cursor.id);
            }
            Start::After(cursor) if sort == "id" => {
                ids.start = ids.start.max(cursor.id.saturating_add(1));
            }
            Start::After(cursor) => later = Some(cursor),
        }
        let (tail, mut values) = self.tail(plan, &ids);
        let mut sql = format!("select {sort}, id {tail}");
        if let Some(cursor) = later {
            sql.push_str(&format!(" and ({sort}, id) {after} (?, ?)"));
            values.push(match &cursor.value {
                SortKey::Integer(value) => Value::from(*value),
                SortKey::Text(value) => Value::from(value.clone()),
            });
            values.push(cursor.id.into());
        }
        sql.push_str(&match sort {
            "id" => format!(" order by id {direction} limit ?"),
            _ => format!(" order by {sort} {direction}, id {direction} limit ?"),
        });
        values.push((offset(query) + i64::from(query.page.size) + 1).into());
        (numbered(&sql), values)
    }

    /// The statement that finds all ids, as far as they are counted.
    fn count_statement(&self, plan: &ListPlan) -> (String, Vec<Value>) {
        let (tail, values) = self.tail(plan, &plan.ids);
        let sql = format!("select id {tail} limit {}", COUNT_MAX + 1);
        (numbered(&sql), values)
    }

    /// `from` and `where`.
    fn tail(&self, plan: &ListPlan, ids: &Range<i64>) -> (String, Vec<Value>) {
        let mut sql = format!("from {} where ({})", self.source, self.condition.sql);
        let mut values = self.condition.values.clone();
        for condition in &plan.conditions {
            sql.push_str(&format!(" and ({})", condition.sql));
            values.extend_from_slice(&condition.values);
        }
        sql.push_str(" and id >= ? and id < ?");
        values.extend([ids.start.into(), ids.end.into()]);
        (sql, values)
    }
}

/// With the placeholders as PostgreSQL writes them. Statements hold no other question marks: texts are values.
fn numbered(sql: &str) -> String {
    let mut pieces = sql.split('?');
    let mut numbered = pieces.next().unwrap_or_default().to_owned();
    for (index, piece) in pieces.enumerate() {
        numbered.push_str(&format!("${}{piece}", index + 1));
    }
    numbered
}

impl ListPlan {
    /// A list that is found by these branches, of all ids, sorted by id.
    pub(crate) fn new(branches: Vec<Branch>, conditions: Vec<Condition>) -> ListPlan {
        ListPlan {
            branches,
            conditions,
            ids: ALL_IDS,
            sort: "id",
        }
    }

    /// Sorted by the column of the same name, or by id where that is none of these.
    pub(crate) fn sorted(mut self, sort: Sort, columns: &[&'static str]) -> ListPlan {
        let column = columns.iter().find(|column| **column == sort.by);
        self.sort = column.copied().unwrap_or("id");
        self
    }

    /// The page that the query asks for; `read` reads its records.
    pub(crate) async fn page<T>(
        &self,
        connection: &Connection,
        query: &ListQuery,
        read: Read<T>,
    ) -> Result<Page<T>, Fault> {
        let found = self.find(connection, query).await?;
        let found = Page::cut(found, query.page.size, |(value, id)| Cursor {
            by: query.sort.by.to_owned(),
            descending: query.sort.descending,
            value: value.clone(),
            id: *id,
        });
        let ids: Vec<i64> = found.items.iter().map(|(_, id)| *id).collect();
        let mut records: HashMap<i64, T> = read(connection, &ids).await?.into_iter().collect();
        let count = match query.count {
            true => Some(self.count(connection).await?),
            false => None,
        };
        Ok(Page {
            // One that was removed in between is passed over.
            items: ids.iter().filter_map(|id| records.remove(id)).collect(),
            next: found.next,
            count,
        })
    }

    /// The page's rows and one more, if there are so many.
    async fn find(
        &self,
        connection: &Connection,
        query: &ListQuery,
    ) -> Result<Vec<(SortKey, i64)>, Fault> {
        let statements = self.branches.iter();
        let statements = statements.map(|branch| branch.page_statement(self, query));
        let mut found = Vec::new();
        for row in rows_of(connection, statements.collect()).await? {
            found.push((sort_key(&row)?, row.try_get(1)?));
        }
        found.sort_unstable();
        found.dedup();
        if query.sort.descending {
            found.reverse();
        }
        let skipped = usize::try_from(offset(query)).unwrap_or(usize::MAX);
        found.drain(..skipped.min(found.len()));
        Ok(found)
    }

    async fn count(&self, connection: &Connection) -> Result<Count, Fault> {
        let ids: HashSet<i64> = self.all_ids(connection).await?.into_iter().collect();
        let count = ids.len() as u64;
        Ok(Count {
            count: count.min(COUNT_MAX),
            capped: count > COUNT_MAX,
        })
    }

    /// All ids, as far as they are counted; not sorted.
    pub(crate) async fn all_ids(&self, connection: &Connection) -> Result<Vec<i64>, Fault> {
        let statements = self.branches.iter();
        let statements = statements.map(|branch| branch.count_statement(self));
        let rows = rows_of(connection, statements.collect()).await?;
        rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }

    /// How PostgreSQL finds a page.
    #[cfg(test)]
    pub(crate) async fn explain(&self, connection: &Connection, query: &ListQuery) -> String {
        let mut lines: Vec<String> = Vec::new();
        for branch in &self.branches {
            let (sql, values) = branch.page_statement(self, query);
            let explained = format!("explain (costs off) {sql}");
            let found = connection.query_once(&explained, &values).await;
            lines.extend(found.expect(&sql).iter().map(|line| line.get(0)));
        }
        lines.join("\n")
    }
}

/// What all statements find, asked in one go.
async fn rows_of(
    connection: &Connection,
    statements: Vec<(String, Vec<Value>)>,
) -> Result<Vec<Row>, Fault> {
    let answers = statements
        .iter()
        .map(|(sql, values)| connection.query_once(sql, values));
    let answers = try_join_all(answers).await?;
    Ok(answers.into_iter().flatten().collect())
}

fn offset(query: &ListQuery) -> i64 {
    match query.page.start {
        Start::Offset(rows) => rows.into(),
        Start::After(_) => 0,
    }
}

fn sort_key(row: &Row) -> Result<SortKey, Fault> {
    if *row.columns()[0].type_() == Type::INT8 {
        return Ok(SortKey::Integer(row.try_get(0)?));
    }
    // One that has no such text comes before all that have, as one with an empty text does.
    let text: Option<String> = row.try_get(0)?;
    Ok(SortKey::Text(text.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_numbered() {
        let cases = [("a", "a"), ("a = ? and b < ?", "a = $1 and b < $2")];
        for (sql, expected) in cases {
            assert_eq!(numbered(sql), expected);
        }
    }
}
