//! Pages of a list.

use serde_json::{Value, json};

use super::error::Refusal;
use super::form::Form;

const DEFAULT_SIZE: usize = 50;
const LARGEST_SIZE: usize = 1000;

/// Which page is asked for.
pub(super) struct Page {
    number: usize,
    size: usize,
    token: Option<Token>,
}

/// Where a page begins or ends. New things come in front, so a mere number would show some twice.
enum Token {
    /// After the one with this SID.
    After(String),
    /// Before it.
    Before(String),
}

/// A list and where it is.
pub(super) struct List<'a> {
    /// Its name in the page.
    pub(super) key: &'a str,
    pub(super) path: &'a str,
}

/// How its items are shown.
pub(super) struct Show<'a, T> {
    /// The token of an item; things without a SID have an empty one, and are paged by number.
    pub(super) sid: fn(&T) -> &str,
    pub(super) json: &'a dyn Fn(&T) -> Value,
    /// Whether an item is listed. A token finds its place among all of them: its own item may have left
    /// the list since.
    pub(super) takes: &'a dyn Fn(&T) -> bool,
}

impl Page {
    pub(super) fn read(form: &Form) -> Result<Page, Refusal> {
        let number = |name: &str| match form.get(name) {
            Some(text) => {
                text.parse::<usize>().map(Some).map_err(|_| Refusal::bad(20006, format!("{name} must be a number")))
            }
            None => Ok(None),
        };
        let size = number("PageSize")?.unwrap_or(DEFAULT_SIZE).max(1);
        if size > LARGEST_SIZE {
            return Err(Refusal::bad(20007, "Page size must not exceed 1000"));
        }
        let token = form.get("PageToken").and_then(|token| match token.split_at_checked(2)? {
            ("PA", sid) => Some(Token::After(sid.to_owned())),
            ("PB", sid) => Some(Token::Before(sid.to_owned())),
            _ => None,
        });
        Ok(Page { number: number("Page")?.unwrap_or(0), size, token })
    }

    /// The page of `list` as JSON, which was asked for with `form`.
    pub(super) fn of<T>(&self, list: &List<'_>, form: &Form, all: &[T], show: Show<'_, T>) -> Value {
        let listed = all.iter().enumerate().filter(|(_, item)| (show.takes)(item));
        let (places, taken): (Vec<usize>, Vec<&T>) = listed.unzip();
        let (start, end) = self.span(all, &places, show.sid);
        let shown = taken.get(start..end).unwrap_or_default();
        let uri = |number: usize, token: Option<String>| self.uri(list.path, form, number, token);
        let next = shown.last().filter(|_| end < taken.len()).map(|item| (show.sid)(item));
        let previous = shown.first().filter(|_| start > 0 && self.number > 0).map(|item| (show.sid)(item));
        let mut page = json!({
            "first_page_uri": uri(0, None),
            "next_page_uri": next.map(|sid| uri(self.number + 1, token("PA", sid))),
            "previous_page_uri": previous.map(|sid| uri(self.number - 1, token("PB", sid))),
            "uri": uri(self.number, None),
            "page": self.number,
            "page_size": self.size,
            "start": start,
            "end": end.saturating_sub(1).max(start),
        });
        page[list.key] = shown.iter().map(|item| (show.json)(item)).collect();
        page
    }

    /// From where to where it goes among the listed ones, which have these `places` among all.
    fn span<T>(&self, all: &[T], places: &[usize], sid: impl Fn(&T) -> &str) -> (usize, usize) {
        let at = |wanted: &str| all.iter().position(|item| sid(item) == wanted);
        let by_number = self.number.saturating_mul(self.size);
        let start = match &self.token {
            Some(Token::After(sid)) => at(sid).map_or(by_number, |at| places.partition_point(|place| *place <= at)),
            Some(Token::Before(sid)) => {
                let end = at(sid).map_or(by_number, |at| places.partition_point(|place| *place < at));
                return (end.saturating_sub(self.size), end);
            }
            None => by_number,
        };
        (start, start.saturating_add(self.size).min(places.len()))
    }

    fn uri(&self, base: &str, form: &Form, number: usize, token: Option<String>) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(
            form.pairs.iter().filter(|(key, _)| !["PageSize", "Page", "PageToken"].contains(&key.as_str())),
        );
        query.append_pair("PageSize", &self.size.to_string());
        query.append_pair("Page", &number.to_string());
        if let Some(token) = token {
            query.append_pair("PageToken", &token);
        }
        format!("{base}?{}", query.finish())
    }
}

fn token(direction: &str, sid: &str) -> Option<String> {
    (!sid.is_empty()).then(|| format!("{direction}{sid}"))
}
