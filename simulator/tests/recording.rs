//! Recordings of whole calls, down to the bytes of their files, in tones and in speech for people.

use crate::support::app::App;
use crate::support::rest::{Client, rest_of};
use crate::support::{happened, over, settings, start, tone};
use gymcall_simulator::{Event, Settings, Simulator, Speech, StartError};

/// The parts of a WAV file that say what it is, and its samples.
struct Wav {
    format: u16,
    channels: u16,
    rate: u32,
    bits: u16,
    data: Vec<u8>,
}

async fn wav(client: &Client, path: &str) -> Wav {
    let mut socket = client.ask("GET", path, "").await;
    let (bytes, _) = rest_of(&mut socket).await;
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    assert!(bytes.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&bytes[..head]));
    let file = &bytes[head + 4..];
    assert_eq!((&file[..4], &file[8..16]), (&b"RIFF"[..], &b"WAVEfmt "[..]));
    let word = |at: usize| u16::from_le_bytes(file[at..at + 2].try_into().unwrap());
    let long = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
    assert_eq!(long(4) as usize + 8, file.len());
    let at = file.windows(4).position(|four| four == b"data").unwrap();
    let data = file[at + 8..].to_vec();
    assert_eq!(long(at + 4) as usize, data.len());
    Wav { format: word(20), channels: word(22), rate: long(24), bits: word(34), data }
}

impl Wav {
    fn samples(&self) -> Vec<i16> {
        assert_eq!((self.format, self.bits, self.rate), (1, 16, 8000));
        self.data.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
    }

    /// One channel of two.
    fn channel(&self, n: usize) -> Vec<i16> {
        assert_eq!(self.channels, 2);
        self.samples().chunks_exact(2).map(|pair| pair[n]).collect()
    }
}

/// Milliseconds in which there is more than a whisper.
fn loud_ms(samples: &[i16]) -> usize {
    20 * samples.chunks(160).filter(|frame| frame.iter().any(|sample| sample.unsigned_abs() > 1000)).count()
}

/// The words in the tones of a channel: G.711 has no sound between its steps, so the bytes come back.
fn words(samples: &[i16]) -> String {
    let mulaw: Vec<u8> = samples.iter().map(|sample| encode(*sample)).collect();
    // The tones need not begin where the bits of this reader do.
    (0..8)
        .map(|skip| tone::hear(&mulaw[skip..]))
        .max_by_key(Vec::len)
        .unwrap()
        .iter()
        .map(|(text, _)| text.as_str())
        .collect()
}

fn encode(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x80u8 } else { 0 };
    let magnitude = (i32::from(sample).abs() + 132).min(32_767);
    let exponent = 24 - magnitude.leading_zeros() as i32;
    !(sign | ((exponent as u8) << 4) | ((magnitude >> (exponent + 3)) & 15) as u8)
}

/// The recording of the call, once it has ended.
async fn completed(simulator: &Simulator, sid: &str) -> (String, u64) {
    happened(simulator, sid, |event| match event {
        Event::Recording { recording_sid, status, duration_ms, .. } if status == "completed" => {
            Some((recording_sid.clone(), *duration_ms))
        }
        _ => None,
    })
    .await
}

const CONVERSATION: &str =
    "<Response><Pause length=\"2\"/><Say>What are your opening hours?</Say><Pause length=\"2\"/></Response>";

