//! Creating a call: every parameter is read, and what is wrong is refused with Twilio's code.

use crate::support::app::App;
use crate::support::rest::Client;
use crate::support::{FROM, over, settings, start, warnings};
use gymcall_simulator::{Account, Callees, Settings};

const URL: (&str, &str) = ("Url", "http://127.0.0.1:9/voice");
const TO: &str = "+14155550107";

#[tokio::test]
async fn each_wrong_parameter_is_refused_with_its_own_code() {
    let simulator = start(settings()).await;
    let client = Client::of(&simulator);
    let (long, longer) = ("x".repeat(4001), "x".repeat(256));
    for (params, code) in [
        (vec![("Twiml", long.as_str())], 21205),
        (vec![("Url", "ftp://127.0.0.1/voice")], 21205),
        (vec![URL, ("FallbackUrl", "fallback")], 21205),
        (vec![URL, ("StatusCallback", "http://my_host/status")], 21205),
        (vec![URL, ("AsyncAmdStatusCallback", "amd")], 21205),
        (vec![URL, ("Record", "true"), ("RecordingStatusCallback", "recording")], 21205),
        (vec![URL, ("SendDigits", "12E")], 21206),
        (vec![URL, ("SendDigits", "111111111111111111111111111111111")], 21206),
        (vec![URL, ("Timeout", "-1")], 21208),
        (vec![URL, ("StatusCallback", "http://127.0.0.1/"), ("StatusCallbackMethod", "PUT")], 21209),
        (vec![URL, ("FallbackUrl", "http://127.0.0.1/"), ("FallbackMethod", "HEAD")], 21209),
        (vec![URL, ("CallerId", "nobody")], 21212),
        (vec![("ApplicationSid", "AP0123456789abcdef0123456789abcdef")], 21218),
        (vec![URL, ("SipAuthUsername", &longer)], 21221),
        (vec![URL, ("SipAuthUsername", "an na"), ("SipAuthPassword", "x")], 21222),
        (vec![URL, ("SipAuthUsername", "anna"), ("SipAuthPassword", &longer)], 21223),
        (vec![URL, ("SipAuthUsername", "anna"), ("SipAuthPassword", "ä")], 21224),
        (vec![URL, ("SipAuthUsername", "anna")], 21225),
        (vec![URL, ("MachineDetection", "Guess")], 21234),
        (vec![URL, ("MachineDetection", "Enable"), ("MachineDetectionTimeout", "60")], 21234),
        (vec![URL, ("MachineDetection", "Enable"), ("MachineDetectionSpeechThreshold", "999")], 21234),
        (vec![URL, ("MachineDetection", "Enable"), ("MachineDetectionSpeechEndThreshold", "5001")], 21234),
        (vec![URL, ("MachineDetection", "Enable"), ("MachineDetectionSilenceTimeout", "x")], 21234),
        (vec![URL, ("Record", "perhaps")], 20001),
        (vec![URL, ("Record", "true"), ("RecordingChannels", "three")], 20001),
        (vec![URL, ("Record", "true"), ("RecordingTrack", "left")], 20001),
        (vec![URL, ("Record", "true"), ("Trim", "some")], 20001),
        (vec![URL, ("Record", "true"), ("RecordingStatusCallbackEvent", "completed now")], 20001),
    ] {
        let reply = client.create(TO, &params).await;
        assert_eq!((reply.status, reply.json["code"].as_u64()), (400, Some(code)), "{params:?}: {}", reply.json);
    }
    assert!(simulator.log().creates().is_empty());
}

