//! The account: who is let in, what it has, and what it may do.

use crate::support::app::App;
use crate::support::rest::Client;
use crate::support::{ACCOUNT, FROM, TOKEN, over, settings, soon, start, warnings};
use gymcall_simulator::{Account, Event, Settings, Simulator, Status};

const URL: (&str, &str) = ("Url", "http://127.0.0.1:9/voice");
const KEY: &str = "SK0123456789abcdef0123456789abcdef";
const TESTER: &str = "AC99999999999999999999999999999999";

async fn with(account: &str) -> Simulator {
    start(Settings { account: Account::from_toml(account).unwrap(), ..settings() }).await
}

#[tokio::test]
async fn tokens_and_api_keys_open_the_door_and_nothing_else_does() {
    let account = format!("secondary_token = 'second'\n[[api_key]]\nsid = '{KEY}'\nsecret = 'shh'");
    let simulator = with(&account).await;
    let mut client = Client::of(&simulator);
    for (user, password, status) in [
        (ACCOUNT, TOKEN, 200),
        (ACCOUNT, "second", 200),
        (KEY, "shh", 200),
        (KEY, TOKEN, 401),
        (ACCOUNT, "shh", 401),
        (ACCOUNT, "", 401),
    ] {
        (client.user, client.password) = (user.to_owned(), password.to_owned());
        let reply = client.get("/Calls.json").await;
        assert_eq!(reply.status, status, "{user} {password}");
        if status == 401 {
            assert_eq!(reply.json["code"], 20003);
            assert!(reply.head.contains("www-authenticate: basic realm=\"twilio api\""));
        }
    }
}

#[tokio::test]
async fn every_reply_has_twilios_headers() {
    let simulator = start(settings()).await;
    let head = Client::of(&simulator).get("/Calls.json").await.head;
    for header in [
        "twilio-request-id: rq",
        "twilio-request-duration: 0.",
        "twilio-concurrent-requests: 1",
        "x-home-region: us1",
        "x-api-domain: api.twilio.com",
        "content-type: application/json",
    ] {
        assert!(head.contains(header), "{header}: {head}");
    }
}

#[tokio::test]
async fn too_many_requests_at_one_time_are_refused_with_20429() {
    let faults = "[[fault]]\nsilence_before_create = true";
    let simulator = start(Settings {
        account: Account::from_toml("max_requests = 1").unwrap(),
        faults: gymcall_simulator::Faults::from_toml(faults).unwrap(),
        ..settings()
    })
    .await;
    let client = Client::of(&simulator);
    // It is never answered, and stays open for as long as its socket.
    let open = client.order("+14155550101", &[URL]).await;
    let mut feed = simulator.log().subscribe();
    soon(feed.wait_for(|event| matches!(event, Event::Create { .. }))).await;
    let reply = client.get("/Calls.json").await;
    assert_eq!((reply.status, reply.json["code"].as_u64()), (429, Some(20429)));
    assert!(reply.head.contains("twilio-concurrent-requests: 2") && !reply.head.contains("retry-after"));
    drop(open);
}

