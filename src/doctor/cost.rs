//! What a call costs, and for how long the money lasts.

use super::{Finding, Patient, remedy};
use crate::twilio::client::{MinutePrice, RequestError};

/// Fewer minutes than this are not worth starting with.
const FEW_MINUTES: f64 = 10.0;

pub(super) async fn check(patient: &Patient<'_>) -> Vec<Finding> {
    // Without a number to call, one in the caller's own country stands for all of it.
    let to = patient.phone.map_or(patient.caller(), |phone| phone.as_str());
    let (finding, price) = match patient.client.minute_price(to).await {
        Ok(Some(price)) => {
            let MinutePrice { price: each, unit } = &price;
            let detail = format!(
                "a call to {to} costs {each} {unit} for each begun minute; machine detection and speech recognition \
                 are charged besides, see https://www.twilio.com/en-us/voice/pricing"
            );
            (Finding::ok("price", detail), Some(price))
        }
        Ok(None) | Err(RequestError::NotFound) => {
            let mend = "Look at https://www.twilio.com/en-us/voice/pricing";
            (Finding::warning("price", format!("Twilio names no price for a call to {to}"), mend), None)
        }
        Err(error) => (Finding::warning("price", &error, remedy(&error)), None),
    };
    vec![finding, balance(patient, price).await]
}

async fn balance(patient: &Patient<'_>, price: Option<MinutePrice>) -> Finding {
    const BALANCE: &str = "balance";
    let balance = match patient.client.balance().await {
        Ok(balance) => balance,
        Err(error) => return Finding::warning(BALANCE, &error, remedy(&error)),
    };
    let unit = balance.currency.unwrap_or_default().to_uppercase();
    let Ok(money) = balance.balance.parse::<f64>() else {
        return Finding::warning(BALANCE, format!("it reads {:?}", balance.balance), "Look at it in Twilio's console");
    };
    let mend = "Add funds under Billing in Twilio's console; without any, Twilio suspends the account";
    let minutes = price.filter(|price| price.price > 0.0 && price.unit == unit).map(|price| money / price.price);
    let lasts = minutes.map_or(String::new(), |minutes| format!(", enough for {} minutes", minutes.max(0.0).floor()));
    let detail = format!("{money:.2} {unit}{lasts}");
    match minutes {
        _ if money <= 0.0 => Finding::failed(BALANCE, detail, mend),
        Some(minutes) if minutes < 1.0 => Finding::failed(BALANCE, detail, mend),
        Some(minutes) if minutes < FEW_MINUTES => Finding::warning(BALANCE, detail, mend),
        _ => Finding::ok(BALANCE, detail),
    }
}
