//! `gymcall call`

use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::client::Client;
use super::table::{GREEN, RESET, YELLOW, text};
use super::{CliError, Done, print_json};

/// One call now, followed to its end.
#[derive(Debug, Args)]
pub(super) struct Call {
    /// The number to call
    phone: String,
    /// Whom the agent asks for
    gym_name: Option<String>,
    /// The country that a national number is read in
    #[arg(long)]
    country: Option<String>,
}

/// How often a call's state is asked for.
const EVERY: Duration = Duration::from_millis(300);

impl Call {
    pub(super) async fn run(self, client: &Client, json: bool) -> Result<Done, CliError> {
        let request = json!({"phone_number": self.phone, "gym_name": self.gym_name, "country": self.country});
        let placed = client.post("/v1/calls", &request).await?;
        to_its_end(client, &placed, json).await
    }
}

/// Follows a call that was placed, and shows what came of it.
pub(super) async fn to_its_end(client: &Client, placed: &Value, json: bool) -> Result<Done, CliError> {
    let id = text(&placed["call_id"]);
    if !json {
        anstream::println!("{id}: {} {}", text(&placed["status"]), text(&placed["twilio_call_sid"]));
    }
    let call = follow(client, &id, json).await?;
    if json {
        print_json(&call);
    } else {
        print_answers(&call);
    }
    let answered = call["result"]["outcome"] == "answered";
    Ok(if answered { Done::Well } else { Done::Partly })
}

/// Shows what is said, as it is said, until the call is over.
async fn follow(client: &Client, id: &str, quiet: bool) -> Result<Value, CliError> {
    let mut seen = 0;
    loop {
        let events = client.get(&format!("/v1/jobs/{id}/events?cursor={seen}")).await?;
        for event in events["items"].as_array().into_iter().flatten() {
            seen = event["number"].as_u64().unwrap_or(seen);
            if !quiet {
                print_event(event);
            }
        }
        let call = client.get(&format!("/v1/calls/{id}")).await?;
        if !call["result"].is_null() {
            return Ok(call);
        }
        let job = client.get(&format!("/v1/jobs/{id}")).await?;
        if job["status"] == "quarantined" {
            return Err(CliError::Refused(format!(
                "it stayed unclear whether Twilio made this call: look at job {id} and resolve it"
            )));
        }
        tokio::time::sleep(EVERY).await;
    }
}

fn print_event(event: &Value) {
    let detail = &event["detail"];
    match event["event"].as_str().unwrap_or_default() {
        "agent_said" => anstream::println!("  agent: {}", text(&detail["text"])),
        "gym_said" => anstream::println!("  {GREEN}gym:{RESET}   {}", text(&detail["text"])),
        "call_news" if event["ignored"].is_null() => anstream::println!("  {YELLOW}{}{RESET}", text(&detail["status"])),
        _ => {}
    }
}

fn print_answers(call: &Value) {
    let result = &call["result"];
    anstream::println!(
        "{}: {} ({})",
        text(&call["status"]),
        text(&result["disposition"]),
        text(&result["ended_reason"])
    );
    for answer in result["answers"].as_array().into_iter().flatten() {
        anstream::println!("  {}: {}  <- {:?}", text(&answer["key"]), text(&answer["value"]), text(&answer["quote"]));
    }
}
