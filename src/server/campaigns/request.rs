//! A campaign as users send it, and whether it makes sense.

use gymcall_jobs::campaign::Campaign;
use gymcall_jobs::question::{AnswerType, Question};
use gymcall_jobs::rules::{Policy, Voicemail};
use gymcall_jobs::schedule::WrittenSchedule;
use gymcall_jobs::spend::Amount;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::server::error::Problem;
use crate::server::input::{check_said, check_text};

/// The choices of one question.
const MOST_CHOICES: usize = 50;
/// The calls of one day.
const MOST_CALLS_A_DAY: u32 = 1_000_000;
/// What a run may cost.
const HIGHEST_CAP: Amount = Amount::from_micros(1_000_000_000_000);

/// A campaign as users send it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = NewCampaign)]
#[serde(deny_unknown_fields)]
pub(super) struct CampaignRequest {
    /// Its name, for people: 1 to 200 characters.
    pub(super) name: String,
    /// On whose behalf the agent says that it calls; without it the name.
    pub(super) on_behalf_of: Option<String>,
    /// What the agent says after who calls and before it asks: up to 500 characters, with `{{column}}`s.
    pub(super) greeting: Option<String>,
    /// What is asked, in this order: 1 to 50 questions; without them the usual four.
    pub(super) questions: Option<Vec<Question>>,
    /// When its runs begin; without it once, when it is started.
    pub(super) schedule: Option<WrittenSchedule>,
    /// How it is called.
    #[serde(default)]
    pub(super) policy: Policy,
}

impl CampaignRequest {
    /// The request that would make this campaign.
    pub(super) fn of(campaign: &Campaign) -> Self {
        Self {
            name: campaign.name.clone(),
            on_behalf_of: Some(campaign.on_behalf_of.clone()),
            greeting: campaign.greeting.clone(),
            questions: Some(campaign.questions.clone()),
            schedule: campaign.schedule.clone().map(WrittenSchedule::from),
            policy: campaign.policy.clone(),
        }
    }

    pub(super) fn check(&self) -> Result<(), Problem> {
        check_text("/name", &self.name, 200)?;
        if let Some(text) = &self.on_behalf_of {
            check_text("/on_behalf_of", text, 200)?;
        }
        if let Some(text) = &self.greeting {
            check_said("/greeting", text)?;
        }
        let policy = &self.policy;
        if !(1..=20).contains(&policy.max_attempts) {
            return Err(Problem::field("/policy/max_attempts", "out_of_range", "must be 1 to 20"));
        }
        if !(0.0..=525_600.0).contains(&policy.redial_after_minutes) {
            return Err(Problem::field("/policy/redial_after_minutes", "out_of_range", "must be 0 to 525600 (a year)"));
        }
        if let Some(hours) = &policy.window {
            hours.check().map_err(|error| Problem::field("/policy/window", "invalid", error.to_string()))?;
        }
        if policy.calls_per_second.is_some_and(|pace| !(pace > 0.0 && pace <= 1000.0)) {
            return Err(Problem::field(
                "/policy/calls_per_second",
                "out_of_range",
                "must be more than 0 and at most 1000",
            ));
        }
        if policy.max_concurrent_calls == Some(0) {
            return Err(Problem::field("/policy/max_concurrent_calls", "out_of_range", "must be at least 1"));
        }
        if policy.max_calls_per_day.is_some_and(|calls| !(1..=MOST_CALLS_A_DAY).contains(&calls)) {
            let detail = format!("must be 1 to {MOST_CALLS_A_DAY}");
            return Err(Problem::field("/policy/max_calls_per_day", "out_of_range", detail));
        }
        if policy.spend_cap.is_some_and(|cap| cap == Amount::ZERO || cap > HIGHEST_CAP) {
            let detail = format!("must be more than 0 and at most {HIGHEST_CAP}");
            return Err(Problem::field("/policy/spend_cap", "out_of_range", detail));
        }
        match (policy.voicemail, &policy.voicemail_message) {
            (Voicemail::LeaveMessage, None) => {
                return Err(Problem::field("/policy/voicemail_message", "missing", "leave_message needs a message"));
            }
            (Voicemail::HangUp, Some(_)) => {
                let detail = "a message is left only with voicemail: leave_message";
                return Err(Problem::field("/policy/voicemail_message", "invalid", detail));
            }
            (Voicemail::LeaveMessage, Some(message)) => check_said("/policy/voicemail_message", message)?,
            (Voicemail::HangUp, None) => {}
        }
        self.check_questions()
    }

    fn check_questions(&self) -> Result<(), Problem> {
        let Some(questions) = &self.questions else { return Ok(()) };
        if questions.is_empty() || questions.len() > 50 {
            return Err(Problem::field(
                "/questions",
                "out_of_range",
                "1 to 50 questions; leave them out for the usual four",
            ));
        }
        for (index, question) in questions.iter().enumerate() {
            let at = |field: &str| format!("/questions/{index}/{field}");
            let key_is_fine = !question.key.is_empty()
                && question.key.len() <= 64
                && question.key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
            if !key_is_fine {
                return Err(Problem::field(&at("key"), "invalid", "1 to 64 lower-case letters, digits and _"));
            }
            if questions[..index].iter().any(|earlier| earlier.key == question.key) {
                return Err(Problem::field(&at("key"), "duplicate", "another question has this key"));
            }
            check_said(&at("ask"), &question.ask)?;
            if (question.kind == AnswerType::Choice) == question.choices.is_empty() {
                return Err(Problem::field(
                    &at("choices"),
                    "invalid",
                    "a question of type choice has choices, and no other has",
                ));
            }
            // They are hints for Twilio's recognition, and are said in one line if need be.
            if question.choices.len() > MOST_CHOICES {
                return Err(Problem::field(&at("choices"), "out_of_range", format!("at most {MOST_CHOICES} choices")));
            }
            for (nth, choice) in question.choices.iter().enumerate() {
                check_text(&format!("{}/{nth}", at("choices")), choice, 100)?;
            }
        }
        Ok(())
    }
}
