//! What a campaign's run will come to, before it does.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use gymcall_jobs::campaign::Campaign;
use gymcall_jobs::forecast::{Expected, Forecast, StopReason, Terms};
use gymcall_jobs::id::{CampaignId, RunId};
use gymcall_jobs::spend::Amount;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::Problem;
use super::{Server, campaigns, reply};

/// The forecast of a campaign's present run, from now on. Amounts are decimal text in the account's currency.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Forecast)]
pub(super) struct ForecastReply {
    /// The campaign.
    campaign_id: CampaignId,
    /// Its run.
    run_id: RunId,
    /// From when on it counts: now, or when the run is to start.
    from: Timestamp,
    /// How many gyms are still to be called.
    gyms: u64,
    /// When the first call begins; null if there is none.
    starts_at: Option<Timestamp>,
    /// When the last call ends; null if there is none, or none within a year.
    finish_at: Option<Timestamp>,
    /// The same if all goes better, and worse.
    finish_range: Option<Range<Timestamp>>,
    /// How many calls begin.
    calls: u64,
    /// The same if all goes better, and worse.
    calls_range: Range<u64>,
    /// What they cost.
    #[schema(value_type = String)]
    cost: Amount,
    /// The same if all goes better, and worse.
    #[schema(value_type = Range<String>)]
    cost_range: Range<Amount>,
    /// What the run has cost until now.
    #[schema(value_type = String)]
    spent: Amount,
    /// Gyms that will not be called, or were not, by the skip reason.
    skipped: BTreeMap<&'static str, u64>,
    /// What keeps it from calling everybody, or everybody on one day; null if nothing does.
    stops: Option<StopReply>,
    /// The same by time zone, the first to be called first.
    by_zone: Vec<ZoneReply>,
    /// What all this goes by.
    assumptions: Assumptions,
}

/// The better and the worse case.
#[derive(Debug, Serialize, ToSchema)]
struct Range<T> {
    /// The smaller or earlier one.
    from: T,
    /// The larger or later one.
    to: T,
}

/// What a limit does to the run.
#[derive(Debug, Serialize, ToSchema)]
struct StopReply {
    /// `budget` for good, `daily_limit` until the next day, `too_long`: more than a year.
    reason: &'static str,
    /// When it is met for the first time.
    at: Timestamp,
    /// How many gyms are still to be called then.
    gyms_left: u64,
}

/// The gyms of one time zone.
#[derive(Debug, Serialize, ToSchema)]
struct ZoneReply {
    /// Its name; several with spaces between where it is one of them; null where no hours are kept.
    timezone: Option<String>,
    /// How many gyms.
    gyms: u64,
    /// When the first of them is called.
    starts_at: Option<Timestamp>,
    /// When the last call to them ends.
    finish_at: Option<Timestamp>,
}

/// What a forecast goes by.
#[derive(Debug, Serialize, ToSchema)]
struct Assumptions {
    /// How many calls of this campaign show how its calls go; 0: the usual is assumed.
    calls_seen: u64,
    /// How calls go: `answered`, `voicemail`, `busy`, `no_answer`, `failed`.
    calls: BTreeMap<&'static str, CallReply>,
    /// Calls begun per second.
    calls_per_second: f64,
    /// Calls at once.
    lines: u32,
    /// How often a gym is tried.
    max_attempts: u32,
    /// Minutes until it is tried again after a busy line or no answer.
    redial_after_minutes: f64,
    /// What a begun minute costs.
    #[schema(value_type = String)]
    price_per_minute: Amount,
    /// The rest, in words.
    notes: Vec<String>,
}

/// How one kind of call goes.
#[derive(Debug, Serialize, ToSchema)]
struct CallReply {
    /// Which part of all calls goes so, from 0 to 1.
    share: f64,
    /// For how many seconds such a call keeps a line, on average.
    seconds: f64,
    /// How many begun minutes of it are charged, on average.
    minutes: f64,
}

/// Says when a campaign's run will end, what it may cost, and who will not be called and why.
#[utoipa::path(
    get, path = "/v1/campaigns/{id}/forecast",
    responses((status = 200, description = "The forecast", body = ForecastReply))
)]
pub(super) async fn show(State(server): State<Arc<Server>>, Path(id): Path<String>) -> Result<Response, Problem> {
    let campaign = campaigns::find(&server, &id).await?;
    let (forecast, terms) = server.ledger.forecast(&campaign).await?;
    Ok(reply::json(StatusCode::OK, &ForecastReply::of(&campaign, forecast, &terms)))
}

impl ForecastReply {
    fn of(campaign: &Campaign, forecast: Forecast, terms: &Terms) -> Self {
        let assumptions = Assumptions::of(&forecast, terms);
        let Forecast { calls, cost, .. } = forecast;
        Self {
            campaign_id: campaign.id.clone(),
            run_id: campaign.run.clone(),
            from: terms.from,
            gyms: forecast.gyms,
            starts_at: forecast.starts_at,
            finish_at: forecast.finish_at,
            finish_range: forecast.finish_range.map(|(from, to)| Range { from, to }),
            calls: calls.expected,
            calls_range: Range { from: calls.least, to: calls.most },
            cost: cost.expected,
            cost_range: Range { from: cost.least, to: cost.most },
            spent: terms.spent,
            skipped: forecast.skipped.iter().map(|(reason, gyms)| (reason.as_str(), *gyms)).collect(),
            stops: forecast.stop.map(|stop| StopReply {
                reason: match stop.reason {
                    StopReason::Budget => "budget",
                    StopReason::DailyLimit => "daily_limit",
                    StopReason::TooLong => "too_long",
                },
                at: stop.at,
                gyms_left: stop.gyms_left,
            }),
            by_zone: forecast
                .by_zone
                .into_iter()
                .map(|zone| ZoneReply {
                    timezone: (!zone.timezone.is_empty()).then_some(zone.timezone),
                    gyms: zone.gyms,
                    starts_at: zone.starts_at,
                    finish_at: zone.finish_at,
                })
                .collect(),
            assumptions,
        }
    }
}

impl Assumptions {
    fn of(forecast: &Forecast, terms: &Terms) -> Self {
        let expected = forecast.expectations;
        let calls = [
            ("answered", expected.answered),
            ("voicemail", expected.voicemail),
            ("busy", expected.busy),
            ("no_answer", expected.no_answer),
            ("failed", expected.failed),
        ];
        let source = match forecast.calls_seen {
            0 => "How calls go is a guess for small businesses in opening hours, until this campaign has made some"
                .to_owned(),
            calls => format!("How calls go is known from {calls} calls of this campaign"),
        };
        let notes = vec![
            source,
            "Nothing else calls on this account meanwhile, and nobody pauses the campaign".to_owned(),
            "Only answered calls and voicemails cost something, by begun minutes".to_owned(),
        ];
        Self {
            calls_seen: forecast.calls_seen,
            calls: calls.into_iter().map(|(kind, expected)| (kind, CallReply::of(expected))).collect(),
            calls_per_second: terms.calls_per_second,
            lines: terms.lines,
            max_attempts: terms.max_attempts,
            redial_after_minutes: terms.redial_after.as_secs_f64() / 60.0,
            price_per_minute: terms.price_per_minute,
            notes,
        }
    }
}

impl CallReply {
    fn of(Expected { share, seconds, minutes }: Expected) -> Self {
        let rounded = |number: f64| (number * 1_000.0).round() / 1_000.0;
        Self { share: rounded(share), seconds: rounded(seconds), minutes: rounded(minutes) }
    }
}
