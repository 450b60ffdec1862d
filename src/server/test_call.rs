//! A campaign's own call to a number of mine: to hear it before any gym does.
//!
//! It is a single call with the campaign's script. No hours bind it, because I am calling myself; it is in no counter and no
//! result of the campaign. What binds every call binds it too: regions, and the list of numbers not to be called.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use gymcall_jobs::campaign::Campaign;
use gymcall_jobs::gym::Gym;
use gymcall_jobs::phone::PhoneNumber;
use gymcall_jobs::roster::Limits;
use gymcall_jobs::store::JobQuery;
use serde::Deserialize;
use utoipa::ToSchema;

use super::calls::PlacedReply;
use super::error::Problem;
use super::idempotency::Asked;
use super::input::{self, check_length};
use super::{Server, calls, campaigns, gyms};

/// A test call that is asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewTestCall)]
#[serde(deny_unknown_fields)]
pub(super) struct TestCallRequest {
    /// The number to call.
    phone_number: String,
    /// Whom the agent asks for; without it, the first gym of the list.
    gym_name: Option<String>,
    /// What `{{column}}`s stand for; those not given are the first gym's.
    #[serde(default)]
    variables: BTreeMap<String, String>,
}

/// Calls a number of yours in the campaign's own words. It is in no counter and no result.
#[utoipa::path(
    post, path = "/v1/campaigns/{id}/test_call", request_body = TestCallRequest,
    responses(
        (status = 201, description = "Twilio has the call", body = PlacedReply<'_>),
        (status = 202, description = "The pace, the lines or an unclear reply keep it open: ask again", body = PlacedReply<'_>),
    )
)]
pub(super) async fn place(
    State(server): State<Arc<Server>>,
    Path(id): Path<String>,
    Asked { keyed, body }: Asked,
) -> Result<Response, Problem> {
    let campaign = campaigns::find_open(&server, &id).await?;
    calls::check_ready(&server)?;
    let gym = gym_of(&server, &campaign, input::read(&body)?).await?;
    calls::call_now(&server, &keyed, gym, Some(campaign.id)).await
}

/// The first gym of the list, with my number and with what I say of it.
async fn gym_of(server: &Server, campaign: &Campaign, request: TestCallRequest) -> Result<Gym, Problem> {
    let phone = PhoneNumber::parse(&request.phone_number, None, &server.phones).map_err(calls::unusable)?;
    let (of, run) = (Some(campaign.id.clone()), Some(campaign.run.clone()));
    let first = server.ledger.store().jobs(JobQuery { campaign: of, run, limit: 1, ..JobQuery::default() }).await?;
    let first = first.items.into_iter().next().map(|stored| stored.record.gym().clone());
    let mut gym = match first {
        Some(first) => Gym { phone, ..first },
        None => Gym::new(phone),
    };
    if let Some(name) = request.gym_name {
        check_length("/gym_name", &name, 200)?;
        gym.name = name;
    }
    for (column, value) in request.variables {
        check_length(&format!("/variables/{column}"), &value, Limits::default().cell_chars)?;
        gym.set(&column, value);
    }
    match gyms::variables_of(campaign).into_iter().find(|column| gym.variable(column).is_none()) {
        None => Ok(gym),
        Some(column) => {
            let detail = format!("the campaign's words name {{{{{column}}}}}: import gyms first, or give it here");
            Err(Problem::field(&format!("/variables/{column}"), "missing_variable", detail))
        }
    }
}
