//! What changed between two JSON values, small enough to be stored for every step.
//!
//! An object holds what changed by its key, null for what is gone; of a list, what changed by its place.
//! Anything else is the new value itself. Records hold no nulls, so a null is never a value.

use serde_json::{Map, Value};

/// What turns `before` into `after`; none if they are the same.
#[allow(dead_code, reason = "only the generator needs it")]
pub fn difference(before: &Value, after: &Value) -> Option<Value> {
    if before == after {
        return None;
    }
    Some(match (before, after) {
        (Value::Object(old), Value::Object(new)) => {
            let mut changes = Map::new();
            for (key, value) in new {
                let change = old.get(key).map_or_else(|| Some(value.clone()), |known| difference(known, value));
                changes.extend(change.map(|change| (key.clone(), change)));
            }
            changes.extend(old.keys().filter(|key| !new.contains_key(*key)).map(|key| (key.clone(), Value::Null)));
            Value::Object(changes)
        }
        (Value::Array(old), Value::Array(new)) if old.len() <= new.len() => {
            let mut changes = Map::new();
            for (place, value) in new.iter().enumerate() {
                let change = old.get(place).map_or_else(|| Some(value.clone()), |known| difference(known, value));
                changes.extend(change.map(|change| (place.to_string(), change)));
            }
            Value::Object(changes)
        }
        (_, new) => new.clone(),
    })
}

/// Carries a change out.
#[allow(dead_code, reason = "only the replay needs it")]
pub fn apply(value: &mut Value, change: &Value) {
    match (value, change) {
        (Value::Object(fields), Value::Object(changes)) => {
            for (key, change) in changes {
                match fields.get_mut(key) {
                    _ if change.is_null() => drop(fields.remove(key)),
                    Some(field) => apply(field, change),
                    None => drop(fields.insert(key.clone(), change.clone())),
                }
            }
        }
        (Value::Array(items), Value::Object(changes)) => {
            let mut changes: Vec<(usize, &Value)> =
                changes.iter().map(|(place, change)| (place.parse().expect("a place in a list"), change)).collect();
            changes.sort_by_key(|(place, _)| *place);
            for (place, change) in changes {
                match items.get_mut(place) {
                    Some(item) => apply(item, change),
                    None => items.push(change.clone()),
                }
            }
        }
        (value, change) => *value = change.clone(),
    }
}
