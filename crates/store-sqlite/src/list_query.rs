//! Lists: which ids stand on a page, and how many there are.
//!
//! A list is looked for in *branches*. Each walks along one index in the order of the list and stops as soon
//! as the page is full, so that a page costs what it shows; what several branches find is merged here.
//! Lists of values travel as JSON in one parameter, which keeps the number of different statements small.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Row, params_from_iter};
use serde::Serialize;
use store::{COUNT_MAX, Count, Cursor, ListQuery, Page, Search, Sort, SortKey, Start};

use crate::fault::Fault;

mod prefix;
mod rows;
pub(crate) mod time;

pub(crate) use self::prefix::prefix_range;
pub(crate) use self::rows::{all, moment, moment_if_any, one};

/// A condition on a row, with the values of its placeholders.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    sql: Cow<'static, str>,
    values: Vec<Value>,
}

/// One way to find what a list holds.
#[derive(Clone, Debug)]
pub(crate) struct Branch {
    /// The table and the index to walk along, as `from` takes them.
    source: &'static str,
    /// What the index answers.
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
    pub(crate) fn among<T: Serialize>(
        column: &'static str,
        values: &[T],
    ) -> Result<Condition, Fault> {
        Ok(Condition {
            sql: format!("{column} in (select value from json_each(?))").into(),
            values: vec![serde_json::to_string(values)?.into()],
        })
    }

    /// That the column begins with the term.
    pub(crate) fn begins(column: &'static str, term: &str) -> Condition {
        let (from, until) = prefix_range(term);
        Condition {
            sql: format!("{column} >= ? and {column} < ?").into(),
            values: vec![from, until],
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
        Condition::any(
            columns
                .map(|column| Condition::begins(column, &search.term))
                .collect(),
        )
    }
}

impl Branch {
    pub(crate) fn new(source: &'static str, condition: Condition) -> Branch {
        Branch { source, condition }
    }

    /// A branch for each value, which the condition compares.
    pub(crate) fn each<T: Into<Value>>(
        source: &'static str,
        condition: &'static str,
        values: impl IntoIterator<Item = T>,
    ) -> Vec<Branch> {
        let branch = |value: T| Branch::new(source, Condition::new(condition, [value.into()]));
        values.into_iter().map(branch).collect()
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
        (sql, values)
    }

    /// The statement that finds all ids, as far as they are counted.
    fn count_statement(&self, plan: &ListPlan) -> (String, Vec<Value>) {
        let (tail, values) = self.tail(plan, &plan.ids);
        (format!("select id {tail} limit {}", COUNT_MAX + 1), values)
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

    /// The page that the query asks for; `read` reads a record.
    pub(crate) fn page<T>(
        &self,
        connection: &Connection,
        query: &ListQuery,
        read: impl Fn(&Connection, i64) -> Result<Option<T>, Fault>,
    ) -> Result<Page<T>, Fault> {
        let found = self.find(connection, query)?;
        let found = Page::cut(found, query.page.size, |(value, id)| Cursor {
            by: query.sort.by.to_owned(),
            descending: query.sort.descending,
            value: value.clone(),
            id: *id,
        });
        let mut items = Vec::with_capacity(found.items.len());
        for (_, id) in found.items {
            items.extend(read(connection, id)?);
        }
        let count = query.count.then(|| self.count(connection)).transpose()?;
        Ok(Page {
            items,
            next: found.next,
            count,
        })
    }

    /// The page's rows and one more, if there are so many.
    fn find(
        &self,
        connection: &Connection,
        query: &ListQuery,
    ) -> Result<Vec<(SortKey, i64)>, Fault> {
        let mut found = Vec::new();
        for branch in &self.branches {
            let (sql, values) = branch.page_statement(self, query);
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(params_from_iter(values))?;
            while let Some(row) = rows.next()? {
                found.push((sort_key(row)?, row.get(1)?));
            }
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

    fn count(&self, connection: &Connection) -> Result<Count, Fault> {
        let mut ids: HashSet<i64> = HashSet::new();
        for branch in &self.branches {
            let (sql, values) = branch.count_statement(self);
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(params_from_iter(values))?;
            while let Some(row) = rows.next()? {
                ids.insert(row.get(0)?);
                if ids.len() as u64 > COUNT_MAX {
                    return Ok(Count {
                        count: COUNT_MAX,
                        capped: true,
                    });
                }
            }
        }
        Ok(Count {
            count: ids.len() as u64,
            capped: false,
        })
    }

    /// All ids, as far as they are counted; not sorted.
    pub(crate) fn all_ids(&self, connection: &Connection) -> Result<Vec<i64>, Fault> {
        let mut ids = Vec::new();
        for branch in &self.branches {
            let (sql, values) = branch.count_statement(self);
            let values = params_from_iter(values);
            ids.extend(all(connection, &sql, values, |row| {
                Ok(row.get::<_, i64>(0)?)
            })?);
        }
        Ok(ids)
    }

    /// How SQLite goes about each statement, line by line.
    #[cfg(test)]
    pub(crate) fn explain(&self, connection: &Connection, query: &ListQuery) -> Vec<String> {
        let mut lines = Vec::new();
        for branch in &self.branches {
            let statements = [
                branch.page_statement(self, query),
                branch.count_statement(self),
            ];
            for (sql, values) in statements {
                let explained = format!("explain query plan {sql}");
                let read = |row: &Row<'_>| Ok(row.get(3)?);
                let values = params_from_iter(values);
                lines.extend(all(connection, &explained, values, read).expect("a plan"));
            }
        }
        lines
    }
}

fn offset(query: &ListQuery) -> i64 {
    match query.page.start {
        Start::Offset(rows) => rows.into(),
        Start::After(_) => 0,
    }
}

fn sort_key(row: &Row<'_>) -> Result<SortKey, Fault> {
    match row.get_ref(0)? {
        ValueRef::Integer(value) => Ok(SortKey::Integer(value)),
        _ => Ok(SortKey::Text(row.get(0)?)),
    }
}