#[tokio::test]
async fn both_sides_of_a_call_are_on_their_channels_from_the_first_word_to_the_last() {
    let mut app = App::start(CONVERSATION).await;
    let simulator = start(settings()).await;
    let client = Client::of(&simulator);
    let (voice, status, news) = (app.url("/voice"), app.url("/status"), app.url("/recording"));
    let mut params = vec![("Url", &*voice), ("StatusCallback", &status), ("Record", "true")];
    params.extend([("RecordingChannels", "dual"), ("RecordingStatusCallback", &*news)]);
    params.extend([("RecordingStatusCallbackEvent", "in-progress"), ("RecordingStatusCallbackEvent", "completed")]);
    let sid = client.created("+14155550101", &params).await;
    let first = app.next_to("/recording").await;
    assert!(first.signed);
    assert_eq!((first.get("RecordingStatus"), first.get("RecordingDuration")), (Some("in-progress"), None));
    let (recording, ms) = completed(&simulator, &sid).await;
    let last = app.next_to("/recording").await;
    let seconds = ((ms + 500) / 1000).to_string();
    for (name, value) in [
        ("RecordingStatus", "completed"),
        ("RecordingSid", &*recording),
        ("CallSid", &sid),
        ("RecordingSource", "OutboundAPI"),
        ("RecordingChannels", "2"),
        ("RecordingTrack", "both"),
        ("RecordingDuration", &*seconds),
    ] {
        assert_eq!(last.get(name), Some(value), "{name}");
    }
    assert!(last.get("RecordingStartTime").unwrap().ends_with("+0000"));
    let url = last.get("RecordingUrl").unwrap().to_owned();
    assert!(url.starts_with(&simulator.url()) && url.ends_with(&recording), "{url}");
    let news = app.next_to("/status").await;
    assert_eq!((news.status(), news.get("RecordingSid")), ("completed", Some(&*recording)));
    assert_eq!((news.get("RecordingUrl"), news.get("RecordingDuration")), (Some(&*url), Some(&*seconds)));

    let wav = wav(&client, url.strip_prefix(&simulator.url()).unwrap()).await;
    let (callee, app) = (wav.channel(0), wav.channel(1));
    assert_eq!(callee.len() as u64, ms * 8);
    assert_eq!(words(&callee), "Hello, thank you for calling the gymWe are open from 6 am to 10 pm every day");
    assert_eq!(words(&app), "What are your opening hours?");
    // The silence before the greeting and after the answer has been cut off.
    assert!(loud_ms(&callee[..160]) == 20 && loud_ms(&callee[callee.len() - 160..]) == 20);
}

#[tokio::test]
async fn one_track_untrimmed_is_as_long_as_the_call_and_silence_alone_is_absent() {
    let mut app = App::start("<Response><Pause length=\"2\"/></Response>").await;
    let simulator = start(settings()).await;
    let client = Client::of(&simulator);
    let (voice, news) = (app.url("/voice"), app.url("/recording"));
    let common = [("Url", &*voice), ("Record", "true"), ("RecordingStatusCallback", &*news)];
    let with = |more: &[(&'static str, &'static str)]| [common.as_slice(), more].concat();
    let params = with(&[("RecordingTrack", "outbound"), ("Trim", "do-not-trim")]);
    let sid = client.created("+14155550101", &params).await;
    let (recording, ms) = completed(&simulator, &sid).await;
    assert!(ms >= 1900, "{ms} ms");
    let wav = wav(&client, &format!("/Recordings/{recording}.wav")).await;
    let samples = wav.samples();
    assert_eq!((wav.channels, samples.len() as u64), (1, ms * 8));
    assert_eq!(loud_ms(&samples), 0, "the callee is on the other track");
    app.next_to("/recording").await;

    let sid = client.created("+14155550113", &with(&[("RecordingStatusCallbackEvent", "absent")])).await;
    over(&simulator, &sid).await;
    assert_eq!(app.next_to("/recording").await.get("RecordingStatus"), Some("absent"));
}

#[tokio::test]
async fn speech_of_a_program_can_be_listened_to_and_the_callee_knows_the_words() {
    for speech in [Speech::Flite, Speech::EspeakNg] {
        let app = App::start(CONVERSATION).await;
        let simulator = match Simulator::start(Settings { speech, ..settings() }).await {
            Ok(simulator) => simulator,
            Err(StartError::Speech(error)) => {
                println!("not tested: {error}");
                continue;
            }
            Err(error) => panic!("{error}"),
        };
        let client = Client::of(&simulator);
        let voice = app.url("/voice");
        let params = [("Url", &*voice), ("Record", "true"), ("RecordingChannels", "dual")];
        let sid = client.created("+14155550101", &params).await;
        let heard = happened(&simulator, &sid, |event| match event {
            Event::Heard { text, .. } => Some(text.clone()),
            _ => None,
        });
        assert_eq!(heard.await, "What are your opening hours?");
        let said = happened(&simulator, &sid, |event| match event {
            Event::Said { text, .. } if text.starts_with("We are open") => Some(()),
            _ => None,
        });
        said.await;
        let (recording, ms) = completed(&simulator, &sid).await;
        let wav = wav(&client, &format!("/Recordings/{recording}.wav")).await;
        let (callee, app) = (wav.channel(0), wav.channel(1));
        assert_eq!((callee.len() as u64, app.len() as u64), (ms * 8, ms * 8));
        // Both speak for about as long as people do, where tones would take a fifth of that.
        let (callee, app) = (loud_ms(&callee), loud_ms(&app));
        assert!((2000..8000).contains(&callee), "{speech:?}: the callee speaks for {callee} ms");
        assert!((800..3000).contains(&app), "{speech:?}: the app speaks for {app} ms");
        assert!(crate::support::warnings(&simulator).is_empty());
    }
}
