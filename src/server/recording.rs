//! The sound of a call: Twilio keeps it, and it is passed on from there.

use std::convert::Infallible;
use std::io::Cursor;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream};
use gymcall_jobs::id::JobId;
use hound::{SampleFormat, WavReader, WavWriter};
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;
use utoipa::IntoParams;

use super::Server;
use super::error::{Body, Problem};
use super::query::Query;
use crate::twilio::client::RequestError;

/// Which part is wanted, in ms from the beginning; an answer's `from_ms` and `to_ms` fit.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Span {
    /// From here on, in ms from the beginning; an answer's `from_ms` fits.
    from: Option<u64>,
    /// Up to here, in ms from the beginning; an answer's `to_ms` fits.
    to: Option<u64>,
}

/// How many sounds are in memory at once. Each is up to 64 MB, and twice that while it is cut.
pub(super) const AT_ONCE: usize = 8;
/// How large the pieces are that a sound is sent in, in bytes.
const PIECE: usize = 64 * 1024;
/// After how many seconds one who finds no place may ask again.
const COME_BACK_AFTER: u64 = 2;

/// Gives the sound of the latest call of this job that was recorded.
#[utoipa::path(
    get, path = "/v1/calls/{id}/recording.wav", params(Span),
    responses(
        (status = 200, description = "The sound, or the part of it that was asked for", body = [u8], content_type = "audio/wav"),
        (status = 503, description = "Too many recordings are being sent: wait as long as Retry-After says", body = Body<'_>, content_type = "application/problem+json"),
        (status = 502, description = "Twilio did not give it", body = Body<'_>, content_type = "application/problem+json"),
    )
)]
pub(super) async fn wav(
    State(server): State<Arc<Server>>,
    Path(id): Path<String>,
    Query(span): Query<Span>,
) -> Result<Response, Problem> {
    if let (Some(from), Some(to)) = (span.from, span.to)
        && from >= to
    {
        return Err(Problem::field("/to", "out_of_range", "must be more than from"));
    }
    let id: JobId = id.parse().map_err(|_| Problem::missing("call"))?;
    let job = server.ledger.store().job(&id).await?.ok_or_else(|| Problem::missing("call"))?.record;
    let recorded = job.attempts().iter().rev().filter(|attempt| attempt.recorded);
    let Some(call) = recorded.clone().find_map(|attempt| attempt.call.as_ref()) else {
        return Err(Problem::new(StatusCode::NOT_FOUND, "no call of this job was recorded"));
    };
    let Some(twilio) = &server.twilio else {
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "recordings are kept by Twilio: set TWILIO_*"));
    };
    let place = Arc::clone(&server.listeners).try_acquire_owned().map_err(|_| {
        let detail = format!("{AT_ONCE} recordings are being sent already: ask again as Retry-After says");
        Problem::busy(StatusCode::SERVICE_UNAVAILABLE, COME_BACK_AFTER, detail)
    })?;
    let recordings = twilio.recordings(call).await.map_err(no_answer)?;
    let Some(recording) = recordings.iter().find(|recording| recording.is_ready()) else {
        return Err(match recordings.iter().all(|recording| recording.is_absent()) && job.outcome().is_some() {
            true => Problem::new(StatusCode::NOT_FOUND, "nothing was recorded, or it was deleted at Twilio"),
            false => Problem::conflict("the recording is not ready yet: ask again some seconds after the call's end"),
        });
    };
    let sound = twilio.sound(recording).await.map_err(no_answer)?;
    let sound = match span {
        Span { from: None, to: None } => sound,
        Span { from, to } => cut(&sound, from.unwrap_or(0), to.unwrap_or(u64::MAX)).map_err(|error| {
            tracing::error!(job_id = %id, %error, "job {id}: its recording cannot be cut: {error}");
            Problem::new(StatusCode::BAD_GATEWAY, "Twilio's recording is no WAV file of a known kind")
        })?,
    };
    let headers = [(header::CONTENT_TYPE, "audio/wav".to_owned()), (header::CONTENT_LENGTH, sound.len().to_string())];
    Ok((headers, axum::body::Body::from_stream(pieces(sound.into(), place))).into_response())
}

