//! JSON input, with errors that name the field.

use axum::http::StatusCode;
use gymcall_jobs::placeholder;
use serde::de::DeserializeOwned;

use super::error::Problem;

/// Reads a JSON body. What does not fit is a problem that points at its place.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let pointer = pointer(error.path());
        let inner = error.into_inner();
        if inner.is_data() {
            Problem::field(&pointer, "invalid", without_place(&inner.to_string()))
        } else {
            Problem::new(StatusCode::BAD_REQUEST, format!("the body is not JSON: {inner}"))
        }
    })?;
    json.end().map_err(|error| Problem::new(StatusCode::BAD_REQUEST, format!("the body is not JSON: {error}")))?;
    Ok(value)
}

/// A text that says something and is not too long.
pub(super) fn check_text(pointer: &str, text: &str, most: usize) -> Result<(), Problem> {
    if text.chars().any(char::is_control) {
        return Err(Problem::field(pointer, "invalid", "must not contain control characters or line breaks"));
    }
    match text.trim() {
        "" => Err(Problem::field(pointer, "empty", "must not be empty")),
        text => check_length(pointer, text, most),
    }
}

/// A text that the agent says, in which `{{column}}`s may stand.
pub(super) fn check_said(pointer: &str, text: &str) -> Result<(), Problem> {
    check_text(pointer, text, 500)?;
    placeholder::check(text).map_err(|error| Problem::field(pointer, "invalid", error.to_string()))
}

/// A text of at most so many characters.
pub(super) fn check_length(pointer: &str, text: &str, most: usize) -> Result<(), Problem> {
    if text.chars().count() > most {
        return Err(Problem::field(pointer, "too_long", format!("at most {most} characters")));
    }
    Ok(())
}

/// The place in the input, as a JSON pointer.
pub(super) fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } | Segment::Enum { variant: key } => {
                format!("/{}", key.replace('~', "~0").replace('/', "~1"))
            }
            Segment::Unknown => "/?".to_owned(),
        })
        .collect()
}

/// The pointer says it better than "at line 1 column 42".
fn without_place(message: &str) -> &str {
    message.rsplit_once(" at line ").map_or(message, |(message, _)| message)
}
