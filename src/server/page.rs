//! How much of a list is asked for, and from where on.

use serde::Deserialize;
use utoipa::IntoParams;

/// How many items a list holds unless asked otherwise.
const USUAL: u32 = 50;
/// How many it holds at most.
pub(super) const MOST: u32 = 1000;

/// The query of a list that has no other filters.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    /// How many at most: 1 to 1000, usually 50.
    #[serde(default)]
    #[param(value_type = Option<u32>)]
    pub(super) limit: Limit,
    /// The `next_cursor` of the list before.
    pub(super) cursor: Option<String>,
}

/// The `limit` of a list's query. Whatever was asked, a list has at least one item and not too many.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct Limit(Option<u32>);

impl Limit {
    /// The limit; without one, that of most lists.
    pub(super) fn or_usual(self) -> u32 {
        self.0.unwrap_or(USUAL).clamp(1, MOST)
    }

    /// The limit; without one, as many as there may be.
    pub(super) fn or_most(self) -> u32 {
        self.0.unwrap_or(MOST).clamp(1, MOST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::query;

    #[test]
    fn a_limit_stays_between_one_and_the_most() {
        for (query, usual, most) in [("", 50, 1000), ("limit=0", 1, 1), ("limit=7", 7, 7), ("limit=4000", 1000, 1000)] {
            let query: ListQuery = query::read(query).unwrap();
            assert_eq!((query.limit.or_usual(), query.limit.or_most()), (usual, most));
        }
    }
}
