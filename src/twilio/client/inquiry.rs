//! Questions about the account itself: who it is, what it owns, where it may call and at what price.

use jiff::Timestamp;
use secrecy::SecretString;
use serde::Deserialize;

use super::hosts::Product;
use super::{Client, RequestError, http, remote};

/// The account, as Twilio describes it. Its page shows the token too, which is not read.
#[derive(Debug, Clone, Deserialize)]
pub struct AccountRecord {
    /// `active`, `suspended` or `closed`.
    pub status: String,
    /// `Trial` or `Full`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What its holder calls it.
    pub friendly_name: Option<String>,
}

impl AccountRecord {
    /// Whether it calls verified numbers only, and at Twilio's expense.
    pub fn is_trial(&self) -> bool {
        self.kind.eq_ignore_ascii_case("trial")
    }
}

/// A number that the account owns.
#[derive(Debug, Clone, Deserialize)]
pub struct OwnedNumber {
    /// In E.164.
    pub phone_number: String,
    /// What it can do.
    pub capabilities: Capabilities,
}

/// What a number can do.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Capabilities {
    /// Whether it can call.
    #[serde(default)]
    pub voice: bool,
}

/// The account's money.
#[derive(Debug, Clone, Deserialize)]
pub struct Balance {
    /// A decimal number; a trial's is what Twilio gave.
    pub balance: String,
    /// `USD`.
    pub currency: Option<String>,
}

/// What a minute of a call costs.
#[derive(Debug, Clone, PartialEq)]
pub struct MinutePrice {
    /// In `unit`, for each begun minute.
    pub price: f64,
    /// `USD`.
    pub unit: String,
}

#[derive(Deserialize)]
struct OwnedNumbers {
    incoming_phone_numbers: Vec<OwnedNumber>,
}

#[derive(Deserialize)]
struct CallerIds {
    outgoing_caller_ids: Vec<CallerId>,
}

#[derive(Deserialize)]
struct CallerId {
    phone_number: String,
}

#[derive(Deserialize)]
struct Permission {
    low_risk_numbers_enabled: Option<bool>,
}

#[derive(Deserialize)]
struct Prices {
    outbound_call_prices: Vec<OutboundPrice>,
    price_unit: Option<String>,
}

#[derive(Deserialize)]
struct OutboundPrice {
    current_price: Option<String>,
}

impl Client {
    /// The same account by another of its tokens.
    pub fn with_token(&self, auth_token: SecretString) -> Self {
        let mut other = self.clone();
        other.account.auth_token = auth_token;
        other
    }

    /// The account, and Twilio's clock at its answer.
    pub async fn account(&self) -> Result<(AccountRecord, Option<Timestamp>), RequestError> {
        let file = format!("{}.json", self.account.account_sid);
        let url = http::below(&self.account.base_url, &[super::API_VERSION, "Accounts", &file]);
        remote::success(self.ask(self.asking.get(url)).await?)
    }

    /// The numbers that the account owns: the first 50, or those like `number`.
    pub async fn owned_numbers(&self, number: Option<&str>) -> Result<Vec<OwnedNumber>, RequestError> {
        let request = self.asking.get(self.url(&["IncomingPhoneNumbers.json"])).query(&like(number));
        let (read, _): (OwnedNumbers, _) = remote::success(self.ask(request).await?)?;
        Ok(read.incoming_phone_numbers)
    }

    /// The numbers that the account has proved to be its holder's: the first 50, or those like `number`.
    pub async fn verified_numbers(&self, number: Option<&str>) -> Result<Vec<String>, RequestError> {
        let request = self.asking.get(self.url(&["OutgoingCallerIds.json"])).query(&like(number));
        let (read, _): (CallerIds, _) = remote::success(self.ask(request).await?)?;
        Ok(read.outgoing_caller_ids.into_iter().map(|id| id.phone_number).collect())
    }

    /// The account's money.
    pub async fn balance(&self) -> Result<Balance, RequestError> {
        let request = self.asking.get(self.url(&["Balance.json"]));
        Ok(remote::success(self.ask(request).await?)?.0)
    }

    /// Whether the account may call ordinary numbers of a country; `iso` as `US`.
    pub async fn may_call_country(&self, iso: &str) -> Result<bool, RequestError> {
        let base = Product::Voice.base(&self.account.base_url);
        let url = http::below(&base, &["v1", "DialingPermissions", "Countries", iso]);
        let (read, _): (Permission, _) = remote::success(self.ask(self.asking.get(url)).await?)?;
        Ok(read.low_risk_numbers_enabled.unwrap_or(false))
    }

    /// What a minute of a call from the account's number to another costs; none if Twilio has no price for it.
    pub async fn minute_price(&self, to: &str) -> Result<Option<MinutePrice>, RequestError> {
        let base = Product::Pricing.base(&self.account.base_url);
        let request = self.asking.get(http::below(&base, &["v2", "Voice", "Numbers", to]));
        let request = request.query(&[("OriginationNumber", &self.account.from_number)]);
        let (read, _): (Prices, _) = remote::success(self.ask(request).await?)?;
        let prices = read.outbound_call_prices.iter().filter_map(|price| price.current_price.as_ref()?.parse().ok());
        let unit = read.price_unit.unwrap_or_default().to_uppercase();
        Ok(prices.max_by(f64::total_cmp).map(|price| MinutePrice { price, unit }))
    }
}

fn like(number: Option<&str>) -> Vec<(&'static str, &str)> {
    [("PageSize", super::PAGE_SIZE)].into_iter().chain(number.map(|number| ("PhoneNumber", number))).collect()
}