#[tokio::test]
async fn the_account_its_money_and_its_numbers_are_shown() {
    let account =
        "balance = 12.5\nname = 'Gyms'\nnumbers = ['+15005550006', '+14155550100']\nverified = ['+14155550199']";
    let simulator = with(account).await;
    let client = Client::of(&simulator);
    let it = client.get(&format!("/2010-04-01/Accounts/{ACCOUNT}.json")).await.json;
    assert_eq!(
        (it["sid"].as_str(), it["status"].as_str(), it["type"].as_str()),
        (Some(ACCOUNT), Some("active"), Some("Full"))
    );
    assert_eq!((it["friendly_name"].as_str(), it["auth_token"].as_str()), (Some("Gyms"), Some(TOKEN)));
    assert_eq!(client.get("/2010-04-01/Accounts.json").await.json["accounts"][0]["sid"], ACCOUNT);
    let balance = client.get("/Balance.json").await.json;
    assert_eq!((balance["balance"].as_str(), balance["currency"].as_str()), (Some("12.50"), Some("USD")));

    let numbers = client.get("/IncomingPhoneNumbers.json").await.json["incoming_phone_numbers"].clone();
    assert_eq!(numbers.as_array().unwrap().len(), 2);
    assert_eq!(
        (numbers[0]["phone_number"].as_str(), numbers[0]["capabilities"]["voice"].as_bool()),
        (Some(FROM), Some(true))
    );
    let one = client.get("/IncomingPhoneNumbers.json?PhoneNumber=%2B14155550100").await.json;
    let sid = one["incoming_phone_numbers"][0]["sid"].as_str().unwrap().to_owned();
    let fetched = client.get(&format!("/IncomingPhoneNumbers/{sid}.json")).await.json;
    assert_eq!(fetched["phone_number"], "+14155550100");
    let verified = client.get("/OutgoingCallerIds.json").await.json;
    assert_eq!(verified["outgoing_caller_ids"][0]["phone_number"], "+14155550199");

    let reply = client.create("+14155550107", &[URL]).await.json;
    assert_eq!(reply["phone_number_sid"], numbers[0]["sid"]);
}

#[tokio::test]
async fn permissions_and_prices_of_countries_are_shown_and_kept() {
    let simulator = with("countries = ['US']").await;
    let client = Client::of(&simulator);
    let enabled = async |iso: &str| {
        let country = client.get(&format!("/v1/DialingPermissions/Countries/{iso}")).await.json;
        country["low_risk_numbers_enabled"].as_bool()
    };
    assert_eq!((enabled("US").await, enabled("DE").await, enabled("XX").await), (Some(true), Some(false), None));
    let listed = client.get("/v1/DialingPermissions/Countries?IsoCode=DE").await.json;
    assert_eq!(
        (listed["content"][0]["name"].as_str(), listed["meta"]["key"].as_str()),
        (Some("Germany"), Some("content"))
    );
    let price = client.get("/v2/Voice/Numbers/+14155550101").await.json;
    assert_eq!((price["iso_country"].as_str(), price["price_unit"].as_str()), (Some("US"), Some("USD")));
    assert_eq!(price["outbound_call_prices"][0]["current_price"], "0.0140");
    let reply = client.create("+4930123456", &[URL]).await;
    assert_eq!((reply.status, reply.json["code"].as_u64()), (400, Some(21215)));
    assert_eq!(client.create("+14155550107", &[URL]).await.status, 201);
}

#[tokio::test]
async fn test_credentials_check_an_order_and_forget_it() {
    let account = format!("[test]\nsid = '{TESTER}'\ntoken = 'pretend'");
    let simulator = with(&account).await;
    let mut client = Client::of(&simulator);
    let real = client.get("/Calls.json").await.json["calls"].as_array().unwrap().len();
    (client.user, client.password) = (TESTER.to_owned(), "pretend".to_owned());
    let calls = format!("/2010-04-01/Accounts/{TESTER}/Calls.json");
    for (to, from, code) in [
        ("+14155550101", FROM, None),
        ("+15005550001", FROM, Some(21217)),
        ("+15005550002", FROM, Some(21214)),
        ("+15005550003", FROM, Some(21215)),
        ("+15005550004", FROM, Some(21216)),
        ("+14155550101", "+15005550001", Some(21212)),
        ("+14155550101", "+14155550100", Some(21210)),
        ("nobody", FROM, Some(21211)),
    ] {
        let reply = client.post(&calls, &[("To", to), ("From", from), URL]).await;
        assert_eq!(reply.status, if code.is_some() { 400 } else { 201 }, "{to} {from}");
        assert_eq!(reply.json["code"].as_u64(), code, "{to} {from}");
    }
    let other = client.get(&calls).await;
    assert_eq!((other.status, other.json["code"].as_u64()), (403, Some(20008)));
    assert_eq!(client.create("+14155550101", &[URL]).await.status, 403);
    assert_eq!(Client::of(&simulator).get("/Calls.json").await.json["calls"].as_array().unwrap().len(), real);
    assert!(simulator.log().entries().is_empty());
}

