//! A request for a call that is written in two halves, for the failpoints in its middle and at its end.
//!
//! Only a request whose point is armed is taken apart: all others go out as in a build without failpoints.

use std::time::Duration;

use futures_util::stream;
use gymcall_jobs::failpoint;
use reqwest::header::CONTENT_LENGTH;
use reqwest::{Body, Request};

/// Time for the connection to hand what it was given to the system.
const WRITTEN_AFTER: Duration = Duration::from_millis(30);

/// The request, with W5 between its halves and W6 after them, if one of the two is armed.
pub(super) fn of(mut request: Request) -> Request {
    if !(failpoint::is_armed("W5") || failpoint::is_armed("W6")) {
        return request;
    }
    let Some(whole) = request.body().and_then(Body::as_bytes).map(<[u8]>::to_vec) else { return request };
    // Without a length the halves would be chunks, which is not what Twilio gets otherwise.
    request.headers_mut().insert(CONTENT_LENGTH, whole.len().into());
    let (first, second) = whole.split_at(whole.len() / 2);
    let halves = [first.to_vec(), second.to_vec()];
    let body = stream::unfold(0, move |nth: usize| {
        let half = halves.get(nth).cloned();
        async move {
            if nth == 1 {
                tokio::time::sleep(WRITTEN_AFTER).await;
                failpoint::hit("W5");
                // The connection asks for no more once it has the whole length, so this is the last place.
                tokio::spawn(async {
                    tokio::time::sleep(WRITTEN_AFTER).await;
                    failpoint::hit("W6");
                });
            }
            Some((Ok::<_, std::io::Error>(half?), nth + 1))
        }
    });
    *request.body_mut() = Some(Body::wrap_stream(body));
    request
}