/// The sound in pieces, as fast as they are taken. Its place is free once the last was.
fn pieces(sound: Bytes, place: OwnedSemaphorePermit) -> impl Stream<Item = Result<Bytes, Infallible>> {
    stream::unfold((sound, place), async |(mut sound, place)| {
        let piece = sound.split_to(sound.len().min(PIECE));
        (!piece.is_empty()).then_some((Ok(piece), (sound, place)))
    })
}

fn no_answer(error: RequestError) -> Problem {
    tracing::warn!(%error, "a recording cannot be had from Twilio: {error}");
    match error {
        RequestError::NotFound => Problem::new(StatusCode::NOT_FOUND, "Twilio does not have this recording any more"),
        error => Problem::new(StatusCode::BAD_GATEWAY, error.to_string()),
    }
}

/// The part of a WAV file between two times in ms; as much of it as there is.
fn cut(wav: &[u8], from: u64, to: u64) -> Result<Vec<u8>, hound::Error> {
    let mut reader = WavReader::new(wav)?;
    let spec = reader.spec();
    if (spec.sample_format, spec.bits_per_sample) != (SampleFormat::Int, 16) {
        return Err(hound::Error::Unsupported);
    }
    let frame = |ms: u64| ms.saturating_mul(u64::from(spec.sample_rate)) / 1000;
    let channels = u64::from(spec.channels);
    let index = |ms: u64| usize::try_from(frame(ms).saturating_mul(channels)).unwrap_or(usize::MAX);
    let (first, past) = (index(from), index(to));
    let mut file = Cursor::new(Vec::new());
    let mut writer = WavWriter::new(&mut file, spec)?;
    for sample in reader.samples::<i16>().skip(first).take(past.saturating_sub(first)) {
        writer.write_sample(sample?)?;
    }
    writer.finalize()?;
    Ok(file.into_inner())
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;

    use super::*;

    const SPEC: hound::WavSpec =
        hound::WavSpec { channels: 2, sample_rate: 8000, bits_per_sample: 16, sample_format: SampleFormat::Int };

    /// A second of sound in two channels whose samples say where they are.
    fn second() -> Vec<u8> {
        let mut file = Cursor::new(Vec::new());
        let mut writer = WavWriter::new(&mut file, SPEC).unwrap();
        for frame in 0..8000 {
            writer.write_sample(frame).unwrap();
            writer.write_sample(-frame).unwrap();
        }
        writer.finalize().unwrap();
        file.into_inner()
    }

    fn samples(wav: &[u8]) -> Vec<i16> {
        WavReader::new(wav).unwrap().samples().map(Result::unwrap).collect()
    }

    #[test]
    fn a_part_holds_both_channels_from_its_first_to_its_last_sample() {
        let part = samples(&cut(&second(), 250, 251).unwrap());
        let frames: Vec<i16> = (2000..2008).flat_map(|frame| [frame, -frame]).collect();
        assert_eq!(part, frames);
    }

    #[test]
    fn a_part_that_lies_behind_the_end_is_empty_and_one_that_crosses_it_is_as_long_as_there_is_sound() {
        assert!(samples(&cut(&second(), 2_000, 3_000).unwrap()).is_empty());
        assert_eq!(samples(&cut(&second(), 900, u64::MAX).unwrap()).len(), 1_600);
    }

    #[tokio::test]
    async fn a_sound_is_sent_whole_and_keeps_its_place_until_then() {
        let places = Arc::new(tokio::sync::Semaphore::new(1));
        let sound = Bytes::from(vec![7; 2 * PIECE + 1]);
        let mut pieces = Box::pin(pieces(sound.clone(), Arc::clone(&places).try_acquire_owned().unwrap()));
        let mut sent = Vec::new();
        while let Some(Ok(piece)) = pieces.next().await {
            assert_eq!(places.available_permits(), 0, "after {} bytes", sent.len());
            sent.extend_from_slice(&piece);
        }
        assert_eq!((sent.len(), places.available_permits()), (sound.len(), 1));
        // Whoever leaves gives the place back, too.
        let left = super::pieces(sound, Arc::clone(&places).try_acquire_owned().unwrap());
        drop(left);
        assert_eq!(places.available_permits(), 1);
    }

    #[test]
    fn what_is_no_recording_is_refused() {
        assert!(cut(b"<html>", 0, 1).is_err());
    }
}
