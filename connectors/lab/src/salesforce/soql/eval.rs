//! A plan run over the tables. Rows come out as indices, so that a million of them cost a few
//! megabytes and a later page costs nothing; cells are read only when compared or shown.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use super::plan::{Cell, Key, Output, Path, Plan, Shape};
use crate::salesforce::schema::View;
use crate::salesforce::soql::parser::Function;
use crate::salesforce::value::Value;

/// Counts the rows that the filter lets through.
pub(crate) fn count(plan: &Plan, view: View<'_>) -> usize {
    matching(plan, view, false).count()
}

/// The rows of a plan that selects records, in order, after offset and limit, never more than `cap`.
pub(crate) fn rows(plan: &Plan, view: View<'_>, cap: usize) -> Vec<u32> {
    let Shape::Rows { order, .. } = &plan.shape else { return Vec::new() };
    let most = plan.limit.unwrap_or(usize::MAX).min(cap);
    let wanted = plan.offset.saturating_add(most);
    let kept_order = plan.entity.sorted.filter(|sorted| {
        order
            .first()
            .is_none_or(|key| key.by.hops.is_empty() && key.by.column.name == sorted.column)
    });
    let mut rows = match kept_order {
        Some(_) => in_kept_order(plan, view, order, wanted),
        None => sorted(plan, view, order, wanted),
    };
    rows.truncate(wanted);
    rows.drain(..plan.offset.min(rows.len()));
    rows
}

/// All rows that the filter lets through, in the table's own order or backwards.
fn matching(plan: &Plan, view: View<'_>, backwards: bool) -> impl Iterator<Item = usize> {
    let entity = plan.entity;
    let places = match entity.sorted {
        Some(sorted) => (sorted.within)(view, plan.bounds.0, plan.bounds.1),
        None => 0..(entity.rows)(view),
    };
    let (start, end) = (places.start, places.end);
    let rows = places.map(move |place| {
        let place = if backwards { end - 1 - (place - start) } else { place };
        entity.sorted.map_or(place, |sorted| (sorted.at)(view, place))
    });
    rows.filter(move |row| {
        entity.visible(view, *row)
            && plan
                .filter
                .as_ref()
                .is_none_or(|test| test.holds(&|path: &Path| path.value(view, *row)))
    })
}

/// Reads the table in its kept order and sorts only ties, so it stops once it has enough.
fn in_kept_order(plan: &Plan, view: View<'_>, order: &[Key<Path>], wanted: usize) -> Vec<u32> {
    let backwards = order.first().is_some_and(|key| key.descending);
    let rest = order.get(1..).unwrap_or_default();
    let mut rows: Vec<u32> = Vec::new();
    let mut tie_from = 0;
    let mut tie = None;
    for row in matching(plan, view, backwards) {
        if let Some(first) = order.first() {
            let value = first.by.value(view, row);
            if tie.as_ref() != Some(&value) {
                rows[tie_from..].sort_by(|a, b| compare_rows(rest, view, *a, *b));
                if rows.len() >= wanted {
                    return rows;
                }
                tie_from = rows.len();
                tie = Some(value);
            }
        } else if rows.len() >= wanted {
            return rows;
        }
        rows.push(u32::try_from(row).unwrap_or(u32::MAX));
    }
    rows[tie_from..].sort_by(|a, b| compare_rows(rest, view, *a, *b));
    rows
}

/// Sorts by any keys; only the wanted head is put in full order.
fn sorted(plan: &Plan, view: View<'_>, order: &[Key<Path>], wanted: usize) -> Vec<u32> {
    let mut rows: Vec<u32> =
        matching(plan, view, false).map(|row| u32::try_from(row).unwrap_or(u32::MAX)).collect();
    if order.is_empty() {
        return rows;
    }
    let compare = |a: &u32, b: &u32| compare_rows(order, view, *a, *b).then(a.cmp(b));
    if wanted < rows.len() {
        rows.select_nth_unstable_by(wanted, compare);
        rows.truncate(wanted);
    }
    rows.sort_by(compare);
    rows
}

fn compare_rows(order: &[Key<Path>], view: View<'_>, a: u32, b: u32) -> Ordering {
    let (a, b) = (a as usize, b as usize);
    let by_key = |key: &Key<Path>| key.compare(&key.by.value(view, a), &key.by.value(view, b));
    order.iter().map(by_key).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

impl<T> Key<T> {
    fn compare(&self, a: &Value<'_>, b: &Value<'_>) -> Ordering {
        match (a.is_null(), b.is_null()) {
            (true, true) => Ordering::Equal,
            (true, false) if self.nulls_last => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, true) if self.nulls_last => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) if self.descending => b.order(a),
            (false, false) => a.order(b),
        }
    }
}

/// One line of an aggregate result, in the order of the plan's outputs.
pub(crate) type Line<'a> = Vec<Value<'a>>;

/// The groups of a plan that aggregates, after having, order, offset and limit.
pub(crate) fn groups<'a>(plan: &Plan, view: View<'a>) -> Vec<Line<'a>> {
    let Shape::Groups { by, outputs, having, order } = &plan.shape else { return Vec::new() };
    let mut found: HashMap<Vec<Value<'a>>, Vec<u32>> = HashMap::new();
    for row in matching(plan, view, false) {
        let keys = by.iter().map(|path| path.value(view, row)).collect();
        found.entry(keys).or_default().push(u32::try_from(row).unwrap_or(u32::MAX));
    }
    if by.is_empty() && found.is_empty() {
        found.insert(Vec::new(), Vec::new());
    }
    let mut groups: Vec<(Vec<Value<'a>>, Vec<u32>)> = found.into_iter().collect();
    groups.sort_by(|(a, _), (b, _)| {
        let keys = a.iter().zip(b).map(|(a, b)| a.order(b));
        keys.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    });
    let cell = |(keys, rows): &(Vec<Value<'a>>, Vec<u32>), cell: &Cell| match cell {
        Cell::Key(at) => keys[*at].clone(),
        Cell::Aggregate(function, path) => aggregate(*function, path, rows, view),
    };
    if let Some(test) = having {
        groups.retain(|group| test.holds(&|wanted: &Cell| cell(group, wanted)));
    }
    groups.sort_by(|a, b| {
        let by_key = |key: &Key<Cell>| key.compare(&cell(a, &key.by), &cell(b, &key.by));
        order.iter().map(by_key).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    });
    let line = |group| outputs.iter().map(|output: &Output| cell(group, &output.cell)).collect();
    groups.iter().skip(plan.offset).take(plan.limit.unwrap_or(usize::MAX)).map(line).collect()
}

fn aggregate<'a>(function: Function, path: &Path, rows: &[u32], view: View<'a>) -> Value<'a> {
    let values =
        rows.iter().map(|row| path.value(view, *row as usize)).filter(|value| !value.is_null());
    match function {
        // The id of a row counts even where the column is shown as null.
        Function::Count if path.hops.is_empty() && path.column.name == "Id" => {
            Value::int(rows.len())
        }
        Function::Count => Value::int(values.count()),
        Function::CountDistinct => Value::int(values.collect::<HashSet<_>>().len()),
        Function::Min => values.min_by(Value::order).unwrap_or(Value::Null),
        Function::Max => values.max_by(Value::order).unwrap_or(Value::Null),
        Function::Sum => Value::Int(
            values.map(|value| if let Value::Int(number) = value { number } else { 0 }).sum(),
        ),
    }
}
