//! What a patch makes of a campaign.
//!
//! A campaign is written down as the request that would make it, the patch is merged into that (RFC 7396), and what
//! comes out is checked like a new one. So a field means the same in both, and null is as good as never said.

use gymcall_jobs::campaign::{Campaign, CampaignState};
use gymcall_jobs::question::Question;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::request::CampaignRequest;
use crate::server::error::Problem;
use crate::server::{input, schedule};

/// What is to change of a campaign; null takes a field back to what it is when nobody says it. What is merged has the
/// fields of a new campaign.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = CampaignPatch, value_type = Object)]
#[serde(transparent)]
pub(super) struct Patch(Map<String, Value>);

impl Patch {
    /// The campaign with this patch, if it may still change so.
    pub(super) fn apply(&self, campaign: &Campaign, now: Timestamp) -> Result<Campaign, Problem> {
        if campaign.state == CampaignState::Cancelled {
            return Err(Problem::conflict("the campaign is cancelled: nothing of it changes any more"));
        }
        let begun = !matches!(campaign.state, CampaignState::Draft | CampaignState::Failed);
        let mut present = CampaignRequest::of(campaign);
        if !begun && campaign.on_behalf_of == campaign.name {
            // Nobody has said it: it is the name, also the new one.
            present.on_behalf_of = None;
        }
        let present = serde_json::to_value(present).unwrap_or_default();
        let mut wanted = present.clone();
        let mut patch = self.0.clone();
        one_kind_of_schedule(&mut patch);
        merge_fields(&mut wanted, &patch);
        let request: CampaignRequest = input::read(wanted.to_string().as_bytes())?;
        request.check()?;
        let name = request.name.trim().to_owned();
        let mut next = match present.get("schedule") == wanted.get("schedule") {
            true => campaign.clone(),
            false => {
                let schedule = request.schedule.map(|written| schedule::read(written, now)).transpose()?;
                campaign.reschedule(schedule, now)
            }
        };
        if next.policy != request.policy {
            next = next.with_policy(request.policy, now);
        }
        next.updated_at = now;
        next.greeting = request.greeting.map(|text| text.trim().to_owned());
        next.on_behalf_of = request.on_behalf_of.map_or_else(|| name.clone(), |text| text.trim().to_owned());
        next.questions = request.questions.unwrap_or_else(Question::defaults);
        next.name = name;
        // Those who were called have heard it so; what they answered is an answer to it.
        let said = [
            ("/on_behalf_of", next.on_behalf_of != campaign.on_behalf_of),
            ("/greeting", next.greeting != campaign.greeting),
            ("/questions", next.questions != campaign.questions),
        ];
        match said.into_iter().find(|(_, differs)| begun && *differs) {
            Some((pointer, _)) => {
                let detail = "what is said cannot change once the campaign was started: duplicate it, and change that";
                Err(Problem::fixed(pointer, detail))
            }
            None => Ok(next),
        }
    }
}

/// A schedule has one time or a pattern. Whoever names the one lets the other go, without having to say so.
fn one_kind_of_schedule(patch: &mut Map<String, Value>) {
    let Some(schedule) = patch.get_mut("schedule").and_then(Value::as_object_mut) else { return };
    let named = |schedule: &Map<String, Value>, field: &str| schedule.get(field).is_some_and(|value| !value.is_null());
    let others: &[&str] = match (named(schedule, "at"), named(schedule, "cron")) {
        (true, false) => &["cron", "timezone"],
        (false, true) => &["at"],
        _ => &[],
    };
    for field in others {
        schedule.entry(*field).or_insert(Value::Null);
    }
}

/// RFC 7396: what is null goes, objects are merged, all else is replaced.
fn merge_fields(into: &mut Value, patch: &Map<String, Value>) {
    if !into.is_object() {
        *into = Value::Object(Map::new());
    }
    let Some(fields) = into.as_object_mut() else { return };
    for (name, value) in patch {
        match value {
            Value::Null => drop(fields.remove(name)),
            Value::Object(inner) => merge_fields(fields.entry(name.clone()).or_insert(Value::Null), inner),
            value => drop(fields.insert(name.clone(), value.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_patch_is_merged_as_the_standard_has_it() {
        for (target, patch, merged) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!({"a": "foo"}), json!({"a": {"b": {"c": null}}}), json!({"a": {"b": {}}})),
        ] {
            let mut into = target.clone();
            merge_fields(&mut into, patch.as_object().unwrap());
            assert_eq!(into, merged, "{target} and {patch}");
        }
    }
}