#[tokio::test]
async fn every_documented_parameter_is_taken() {
    let simulator = start(settings()).await;
    let client = Client::of(&simulator);
    let url = "http://127.0.0.1:9/x";
    let all = [
        URL,
        ("Method", "get"),
        ("FallbackUrl", url),
        ("FallbackMethod", "GET"),
        ("StatusCallback", url),
        ("StatusCallbackMethod", "GET"),
        ("StatusCallbackEvent", "initiated"),
        ("StatusCallbackEvent", "completed"),
        ("Timeout", "20"),
        ("TimeLimit", "600"),
        ("Record", "true"),
        ("RecordingChannels", "dual"),
        ("RecordingTrack", "inbound"),
        ("RecordingStatusCallback", url),
        ("RecordingStatusCallbackMethod", "GET"),
        ("RecordingStatusCallbackEvent", "in-progress completed"),
        ("RecordingStatusCallbackEvent", "absent"),
        ("Trim", "do-not-trim"),
        ("MachineDetection", "DetectMessageEnd"),
        ("MachineDetectionTimeout", "3"),
        ("MachineDetectionSpeechThreshold", "6000"),
        ("MachineDetectionSpeechEndThreshold", "500"),
        ("MachineDetectionSilenceTimeout", "10000"),
        ("AsyncAmd", "true"),
        ("AsyncAmdStatusCallback", url),
        ("AsyncAmdStatusCallbackMethod", "GET"),
        ("SipAuthUsername", "anna"),
        ("SipAuthPassword", "secret"),
        ("CallerId", "+1 (500) 555-0006"),
        ("CallReason", "A question about the opening hours"),
        ("CallToken", "opaque"),
        ("Byoc", "BY0123456789abcdef0123456789abcdef"),
        ("ClientNotificationUrl", url),
        ("Shoesize", "44"),
    ];
    let reply = client.create(TO, &all).await;
    assert_eq!(reply.status, 201, "{}", reply.json);
    let digits = client.create(TO, &[URL, ("SendDigits", "wW1234#*ABCD")]).await;
    assert_eq!(digits.status, 201, "{}", digits.json);
    let sip = client.create("sip:gym@example.com", &[("Twiml", "<Response/>")]).await;
    assert_eq!((sip.status, sip.json["to"].as_str()), (201, Some("sip:gym@example.com")));
    let written = client.create("+1 (415) 555-0107", &[URL]).await;
    assert_eq!((written.status, written.json["to"].as_str()), (201, Some(TO)));
    assert!(warnings(&simulator).is_empty());
}

#[tokio::test]
async fn odd_orders_are_taken_with_a_warning_that_names_the_call() {
    let simulator = start(settings()).await;
    let client = Client::of(&simulator);
    client.created(TO, &[URL, ("MachineDetection", "Enable"), ("AsyncAmd", "true")]).await;
    client.created(TO, &[URL, ("AsyncAmd", "true")]).await;
    assert_eq!(warnings(&simulator), [21262, 21263]);
}

#[tokio::test]
async fn a_number_is_refused_with_the_code_that_its_data_names() {
    let numbers = [21203u32, 21211, 21214, 21215, 21216, 21217, 21219].map(|code| (code, format!("+1415556{code}")));
    let file: String = numbers
        .iter()
        .map(|(code, number)| format!("[[callee]]\nnumbers = ['{number}']\nrefused = {code}\n"))
        .collect();
    let simulator = start(Settings { callees: Callees::from_toml(&file).unwrap(), ..settings() }).await;
    let client = Client::of(&simulator);
    for (code, number) in numbers {
        let reply = client.create(&number, &[URL]).await;
        assert_eq!((reply.status, reply.json["code"].as_u64()), (400, Some(u64::from(code))));
        assert!(reply.json["message"].as_str().unwrap().contains(&number));
    }
}

#[tokio::test]
async fn only_the_accounts_own_numbers_may_call_once_they_are_listed() {
    let account = Account::from_toml("numbers = ['+15005550006']\nverified = ['+14155550199']").unwrap();
    let simulator = start(Settings { account, ..settings() }).await;
    let client = Client::of(&simulator);
    for (from, status) in [(FROM, 201), ("+14155550199", 201), ("+14155550198", 400)] {
        let reply = client.post("/Calls.json", &[("To", TO), ("From", from), URL]).await;
        assert_eq!(reply.status, status, "{from}");
        assert_eq!(reply.json["code"].as_u64(), (status == 400).then_some(21210));
    }
    let reply = client.create(TO, &[URL, ("CallerId", "+14155550198")]).await;
    assert_eq!(reply.json["code"], 21210);
}

#[tokio::test]
async fn an_application_brings_its_own_urls() {
    let mut app = App::start("<Response/>").await;
    let sid = "AP0123456789abcdef0123456789abcdef";
    let account = format!(
        "[[application]]\nsid = '{sid}'\nvoice_url = '{}'\nvoice_method = 'GET'\nstatus_callback = '{}'",
        app.url("/voice"),
        app.url("/of-the-application"),
    );
    let simulator = start(Settings { account: Account::from_toml(&account).unwrap(), ..settings() }).await;
    let client = Client::of(&simulator);
    let own = app.url("/of-the-request");
    let call = client.created("+14155550101", &[("ApplicationSid", sid), ("StatusCallback", &own)]).await;
    over(&simulator, &call).await;
    let voice = app.next().await;
    assert_eq!((voice.method.as_str(), voice.uri.starts_with("/voice?")), ("GET", true));
    let end = app.next().await;
    assert_eq!((end.uri.as_str(), end.status()), ("/of-the-application", "completed"));
}