#[tokio::test]
async fn a_trial_account_calls_verified_numbers_and_not_for_long() {
    let app = App::start("<Response><Pause length='60'/></Response>").await;
    let account =
        format!("numbers = ['{FROM}']\nverified = ['+14155550113']\n[trial]\nlongest_call_s = 1\nmessage = ''");
    let simulator = with(&account).await;
    let client = Client::of(&simulator);
    let voice = app.url("/voice");
    let reply = client.create("+14155550101", &[("Url", &voice)]).await;
    assert_eq!((reply.status, reply.json["code"].as_u64()), (400, Some(21219)));
    let sid = client.created("+14155550113", &[("Url", &voice)]).await;
    assert_eq!(over(&simulator, &sid).await.last(), Some(&Status::Completed));
    assert_eq!(warnings(&simulator), [13805]);
    let it = client.get(&format!("/2010-04-01/Accounts/{ACCOUNT}.json")).await.json;
    assert_eq!(it["type"], "Trial");
}

#[tokio::test]
async fn a_call_above_the_limit_of_live_calls_fails() {
    let mut app = App::start("<Response><Pause length='60'/></Response>").await;
    let simulator = with("max_live_calls = 1").await;
    let client = Client::of(&simulator);
    let (voice, status) = (app.url("/voice"), app.url("/status"));
    client.created("+14155550113", &[("Url", &voice)]).await;
    app.next_to("/voice").await;
    let sid = client.created("+14155550101", &[("Url", &voice), ("StatusCallback", &status)]).await;
    assert_eq!(over(&simulator, &sid).await, [Status::Failed]);
    assert_eq!(app.next_to("/status").await.status(), "failed");
    let notes = client.get(&format!("/Calls/{sid}/Notifications.json")).await.json;
    assert_eq!(notes["notifications"][0]["error_code"], "10004");
}

#[tokio::test]
async fn a_call_that_is_queued_for_too_long_is_cancelled_without_a_word() {
    let mut app = App::start("<Response/>").await;
    let account = Account::from_toml("longest_queue_s = 0.2").unwrap();
    let simulator = start(Settings { account, calls_per_second: 0.01, ..settings() }).await;
    let client = Client::of(&simulator);
    let status = app.url("/status");
    let first = client.created("+14155550107", &[URL]).await;
    let second = client.created("+14155550101", &[URL, ("StatusCallback", &status)]).await;
    assert_eq!(over(&simulator, &second).await, [Status::Canceled]);
    assert_eq!(over(&simulator, &first).await.last(), Some(&Status::Busy));
    assert!(app.rest().is_empty());
}

#[tokio::test]
async fn a_suspended_account_reads_and_does_not_call() {
    let simulator = with("standing = 'suspended'").await;
    let client = Client::of(&simulator);
    let reply = client.create("+14155550101", &[URL]).await;
    assert_eq!((reply.status, reply.json["code"].as_u64()), (403, Some(20005)));
    let it = client.get(&format!("/2010-04-01/Accounts/{ACCOUNT}.json")).await.json;
    assert_eq!(it["status"], "suspended");
}

#[test]
fn mistakes_in_an_account_are_told() {
    for wrong in [
        "numbers = 3",
        "colour = 'red'",
        "countries = ['Atlantis']",
        "longest_queue_s = -1.0",
        "[[api_key]]\nsid = 'SK1'\nsecret = 'x'",
        "[test]\nsid = 'AC1'\ntoken = 'x'",
    ] {
        assert!(Account::from_toml(wrong).is_err(), "{wrong}");
    }
}
