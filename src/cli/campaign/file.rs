//! A campaign as a TOML file: the same fields as in JSON.

use std::path::Path;

use clap::Args;
use serde_json::{Map, Value};

use crate::cli::CliError;
use crate::cli::client::Client;

/// What to change of a campaign.
#[derive(Debug, Args)]
pub(in crate::cli) struct Edit {
    /// Its id
    id: String,
    /// A TOML file with the fields that are to be different
    #[arg(required_unless_present = "unset")]
    file: Option<std::path::PathBuf>,
    /// A field that is to be as if nobody had given it, such as schedule or policy.spend_cap
    #[arg(long, value_name = "FIELD")]
    unset: Vec<String>,
}

impl Edit {
    pub(super) async fn send(self, client: &Client) -> Result<Value, CliError> {
        let mut change = match &self.file {
            Some(file) => read(file).await?,
            None => Value::Object(Map::new()),
        };
        for field in &self.unset {
            unset(&mut change, field)?;
        }
        client.patch(&format!("/v1/campaigns/{}", self.id), &change).await
    }
}

/// Whether what was given for a campaign is the name of a TOML file.
pub(in crate::cli) fn is_toml(given: &str) -> bool {
    Path::new(given).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml"))
}

/// Creates the campaign that a TOML file describes.
pub(in crate::cli) async fn create_from(client: &Client, file: &Path) -> Result<Value, CliError> {
    client.post("/v1/campaigns", &read(file).await?).await
}

async fn read(file: &Path) -> Result<Value, CliError> {
    let content =
        tokio::fs::read_to_string(file).await.map_err(|error| CliError::File { path: file.to_owned(), error })?;
    let table: toml::Table =
        toml::from_str(&content).map_err(|error| CliError::Other(format!("{}: {error}", file.display())))?;
    Ok(json_of(toml::Value::Table(table)))
}

/// TOML has times, which JSON writes as text.
fn json_of(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(yes) => yes.into(),
        toml::Value::Datetime(time) => time.to_string().into(),
        toml::Value::Array(items) => items.into_iter().map(json_of).collect(),
        toml::Value::Table(fields) => fields.into_iter().map(|(name, value)| (name, json_of(value))).collect(),
    }
}

/// Puts a null where the path leads.
fn unset(change: &mut Value, field: &str) -> Result<(), CliError> {
    let mut place = change;
    for name in field.split('.') {
        if place.is_null() {
            *place = Value::Object(Map::new());
        }
        let Value::Object(fields) = place else {
            return Err(CliError::Other(format!("--unset {field}: there is nothing below {name}")));
        };
        place = fields.entry(name).or_insert(Value::Null);
    }
    *place = Value::Null;
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_become_text_and_unset_fields_null() {
        let file = "at = 2026-12-01T03:00:00Z\nholidays = [2026-12-25]\n[policy]\nspend_cap = 1.5\n";
        let mut value = json_of(toml::Value::Table(toml::from_str(file).unwrap()));
        assert_eq!(
            value,
            json!({"at": "2026-12-01T03:00:00Z", "holidays": ["2026-12-25"], "policy": {"spend_cap": 1.5}})
        );
        for field in ["policy.spend_cap", "schedule", "deep.er"] {
            unset(&mut value, field).unwrap();
        }
        assert_eq!(value["policy"], json!({"spend_cap": null}));
        assert_eq!((&value["schedule"], &value["deep"]), (&Value::Null, &json!({"er": null})));
        unset(&mut value, "at.all").unwrap_err();
    }
}
